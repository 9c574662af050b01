import assert from "node:assert/strict";
import { readProxyEnvironment } from "../../../proxy/environment.ts";

describe("the proxy's environment", () => {
  const read = (names: string) =>
    readProxyEnvironment({ REDIS_SENTINELS: "sentinel:26379", PROXY_ALLOW_COMMANDS: names })
      .PROXY_ALLOW_COMMANDS;

  it("allows commands that are denied by default, by their exact names", () => {
    assert.deepEqual(read(""), []);
    assert.deepEqual(read("save,config|set,cluster"), ["save", "config|set", "cluster"]);
  });

  it("refuses names that can't be allowed or aren't denied, and tells those that can", () => {
    for (const name of [
      ...["shutdown", "replicaof", "script|debug", "config set", "config", "get", "save,"],
      // Not a name of the list: what is allowed here stands in the users' rules, too.
      "cluster|info",
    ]) {
      assert.throws(
        () => read(name),
        (error: Error) =>
          error.message.includes(`PROXY_ALLOW_COMMANDS is '${name}': use names among`) &&
          error.message.includes("config|set"),
      );
    }
  });
});
