import assert from "node:assert/strict";
import { cursorFor, markCursor } from "../../../../proxy/session/cursors.ts";
import { mostTags, processOf, unknownProcess } from "../../../../proxy/upstream/server-process.ts";

const place = 2 ** 36;
const reply = (cursor: string, rest = "*1\r\n$1\r\na\r\n"): Buffer =>
  Buffer.from(`*2\r\n$${cursor.length}\r\n${cursor}\r\n${rest}`);

describe("cursors", () => {
  for (const tag of [1, 4711, mostTags]) {
    it(`come back as they were to process ${tag}, and begin anew at another one`, () => {
      for (const cursor of ["1", "18446", String(place - 1)]) {
        const marked = /\r\n(\d+)\r\n\*/.exec(markCursor(reply(cursor), tag).toString())?.[1] ?? "";
        assert.ok(Number(marked) <= Number.MAX_SAFE_INTEGER, marked);
        assert.equal(cursorFor(marked, tag), cursor);
        assert.equal(cursorFor(marked, tag === 1 ? 2 : tag - 1), "0");
        assert.equal(cursorFor(marked, 0), "0");
      }
    });
  }

  it("pass as they are when the server never gave them, or gave them to somebody else", () => {
    for (const sent of ["0", "1", "17", "68719476735", "-1", "x", "", "007", "1e12", "9007199254740992"])
      assert.equal(cursorFor(sent, 5), sent);
  });

  it("only the cursor of a reply changes", () => {
    assert.equal(markCursor(reply("6"), 3).toString(), reply(String(3 * place + 6)).toString());
    const others = [reply("0"), Buffer.from("-WRONGTYPE no\r\n"), Buffer.from("*2\r\n$5\r\nother\r\n*0\r\n")];
    for (const other of [...others, Buffer.from("*0\r\n"), Buffer.from("*2\r\n$1\r\n6\r\n").subarray(0, 9)])
      assert.equal(markCursor(other, 3).toString(), other.toString());
    assert.equal(markCursor(reply("6"), 0).toString(), reply("6").toString());
  });

  it("of a table that is too big are refused rather than begun anew for ever", () => {
    assert.match(markCursor(reply(String(place)), 3).toString(), /^-ERR the proxy can't mark a cursor/);
  });

  it("name a process by its run_id", () => {
    const of = (id: string): string =>
      `# Server\r\nredis_version:7.0.15\r\nrun_id:${id}\r\ntcp_port:6379\r\n`;
    const { tag, runId } = processOf(of("f".repeat(40)));
    assert.equal(runId, "f".repeat(40));
    assert.ok(tag >= 1 && tag <= mostTags);
    assert.notEqual(processOf(of("0".repeat(40))).tag, tag);
    assert.ok(processOf(of("0".repeat(40))).tag >= 1);
    assert.equal(processOf("redis_version:7.0.15\r\n"), unknownProcess);
  });
});
