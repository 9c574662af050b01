import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { kubectl } from "./kubectl.ts";

const objects = [
  ...["deployment", "replicaset", "pod", "service", "endpoints", "endpointslice", "configmap", "event"],
  ...[
    "poddisruptionbudget",
    "persistentvolumeclaim",
    "networkpolicy",
    "serviceaccount",
    "controllerrevision",
  ],
];

/** What the Secrets of a namespace hold, `secret/key` → text: one line each, and not so short that it stands anywhere. */
export async function readSecrets(namespace: string): Promise<Record<string, string>> {
  const output = await kubectl(["--namespace", namespace, "get", "secret", "--output", "json"]);
  const { items } = JSON.parse(output) as {
    items: { metadata: { name: string }; data?: Record<string, string> }[];
  };
  return Object.fromEntries(
    items
      .flatMap(({ metadata, data = {} }) =>
        Object.entries(data).map(([key, value]): [string, string] => [
          `${metadata.name}/${key}`,
          Buffer.from(value, "base64").toString().trim(),
        ]),
      )
      .filter(([, text]) => text.length >= 12 && !text.includes("\n")),
  );
}

/** Every object of a namespace but its Secrets, its events, and a description of it as people read it. */
export async function readObjects(namespace: string): Promise<Record<string, string>> {
  const of = ["--namespace", namespace];
  const kinds = objects.join(",");
  const [json, described, namespaceObject] = await Promise.all([
    kubectl([...of, "get", kinds, "--output", "json", "--show-managed-fields"]),
    kubectl([...of, "describe", "deployment,pod,service,event"]),
    kubectl(["get", "namespace", namespace, "--output", "json"]),
  ]);
  return { objects: json, "kubectl describe": described, namespace: namespaceObject };
}

/** The logs of all pods of the stack; those of a container's last run too, when it has been started again. */
export async function readLogs(namespace: string): Promise<Record<string, string>> {
  const output = await kubectl([
    ...["--namespace", namespace, "get", "pod", "--selector", "app.kubernetes.io/name=redis-ha"],
    ...["--output", "json"],
  ]);
  const { items } = JSON.parse(output) as {
    items: { metadata: { name: string }; status: { containerStatuses?: { restartCount: number }[] } }[];
  };
  const logs = await Promise.all(
    items.flatMap(({ metadata: { name }, status }) => {
      const read = (...more: string[]): Promise<[string, string]> =>
        kubectl(["--namespace", namespace, "logs", name, ...more]).then((text) => [
          `log of ${[name, ...more].join(" ")}`,
          text,
        ]);
      return status.containerStatuses?.some(({ restartCount }) => restartCount > 0)
        ? [read(), read("--previous")]
        : [read()];
    }),
  );
  return Object.fromEntries(logs);
}

/** Arguments and environments of all processes of this machine, which is the cluster's only node. */
export function readProcesses(): Record<string, string> {
  const read = (file: string): string => {
    try {
      return readFileSync(file, "utf8").replaceAll("\0", "\n");
    } catch {
      // It has ended meanwhile, or belongs to the kernel.
      return "";
    }
  };
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return Object.fromEntries(
    (["cmdline", "environ"] as const).map((what) => [
      `processes' ${what}`,
      processes.map((pid) => read(`/proc/${pid}/${what}`)).join("\n"),
    ]),
  );
}

/**
 * Makes the redis-server of a workload crash, as a bug would: it writes a report of several hundred lines to its log.
 * Redis's report of a crash can itself crash, so that one without an end is tried again.
 *
 * @throws {Error} with the ends of the logs when no report was complete.
 */
export async function crashRedis(namespace: string, workload: string): Promise<void> {
  const program = `
const { readdirSync, readFileSync } = require("node:fs");
const found = readdirSync("/proc").filter((pid) => /^[0-9]+$/.test(pid) &&
  readFileSync("/proc/" + pid + "/comm", "utf8") === "redis-server\\n");
for (const pid of found) process.kill(Number(pid), "SIGSEGV");
if (found.length !== 1) throw new Error(found.length + " processes are called redis-server");`;
  const ends: string[] = [];
  while (ends.length < 3) {
    await kubectl(["--namespace", namespace, "exec", `deployment/${workload}`, "--", "node", "-e", program]);
    // Kubernetes waits longer before each restart.
    const until = performance.now() + 20_000 * (ends.length + 1);
    let log = "";
    while (performance.now() < until) {
      const logs = Object.entries(await readLogs(namespace));
      log = logs.find(([place]) => place.includes(workload) && place.endsWith("--previous"))?.[1] ?? "";
      if (log.includes("=== REDIS BUG REPORT END")) return;
      await delay(500);
    }
    ends.push(log.slice(-1500));
  }
  throw new Error(
    `no crash of ${workload} left a whole report; the ends of its logs:\n${ends.join("\n---\n")}`,
  );
}
