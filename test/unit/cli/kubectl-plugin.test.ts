import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { StubKubectl } from "../../support/stub-kubectl.ts";

const launcher = fileURLToPath(new URL("../../../cli/redis-ha.js", import.meta.url));

/** `kubectl redis-ha …` starts `kubectl-redis_ha …`: what kubectl itself would do is done here. */
describe("the plugin of kubectl", function () {
  this.timeout(60_000);
  let stub: StubKubectl;

  before(() => {
    stub = new StubKubectl([{ to: "config view --minify", stdout: "caches" }]);
    symlinkSync(launcher, join(stub.directory, "kubectl-redis_ha"));
  });

  after(() => stub.remove());

  function plugin(...args: string[]) {
    const env = { PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` };
    return execa(join(stub.directory, "kubectl-redis_ha"), args, { reject: false, env });
  }

  it("is the same program by another name", async () => {
    const { stdout, exitCode } = await plugin("--help");
    assert.equal(exitCode, 0);
    assert.match(stdout, /^Usage: kubectl redis-ha \[options\] \[command\]$/m);
    assert.match(stdout, /^ +switchover /m);
    const help = await plugin("status", "--help");
    assert.match(help.stdout, /^Usage: kubectl redis-ha status /m);
    assert.match(help.stdout.replace(/\s+/g, " "), /without it the one in the current context's namespace/);
  });

  it("looks at the namespace of the current context, unless another one is named", async () => {
    const { stderr, exitCode } = await plugin("status", "--context", "mine");
    assert.equal(exitCode, 1);
    assert.equal(stderr, "kubectl get: Error from server (Forbidden): you may not");
    await plugin("status", "--stack", "dev");
    const [view, ...gets] = stub.calls;
    assert.match(view ?? "", /--context mine$/);
    assert.deepEqual(
      gets.map((call) => call.slice(0, call.indexOf(" --selector"))),
      [
        "--namespace caches --context mine get pods,deployments",
        "--namespace redis-ha-dev get pods,deployments",
      ],
    );
  });
});
