import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa } from "execa";

/** Where a stack's Pulumi runs: its own home and state, so that the user's `~/.pulumi` and backend stay as they are. */
export interface PulumiPlace {
  /** The checkout with Pulumi.yaml. */
  readonly project: string;
  /** Directory for state, passphrase and environment file. */
  readonly directory: string;
  /** PULUMI_HOME, with the provider plugins. */
  readonly home: string;
  /** Directories for PATH: the CLI, its language host, the project's Node. */
  readonly binDirectories: readonly string[];
  /** KUBECONFIG, DOCKER_HOST and PATH of the target. */
  readonly targetEnvironment: Readonly<Record<string, string>>;
}

/** Runs the Pulumi CLI on one stack with a local state backend. */
export class PrivatePulumi {
  readonly environment: Readonly<Record<string, string>>;
  readonly #place: PulumiPlace;

  constructor(place: PulumiPlace) {
    this.#place = place;
    const state = join(place.directory, "state");
    const passphraseFile = join(place.directory, "passphrase");
    mkdirSync(state, { recursive: true });
    mkdirSync(place.home, { recursive: true });
    if (!existsSync(passphraseFile)) {
      writeFileSync(passphraseFile, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
    }
    this.environment = {
      PULUMI_HOME: place.home,
      PULUMI_BACKEND_URL: `file://${state}`,
      PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      ...place.targetEnvironment,
      PATH: [...place.binDirectories, place.targetEnvironment.PATH ?? process.env.PATH ?? ""].join(delimiter),
    };
  }

  /** The checkout with Pulumi.yaml. */
  get project(): string {
    return this.#place.project;
  }

  /** Runs `pulumi <args>` and gives what it printed. Progress goes to the terminal when `show` is set. */
  async run(args: readonly string[], { show = false }: { show?: boolean } = {}): Promise<string> {
    const result = await execa("pulumi", ["--non-interactive", "--cwd", this.#place.project, ...args], {
      env: this.environment,
      stdin: "ignore",
      // What a person watches goes to stderr: stdout is for the result.
      stdout: show ? ["pipe", process.stderr] : "pipe",
      stderr: show ? ["pipe", process.stderr] : "pipe",
    });
    return result.stdout;
  }

  /** Makes the stack unless it exists. */
  async ensureStack(stack: string): Promise<void> {
    const stacks = JSON.parse(await this.run(["stack", "ls", "--json"])) as { name: string }[];
    if (!stacks.some(({ name }) => name === stack || name.endsWith(`/${stack}`))) {
      this.#dropForeignSalt(stack);
      await this.run(["stack", "init", stack, "--secrets-provider", "passphrase"]);
    }
  }

  /** Sets configuration keys, as `pulumi config set` does. */
  async configure(stack: string, values: Readonly<Record<string, string>>): Promise<void> {
    // All in one command: each takes a second and more.
    const pairs = Object.entries(values).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]);
    if (pairs.length > 0) await this.run(["config", "set-all", "--stack", stack, ...pairs]);
  }

  /** The stack's outputs as plain values, secrets included. */
  async outputs(stack: string): Promise<Record<string, unknown>> {
    const text = await this.run(["stack", "output", "--stack", stack, "--json", "--show-secrets"]);
    return JSON.parse(text) as Record<string, unknown>;
  }

  /** A salt that belongs to a passphrase of an earlier, removed state would make a new stack unreadable. */
  #dropForeignSalt(stack: string): void {
    const file = join(this.#place.project, `Pulumi.${stack}.yaml`);
    if (!existsSync(file)) return;
    const lines = readFileSync(file, "utf8").split("\n");
    const kept = lines.filter((line) => !line.startsWith("encryptionsalt:"));
    if (kept.length < lines.length) writeFileSync(file, kept.join("\n"));
  }
}
