import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { privateNetworkObstacle } from "../../cli/local/private-network.ts";

const probe = fileURLToPath(new URL("../support/cut-probe.ts", import.meta.url));

describe("PartNetwork", function () {
  this.timeout(30_000);

  // Cuts that don't cut would make every fault of the network a calm hour, and pass.
  it("drops, resets and delays what goes one way, and heals", async function () {
    if (privateNetworkObstacle() !== undefined) {
      // This machine gives no process a network of its own.
      this.skip();
    }
    const { stdout } = await execa(process.execPath, [probe]);
    const found = JSON.parse(stdout) as Record<string, string>;
    const { dropThere, dropBack, reset } = found;
    assert.deepEqual(
      { dropThere, dropBack, reset },
      { dropThere: "silence", dropBack: "silence", reset: "ECONNREFUSED" },
    );
    // The time of one exchange: there and back, and back alone. How much longer it takes is the machine's affair.
    const ms = (name: string): number => Number(found[name]);
    assert.ok(ms("whole") < 300 && ms("healed") < 300, stdout);
    assert.ok(ms("late") >= 300, stdout);
    assert.ok(ms("lateBack") >= 150, stdout);
  });
});
