import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import { askSentinels } from "../../quorum/ask-sentinel.ts";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { promotionOrdered } from "../../quorum/sentinel-events.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import { createLog } from "../../runtime/log.ts";
import { announcePromotion } from "../../sentinel-image/failover/announce-promotion.ts";
import type { PromotionOrder } from "../../sentinel-image/failover/promotion-orders.ts";
import { parseInfo } from "../../sentinel-image/start/ask-peer.ts";
import type { ClusterControl, NamedPart } from "../../workshop/chaos/cluster-control.ts";
import { observer } from "../../workshop/chaos/observer.ts";
import { SentinelAnnouncements } from "../../workshop/chaos/sentinel-announcements.ts";
import { eventually } from "../support/eventually.ts";
import { startObserved } from "../support/observed-topology.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

describe("the announcement of a promotion", function () {
  this.timeout(90_000);
  const directory = temporaryDirectory();
  let topology: LocalTopology;
  let masterName: string;
  let cluster: ClusterControl;
  let announcements: SentinelAnnouncements;
  const opened: ControlConnection[] = [];

  const connect = ({ address }: { readonly address: Address }): ControlConnection => {
    const connection = new ControlConnection({
      address,
      ...topology.loginOf("supervisor"),
      password: () => topology.passwordOf("supervisor"),
    });
    opened.push(connection);
    return connection;
  };
  /** Which master, at which epoch, each Sentinel that answers names. */
  const views = async (): Promise<string[]> => {
    const { views: seen } = await askSentinels(cluster.sentinels.map(connect), masterName);
    return seen.map(({ master, configEpoch }) => `${formatAddress(master)} at ${configEpoch}`);
  };
  const allAgree = async (): Promise<string> => {
    const seen = await views();
    assert.equal(seen.length, 3);
    assert.equal(new Set(seen).size, 1, seen.join(", "));
    return String(seen[0]);
  };
  const epochOf = (view: string): number => Number(view.split(" at ")[1]);

  before(async () => {
    ({ topology, cluster } = await startObserved(directory.path));
    masterName = topology.settings.sentinel.masterName;
    announcements = new SentinelAnnouncements({
      sentinels: cluster.sentinels.map(({ address }) => address),
      masterName,
      username: observer,
      password: topology.passwordOf(observer),
    });
    await announcements.ready();
  });

  after(async () => {
    for (const connection of opened) connection.close();
    announcements.close();
    cluster.close();
    await topology.stop();
    directory.remove();
  });

  it("comes right after the order, from the instance itself, and all Sentinels end with the leader's epoch", async () => {
    const master = await cluster.master();
    const sinceMs = performance.now();
    const [first] = cluster.sentinels;
    assert.ok(first);
    await cluster.call(first, "SENTINEL", "FAILOVER", masterName);
    const view = await eventually(async () => {
      const agreed = await allAgree();
      assert.ok(!agreed.startsWith(`${formatAddress(master.address)} `), agreed);
      return agreed;
    });
    const events = announcements.since(sinceMs);
    const order = events.find(({ channel }) => channel === promotionOrdered);
    const told = events.filter(({ channel }) => channel === "+config-update-from");
    assert.ok(order);
    assert.equal(order.sentinel, formatAddress(first.address));
    const tookMs = told
      .filter(({ sentinel }) => sentinel !== order.sentinel)
      .map(({ atMs }) => Math.round(atMs - order.atMs));
    assert.equal(tookMs.length, 2, "each of the others, once");
    assert.ok(Math.max(...tookMs) < 300, `they knew after ${tookMs.join(" and ")} ms`);
    // Its own look may have come first.
    const own = events.find(
      ({ sentinel, channel }) =>
        sentinel === order.sentinel && ["+config-update-from", "+promoted-slave"].includes(channel),
    );
    assert.ok(own !== undefined && own.atMs - order.atMs < 300, "and so does the leader");
    const epochs = events
      .filter(({ channel }) => channel === "+new-epoch")
      .map(({ message }) => Number(message));
    assert.equal(epochOf(view), epochs[0]);
    const heir = cluster.instances.find(({ address }) => view.startsWith(`${formatAddress(address)} `));
    await eventually(() => {
      const log = readFileSync(join(directory.path, "logs", `${heir?.name}.log`), "utf8");
      const lines = log.split("\n").filter((line) => line.includes("announced the promotion"));
      assert.match(String(lines.at(-1)), /"told":3,"problems":\[\]/);
    });
    for (const sentinel of cluster.sentinels) assert.equal(await cluster.countSentinels(sentinel), 2);
  });

  it("finds a master that took no more writes from the moment its heir was chosen: none is lost, nothing is copied anew", async () => {
    await eventually(allAgree);
    const master = await cluster.master();
    /** How often an instance was copied as a whole, and how often continued. */
    const syncs = async (instance: NamedPart): Promise<number[]> => {
      const stats = parseInfo(String(await cluster.call(instance, "INFO", "stats")));
      return [Number(stats.get("sync_full")), Number(stats.get("sync_partial_ok"))];
    };
    const before = new Map<string, number[]>();
    for (const instance of cluster.instances) before.set(instance.name, await syncs(instance));
    let acknowledged = 0;
    let refusal: unknown;
    // Straight to the master: the proxies would hold these.
    const writing = (async () => {
      while (refusal === undefined) {
        await cluster.call(master, "INCR", "counter").then(
          () => acknowledged++,
          (error: unknown) => {
            refusal = error;
          },
        );
      }
    })();
    const [first] = cluster.sentinels;
    assert.ok(first);
    await eventually(() => assert.ok(acknowledged > 100));
    await cluster.call(first, "SENTINEL", "FAILOVER", masterName);
    await writing;
    assert.match(String(refusal), /READONLY/);
    await eventually(allAgree);
    const now = await cluster.master();
    assert.notEqual(now.name, master.name);
    assert.equal(Number(await cluster.call(now, "GET", "counter")), acknowledged);
    await eventually(async () => {
      const [full = 0, partial = 0] = await syncs(now);
      const [fullBefore = 0, partialBefore = 0] = before.get(now.name) ?? [];
      assert.deepEqual([full - fullBefore, partial - partialBefore], [0, 2]);
    });
  });

  describe("is not believed blindly:", () => {
    let master: NamedPart;
    let replica: NamedPart;
    let leader: NamedPart;
    let before: string;

    beforeEach(async () => {
      await eventually(allAgree);
      master = await cluster.master();
      [replica] = cluster.instances.filter(({ name }) => name !== master.name) as [NamedPart];
      [leader] = cluster.sentinels as [NamedPart];
      before = await allAgree();
    });

    const announce = (heir: NamedPart, order: Partial<PromotionOrder> = {}): Promise<void> =>
      announcePromotion({
        order: {
          leader: leader.address,
          heir: heir.address,
          epoch: epochOf(before) + 1,
          heardAtMs: performance.now(),
          ...order,
        },
        masterName,
        server: connect(heir),
        peers: cluster.instances.filter(({ address }) => !sameAddress(address, heir.address)).map(connect),
        sentinels: cluster.sentinels.map(connect),
        log: createLog("test", "silent"),
        signal: AbortSignal.timeout(10_000),
      });

    it("an instance that isn't a master says nothing", async () => {
      await announce(replica);
      assert.equal(await allAgree(), before);
    });

    it("nothing is said when the leader doesn't wait for a promotion", async () => {
      await announce(master);
      assert.equal(await allAgree(), before);
    });

    it("nothing is said when the failover's epoch isn't known", async () => {
      await announce(master, { epoch: undefined });
      assert.equal(await allAgree(), before);
    });

    it("nothing is said when the leader is gone and the order is old", async () => {
      await cluster.kill(leader);
      try {
        await announce(master, { heardAtMs: performance.now() - 501 });
        assert.deepEqual(await views(), [before, before]);
      } finally {
        await cluster.start(leader);
      }
    });

    it("and it is when the leader is gone just after its order", async () => {
      const epoch = epochOf(before) + 1;
      await cluster.kill(leader);
      try {
        await announce(master);
        const now = `${formatAddress(master.address)} at ${epoch}`;
        assert.deepEqual(await views(), [now, now]);
      } finally {
        await cluster.start(leader);
      }
      assert.equal(epochOf(await eventually(allAgree)), epoch, "the leader learns it from the others");
    });
  });
});
