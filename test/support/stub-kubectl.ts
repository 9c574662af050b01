import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** What the stub answers to a call whose arguments contain `to`. */
export interface StubAnswer {
  readonly to: string;
  readonly stdout?: string;
  /** With it the call fails. */
  readonly stderr?: string;
}

/**
 * A `kubectl` that is first in this process' PATH and knows its answers; the first that fits is taken. Whatever it has no answer to, it
 * refuses as an API server does who may not. What an API server really says is shown by test/cluster/operate.test.ts.
 */
export class StubKubectl {
  readonly directory = mkdtempSync(join(tmpdir(), "redis-ha-kubectl-"));
  readonly #path = process.env.PATH ?? "";
  readonly #calls = join(this.directory, "calls");

  constructor(answers: readonly StubAnswer[]) {
    const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
    const cases = answers.map(({ to, stdout = "", stderr }, i) => {
      const file = join(this.directory, `answer-${i}`);
      writeFileSync(file, stdout);
      const end = stderr === undefined ? "exit 0" : `echo ${quoted(stderr)} >&2; exit 1`;
      return `*${quoted(to)}*) cat ${quoted(file)}; ${end} ;;`;
    });
    const bin = join(this.directory, "bin");
    mkdirSync(bin);
    const program = join(bin, "kubectl");
    writeFileSync(
      program,
      [
        "#!/bin/sh",
        `echo "$*" >> ${quoted(this.#calls)}`,
        'case "$*" in',
        ...cases,
        "*) echo 'Error from server (Forbidden): you may not' >&2; exit 1 ;;",
        "esac",
        "",
      ].join("\n"),
    );
    chmodSync(program, 0o755);
    writeFileSync(this.#calls, "");
    process.env.PATH = `${bin}${delimiter}${this.#path}`;
  }

  /** The arguments of each call, in one line each. */
  get calls(): string[] {
    return readFileSync(this.#calls, "utf8").split("\n").filter(Boolean);
  }

  /** Gives the PATH back. */
  remove(): void {
    process.env.PATH = this.#path;
    rmSync(this.directory, { recursive: true });
  }
}

/** A pod as `kubectl get pods --output json` shows it. */
export function podObject(
  name: string,
  component: string,
  workload: string,
  restartCount = 0,
  more: Readonly<Record<string, unknown>> = {},
): object {
  return {
    kind: "Pod",
    metadata: {
      name,
      labels: { "app.kubernetes.io/component": component, "redis-ha/workload": workload },
    },
    status: {
      phase: "Running",
      podIP: "10.0.0.1",
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: [{ restartCount, state: { running: {} } }],
    },
    ...more,
  };
}
