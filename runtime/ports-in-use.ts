import { connect } from "node:net";

/** Those of the ports of this machine that somebody listens on. @param host an address of the loopback. */
export async function portsInUse(ports: readonly number[], host = "127.0.0.1"): Promise<number[]> {
  const answers = await Promise.all(ports.map((port) => isListening(host, port)));
  return ports.filter((_, i) => answers[i]);
}

async function isListening(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, timeout: 1000 });
  socket
    .once("connect", () => resolve(true))
    .once("timeout", () => resolve(false))
    .once("error", () => resolve(false));
  const answer = await promise;
  socket.destroy();
  return answer;
}
