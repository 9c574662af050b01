import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { freeBasePort } from "../../support/free-ports.ts";

const module = fileURLToPath(new URL("../../support/free-ports.ts", import.meta.url));
/** Takes some, says which, and keeps them until its input ends. */
const other = `
  import { freeBasePort } from ${JSON.stringify(module)};
  const ports = [];
  for (let i = 0; i < 5; i++) ports.push(await freeBasePort());
  console.log(JSON.stringify(ports));
  process.stdin.resume();
`;

describe("freeBasePort", () => {
  // Without it two runs at the same time start their topologies on the same ports, and one of them fails.
  it("gives nobody else a range that another process still has", async () => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", other]);
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const theirs = JSON.parse(line.toString()) as number[];
    assert.equal(new Set(theirs).size, 5);
    const ours = await Promise.all(Array.from({ length: 3 }, () => freeBasePort()));
    assert.deepEqual(
      ours.filter((port) => theirs.includes(port)),
      [],
    );
    child.kill();
  });
});
