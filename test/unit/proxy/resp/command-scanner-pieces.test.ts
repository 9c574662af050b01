import assert from "node:assert/strict";
import { CommandTable } from "../../../../proxy/commands/command-table.ts";
import { encodeCommand } from "../../../../proxy/resp/command-frame.ts";
import { CommandScanner } from "../../../../proxy/resp/command-scanner.ts";

describe("CommandScanner", () => {
  it("keeps few objects for a command that comes byte by byte", () => {
    const scanner = new CommandScanner(new CommandTable([]));
    const bytes = encodeCommand(["SET", "key", "x".repeat(50_000)]);
    for (let at = 0; at < bytes.length - 1; at++) {
      scanner.push(bytes.subarray(at, at + 1));
      assert.equal(scanner.next(), false);
    }
    assert.equal(scanner.partialBytes, bytes.length - 1);
    assert.ok((scanner.earlier?.length ?? 0) <= 20, `${scanner.earlier?.length} pieces`);
    scanner.push(bytes.subarray(-1));
    assert.equal(scanner.next(), true);
    const { earlier = [], buffer, start, end } = scanner;
    assert.deepEqual(Buffer.concat([...earlier, buffer.subarray(start, end)]), bytes);
  });
});
