import assert from "node:assert/strict";
import type { PeerView } from "../../../../sentinel-image/start/decide-start.ts";
import {
  checkLive,
  checkReady,
  type InstanceState,
} from "../../../../sentinel-image/supervise/instance-health.ts";

const alone = { othersSeen: false, otherMasterSeen: false };
const running = (initialised: boolean): InstanceState => ({ waitingFor: undefined, initialised, ...alone });
const waiting = (initialised: boolean): InstanceState => ({ waitingFor: "its role", initialised, ...alone });
const peer = (role: PeerView["role"]): PeerView => ({
  address: { host: "redis-2", port: 6379 },
  role,
  hasData: true,
  promotable: true,
  replicas: 0,
  heartbeat: undefined,
});
const nobody = async (): Promise<PeerView[]> => [];
const fail = (message: string) => () => Promise.reject(new Error(message));

describe("checkLive", () => {
  it("is alive before there is a server: killing it would help nobody", async () => {
    assert.equal(await checkLive(waiting(true), fail("never asked")), true);
  });

  for (const reply of [
    "LOADING Redis is loading",
    "BUSY Redis is busy running a script",
    "MASTERDOWN Link down",
  ]) {
    it(`is alive when it answers ${reply.split(" ")[0]}`, async () => {
      assert.equal(await checkLive(running(true), fail(`127.0.0.1:6379: ${reply}`)), true);
    });
  }

  it("isn't when it doesn't answer", async () => {
    assert.deepEqual(await checkLive(running(true), fail("Command timed out")), {
      problem: "Command timed out",
    });
  });
});

describe("checkReady", () => {
  const master = "role:master\r\n";
  const online = "slave0:ip=a,port=1,state=online,offset=1,lag=0\r\n";
  const syncing = "slave0:ip=a,port=1,state=wait_bgsave,offset=0,lag=0\r\n";
  const replica = (link: string, priority: number) =>
    `role:slave\r\nmaster_host:redis-1\r\nmaster_link_status:${link}\r\nslave_priority:${priority}\r\n`;

  const rows: readonly (readonly [
    string,
    initialised: boolean,
    info: string,
    ready: true | RegExp,
    initialisedAfter: boolean,
  ])[] = [
    ["a first master without replicas", false, master, true, false],
    ["a first master whose replica is still copying", false, master + syncing, true, false],
    ["a master with a replica in sync", false, master + online, true, true],
    ["a later master without one", true, master, /without a replica in sync/, true],
    ["a later master whose replica is still copying", true, master + syncing, /without a replica/, true],
    ["a first replica that has no master yet", false, replica("down", 0), true, false],
    ["a replica in sync", false, replica("up", 100), true, true],
    ["a replica in sync that may not be promoted yet", true, replica("up", 0), /not yet allowed/, true],
    ["a later replica out of sync", true, replica("down", 100), /not in sync with redis-1/, true],
  ];
  for (const [name, initialised, info, ready, initialisedAfter] of rows) {
    it(`${name}: ${ready === true ? "ready" : ready.source}`, async () => {
      const state = running(initialised);
      const health = await checkReady(
        state,
        async () => info,
        async () => [peer("master")],
      );
      if (ready === true) assert.equal(health, true);
      else assert.match(health === true ? "ready" : health.problem, ready);
      assert.equal(state.initialised, initialisedAfter);
    });
  }

  it("a replica that is going to be removed: ready, though it may not be promoted", async () => {
    const info = async (): Promise<string> => replica("up", 0);
    const leaving = { isSo: true };
    assert.equal(await checkReady({ ...running(true), leaving }, info, async () => []), true);
    leaving.isSo = false;
    assert.notEqual(await checkReady({ ...running(true), leaving }, info, async () => []), true);
  });

  describe("when all were stopped and come back one after the other", () => {
    const ready = async (info: string, others: PeerView[], state = running(true)): Promise<boolean> =>
      (await checkReady(
        state,
        async () => info,
        async () => others,
      )) === true;

    it("lets the next one come while no master was ever seen", async () => {
      assert.equal(await ready(replica("down", 0), []), true);
      assert.equal(await ready(replica("down", 0), [peer("replica")]), true);
    });

    it("lets the next one come while a master is the first of all", async () => {
      assert.equal(await ready(master, []), true);
      assert.equal(await ready(master, [peer("replica")]), false);
    });

    it("goes back to waiting for the sync for good once it has seen a master", async () => {
      const state = running(true);
      assert.equal(await ready(replica("down", 0), [peer("master")], state), false);
      assert.equal(await ready(replica("down", 0), [], state), false);
    });

    it("waits for the sync after it was in sync once, whoever answers then", async () => {
      const state = running(true);
      assert.equal(await ready(replica("up", 100), [], state), true);
      assert.equal(await ready(replica("down", 100), [], state), false);
    });
  });

  it("is ready while it waits for its role only at the cluster's first start", async () => {
    assert.equal(await checkReady(waiting(false), fail("never asked"), nobody), true);
    assert.deepEqual(await checkReady(waiting(true), fail("never asked"), nobody), {
      problem: "waiting: its role",
    });
  });
});
