import { kubectl } from "./kubectl.ts";

/** Where a connection is tried to. */
export interface ConnectionTarget {
  readonly address: string;
  readonly port: number;
}

/** Silence after which a connection counts as denied: a packet filter drops what isn't allowed. */
const patienceMs = 1500;

/** Runs in the pod: needs Node alone, and tries everything at the same time. */
const program = `
const net = require("node:net");
Promise.all(JSON.parse(process.argv[1]).map(({ address, port }) => new Promise((resolve) => {
  const socket = net.connect({ host: address, port });
  const end = (open) => { socket.destroy(); resolve(open); };
  socket.setTimeout(${patienceMs}, () => end(false)).on("connect", () => end(true)).on("error", () => end(false));
}))).then((open) => console.log(JSON.stringify(open)));`;

/** Tries to connect from a pod, `deployment/x` or `pod/x`; for each target whether it went through. */
export async function tryConnections(
  namespace: string,
  pod: string,
  targets: readonly ConnectionTarget[],
): Promise<boolean[]> {
  const command = ["node", "-e", program, JSON.stringify(targets)];
  const printed = await kubectl(["--namespace", namespace, "exec", pod, "--", ...command]);
  return JSON.parse(printed) as boolean[];
}
