import assert from "node:assert/strict";
import { RealMaster } from "../support/real-master.ts";
import { RespClient } from "../support/resp-client.ts";

describe("the proxy, commands that are denied unless they are allowed", function () {
  this.timeout(20_000);
  let test: RealMaster;

  before(async () => {
    test = await RealMaster.start({ PROXY_ALLOW_COMMANDS: "config|set,client|pause,client|unpause,cluster" });
  });
  after(() => test.stop());

  it("are executed when they are allowed, also all of a container's, and others stay denied", async () => {
    const client = await test.proxy.client();
    assert.equal(await client.call("CONFIG SET slowlog-max-len 7"), "+OK");
    assert.deepEqual(await client.call("CONFIG GET slowlog-max-len"), ["slowlog-max-len", "7"]);
    assert.match(
      String(await client.call("CLUSTER INFO")),
      /^-ERR This instance has cluster support disabled/,
    );
    for (const command of ["CONFIG RESETSTAT", "SAVE", "CLIENT KILL ID 1", "SHUTDOWN", "REPLICAOF NO ONE"]) {
      assert.match(String(await client.call(command)), /^-NOPERM /, command);
    }
  });

  it("have a connection of their own, whatever they do to it", async () => {
    const client = await test.proxy.client();
    const monitor = await RespClient.connect(test.redis.port);
    try {
      await monitor.call("MONITOR");
      await client.call("SET k v");
      // MONITOR shows no administrators' commands, but this one.
      await client.call("CLUSTER INFO");
      await client.call("GET k");
      const addresses = new Map<string, string>();
      while (!addresses.has("get")) {
        const [, address = "", name = ""] =
          /^\+\S+ \[\d+ (\S+)\] "(\w+)"/.exec(String(await monitor.reply())) ?? [];
        addresses.set(name.toLowerCase(), address);
      }
      assert.equal(addresses.get("set"), addresses.get("get"));
      assert.ok(addresses.has("cluster"));
      assert.notEqual(addresses.get("cluster"), addresses.get("set"));
    } finally {
      monitor.destroy();
    }
  });
});
