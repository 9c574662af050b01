import assert from "node:assert/strict";
import { excuseLateWrites } from "../../../../workshop/chaos/excuse-late-writes.ts";
import {
  type Announcement,
  type Execution,
  findStaleWrites,
  thoseThatLed,
} from "../../../../workshop/chaos/find-stale-writes.ts";
import { parseLedgerWrite } from "../../../../workshop/chaos/ledger-keys.ts";
import { parseMonitorLine } from "../../../../workshop/chaos/parse-monitor-line.ts";
import { announcedMaster } from "../../../../workshop/chaos/sentinel-announcements.ts";
import { instance } from "../../../support/sentinel-views.ts";
import { acknowledged, failed, uncertain } from "./histories.ts";

function execution(index: number, atMs: number, id = "1"): Execution {
  return { instance: instance(index), atMs, round: "r", client: "a", command: "RPUSH", id };
}

function announcement(index: number, atMs: number): Announcement {
  return { sentinel: "s", channel: "+switch-master", master: instance(index), atMs };
}

describe("findStaleWrites", () => {
  it("finds what another instance executed more than 50 ms after the first announcement", () => {
    const writes = [execution(1, 1000), execution(1, 1050), execution(1, 1051), execution(2, 1051)];
    assert.deepEqual(findStaleWrites(writes, [announcement(2, 1000), announcement(2, 1200)]), [
      execution(1, 1051),
    ]);
  });

  it("finds nothing without an announcement", () => {
    assert.deepEqual(findStaleWrites([execution(1, 5000)], []), []);
  });

  it("follows a second failover, the moment that it is announced", () => {
    const announcements = [announcement(2, 1000), announcement(3, 2000)];
    const writes = [execution(2, 1999), execution(3, 2010), execution(2, 2040), execution(2, 2060)];
    assert.deepEqual(findStaleWrites(writes, announcements), [execution(2, 2060)]);
  });
});

describe("thoseThatLed", () => {
  const announcements = [announcement(2, 1000), announcement(1, 3000)];

  it("leaves out who was announced, and never wrote before the next one was", () =>
    assert.deepEqual(thoseThatLed(announcements, [execution(1, 1500), execution(2, 3500)]), []));

  it("counts from the first write of whoever was announced", () => {
    const writes = [execution(1, 1100), execution(2, 1800), execution(2, 1900), execution(1, 1990)];
    const led = thoseThatLed(announcements, writes);
    assert.deepEqual(led, [announcement(2, 1800)]);
    assert.deepEqual(findStaleWrites(writes, led), [execution(1, 1990)]);
  });

  it("keeps the time of an announcement that came after the first write", () =>
    assert.deepEqual(thoseThatLed(announcements, [execution(1, 2960)]), [announcement(1, 3000)]));
});

describe("findStaleWrites, where the proxies hear of a master before this harness", () => {
  it("takes up to 50 ms for the way of the news, and no more", () => {
    const writes = [execution(3, 1949), execution(3, 1950), execution(3, 1999)];
    assert.deepEqual(findStaleWrites(writes, [announcement(2, 1000), announcement(3, 2000)]), [
      execution(3, 1949),
    ]);
  });
});

describe("excuseLateWrites", () => {
  it("excuses what was in flight at the freeze and is told as unknown, once", () => {
    const writes = [execution(1, 5000, "x"), execution(1, 5001, "x")];
    const { stale, late } = excuseLateWrites(writes, [failed("RPUSH", "x", uncertain, 10)], 0);
    assert.deepEqual([stale, late], [[execution(1, 5001, "x")], [execution(1, 5000, "x")]]);
  });

  it("excuses nothing that was acknowledged, sent later, or never sent", () => {
    const operations = [acknowledged("RPUSH", "x", "1", 10), failed("RPUSH", "y", uncertain, 501)];
    const writes = ["x", "y", "z"].map((id) => execution(1, 5000, id));
    assert.deepEqual(excuseLateWrites(writes, operations, 0), { stale: writes, late: [] });
  });

  it("excuses as many increments as are unknown", () => {
    const increment: Execution = { ...execution(1, 5000, ""), command: "INCR" };
    const operations = [failed("INCR", "7", uncertain, 10)];
    const { stale, late } = excuseLateWrites([increment, increment], operations, 0);
    assert.deepEqual([stale.length, late.length], [1, 1]);
  });
});

describe("what instances and Sentinels tell", () => {
  it("is read from a line of MONITOR", () => {
    const line = '+1700000000.250000 [0 127.0.0.1:4711] "RPUSH" "ledger:r1:a:list" "say \\"hi\\" \\\\"';
    assert.deepEqual(parseMonitorLine(line), {
      wallMs: 1700000000250,
      source: "127.0.0.1:4711",
      args: ["RPUSH", "ledger:r1:a:list", 'say "hi" \\'],
    });
    assert.equal(parseMonitorLine("+OK"), undefined);
  });

  it("is a write of a ledger, or none", () => {
    const write = { round: "r1", client: "a" };
    assert.deepEqual(parseLedgerWrite(["rpush", "ledger:r1:a:list", "7"]), {
      ...write,
      command: "RPUSH",
      id: "7",
    });
    assert.deepEqual(parseLedgerWrite(["SET", "ledger:r1:a:string:7", "7"]), {
      ...write,
      command: "SET",
      id: "7",
    });
    assert.deepEqual(parseLedgerWrite(["INCR", "ledger:r1:a:counter"]), {
      ...write,
      command: "INCR",
      id: "",
    });
    for (const args of [
      ["GET", "ledger:r1:a:string:7"],
      ["SET", "other", "1"],
      ["UNLINK", "ledger:r1:a:list"],
    ])
      assert.equal(parseLedgerWrite(args), undefined);
  });

  it("names the new master, of the right master name only", () => {
    const switched = { channel: "+switch-master", message: "m 10.0.0.1 6379 10.0.0.2 6380" };
    const promoted = {
      channel: "+promoted-slave",
      message: "slave 10.0.0.2:6380 10.0.0.2 6380 @ m 10.0.0.1 6379",
    };
    for (const event of [switched, promoted]) {
      assert.deepEqual(announcedMaster(event, "m"), { host: "10.0.0.2", port: 6380 });
      assert.equal(announcedMaster(event, "n"), undefined);
    }
    assert.equal(announcedMaster({ channel: "+sdown", message: "master m 10.0.0.1 6379" }, "m"), undefined);
  });
});
