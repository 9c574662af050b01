import assert from "node:assert/strict";
import { readSchedule } from "../../../../sentinel-image/backup/backup-schedule.ts";
import {
  type BackupObservation,
  takesBackup,
  turnMs,
} from "../../../../sentinel-image/backup/plan-backup.ts";

const due = Date.parse("2026-11-30T03:00:00Z");
const usual: BackupObservation = {
  nowMs: due + 500,
  dueMs: due,
  newestMs: due - 86_400_000,
  sinceMs: due - 100_000_000,
  rank: 0,
  othersAtIt: false,
  failures: 0,
  failedMs: undefined,
};

describe("who takes a scheduled backup", () => {
  const cases: readonly (readonly [what: string, takes: boolean, changes: Partial<BackupObservation>])[] = [
    ["the first in turn, when it is time", true, {}],
    ["nobody who leads, or isn't in sync", false, { rank: undefined }],
    ["nobody while another one is at it", false, { othersAtIt: true }],
    ["nobody when there is one of this time already", false, { newestMs: due + 10 }],
    ["the second not yet", false, { rank: 1 }],
    ["the second when the first had its time", true, { rank: 1, nowMs: due + turnMs }],
    ["the first of all not before its time", false, { newestMs: undefined, sinceMs: due + 1 }],
    ["the first of all at its time", true, { newestMs: undefined }],
    ["one that was missed, hours later", true, { nowMs: due + 9 * 3_600_000 }],
    ["nobody right after a failure", false, { failures: 1, failedMs: due + 100, nowMs: due + 50_000 }],
    ["the same again after a minute", true, { failures: 1, failedMs: due + 100, nowMs: due + 61_000 }],
    ["a third attempt after five minutes only", false, { failures: 2, failedMs: due, nowMs: due + 200_000 }],
    ["one for whom nothing is scheduled: nobody", false, { dueMs: undefined }],
  ];
  for (const [what, takes, changes] of cases)
    it(what, () => assert.equal(takesBackup({ ...usual, ...changes }), takes));
});

describe("a schedule", () => {
  it("tells the last time and the next one, in UTC", () => {
    const schedule = readSchedule("0 3 * * *");
    assert.equal(schedule.before(due), due);
    assert.equal(schedule.before(due - 1), due - 86_400_000);
    assert.equal(schedule.before(due + 1), due);
    assert.equal(schedule.after(due), due + 86_400_000);
  });

  it("that is none is refused", () => {
    for (const pattern of ["", "0 3 * *", "61 * * * *", "0 0 3 * * *"])
      assert.throws(() => readSchedule(pattern), `'${pattern}'`);
  });
});
