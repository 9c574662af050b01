import { agree } from "../../quorum/agreement.ts";
import { askRole } from "../../quorum/ask-role.ts";
import { askReplicas, askSentinel, type ReplicaView } from "../../quorum/ask-sentinel.ts";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import type { TlsFiles } from "../../runtime/tls-files.ts";

/** One part of a topology as it is now. */
export interface PartStatus {
  readonly name: string;
  readonly address: string;
  /** Undefined: no process. */
  readonly pid: number | undefined;
  /** For people: "master, 2 replicas". */
  readonly state: string;
  readonly healthy: boolean;
}

/** A topology as it is now. */
export interface TopologyStatus {
  /** `host:port` that a majority of the Sentinels names and that says so itself; empty when there is none. */
  readonly master: string;
  readonly healthy: boolean;
  readonly parts: readonly PartStatus[];
}

/** What is asked for a status. */
export interface StatusQuery {
  readonly redis: readonly NamedAddress[];
  readonly sentinels: readonly NamedAddress[];
  readonly proxies: readonly (NamedAddress & { readonly readyUrl: string })[];
  readonly masterName: string;
  /** A Redis whose data are taken over: until they are, it is the master. */
  readonly moveSource?: Address | undefined;
  readonly username: string;
  readonly tls: TlsFiles | undefined;
  readonly password: string;
  readonly pidOf: (name: string) => number | undefined;
}

interface NamedAddress {
  readonly name: string;
  readonly address: Address;
}

/** Asks every part once, all at the same time. */
export async function askStatus(query: StatusQuery): Promise<TopologyStatus> {
  const connect = (address: Address): ControlConnection =>
    new ControlConnection({
      address,
      username: query.username,
      password: () => query.password,
      tls: query.tls,
    });
  const views = await Promise.all(
    query.sentinels.map(async ({ name, address }) => {
      const connection = connect(address);
      const view = await askSentinel(connection, query.masterName).catch(messageOf);
      const known = await askReplicas(connection, query.masterName).catch(() => []);
      connection.close();
      return { name, address, view, known };
    }),
  );
  const answered = views.flatMap(({ view }) => (typeof view === "string" ? [] : [view]));
  const agreement = agree(answered, { sentinelCount: query.sentinels.length });
  const agreed = agreement.kind === "agreed" ? agreement.master : undefined;

  const part = (name: string, address: Address, state: string, healthy: boolean): PartStatus => ({
    name,
    address: formatAddress(address),
    pid: query.pidOf(name),
    state,
    healthy,
  });
  const replicas = query.redis.length - 1;
  const { moveSource } = query;
  const roles = await Promise.all(
    query.redis.map(async ({ name, address }) => {
      const connection = connect(address);
      const role = await askRole(connection).catch(messageOf);
      connection.close();
      return { name, address, role };
    }),
  );
  const copies = ({ role }: (typeof roles)[number]): boolean =>
    moveSource !== undefined &&
    typeof role !== "string" &&
    role.kind === "replica" &&
    sameAddress(role.master, moveSource);
  const moving = roles.some(copies);
  const sentinels = views.map(({ name, address, view, known }) => {
    if (typeof view === "string") return part(name, address, view, false);
    const promotable = known.filter((replica) => replica.promotable).length;
    const words = [
      `names ${formatAddress(view.master)} at epoch ${view.configEpoch}`,
      ...view.flags.filter((flag) => flag !== "master"),
      `could promote ${promotable} of ${replicas}`,
      ...known.flatMap(describeObstacle),
    ];
    const agrees = agreed !== undefined && sameAddress(view.master, agreed);
    return part(name, address, words.join(", "), agrees && (moving || promotable === replicas));
  });
  let master = moving && moveSource !== undefined ? formatAddress(moveSource) : "";
  const redis = roles.map((seen) => {
    const { name, address, role } = seen;
    if (typeof role === "string") return part(name, address, role, false);
    if (role.kind === "master") {
      const isAgreed = agreed !== undefined && sameAddress(agreed, address);
      if (isAgreed) master = formatAddress(address);
      return part(
        name,
        address,
        `master, ${role.replicas.length} replicas`,
        isAgreed && role.replicas.length === replicas,
      );
    }
    const follows = agreed !== undefined && sameAddress(role.master, agreed);
    return part(
      name,
      address,
      `replica of ${formatAddress(role.master)}, link ${role.linkUp ? "up" : "down"}`,
      role.linkUp && (follows || copies(seen)),
    );
  });
  const proxies = await Promise.all(
    query.proxies.map(async ({ name, address, readyUrl }) => {
      const ready = await askReady(readyUrl);
      return part(name, address, ready === "ok" ? "ready" : ready, ready === "ok");
    }),
  );
  const parts = [...proxies, ...redis, ...sentinels];
  return { master, healthy: master !== "" && parts.every(({ healthy }) => healthy), parts };
}

/** What a proxy says of itself, or why it says nothing. */
async function askReady(url: string): Promise<string> {
  try {
    // A kept connection would keep this process alive.
    const headers = { connection: "close" };
    const response = await fetch(url, { signal: AbortSignal.timeout(1000), headers });
    return (await response.text()).trim();
  } catch (error) {
    return messageOf(error);
  }
}

/** Why a Sentinel wouldn't promote a replica that it knows. */
function describeObstacle({ address, promotable, eligible, priority }: ReplicaView): string[] {
  if (promotable) return [];
  const why = priority === 0 ? "must not be promoted yet" : eligible ? "has no link" : "doesn't answer it";
  return [`${formatAddress(address)} ${why}`];
}
