import assert from "node:assert/strict";
import { type History, readHistory } from "../../../../sentinel-image/failover/history.ts";
import { shouldJoin } from "../../../../sentinel-image/failover/join-promoted.ts";

const old = "a".repeat(40);
const fresh = "b".repeat(40);
const none = "0".repeat(40);

const replica: History = {
  role: "replica",
  id: old,
  formerId: none,
  formerUntil: -1,
  offset: 100,
  promotable: true,
};
const promoted: History = {
  role: "master",
  id: fresh,
  formerId: old,
  formerUntil: 101,
  offset: 100,
  promotable: true,
};

describe("a replica joins an instance that was promoted", () => {
  for (const [name, ours, theirs, expected] of [
    ["when it has the same history and as much of it", replica, promoted, true],
    ["when it lacks the end of it", { ...replica, offset: 40 }, promoted, true],
    ["not when it has more: that would be thrown away", { ...replica, offset: 101 }, promoted, false],
    ["not when it has another history", { ...replica, id: fresh }, promoted, false],
    [
      "when it never was in sync, whatever its history is",
      { ...replica, id: "c".repeat(40), promotable: false },
      promoted,
      true,
    ],
    ["not twice", { ...replica, id: fresh, promotable: false }, promoted, false],
    ["not when it follows that one already", { ...replica, id: fresh, formerId: old }, promoted, false],
    ["not before that one is a master", replica, { ...promoted, role: "replica", id: old }, false],
    [
      "not when that one is a master that never was a replica",
      replica,
      { ...promoted, formerId: none },
      false,
    ],
    ["when it is the master that is replaced", { ...replica, role: "master" }, promoted, true],
    [
      "not when it is that and has taken more writes",
      { ...replica, role: "master", offset: 101 },
      promoted,
      false,
    ],
  ] as const) {
    it(name, () => assert.equal(shouldJoin(ours, theirs), expected));
  }

  it("reads the history of both from INFO", () => {
    const common = `connected_slaves:0\r\nmaster_replid:${fresh}\r\nmaster_replid2:${old}\r\nmaster_repl_offset:7\r\nsecond_repl_offset:6\r\n`;
    const history = { id: fresh, formerId: old, formerUntil: 6 };
    assert.deepEqual(readHistory(`# Replication\r\nrole:master\r\n${common}`), {
      role: "master",
      ...history,
      offset: 7,
      promotable: true,
    });
    const replicas = `# Replication\r\nrole:slave\r\nslave_repl_offset:5\r\n${common}`;
    assert.deepEqual(readHistory(`${replicas}slave_priority:0\r\n`), {
      role: "replica",
      ...history,
      offset: 5,
      promotable: false,
    });
    assert.equal(readHistory(`${replicas}slave_priority:100\r\n`).promotable, true);
  });
});
