import assert from "node:assert/strict";
import { once } from "node:events";
import { execa } from "execa";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";
import { prepareFlows } from "../support/toolchains.ts";

const program = await prepareFlows().catch((error: Error) => error);

describe("BullMQ's flows, which run scripts inside of MULTI", function () {
  this.timeout(90_000);
  const title = "are added and done after the master was killed as before";
  if (program instanceof Error) it(title, () => Promise.reject(program));
  else if (program.missing !== undefined) it.skip(`${title}: SKIPPED, ${program.missing}`);
  else {
    const { command, args } = program;
    it(title, async () => {
      const place = temporaryDirectory();
      const basePort = await freeBasePort();
      const local = await LocalTopology.start({ directory: place.path, basePort });
      try {
        const running = execa(command, [...args, String(basePort)], {
          env: { ...process.env, REDIS_PASSWORD: local.password },
          timeout: 60_000,
        });
        await once(running.stdout, "data");
        local.signal("redis-instance-1", "SIGKILL");
        await new Promise((resolve) => setTimeout(resolve, 5000));
        running.stdin.end();
        const { stdout } = await running;
        const { added, undone, failures } = JSON.parse(stdout.split("\n").at(-1) ?? "");
        assert.ok(added > 50, stdout);
        assert.equal(undone, 0);
        // One was in flight, perhaps.
        const others = failures.filter((message: string) => !message.startsWith("UNCERTAIN"));
        assert.deepEqual(others, []);
        assert.ok(failures.length <= 1, stdout);
      } finally {
        await local.stop();
        place.remove();
      }
    });
  }
});
