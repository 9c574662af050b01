import assert from "node:assert/strict";
import { pino } from "pino";
import { Authenticator } from "../../../../proxy/upstream/authenticator.ts";
import { MasterLink } from "../../../../proxy/upstream/master-link.ts";
import type { ReplyReceiver } from "../../../../proxy/upstream/run.ts";
import type { Waiter } from "../../../../proxy/upstream/upstream-group.ts";
import type { Address } from "../../../../runtime/address.ts";
import { eventually } from "../../../support/eventually.ts";
import { FakeRedis } from "../../../support/fake-redis.ts";

const nobody = { credentials: undefined, db: 0, protocol: 2 } as const;
const ignore = (): void => undefined;
const text = (said: string): Buffer => Buffer.from(`-${said}\r\n`);

describe("MasterLink", () => {
  let redis: FakeRedis[];
  let link: MasterLink;
  let suspicions: string[];
  let waits: number;

  const make = (holdTimeoutMs: number): MasterLink =>
    new MasterLink({
      holdTimeoutMs,
      maxDedicated: 2,
      log: pino({ level: "silent" }),
      askInfo: () => Promise.reject(new Error("nobody to ask")),
      own: () => undefined,
      scriptBytes: 1000,
      suspect: (reason) => suspicions.push(reason),
      resume: ignore,
      released: ignore,
      rejected: ignore,
      held: () => waits++,
    });
  const follow = (master: Address | undefined): void =>
    link.follow({ kind: "following", master: master ?? { host: "127.0.0.1", port: 1 }, configEpoch: 1 });
  const search = (): void => link.follow({ kind: "searching", reason: "none" });
  /** Waits that note in which order they were woken. */
  const queue = (count: number): { waiters: Waiter[]; woken: number[] } => {
    const woken: number[] = [];
    const waiters = Array.from({ length: count }, (_, i) => ({ wake: () => woken.push(i) }));
    for (const waiter of waiters) link.wait(waiter);
    return { waiters, woken };
  };

  beforeEach(async () => {
    suspicions = [];
    waits = 0;
    redis = await Promise.all([new FakeRedis().start(), new FakeRedis().start()]);
    link = make(60_000);
  });
  afterEach(async () => {
    link.close();
    await Promise.all(redis.map((one) => one.stop()));
  });

  it("holds until there is a master, and wakes those who wait in the order in which they came", async () => {
    assert.equal(link.state, "holding");
    const { waiters, woken } = queue(600);
    const [, , third] = waiters;
    assert.ok(third);
    link.forget(third);
    assert.equal(link.waiting, 599);
    follow(redis[0]?.address);
    assert.equal(link.state, "following");
    await eventually(() => assert.equal(woken.length, 599), { everyMs: 1 });
    assert.deepEqual(
      woken,
      Array.from({ length: 600 }, (_, i) => i).filter((i) => i !== 2),
    );
    assert.equal(waits, 1);
  });

  it("lets those who haven't been woken wait on when the master is lost meanwhile", async () => {
    const { woken } = queue(10);
    link.wait({ wake: search });
    const after = queue(600);
    follow(redis[0]?.address);
    await eventually(() => assert.equal(link.state, "holding"), { everyMs: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual([woken.length, after.woken.length, link.waiting], [10, 0, 600]);
    assert.equal(link.interruptions, 1);
    follow(redis[0]?.address);
    await eventually(() => assert.equal(after.woken.length, 600), { everyMs: 1 });
  });

  it("holds nothing any more after the hold time, and tells those who wait", async () => {
    link.close();
    link = make(30);
    const { woken } = queue(2);
    await eventually(() => assert.equal(link.state, "circuitOpen"), { everyMs: 2 });
    await eventually(() => assert.deepEqual(woken, [0, 1]), { everyMs: 2 });
    assert.equal(link.open(nobody, ignore, false), undefined, "there is no master");
    search();
    assert.equal(link.state, "circuitOpen");
    follow(redis[0]?.address);
    assert.equal(link.state, "following");
  });

  it("gives another master another number, and the same one its own", async () => {
    follow(redis[0]?.address);
    const { term } = link;
    search();
    follow(redis[0]?.address);
    assert.equal(link.term, term);
    follow(redis[1]?.address);
    assert.equal(link.term, term + 1);
  });

  it("ends the connections to a master that was replaced; one that blocks stays for its last words", async () => {
    follow(redis[0]?.address);
    const closed: string[] = [];
    const [plain, blocked] = ["plain", "blocked"].map((name) =>
      link.open(nobody, ({ kind }) => closed.push(`${name} ${kind}`), false),
    );
    assert.ok(plain && blocked);
    let replaced = 0;
    blocked.staysWhenReplaced(() => replaced++);
    await eventually(() => assert.ok(plain.ready && blocked.ready), { everyMs: 2 });
    follow(redis[1]?.address);
    assert.deepEqual([closed, replaced, blocked.closed], [["plain retired"], 1, false]);
    await eventually(() => assert.deepEqual(closed, ["plain retired", "blocked retired"]));
    assert.deepEqual(suspicions, []);
  });

  it("counts the connections of single clients, until they are closed", async () => {
    follow(redis[0]?.address);
    const open = () => link.open(nobody, ignore, true);
    const [first] = [open(), link.open(nobody, ignore, false)];
    assert.ok(!link.full);
    open();
    assert.ok(link.full);
    assert.equal(link.upstreams, 3);
    first?.destroy();
    assert.ok(!link.full);
    assert.equal(link.upstreams, 2);
  });

  it("doubts a master for a lost shared connection, but not for a single client's while it answers the others", async () => {
    follow(redis[0]?.address);
    const shared = link.open(nobody, ignore, false);
    await eventually(() => assert.ok(shared?.ready), { everyMs: 2 });
    const single = link.open(nobody, ignore, true);
    assert.ok(single);
    single.replies.giveTo({ settle: ignore } as unknown as ReplyReceiver, ignore);
    await eventually(() => assert.ok(single.ready), { everyMs: 2 });
    [...(redis[0]?.connections ?? [])].at(-1)?.close();
    await eventually(() => assert.ok(single.closed), { everyMs: 2 });
    assert.deepEqual(suspicions, []);
    redis[0]?.disconnectAll();
    await eventually(() => assert.equal(suspicions.length, 1), { everyMs: 2 });
  });

  it("sends again what a replica has refused, and what a master without replicas has, for a while", () => {
    assert.equal(link.rejects(text("READONLY You can't write")), "READONLY");
    assert.equal(link.rejects(text("NOREPLICAS Not enough")), "NOREPLICAS");
    assert.equal(link.rejects(text("ERR unknown")), undefined);
    link.close();
    link = make(0);
    assert.equal(link.rejects(text("NOREPLICAS Not enough")), undefined, "it is the client's to know");
    assert.equal(link.rejects(text("READONLY You can't write")), "READONLY");
  });

  it("has one group for each user, database and protocol", () => {
    const group = link.group(nobody);
    assert.equal(link.group({ ...nobody }), group);
    for (const other of [{ db: 1 }, { protocol: 3 as const }, { credentials: { password: "a" } }])
      assert.notEqual(link.group({ ...nobody, ...other }), group);
  });

  it("says that there is nobody to ask where there is no master", async () => {
    assert.deepEqual(await new Authenticator(link).check({ password: "x" }), { again: "there is no master" });
  });
});
