import { PassThrough } from "node:stream";
import type { KubeConfig, V1Status } from "@kubernetes/client-node";

/** Where a script runs, and which. Its text appears in the API server's audit log: no secret may be in it. */
export interface PodScript {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly script: string;
}

/** Longer than any order is waited for (`answeredWithinMs`). */
const withinMs = 30_000;

/**
 * Runs a shell script in a running container, as `kubectl exec` does.
 *
 * @returns what it printed.
 * @throws {Error} when the API server refuses, when the script fails, and after 30 s.
 */
export async function runInPod(
  config: KubeConfig,
  { namespace, pod, container, script }: PodScript,
): Promise<string> {
  const { Exec } = await import("@kubernetes/client-node");
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const printed: Buffer[] = [];
  const complaints: Buffer[] = [];
  stdout.on("data", (data: Buffer) => printed.push(data));
  stderr.on("data", (data: Buffer) => complaints.push(data));
  const ended = Promise.withResolvers<V1Status>();
  const late = setTimeout(() => ended.reject(new Error(`no answer within ${withinMs / 1000} s`)), withinMs);
  let socket: { close(): void; onclose: unknown } | undefined;
  try {
    const opening = new Exec(config).exec(
      namespace,
      pod,
      container,
      ["sh", "-c", script],
      stdout,
      stderr,
      null,
      false,
      (status) => ended.resolve(status),
    );
    // Whatever comes first: an API server that never answers mustn't be waited for.
    socket = await Promise.race([opening, ended.promise.then(() => undefined)]);
    if (socket !== undefined) socket.onclose = () => ended.reject(new Error("the connection was lost"));
    const { status, message } = await ended.promise;
    if (status !== "Success") {
      const said = Buffer.concat(complaints).toString().trim().split("\n").at(-1);
      throw new Error(said || message || "it failed");
    }
    return Buffer.concat(printed).toString();
  } catch (error) {
    throw readable(error);
  } finally {
    clearTimeout(late);
    // Nobody waits any more.
    ended.promise.catch(() => undefined);
    socket?.close();
  }
}

/** The client rejects with an event. */
function readable(error: unknown): Error {
  if (error instanceof Error) return error;
  const { message } = error as { message?: unknown };
  return new Error(typeof message === "string" && message !== "" ? message : "it can't be reached");
}
