import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { UserError } from "../../runtime/user-error.ts";
import { buildGo } from "./build-go.ts";
import { cacheDirectory } from "./places.ts";

type Progress = (line: string) => void;

/** Programs that are built from Go modules, since their releases can't be downloaded everywhere. */
interface GoPrograms {
  /** Folder below cluster/programs with a go.mod of its own. */
  readonly folder: string;
  /** Packages to build; the last part of each is the program's name. */
  readonly packages: readonly string[];
  readonly ldflags: string;
  /** For people, with the time that a first build takes. */
  readonly description: string;
}

const kubernetesVersion = "v1.34.4";
const pulumiVersion = "v3.259.0";

const kubernetes: GoPrograms = {
  folder: "kubernetes",
  packages: [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
  ].map((name) => `k8s.io/kubernetes/cmd/${name}`),
  ldflags: `-X k8s.io/component-base/version.gitVersion=${kubernetesVersion}`,
  description: `Kubernetes ${kubernetesVersion} (about 6 minutes)`,
};
const pulumi: GoPrograms = {
  folder: "pulumi",
  packages: ["github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"],
  ldflags: `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${pulumiVersion}`,
  description: `the Pulumi CLI ${pulumiVersion} (about 4 minutes)`,
};
const languageHost: GoPrograms = {
  folder: "pulumi-language-nodejs",
  packages: ["github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"],
  ldflags: "",
  description: "Pulumi's Node.js language host",
};
/** What that host can't, and SDKs in all languages. */
const languages: GoPrograms = {
  folder: "pulumi-languages",
  packages: ["."],
  ldflags: "",
  description: "the rest of Pulumi's language hosts",
};
const yamlHost: GoPrograms = {
  folder: "pulumi-language-yaml",
  packages: ["github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"],
  ldflags: "",
  description: "Pulumi's YAML language host (about 2 minutes)",
};
const coredns: GoPrograms = {
  folder: "coredns",
  packages: ["."],
  ldflags: "",
  description: "CoreDNS (about 1 minute)",
};
/** An S3 server: what tests of backups store into. */
const versitygw: GoPrograms = {
  folder: "versitygw",
  packages: ["github.com/versity/versitygw/cmd/versitygw"],
  ldflags: "",
  description: "the S3 server Versity Gateway v1.8.0 (about 2 minutes)",
};
const pause: GoPrograms = { folder: "pause", packages: ["."], ldflags: "", description: "the pause program" };

/** Directory with kube-apiserver, kubelet and the others; built when missing. */
export function ensureKubernetes(onProgress: Progress): Promise<string> {
  return ensureBuilt(kubernetes, onProgress);
}

/** Path of an S3 server over a directory. @throws {UserError} when there is no Go to build it. */
export async function ensureS3Server(onProgress: Progress): Promise<string> {
  return join(await ensureBuilt(versitygw, onProgress), "versitygw");
}

/** PATH with the built kubectl behind what is installed. */
export function pathWithKubectl(): string {
  return [process.env.PATH ?? "", builtDirectory(kubernetes)].join(delimiter);
}

/** Directories with the programs of the two images that every pod sandbox and the cluster's DNS need. */
export async function ensureImagePrograms(onProgress: Progress): Promise<{ pause: string; coredns: string }> {
  const pauseDirectory = await ensureBuilt(pause, onProgress);
  return { pause: pauseDirectory, coredns: await ensureBuilt(coredns, onProgress) };
}

/**
 * A directory for PATH with the Pulumi CLI and its language hosts for Node.js and YAML; a host for Go is there only to make SDKs and to
 * run a test's program. A CLI that is installed is used as it is.
 *
 * @throws {UserError} when there is none and no Go to build it.
 */
export async function ensurePulumi({
  onProgress,
}: {
  onProgress: Progress;
}): Promise<{ binDir: string | undefined }> {
  const installed = await execa("pulumi-language-nodejs", ["-help"], { reject: false, stdin: "ignore" });
  const version = await execa("pulumi", ["version"], { reject: false, stdin: "ignore" });
  if (version.exitCode === 0 && installed.code !== "ENOENT") return { binDir: undefined };
  const cli = await ensureBuilt(pulumi, onProgress);
  const host = await ensureBuilt(languageHost, onProgress);
  const more = await ensureBuilt(languages, onProgress);
  const yaml = await ensureBuilt(yamlHost, onProgress);
  const started = `#!/bin/sh\nexec '${join(more, "pulumi-languages")}'`;
  const wrappers = {
    // This host is older than the CLI, which no longer tells it the project's `typescript: false` on the command line.
    nodejs: `${started} nodejs '${join(host, "pulumi-language-nodejs")}' -typescript=false "$@"\n`,
    go: `${started} go - "$@"\n`,
  };
  const key = createHash("sha256")
    .update(cli)
    .update(yaml)
    .update(JSON.stringify(wrappers))
    .digest("hex")
    .slice(0, 16);
  const binDir = join(cacheDirectory, "programs", `pulumi-bin-${key}`);
  if (!existsSync(binDir)) {
    const temporary = mkdtempSync(join(cacheDirectory, "programs", ".build-"));
    symlinkSync(join(cli, "pulumi"), join(temporary, "pulumi"));
    symlinkSync(join(yaml, "pulumi-language-yaml"), join(temporary, "pulumi-language-yaml"));
    for (const [language, text] of Object.entries(wrappers))
      writeFileSync(join(temporary, `pulumi-language-${language}`), text, { mode: 0o755 });
    chmodSync(temporary, 0o755);
    renameBuilt(temporary, binDir);
  }
  return { binDir };
}

/**
 * Builds what isn't in the cache. The key is everything that decides the result, so a second checkout finds it and a changed
 * version doesn't. Built aside and renamed: an interrupted build leaves no half of a cache.
 */
async function ensureBuilt(programs: GoPrograms, onProgress: Progress): Promise<string> {
  const target = builtDirectory(programs);
  if (existsSync(target)) return target;
  if ((await execa("go", ["version"], { reject: false })).exitCode !== 0) {
    throw new UserError(
      `Go is needed to build ${programs.description}, but it is not in PATH: install Go 1.26 or newer.`,
    );
  }
  onProgress(`building ${programs.description}`);
  mkdirSync(join(cacheDirectory, "programs"), { recursive: true });
  const temporary = mkdtempSync(join(cacheDirectory, "programs", ".build-"));
  try {
    for (const path of programs.packages) {
      const name = path === "." ? programs.folder : (path.split("/").at(-1) ?? path);
      const flags = ["-trimpath", "-ldflags", `-s -w ${programs.ldflags}`, "-o", join(temporary, name)];
      await buildGo({ name, directory: sourceDirectory(programs), package: path, flags });
    }
    renameBuilt(temporary, target);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return target;
}

function sourceDirectory({ folder }: GoPrograms): string {
  return fileURLToPath(new URL(`programs/${folder}`, import.meta.url));
}

function builtDirectory(programs: GoPrograms): string {
  const key = cacheKey(sourceDirectory(programs), programs);
  return join(cacheDirectory, "programs", `${programs.folder}-${key}`);
}

/** Another run may have finished the same build meanwhile: its result is as good. */
function renameBuilt(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/** Hash of the module's files and the build's flags. */
export function cacheKey(directory: string, programs: Pick<GoPrograms, "packages" | "ldflags">): string {
  const hash = createHash("sha256").update(JSON.stringify([programs.packages, programs.ldflags]));
  for (const file of readdirSync(directory).toSorted()) {
    hash.update(`\0${file}\0`).update(readFileSync(join(directory, file)));
  }
  return hash.digest("hex").slice(0, 16);
}
