import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { createLog } from "../../runtime/log.ts";
import { Move } from "../../sentinel-image/move/move.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, RedisProcess } from "../support/redis-process.ts";

describe("a cut-over whose end can't be noted", function () {
  this.timeout(30_000);

  it("stands all the same, and is noted as soon as that is possible", async () => {
    const [sourcePort, ownPort] = [await freePort(), await freePort()];
    const source = await RedisProcess.start(sourcePort, ["--port", String(sourcePort), "--save", ""]);
    const heir = await RedisProcess.start(ownPort, [
      ...["--port", String(ownPort), "--save", "", "--replicaof", "127.0.0.1", String(sourcePort)],
    ]);
    const [foreign, self] = [sourcePort, ownPort].map((port) => ({ host: "127.0.0.1", port }));
    assert.ok(foreign && self);
    const own = new ControlConnection({ address: self, password: () => undefined });
    const stop = new AbortController();
    const noted: string[] = [];
    let full = true;
    const move = new Move({
      ...{ self, own, peers: [], following: true },
      source: { address: foreign, username: undefined, password: () => undefined },
      replica: { username: "replica", password: () => "theirs" },
      note: (state) => {
        if (full && state === "moved") throw new Error("ENOSPC: no space left on device");
        noted.push(state);
      },
      agreement: () => ({ kind: "agreed", master: self, configEpoch: 1, votes: 3 }),
      onFollowing: () => undefined,
      log: createLog("test", "silent"),
      signal: stop.signal,
    });
    const kept = move.keep();
    try {
      await eventually(async () => assert.equal((await heir.client.role())[3], "connected"), {
        withinMs: 20_000,
      });
      const { successor, reason } = await move.cutOver();
      assert.deepEqual([successor, reason], [self, "cut over"]);
      assert.equal(move.isFollowing, false);
      // Several looks: none of them makes it a replica of the old one again.
      await delay(1000);
      assert.equal((await heir.client.role())[0], "master");
      assert.deepEqual(noted, ["cutting"]);
      full = false;
      await eventually(() => assert.deepEqual(noted, ["cutting", "moved"]));
      await eventually(async () =>
        assert.deepEqual(await heir.client.config("GET", "masterauth"), ["masterauth", "theirs"]),
      );
      await assert.rejects(source.client.set("a", "1"), /NOREPLICAS/);
    } finally {
      stop.abort();
      await kept;
      own.close();
      await Promise.all([source.kill(), heir.kill()]);
    }
  });
});
