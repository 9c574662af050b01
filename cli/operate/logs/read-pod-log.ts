import { messageOf } from "../../../runtime/log.ts";
import type { Kubectl } from "../kubectl.ts";
import type { PodSeen } from "../read-pods.ts";
import { keepLines, type LogQuery, type PartLog } from "./part-log.ts";

/** Some MiB by way of the API server, ms. */
const withinMs = 30_000;

/** A part by the name that an operator knows: there are several pods of the proxy. */
export function partNameOf({ name, kind, workload }: PodSeen): string {
  return kind === "proxy" ? name : workload;
}

/** Reads the end of a pod's log; of a container that was started again the end of the one before it, too. */
export async function readPodLog(
  kubectl: Kubectl,
  pod: PodSeen,
  { lines, sinceSeconds }: Pick<LogQuery, "lines" | "sinceSeconds">,
): Promise<PartLog> {
  const kept = keepLines(lines);
  const read = async (...more: readonly string[]): Promise<void> => {
    const since = sinceSeconds === undefined ? [] : [`--since=${Math.ceil(sinceSeconds)}s`];
    // One more than is kept: so it is seen that there are more.
    const args = ["logs", `pod/${pod.name}`, `--tail=${lines + 1}`, ...since, ...more];
    await kubectl.read(args, (text) => kept.feed(text), withinMs);
    kept.end();
  };
  let previousProblem: string | undefined;
  if (pod.restarts > 0) {
    await read("--previous").catch((error: unknown) => {
      previousProblem = messageOf(error);
    });
  }
  let problem: string | undefined;
  await read().catch((error: unknown) => {
    problem = messageOf(error);
  });
  return {
    part: partNameOf(pod),
    kind: pod.kind,
    zone: " UTC",
    lines: kept.lines,
    cut: kept.cut,
    ...(problem === undefined ? {} : { problem }),
    ...(previousProblem === undefined ? {} : { previousProblem }),
  };
}
