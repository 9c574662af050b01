import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { LiveLine } from "../../../cli/live-line.ts";

describe("a live line", () => {
  it("moves in one line of a terminal, never longer than that, and goes away at the end", async () => {
    const written: string[] = [];
    const line = new LiveLine({ isTTY: true, columns: 20, write: (text) => written.push(text) });
    line.update("building something with a long name");
    await delay(300);
    line.end();
    assert.ok(written.length >= 2, JSON.stringify(written));
    const clear = "\r\u001b[K";
    for (const text of written) {
      assert.ok(text.startsWith(clear) && !text.includes("\n"), JSON.stringify(text));
      assert.ok(text.length - clear.length <= 19, JSON.stringify(text));
    }
    assert.match(written[0] ?? "", /building/);
    assert.equal(written.at(-1), clear);
    const before = written.length;
    await delay(150);
    assert.equal(written.length, before);
  });

  it("writes nothing at once where lines stay: no spinner in a log", async () => {
    const written: string[] = [];
    const said: string[] = [];
    const line = new LiveLine({ write: (text) => written.push(text) }, (text) => said.push(text));
    line.update("building");
    await delay(300);
    line.end();
    assert.deepEqual([written, said], [[], []]);
  });
});
