import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ExecaError } from "execa";
import { installProviders } from "../../workshop/cluster/providers/install.ts";
import { PrivatePulumi } from "../../workshop/stack/private-pulumi.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));

/** The project's policy pack, for `pulumi … --policy-pack`. */
export const policyPack = ["--policy-pack", join(project, "policy")] as const;

/** A stack of this very program with its state and configuration in a temporary directory, on the test's cluster. */
export class TestStack {
  readonly name: string;
  readonly pulumi: PrivatePulumi;
  readonly #directory: string;

  private constructor(name: string, directory: string, pulumi: PrivatePulumi) {
    this.name = name;
    this.#directory = directory;
    this.pulumi = pulumi;
  }

  static async create(name: string, configuration: Readonly<Record<string, string>>): Promise<TestStack> {
    const directory = mkdtempSync(join(tmpdir(), "redis-ha-stack-"));
    // The same program in a folder of its own: the stack's configuration file must not appear in the checkout.
    const folder = join(directory, "project");
    mkdirSync(folder);
    for (const entry of readdirSync(project).filter((item) => !/^(\.|Pulumi\.\w+\.yaml)/.test(item))) {
      symlinkSync(join(project, entry), join(folder, entry));
    }
    const stack = await TestStack.ofProgram(name, folder, directory);
    const { TEST_CONTEXT: context = "", TEST_REGISTRY: registry = "" } = process.env;
    await stack.configure({ "redis-ha:context": context, "images:registry": registry, ...configuration });
    return stack;
  }

  /**
   * A stack of any program.
   *
   * @param folder the program's.
   * @param directory for the state; it is removed with the stack.
   */
  static async ofProgram(name: string, folder: string, directory: string): Promise<TestStack> {
    const {
      TEST_CONTEXT: context,
      TEST_REGISTRY: registry,
      TEST_PULUMI_BIN: bin,
      KUBECONFIG,
      DOCKER_HOST,
    } = process.env;
    if (!context || !registry || !KUBECONFIG || !DOCKER_HOST)
      throw new Error("run the cluster tests with `make test`");
    const home = join(homedir(), ".cache", "redis-ha", "pulumi-home");
    const pulumi = new PrivatePulumi({
      project: folder,
      directory,
      home,
      binDirectories: [
        join(project, "node_modules", ".bin"),
        join(project, "policy", "bin"),
        ...(bin ? [bin] : []),
      ],
      targetEnvironment: { KUBECONFIG, DOCKER_HOST },
    });
    await installProviders({
      pulumiHome: home,
      environment: pulumi.environment,
      onProgress: () => undefined,
    });
    const stack = new TestStack(name, directory, pulumi);
    await pulumi.ensureStack(name);
    return stack;
  }

  configure(values: Readonly<Record<string, string>>): Promise<void> {
    return this.pulumi.configure(this.name, values);
  }

  /** Runs `pulumi <command>`; the text of a failure is in the error's message. */
  async run(command: string, ...args: string[]): Promise<string> {
    try {
      return await this.pulumi.run([...command.split(" "), "--stack", this.name, ...args]);
    } catch (error) {
      if (error instanceof ExecaError)
        throw new Error(`${error.shortMessage}\n${error.stdout}\n${error.stderr}`);
      throw error;
    }
  }

  /** Writes a file for a command. @returns its path. */
  file(name: string, text: string): string {
    const path = join(this.#directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  up(...args: string[]): Promise<string> {
    return this.run("up", "--yes", "--skip-preview", ...args);
  }

  destroy(): Promise<string> {
    return this.run("destroy", "--yes", "--skip-preview");
  }

  outputs(): Promise<Record<string, unknown>> {
    return this.pulumi.outputs(this.name);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
