import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { useProxy } from "../support/proxy-fixture.ts";
import { frameCommand } from "../support/resp-frames.ts";

const partialCommandMs = 500;

describe("the proxy, commands that take long to arrive", () => {
  const test = useProxy({ limits: { partialCommandMs } });

  it("closes a client whose command isn't complete in time, however steadily its bytes come", async () => {
    const [slow, other] = [await test.client(), await test.client()];
    const bytes = frameCommand(["SET", "a", "x".repeat(1000)]);
    for (const byte of bytes) {
      if (!slow.isOpen) break;
      slow.socket.write(byte);
      await delay(20);
    }
    assert.ok(!slow.isOpen, "it could send all of it");
    assert.equal(
      await test.proxy.metric('redis_ha_proxy_dropped_clients_total{reason="partial command"}'),
      1,
    );
    assert.equal(await other.call("INCR b"), 1);
  });

  it("serves a client that is always in the middle of a command because it never stops sending", async () => {
    const client = await test.client();
    const bytes = frameCommand(["RPUSH", "l", "x".repeat(1000)]);
    const [head, tail] = [bytes.slice(0, 500), bytes.slice(500)];
    client.socket.write(head);
    const until = performance.now() + 4 * partialCommandMs + 1000;
    let count = 0;
    while (performance.now() < until) {
      client.socket.write(tail + head);
      count++;
      await delay(20);
    }
    client.socket.write(tail);
    const replies = await client.replies(count + 1);
    assert.equal(replies.at(-1), count + 1);
  });
});
