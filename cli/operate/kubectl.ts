import { ExecaError, execa } from "execa";
import { UserError } from "../../runtime/user-error.ts";

/** Bound of one command, ms: an API server that is away must not hold the answer up. */
const withinMs = 10_000;

/** The user's own kubectl in one namespace, with the user's own rights. */
export class Kubectl {
  readonly namespace: string;
  readonly #flags: readonly string[];

  constructor({ namespace, context }: { readonly namespace: string; readonly context: string | undefined }) {
    this.namespace = namespace;
    this.#flags = ["--namespace", namespace, ...(context === undefined ? [] : ["--context", context])];
  }

  /**
   * Runs it and gives what it printed.
   *
   * @param input for the standard input of what `exec` starts.
   * @param timeoutMs default 10 s.
   * @throws {UserError} with the last line that it wrote, when it fails or takes too long.
   */
  async run(args: readonly string[], input?: string, timeoutMs = withinMs): Promise<string> {
    const options = {
      timeout: timeoutMs,
      ...(input === undefined ? { stdin: "ignore" as const } : { input }),
    };
    return explain(args, timeoutMs, async () => {
      const { stdout } = await execa("kubectl", [...this.#flags, ...args], options);
      return stdout;
    });
  }

  /**
   * Runs it and gives what it prints piece by piece: nothing is kept of it.
   *
   * @throws {UserError} as {@link run} does.
   */
  async read(args: readonly string[], take: (text: string) => void, timeoutMs = withinMs): Promise<void> {
    await explain(args, timeoutMs, async () => {
      const options = { timeout: timeoutMs, stdin: "ignore", buffer: { stdout: false } } as const;
      const child = execa("kubectl", [...this.#flags, ...args], options);
      child.stdout.setEncoding("utf8").on("data", take);
      await child;
    });
  }

  /** Leads a port of a pod to a port of this machine while `use` runs. @throws {Error} when that can't be done. */
  async forward<T>(pod: string, port: number, use: (localPort: number) => Promise<T>): Promise<T> {
    const child = execa("kubectl", [...this.#flags, "port-forward", `pod/${pod}`, `:${port}`], {
      stdin: "ignore",
      timeout: withinMs,
      reject: false,
    });
    try {
      for await (const line of child) {
        const local = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (local === undefined) continue;
        try {
          return await use(Number(local));
        } finally {
          // Before the loop ends: that waits for its end.
          child.kill();
        }
      }
      throw new Error(
        `kubectl port-forward: ${String((await child).stderr)
          .trim()
          .split("\n")
          .at(-1)}`,
      );
    } finally {
      child.kill();
    }
  }
}

/** The namespace that kubectl takes when none is named. @throws {UserError} when there is no such context. */
export async function currentNamespace(context: string | undefined): Promise<string> {
  const path = "jsonpath={.contexts[0].context.namespace}";
  const of = context === undefined ? [] : ["--context", context];
  const args = ["config", "view", "--minify", "--output", path, ...of];
  const { stdout } = await explain(args, withinMs, () =>
    execa("kubectl", args, { timeout: withinMs, stdin: "ignore" }),
  );
  return stdout.trim() || "default";
}

/** Says in a sentence why it failed. */
async function explain<T>(args: readonly string[], timeoutMs: number, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    if (error.code === "ENOENT")
      throw new UserError("kubectl is not in PATH: install it, or open a shell that has it.");
    const last = String(error.stderr ?? "")
      .trim()
      .split("\n")
      .at(-1);
    throw new UserError(
      `kubectl ${args[0]}: ${error.timedOut ? `no answer within ${timeoutMs / 1000} s` : last || error.shortMessage}`,
    );
  }
}
