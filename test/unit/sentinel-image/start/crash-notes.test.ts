import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  backsOff,
  crashPauseMs,
  noteCrash,
  noteOutcome,
  readCrashNotes,
  renderCrashMetrics,
  writeCrashNotes,
} from "../../../../sentinel-image/start/crash-notes.ts";

describe("the notes of crashes", () => {
  const directory = mkdtempSync(join(tmpdir(), "redis-ha-crashes-"));
  const file = join(directory, "crashes.json");
  after(() => rmSync(directory, { recursive: true }));

  it("outlive the process", () => {
    const none = readCrashNotes(file);
    assert.deepEqual(none, {
      lastMs: undefined,
      crashes: 0,
      outcomes: { asked: 0, "backed-off": 0, left: 0 },
    });
    const notes = noteOutcome(noteCrash(noteOutcome(noteCrash(none, 1000), "asked"), 2000), "backed-off");
    writeCrashNotes(file, notes);
    assert.deepEqual(readCrashNotes(file), {
      lastMs: 2000,
      crashes: 2,
      outcomes: { asked: 1, "backed-off": 1, left: 0 },
    });
  });

  for (const text of [
    "",
    "{}",
    "null",
    '{"lastMs":"1","crashes":1,"outcomes":{"asked":0,"backed-off":0,"left":0}}',
  ]) {
    it(`are none in a file with ${JSON.stringify(text)}`, () => {
      writeFileSync(file, text);
      assert.equal(readCrashNotes(file).crashes, 0);
    });
  }

  const noted = noteCrash(readCrashNotes(""), 100_000);
  for (const [name, nowMs, expected] of [
    ["at once", 100_001, true],
    ["after nearly 10 s", 100_000 + crashPauseMs - 1, true],
    ["not after 10 s", 100_000 + crashPauseMs, false],
    ["when the clock was set back", 50_000, true],
  ] as const) {
    it(`hold back a second failover ${name}`, () => assert.equal(backsOff(noted, nowMs), expected));
  }
  it("hold back no first one", () => assert.ok(!backsOff(readCrashNotes(""), 100_000)));

  it("are metrics", () => {
    const lines = renderCrashMetrics(noteOutcome(noted, "left")).split("\n");
    assert.ok(lines.includes("redis_ha_server_crashes_total 1"));
    assert.ok(lines.includes('redis_ha_crash_failovers_total{outcome="left"} 1'));
    assert.ok(lines.includes('redis_ha_crash_failovers_total{outcome="backed-off"} 0'));
  });
});
