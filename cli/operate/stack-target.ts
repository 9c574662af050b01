import { ports } from "../../components/topology/site.ts";
import { type Address, formatAddress, parseAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import { UserError } from "../../runtime/user-error.ts";
import { askingScript, type PodAnswers, readPodAnswers } from "./ask-in-pod.ts";
import { orderBackupInPod } from "./backup/order-backup.ts";
import type { Kubectl } from "./kubectl.ts";
import { askProxy } from "./local-target.ts";
import { selectParts } from "./logs/part-log.ts";
import { partNameOf, readPodLog } from "./logs/read-pod-log.ts";
import type { LoggedEvent, Observation, ProxySeen } from "./observation.ts";
import { orderInPod } from "./order-in-pod.ts";
import { placingScript } from "./place-orders.ts";
import { readInstanceLog, readSentinelLog } from "./read-failover-log.ts";
import { type PodSeen, readPods } from "./read-pods.ts";
import { readRedis, readSentinel, redisQuestions, sentinelQuestions } from "./read-replies.ts";
import { lookAroundStack } from "./report/stack-surroundings.ts";
import type { Target } from "./target.ts";

/** The end of a log is enough for the last failover. */
const linesOfStory = 5000;

/** Each byte goes by the API server and the kubelet. */
const forwardedWithinMs = 3000;

/** The selector of everything that belongs to a stack. */
export function stackLabel(namePrefix: string): string {
  return `app.kubernetes.io/name=redis-ha${namePrefix === "" ? "" : `-${namePrefix}`}`;
}

/** A deployed stack, reached by the user's own kubectl: `get`, `exec`, `logs` and `port-forward`. */
export function stackTarget(kubectl: Kubectl, namePrefix: string): Target {
  const label = stackLabel(namePrefix);
  const list = async (): Promise<ReturnType<typeof readPods>> =>
    readPods(
      await kubectl.run(["get", "pods,deployments", "--selector", label, "--output", "json"]),
      namePrefix,
    );
  const podOf = async (name: string): Promise<string> => {
    const pod = (await list()).pods.find(({ workload }) => workload === name);
    if (pod === undefined) throw new UserError(`${name} has no pod any more. Nothing was changed.`);
    return pod.name;
  };
  return {
    orderBackup: async (name, id, told) => orderBackupInPod(kubectl, name, await podOf(name), id, told),
    orderHandOver: async (name, order) => orderInPod(kubectl, name, await podOf(name), order),
    placeOrders: async (name, orders) => {
      await kubectl.run(["exec", "--stdin", `pod/${await podOf(name)}`, "--", "sh"], placingScript(orders));
    },
    isDeployed: true,
    lookAround: () => lookAroundStack(kubectl, label),
    readLogs: async ({ parts, ...query }) => {
      const { pods } = await list();
      if (pods.length === 0) throw nothingThere(kubectl, namePrefix);
      const named = pods
        .map((pod) => ({ name: partNameOf(pod), kind: pod.kind, pod }))
        .toSorted((a, b) => a.name.localeCompare(b.name));
      return Promise.all(selectParts(named, parts).map(({ pod }) => readPodLog(kubectl, pod, query)));
    },
    observe: async ({ logs }): Promise<Observation> => {
      const { workloads, pods } = await list();
      const redis = workloads.filter(({ kind }) => kind === "redis");
      if (redis.length === 0) throw nothingThere(kubectl, namePrefix);
      const podOf = (name: string): PodSeen | undefined => pods.find(({ workload }) => workload === name);
      const [asked, proxies, events] = await Promise.all([
        Promise.all(redis.map(({ name }) => askInPod(kubectl, podOf(name)))),
        Promise.all(pods.filter(({ kind }) => kind === "proxy").map((pod) => lookAtPod(kubectl, pod))),
        logs ? readEvents(kubectl, pods) : [],
      ]);
      const answered = asked.filter((answer): answer is PodAnswers => !(answer instanceof Error));
      const [example] = answered;
      const sentinels = workloads
        .filter(({ kind }) => kind === "sentinel")
        .map(({ name, object }, i) => {
          const service = { host: object.replace(name, `svc-${name}`), port: ports.sentinel };
          const address = addressFrom(example?.sentinels[i], service);
          // Heard by any of the instances, it answers.
          const replies = answered
            .map((answer) => answer.replies.get(formatAddress(address)))
            .toSorted((a, b) => Number(a instanceof Error) - Number(b instanceof Error))[0];
          const pod = podOf(name);
          const problem = pod === undefined ? "it has no pod" : pod.problem;
          const answer = replies ?? new Error("no Redis pod could ask it");
          // What the cluster says of its pod tells more than that it can't be reached.
          return readSentinel(
            { name, address },
            answer instanceof Error && problem !== undefined ? new Error(problem) : answer,
          );
        });
      return {
        atMs: Date.now(),
        namespace: kubectl.namespace,
        masterName: example?.masterName ?? "",
        redis: redis.map(({ name, object }, i) => {
          const answer = asked[i] ?? new Error("it wasn't asked");
          const service = { host: object.replace(name, `svc-${name}`), port: ports.redis };
          if (answer instanceof Error) return readRedis({ name, address: service }, answer, {});
          const replies = answer.replies.get(answer.self) ?? new Error("its server doesn't answer");
          return readRedis({ name, address: addressFrom(answer.self, service) }, replies, answer.machine);
        }),
        sentinels,
        proxies,
        events,
      };
    },
  };
}

/** Said where no stack is. */
export function nothingThere({ namespace }: Kubectl, namePrefix: string): UserError {
  const hint = namePrefix === "" ? " Has it a --name-prefix?" : "";
  return new UserError(`Namespace ${namespace} holds no redis-ha: name it with --namespace.${hint}`);
}

async function askInPod(kubectl: Kubectl, pod: PodSeen | undefined): Promise<PodAnswers | Error> {
  if (pod === undefined) return new Error("it has no pod");
  if (pod.phase !== "Running") return new Error(pod.problem ?? `its pod is ${pod.phase}`);
  try {
    const script = askingScript(redisQuestions, sentinelQuestions);
    const lookedMs = Date.now();
    const output = await kubectl.run(["exec", "--stdin", `pod/${pod.name}`, "--", "sh"], script);
    return readPodAnswers(output, lookedMs, Date.now() - lookedMs);
  } catch (error) {
    return new Error(pod.problem ?? messageOf(error));
  }
}

/** A proxy by its own pod: the Service would choose one. */
async function lookAtPod(kubectl: Kubectl, pod: PodSeen): Promise<ProxySeen> {
  const part = { name: pod.name, address: { host: pod.ip, port: ports.redis } };
  if (pod.phase !== "Running") return { ...part, problem: pod.problem ?? pod.phase, metrics: {} };
  try {
    return await kubectl.forward(pod.name, ports.admin, async (port) => ({
      ...part,
      ...(await askProxy(`http://127.0.0.1:${port}`, forwardedWithinMs)),
    }));
  } catch (error) {
    // Not everybody may forward ports, and it takes its time; whether it is ready the kubelet knows, too.
    return { ...part, problem: pod.problem ?? (pod.ready ? undefined : messageOf(error)), metrics: {} };
  }
}

async function readEvents(kubectl: Kubectl, pods: readonly PodSeen[]): Promise<LoggedEvent[]> {
  const events = await Promise.all(
    pods.map(async (pod) => {
      if (pod.kind === "proxy") return [];
      const { part, lines, zone } = await readPodLog(kubectl, pod, { lines: linesOfStory });
      const log = lines.join("\n");
      return pod.kind === "sentinel"
        ? readSentinelLog(part, log, undefined, zone)
        : readInstanceLog(part, log);
    }),
  );
  return events.flat();
}

function addressFrom(text: string | undefined, otherwise: Address): Address {
  return text === undefined || text === "" ? otherwise : parseAddress(text);
}
