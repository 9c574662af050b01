import { type Address, parseAddress } from "./address.ts";
import type { SentinelView } from "./agreement.ts";
import type { ControlConnection } from "./control-connection.ts";

/**
 * Asks one Sentinel which master it names, with its epoch and flags.
 *
 * @throws {Error} when the Sentinel can't be reached, doesn't know the master or answers nonsense.
 */
export async function askSentinel(connection: ControlConnection, masterName: string): Promise<SentinelView> {
  // Until all replicas are re-pointed, a failover's leader tells the new master here only, while MASTER has its epoch.
  const [address, master] = await Promise.all([
    connection.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName),
    connection.call("SENTINEL", "MASTER", masterName),
  ]);
  const fields = readFieldList(master);
  return {
    sentinel: connection.address,
    master: readAddress(address),
    configEpoch: readEpoch(required(fields, "config-epoch")),
    flags: (fields.get("flags") ?? "").split(","),
    replicas: Number(fields.get("num-slaves") ?? 0),
    otherSentinels: Number(fields.get("num-other-sentinels") ?? 0),
    ...readSettings(fields),
  };
}

function readAddress(reply: unknown): Address {
  const [host, port] = Array.isArray(reply) ? (reply as unknown[]) : [];
  if (typeof host !== "string" || host === "")
    throw new Error("SENTINEL GET-MASTER-ADDR-BY-NAME gave no address");
  return parseAddress(`${bracket(host)}:${String(port)}`);
}

/** Nothing is decided by them, so a Sentinel that doesn't tell them is heard all the same. */
function readSettings(fields: Map<string, string>): Pick<SentinelView, "settings"> {
  const read = (name: string): number => Number(fields.get(name));
  const settings = {
    quorum: read("quorum"),
    downAfterMs: read("down-after-milliseconds"),
    failoverTimeoutMs: read("failover-timeout"),
    parallelSyncs: read("parallel-syncs"),
  };
  return Object.values(settings).every(Number.isSafeInteger) ? { settings } : {};
}

/** How long the others are waited for once enough Sentinels have answered. */
const graceMs = 50;

/**
 * Asks all Sentinels at once. Those that don't answer are left out of `views` and told in `failures`.
 *
 * @param isEnough with it, a frozen Sentinel doesn't delay the rest: once the answers are enough, all others have 50 ms
 * left. One of them may be a failover's leader, which is the only one to know the new master.
 */
export async function askSentinels(
  connections: readonly ControlConnection[],
  masterName: string,
  isEnough?: (views: readonly SentinelView[]) => boolean,
): Promise<{ readonly views: SentinelView[]; readonly failures: Error[] }> {
  const views: SentinelView[] = [];
  const failures: Error[] = [];
  const grace = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  const questions = connections.map(async (connection) => {
    try {
      views.push(await askSentinel(connection, masterName));
      if (isEnough?.(views) === true) timer ??= setTimeout(grace.resolve, graceMs);
    } catch (error) {
      failures.push(error instanceof Error ? error : new Error(String(error)));
    }
  });
  await Promise.race([Promise.all(questions), grace.promise]);
  clearTimeout(timer);
  // Copies: whoever answers later doesn't change what was decided on.
  return { views: [...views], failures: [...failures] };
}

/**
 * The number of replicas that one Sentinel would promote: reachable, linked with the master, and allowed by their
 * `replica-priority`. It learns of a change within its INFO period, so this lags behind what the replicas say.
 */
export async function countPromotable(connection: ControlConnection, masterName: string): Promise<number> {
  const reply = await connection.call("SENTINEL", "REPLICAS", masterName);
  if (!Array.isArray(reply)) throw new Error(`SENTINEL REPLICAS answered ${typeof reply}, not a list`);
  return reply.map(readFieldList).filter((fields) => {
    const down = (fields.get("flags") ?? "")
      .split(",")
      .some((flag) => ["s_down", "disconnected"].includes(flag));
    return !down && fields.get("master-link-status") === "ok" && Number(fields.get("slave-priority")) > 0;
  }).length;
}

/** Turns the flat field/value list of a Sentinel reply into a map. */
function readFieldList(reply: unknown): Map<string, string> {
  if (!Array.isArray(reply))
    throw new Error(`SENTINEL MASTER answered ${typeof reply}, not a list of fields`);
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < reply.length; i += 2) fields.set(String(reply[i]), String(reply[i + 1]));
  return fields;
}

/** Every decision compares epochs, so one that is no number must not get into it. */
function readEpoch(text: string): number {
  const epoch = Number(text);
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new Error(`SENTINEL MASTER gave the epoch '${text}'`);
  return epoch;
}

function required(fields: Map<string, string>, name: string): string {
  const value = fields.get(name);
  if (value === undefined || value === "") throw new Error(`SENTINEL MASTER gave no '${name}'`);
  return value;
}

function bracket(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
