import { connect } from "node:net";

/** Those of the ports of this machine's loopback that somebody listens on. */
export async function portsInUse(ports: readonly number[]): Promise<number[]> {
  const answers = await Promise.all(ports.map((port) => isListening(port)));
  return ports.filter((_, i) => answers[i]);
}

async function isListening(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: "127.0.0.1", port, timeout: 1000 });
  socket
    .once("connect", () => resolve(true))
    .once("timeout", () => resolve(false))
    .once("error", () => resolve(false));
  const answer = await promise;
  socket.destroy();
  return answer;
}
