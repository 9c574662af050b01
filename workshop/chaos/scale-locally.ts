import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { LocalPart, LocalTopology } from "../../cli/local/local-topology.ts";
import { orderLocally } from "../../cli/operate/order-locally.ts";
import { formatAddress } from "../../runtime/address.ts";
import { waitUntil } from "./wait-until.ts";

/** Asks one Sentinel. @param sentinel its name. */
export type AskSentinel = (sentinel: string, ...command: string[]) => Promise<unknown>;

/** Instances and Sentinels that a topology is to have. */
export interface Counts {
  readonly instances: number;
  readonly sentinels: number;
}

/** The removed ones' last sign of life is 1.5 s old, then one Sentinel after the other learns anew. */
export const forgottenWithinMs = 5000;

const readyWithinMs = 40_000;

/** Until the next step, which says so again. */
const leavingMs = 120_000;

/** A topology with all parts that it ever has; parts with higher numbers may not run. */
export class LocalScale {
  readonly #largest: LocalTopology;
  readonly #ask: AskSentinel;

  constructor(largest: LocalTopology, ask: AskSentinel) {
    this.#largest = largest;
    this.#ask = ask;
  }

  /**
   * Changes the counts as `pulumi up` does, in its order: instances that go leave, the Sentinels are started one after the other with the new
   * lists, then the instances from the last to the first, and at last what isn't wanted any more is ended. The proxies go on: on a
   * cluster they are rolled in between.
   *
   * @returns how long it took from the end of the last removed part until no Sentinel knew any, ms.
   * @throws {Error} when something isn't ready in time, or a Sentinel doesn't know exactly the configured ones after 5 s.
   */
  async to(counts: Counts): Promise<number> {
    const wanted = this.#largest.configuredAs({
      ...this.#largest.configuration,
      "redis:instances": String(counts.instances),
      "sentinel:count": String(counts.sentinels),
    });
    const kept = new Set(wanted.names);
    const isNumbered = ({ kind }: LocalPart): boolean => kind !== "proxy";
    const removed = this.#largest.parts.filter(
      (part) => isNumbered(part) && !kept.has(part.name) && this.#largest.isRunning(part.name),
    );
    const leaving = removed.filter(({ kind }) => kind === "redis");
    const of = (kind: LocalPart["kind"]): LocalPart[] => wanted.parts.filter((part) => part.kind === kind);
    const [instances, sentinels] = [of("redis"), of("sentinel")];
    for (const part of sentinels) {
      await leave(leaving, instances);
      await wanted.restart(part.name);
      await this.#untilSentinelReady(part, counts);
    }
    for (const part of instances.toReversed()) {
      await leave(leaving, instances);
      await wanted.restart(part.name);
      await untilReady(part);
    }
    for (const part of instances) await untilReady(part);
    await Promise.all(removed.map(({ name }) => wanted.isRunning(name) && this.#largest.end(name)));
    const begin = performance.now();
    await waitUntil(
      "every Sentinel knows exactly the configured ones",
      () => this.#areKnown(sentinels, counts),
      forgottenWithinMs,
    );
    return performance.now() - begin;
  }

  /** As the probe of its pod. */
  async #untilSentinelReady({ name }: LocalPart, { instances, sentinels }: Counts): Promise<void> {
    await waitUntil(
      `${name} sees its master`,
      async () => {
        const { flags, replicas, others } = await this.#opinion(name);
        const isReady = flags === "master" && replicas >= instances - 1 && others >= sentinels - 1;
        return isReady || undefined;
      },
      readyWithinMs,
    );
  }

  async #areKnown(sentinels: readonly LocalPart[], counts: Counts): Promise<true | undefined> {
    for (const { name } of sentinels) {
      const { replicas, others, flags, quorum } = await this.#opinion(name);
      if (flags !== "master" || replicas !== counts.instances - 1 || others !== counts.sentinels - 1)
        throw new Error(`${name}: ${flags}, ${replicas} replicas, ${others} other Sentinels`);
      if (!quorum.startsWith(`OK ${counts.sentinels} usable Sentinels`))
        throw new Error(`${name}: ${quorum}`);
    }
    return true;
  }

  async #opinion(sentinel: string) {
    const { masterName } = this.#largest.settings.sentinel;
    const fields = (await this.#ask(sentinel, "SENTINEL", "MASTER", masterName)) as string[];
    const field = (key: string): string => fields[fields.indexOf(key) + 1] ?? "";
    return {
      flags: field("flags"),
      replicas: Number(field("num-slaves")),
      others: Number(field("num-other-sentinels")),
      quorum: String(await this.#ask(sentinel, "SENTINEL", "CKQUORUM", masterName)),
    };
  }
}

/** Orders instances to leave, until one that stays leads. */
async function leave(leaving: readonly LocalPart[], staying: readonly LocalPart[]): Promise<void> {
  const names = staying.map(({ address }) => formatAddress(address));
  await waitUntil(
    "an instance that stays leads",
    async () => {
      const answers = await Promise.all(
        leaving.map(({ name, stateDirectory }) =>
          orderLocally(name, stateDirectory, {
            id: randomUUID(),
            heir: names[0] ?? "",
            leaving: { staying: names, forMs: leavingMs },
          }),
        ),
      );
      const other = answers.find(({ leads = "" }) => !names.includes(leads));
      if (other !== undefined) throw new Error(`${other.leads} leads: ${other.reason}`);
      return true as const;
    },
    readyWithinMs,
  );
}

async function untilReady({ name, adminUrl, logFile }: LocalPart): Promise<void> {
  await waitUntil(
    `${name} is ready`,
    async () => {
      const response = await fetch(`${adminUrl}/readyz`, { signal: AbortSignal.timeout(2000) });
      if (response.ok) return true;
      await delay(100);
      throw new Error(`${(await response.text()).trim()}; ${readFileSync(logFile, "utf8").slice(-500)}`);
    },
    readyWithinMs,
  );
}
