import assert from "node:assert/strict";
import { inServersWords, isProvenBy } from "../../../../proxy/upstream/server-words.ts";

const script = " script: f_0123456789012345678901234567890123456789, on @user_script:1.";

describe("inServersWords", () => {
  for (const [kind, text] of [
    ["READONLY", "You can't write against a read only replica."],
    ["READONLY", `You can't write against a read only replica.${script}`],
    ["READONLY", "You can not run script with write flag on readonly replica."],
    ["MASTERDOWN", "Link with MASTER is down and replica-serve-stale-data is set to 'no'."],
    ["LOADING", "Redis is loading the dataset in memory"],
    ["NOREPLICAS", `Not enough good replicas to write.${script}`],
    ["MISCONF", "Errors writing to the AOF file: No space left on device"],
  ] as const) {
    it(`knows -${kind} ${text}`, () => {
      assert.equal(inServersWords(Buffer.from(`-${kind} ${text}\r\n`)), kind);
    });
  }

  for (const reply of [
    "-READONLY this order is closed",
    "-READONLY",
    "-LOADING bay 3 is full",
    "-NOREPLICAS You can't write against a read only replica.",
    "-EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica.",
    "-ERR READONLY You can't write against a read only replica.",
    `-READONLY You can't write against a read only replica.${"x".repeat(2000)}`,
    "+READONLY You can't write against a read only replica.",
  ]) {
    it(`takes ${reply.slice(0, 70)} for a program's`, () => {
      assert.equal(inServersWords(Buffer.from(`${reply}\r\n`)), undefined);
    });
  }
});

describe("isProvenBy", () => {
  const info = (fields: Record<string, string>): string =>
    Object.entries({
      loading: "0",
      aof_last_write_status: "ok",
      rdb_last_bgsave_status: "ok",
      role: "master",
      min_slaves_good_slaves: "2",
      ...fields,
    })
      .map(([name, value]) => `${name}:${value}\r\n`)
      .join("");

  const kinds = ["READONLY", "MASTERDOWN", "LOADING", "NOREPLICAS", "MISCONF"] as const;

  for (const [fields, proven] of [
    [{}, []],
    [{ role: "slave" }, ["READONLY", "MASTERDOWN", "NOREPLICAS"]],
    [{ loading: "1" }, ["LOADING"]],
    [{ min_slaves_good_slaves: "0" }, ["NOREPLICAS"]],
    [{ min_slaves_good_slaves: "10" }, []],
    [{ aof_last_write_status: "err" }, ["MISCONF"]],
    [{ rdb_last_bgsave_status: "err" }, ["MISCONF"]],
  ] as const) {
    it(`${JSON.stringify(fields)} proves ${proven.join(", ") || "nothing"}`, () => {
      assert.deepEqual(
        kinds.filter((kind) => isProvenBy(kind, info(fields))),
        proven,
      );
    });
  }
});
