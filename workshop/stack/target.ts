import { existsSync, readFileSync } from "node:fs";
import { execa } from "execa";
import { UserError } from "../../runtime/user-error.ts";

/** Where `stack up` deploys to. */
export type Target =
  | { readonly kind: "context"; readonly context: string }
  | { readonly kind: "kind" }
  | { readonly kind: "embedded" };

/** What this machine offers. */
export interface MachineFacts {
  /** A Docker daemon answers. */
  readonly docker: boolean;
  /** The `kind` program is there. */
  readonly kind: boolean;
  readonly root: boolean;
  /** Debian, Ubuntu or one of their derivatives. */
  readonly debian: boolean;
}

/**
 * Chooses the target: the context that was named, else kind, else the embedded cluster.
 * A current context that nobody named is never used: it may be production.
 *
 * @throws {UserError} when nothing is possible, with what is missing and what works without it.
 */
export function chooseTarget(context: string | undefined, facts: MachineFacts): Target {
  if (context !== undefined && context !== "") return { kind: "context", context };
  if (facts.docker && facts.kind) return { kind: "kind" };
  if (facts.root && facts.debian) return { kind: "embedded" };
  const docker = facts.docker ? "Docker answers" : "no Docker daemon answers";
  const kind = facts.kind ? "kind is there" : "kind is not installed";
  const embedded = facts.debian
    ? "the embedded cluster needs root"
    : "the embedded cluster needs Debian or Ubuntu and root";
  throw new UserError(
    `No cluster to deploy to: no context was named, ${docker}, ${kind}, ${embedded}. ` +
      "Name a context (make up CONTEXT=my-context), install kind, or run without a cluster: make local.",
  );
}

/** Looks what this machine offers. */
export async function readMachineFacts(): Promise<MachineFacts> {
  const [docker, kind] = await Promise.all([
    succeeds("docker", ["version", "--format", "{{.Server.Version}}"]),
    succeeds("kind", ["version"]),
  ]);
  return { docker, kind, root: process.getuid?.() === 0, debian: isDebian() };
}

async function succeeds(command: string, args: string[]): Promise<boolean> {
  const result = await execa(command, args, { reject: false, timeout: 5000, stdin: "ignore" });
  return result.exitCode === 0;
}

function isDebian(): boolean {
  const file = "/etc/os-release";
  return existsSync(file) && /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync(file, "utf8"));
}
