import assert from "node:assert/strict";
import type { ControlConnection } from "../../../../quorum/control-connection.ts";
import { parseAddress } from "../../../../runtime/address.ts";
import { askForecast } from "../../../../sentinel-image/failover/ask-forecast.ts";
import { instance } from "../../../support/sentinel-views.ts";

/** A Sentinel that knows one replica, without a link, and says this of its clock. */
function sentinel(tilt: string): ControlConnection {
  const fields = [
    ...["ip", "redis-2", "port", "6379", "flags", "slave", "master-link-status", "err"],
    ...["slave-priority", "100", "slave-repl-offset", "1000", "runid", "abc"],
  ];
  const answers = new Map<string, unknown>([
    ["SENTINEL REPLICAS mymaster", [fields]],
    ["INFO sentinel", `# Sentinel\r\nsentinel_masters:1\r\nsentinel_tilt:${tilt}\r\n`],
  ]);
  const call = async (...words: string[]): Promise<unknown> => answers.get(words.join(" "));
  return { address: parseAddress("sentinel-1:26379"), call } as unknown as ControlConnection;
}

describe("asking a Sentinel whom it would promote", () => {
  it("finds a replica without a link when the master is dead", async () => {
    const forecast = await askForecast(sentinel("0"), "mymaster", { masterLives: false });
    assert.deepEqual(forecast?.replica, instance(2));
    assert.equal(forecast.offset, 1000);
  });

  it("finds none while the master lives", async () =>
    assert.equal(await askForecast(sentinel("0"), "mymaster", { masterLives: true }), undefined));

  it("finds none at a Sentinel in TILT: it would accept, and do nothing for up to 30 s", async () =>
    assert.equal(await askForecast(sentinel("1"), "mymaster", { masterLives: false }), undefined));
});
