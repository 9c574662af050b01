import assert from "node:assert/strict";
import { formerState } from "../support/former-state.ts";
import { kubectl } from "../support/kubectl.ts";
import { TestStack } from "../support/test-stack.ts";

const namespace = "redis-ha-former";

/** One step of a preview, as `pulumi preview --json` has it. */
interface Step {
  readonly op: string;
  readonly urn: string;
}

describe("the component on a real cluster", function () {
  this.timeout(300_000);
  let stack: TestStack;

  before(async () => {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=170s"]);
    stack = await TestStack.create("former", { "redis:storage": "64Mi", "redis-ha:keepVolumes": "false" });
  });

  after(async () => {
    await stack.destroy();
    stack.remove();
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=60s"]);
  });

  it("an update takes over what the program made before there was a component, and replaces nothing", async () => {
    await stack.up();
    const state = formerState(await stack.run("stack export", "--show-secrets"));
    await stack.run("stack import", "--force", "--file", stack.file("former.json", state));

    const preview = JSON.parse(await stack.run("preview", "--json")) as { steps: Step[] };
    const changes = preview.steps
      .filter(({ op }) => op !== "same")
      .map(({ op, urn }) => `${op} ${urn.split("::").slice(2).join(" ")}`);
    assert.deepEqual(changes, ["create redis-ha:index:RedisHa redis-ha"]);
    assert.equal(preview.steps.filter(({ urn }) => urn.includes("PersistentVolumeClaim")).length, 6);
    assert.equal(preview.steps.filter(({ urn }) => urn.includes("core/v1:Service::")).length, 8);
    await stack.up();
  });
});
