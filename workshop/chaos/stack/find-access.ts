import { connect } from "node:net";
import { clusterNames, endpointPart } from "../../../components/topology/site.ts";
import { type Address, formatAddress, parseAddress } from "../../../runtime/address.ts";
import { UserError } from "../../../runtime/user-error.ts";
import type { StackAccess } from "./run-stack-chaos.ts";
import type { RunningStack } from "./running-stack.ts";

const reachedWithinMs = 3000;

/**
 * Finds how clients of this machine come to a stack: by the endpoint's address inside the cluster, or by the one outside. Not by
 * `kubectl port-forward`, which ends with the one pod that it has chosen.
 *
 * @param outputs the stack's, secrets included.
 * @throws {UserError} when neither is reached from here, or the first user is not the one of clients that know only a password.
 */
export async function findAccess(
  stack: RunningStack,
  outputs: Readonly<Record<string, unknown>>,
): Promise<StackAccess> {
  const url = new URL(String(outputs.connectionString));
  const username = decodeURIComponent(url.username);
  if (!["", "default"].includes(username)) {
    throw new UserError(
      `The stack's first user is '${username}', and the clients know only a password: let redis:users begin with 'default'.`,
    );
  }
  const inside = await stack.kubectl(
    "get",
    "service",
    clusterNames().service(endpointPart),
    "--output",
    "jsonpath={.spec.clusterIP}",
  );
  const outside = String(outputs.externalEndpoint ?? "");
  const candidates = [
    { host: inside, port: Number(outputs.proxyPort) },
    ...(outside === "" ? [] : [parseAddress(outside)]),
  ];
  for (const endpoint of candidates) {
    if (!(await isReached(endpoint))) continue;
    const ca = String(outputs.caCertificate ?? "");
    const tls =
      url.protocol === "rediss:" ? { ca, servername: clusterNames().service(endpointPart) } : undefined;
    return { endpoint, password: String(outputs.password), tls };
  }
  throw new UserError(
    `The endpoint isn't reached from here: tried ${candidates.map(formatAddress).join(" and ")}. Run this on a node of the cluster, or expose the endpoint (pulumi config set proxy:serviceType LoadBalancer).`,
  );
}

async function isReached({ host, port }: Address): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port });
  socket.setTimeout(reachedWithinMs, () => resolve(false));
  socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  const reached = await promise;
  socket.destroy();
  return reached;
}
