import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { subscribeToSentinel } from "../../../quorum/sentinel-events.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeSentinel } from "../../support/fake-sentinel.ts";

describe("subscribeToSentinel", () => {
  let sentinel: FakeSentinel;
  let password: string | undefined;
  let events: string[];
  let unsubscribe: () => void;

  beforeEach(async () => {
    password = undefined;
    events = [];
    sentinel = await new FakeSentinel({ host: "127.0.0.1", port: 6379 }).start();
    unsubscribe = () => undefined;
  });
  afterEach(async () => {
    unsubscribe();
    await sentinel.stop();
  });

  function subscribe(): void {
    unsubscribe = subscribeToSentinel({
      sentinel: sentinel.address,
      password: () => {
        if (password === "unreadable") throw new Error("the file is gone");
        return password;
      },
      onEvent: (channel) => events.push(channel),
    });
  }
  const subscribed = () => eventually(() => assert.equal(sentinel.subscribers, 1));
  async function hears(): Promise<void> {
    events.length = 0;
    await eventually(() => {
      sentinel.publish("+switch-master", "mymaster");
      assert.ok(events.includes("+switch-master"));
    });
  }

  it("tells events", async () => {
    subscribe();
    await subscribed();
    await hears();
  });

  it("listens again after the connection was lost, and says that it may have missed something", async () => {
    subscribe();
    await subscribed();
    events.length = 0;
    sentinel.disconnectAll();
    await eventually(() => assert.ok(events.length > 0));
    await subscribed();
    await hears();
  });

  it("listens again on another connection when the Sentinel's host is gone without a word", async function () {
    this.timeout(10_000);
    subscribe();
    await subscribed();
    sentinel.abandonConnections();
    await eventually(
      () => {
        sentinel.publish("+switch-master", "mymaster");
        assert.ok(events.includes("+switch-master"));
      },
      { withinMs: 6000 },
    );
  });

  it("keeps a connection on which signs of life come", async () => {
    subscribe();
    await subscribed();
    await eventually(() => assert.ok(sentinel.received.filter((line) => /^ping/i.test(line)).length >= 2), {
      withinMs: 6000,
    });
    assert.equal(sentinel.subscribers, 1);
    assert.deepEqual(events, ["reconnected"]);
  }).timeout(10_000);

  it("sends a Sentinel that freezes for long no more than once what it wants of it", async function () {
    this.timeout(20_000);
    subscribe();
    await subscribed();
    sentinel.freeze();
    // Three times without a sign of life, each on a connection of its own.
    await delay(10_000);
    sentinel.received.length = 0;
    sentinel.thaw();
    await subscribed();
    await hears();
    assert.equal(sentinel.received.filter((line) => /^subscribe/i.test(line)).length, 1);
    assert.ok(sentinel.received.length <= 4, sentinel.received.join("; "));
  });

  it("waits for a Sentinel that isn't there yet", async () => {
    await sentinel.stop();
    subscribe();
    await sentinel.start();
    await subscribed();
    await hears();
  });

  it("takes a changed password at the next connection", async () => {
    sentinel.password = password = "old";
    subscribe();
    await subscribed();
    sentinel.password = password = "new";
    sentinel.disconnectAll();
    await subscribed();
    await hears();
  });

  it("takes the right password after it was refused with a wrong one, or could not read any", async () => {
    sentinel.password = "right";
    password = "wrong";
    subscribe();
    await eventually(() => assert.ok(sentinel.received.includes("auth wrong")));
    password = "unreadable";
    const before = sentinel.received.length;
    await eventually(() => assert.ok(sentinel.received.length > before));
    password = "right";
    await subscribed();
    await hears();
  });

  it("starts although the password can't be read yet", async () => {
    sentinel.password = "right";
    password = "unreadable";
    subscribe();
    await eventually(() => assert.ok(sentinel.received.length > 0));
    password = "right";
    await subscribed();
  });

  it("ends its connection", async () => {
    subscribe();
    await subscribed();
    unsubscribe();
    await eventually(() => assert.equal(sentinel.connections, 0));
  });
});
