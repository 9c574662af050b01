import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../../../proxy/collect-garbage-less.ts", import.meta.url));

describe("collectGarbageLess", () => {
  // V8's options come and go: one that it doesn't know is only complained of, and then nothing is better than before.
  it("uses options that this project's Node.js knows", () => {
    const call = `import { collectGarbageLess } from ${JSON.stringify(file)}; collectGarbageLess();`;
    const said = execFileSync("sh", [
      "-c",
      '"$0" --input-type=module --eval "$1" 2>&1',
      process.execPath,
      call,
    ]);
    assert.equal(said.toString(), "");
  });
});
