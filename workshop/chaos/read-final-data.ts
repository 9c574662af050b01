import type { Redis } from "ioredis";
import { registersOf } from "./check-registers.ts";
import type { ClientData, FinalData, Operation } from "./history.ts";
import { ledgerKeys, registerKey } from "./ledger-keys.ts";

const keysPerCall = 500;

/**
 * Reads what the master holds of a round that is over, and removes it.
 *
 * @param master connected to the instance itself, not to a proxy.
 */
export async function takeFinalData(
  master: Redis,
  round: string,
  operations: readonly Operation[],
): Promise<FinalData> {
  const sets = new Map<string, string[]>(operations.map(({ client }) => [client, []]));
  for (const { client, command, id } of operations) if (command === "SET") sets.get(client)?.push(id);
  const data = await readFinalData(master, round, sets);
  await removeLedger(master, round, sets, registersOf(operations));
  return data;
}

/**
 * Reads what the master holds of a round.
 *
 * @param sets ids of all SETs that were sent, by client.
 */
async function readFinalData(
  master: Redis,
  round: string,
  sets: ReadonlyMap<string, readonly string[]>,
): Promise<FinalData> {
  const data = new Map<string, ClientData>();
  for (const [client, ids] of sets) {
    const keys = ledgerKeys(round, client);
    const strings = new Map<string, string>();
    for (const some of chunks(ids)) {
      const values = await master.mget(...some.map(keys.string));
      for (const [i, value] of values.entries()) {
        const id = some[i];
        if (value !== null && id !== undefined) strings.set(id, value);
      }
    }
    data.set(client, {
      counter: Number((await master.get(keys.counter)) ?? 0),
      list: await master.lrange(keys.list, 0, -1),
      set: new Set(await master.smembers(keys.set)),
      strings,
    });
  }
  return data;
}

/** Removes a round's keys, so that a long run doesn't fill the memory. */
async function removeLedger(
  master: Redis,
  round: string,
  sets: ReadonlyMap<string, readonly string[]>,
  registers: readonly string[],
): Promise<void> {
  for (const some of chunks(registers.map((register) => registerKey(round, register))))
    await master.unlink(...some);
  for (const [client, ids] of sets) {
    const keys = ledgerKeys(round, client);
    for (const some of chunks([...ids.map(keys.string), keys.counter, keys.list, keys.set]))
      await master.unlink(...some);
  }
}

function* chunks(items: readonly string[]): Generator<readonly string[]> {
  for (let i = 0; i < items.length; i += keysPerCall) yield items.slice(i, i + keysPerCall);
}
