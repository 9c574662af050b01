import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { execa } from "execa";
import { waitUntil } from "../wait-until.ts";

export interface RunningStackOptions {
  readonly namespace: string;
  /** Of the kubeconfig. */
  readonly context: string;
  /** KUBECONFIG and PATH, where they differ from this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly instances: number;
}

/** In a pod of an instance or a Sentinel, as that part's own user. */
const redisCli =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's.
  "REDISCLI_AUTH=$(cat $REDIS_PASSWORD_FILE) ${REDIS_ENGINE:-redis}-cli -h $(case $BIND_ADDR in ::) echo ::1;; *) echo 127.0.0.1;; esac) --user $REDIS_USERNAME ${REDIS_TLS_DIR:+--tls --cacert $REDIS_TLS_DIR/ca.crt --cert $REDIS_TLS_DIR/tls.crt --key $REDIS_TLS_DIR/tls.key}";

const kubectlWithinMs = 180_000;

/** A deployed stack, seen and handled with kubectl. */
export class RunningStack {
  readonly namespace: string;
  readonly #options: RunningStackOptions;

  constructor(options: RunningStackOptions) {
    this.#options = options;
    this.namespace = options.namespace;
  }

  /** The one that is in a namespace, however many instances it has. @throws {Error} when kubectl doesn't reach it. */
  static async find(options: Omit<RunningStackOptions, "instances">): Promise<RunningStack> {
    const names = await new RunningStack({ ...options, instances: 0 }).kubectl(
      "get",
      "deployment",
      "--output",
      "name",
    );
    const instances = names.split("\n").filter((name) => name.includes("/redis-instance-")).length;
    return new RunningStack({ ...options, instances });
  }

  /** How many it has when nothing is going on. */
  get instances(): number {
    return this.#options.instances;
  }

  /** Runs kubectl in the stack's namespace and gives what it printed. */
  async kubectl(...args: string[]): Promise<string> {
    const { context, namespace, environment = {} } = this.#options;
    const { stdout } = await execa("kubectl", ["--context", context, "--namespace", namespace, ...args], {
      env: environment,
      stdin: "ignore",
      timeout: kubectlWithinMs,
    });
    return stdout;
  }

  /** Starts kubectl in the stack's namespace, and appends what it prints to a file. */
  kubectlInto(file: string, ...args: string[]): ChildProcess {
    const { context, namespace, environment } = this.#options;
    const output = openSync(file, "a", 0o600);
    try {
      return spawn("kubectl", ["--context", context, "--namespace", namespace, ...args], {
        env: { ...process.env, ...environment },
        stdio: ["ignore", output, "ignore"],
      });
    } finally {
      closeSync(output);
    }
  }

  /** Runs a script in the pod of one workload. */
  inPod(workload: string, script: string): Promise<string> {
    return this.kubectl("exec", `deployment/${workload}`, "--", "sh", "-c", script);
  }

  /** Asks the Redis or Sentinel of one workload. @param args of redis-cli. */
  ask(workload: string, args: string): Promise<string> {
    return this.inPod(workload, `${redisCli} ${args}`);
  }

  /** What one Sentinel says of the master: its workload, and the epoch, which rises with every failover. */
  async master(): Promise<{ readonly workload: string; readonly epoch: string | undefined }> {
    const words = (await this.ask("redis-sentinel-1", "-p 26379 sentinel master $MASTER_NAME")).split("\n");
    const field = (name: string): string | undefined => words[words.indexOf(name) + 1];
    return { workload: `redis-instance-${field("ip")?.split("-").at(-1)}`, epoch: field("config-epoch") };
  }

  /** Deletes pods and doesn't wait for their end. @param more further arguments of kubectl delete. */
  deletePods(selector: string, ...more: string[]): Promise<string> {
    return this.kubectl("delete", "pod", "--wait=false", "--selector", selector, ...more);
  }

  /** Waits until every Deployment is done and one Redis is the master of all others. @throws {Error} when that takes too long. */
  async allWell(withinMs = 120_000): Promise<void> {
    const timeout = `--timeout=${Math.round(withinMs / 1000)}s`;
    await this.kubectl("wait", "deployment", "--all", "--for=condition=Available", timeout);
    for (const name of (await this.kubectl("get", "deployment", "--output", "name")).split("\n"))
      await this.kubectl("rollout", "status", name, timeout);
    const replicas = Array.from({ length: this.#options.instances - 1 }, () => "slave");
    const wanted = ["master", ...replicas].join();
    await waitUntil(
      "one Redis is the master of all others",
      async () => {
        const roles = await this.#roles();
        if (roles === wanted) return true;
        throw new Error(roles);
      },
      withinMs,
    );
  }

  async #roles(): Promise<string> {
    const workloads = Array.from({ length: this.#options.instances }, (_, i) => `redis-instance-${i + 1}`);
    const answers = await Promise.all(workloads.map((workload) => this.ask(workload, "role")));
    return answers
      .map((answer) => answer.split("\n")[0] ?? "")
      .toSorted()
      .join();
  }
}
