import assert from "node:assert/strict";
import { SentinelRelay } from "../../../proxy/sentinel-relay.ts";
import { eventually } from "../../support/eventually.ts";
import { RawClient, RawServer } from "../../support/raw-tcp.ts";
import { freePort } from "../../support/redis-process.ts";

describe("SentinelRelay", () => {
  let sentinels: [RawServer, RawServer];
  let relay: SentinelRelay;
  let port: number;
  let client: RawClient | undefined;
  beforeEach(async () => {
    sentinels = [await new RawServer().start(), await new RawServer().start()];
    relay = new SentinelRelay(
      sentinels.map(({ address }) => address),
      10,
    );
    port = await freePort();
    await relay.listen(port, "127.0.0.1");
  });
  afterEach(async () => {
    client?.socket.destroy();
    relay.close();
    for (const sentinel of sentinels) await sentinel.stop();
  });

  async function talks(sentinel: RawServer): Promise<void> {
    client = await RawClient.connect(port);
    client.socket.write("question;");
    await eventually(() => assert.equal(sentinel.received, "question;"));
    sentinel.send("answer;");
    await eventually(() => assert.equal(client?.received, "answer;"));
  }

  it("connects a client with the first Sentinel", () => talks(sentinels[0]));

  it("takes the next one when the first is gone", async () => {
    await sentinels[0].stop();
    await talks(sentinels[1]);
  });

  it("says so when all are gone", async () => {
    for (const sentinel of sentinels) await sentinel.stop();
    client = await RawClient.connect(port);
    client.socket.write("question;");
    await eventually(() => assert.equal(client?.ended, true));
    assert.equal(client.received, "-ERR no Sentinel can be reached, try again\r\n");
  });

  it("ends its clients when it is closed, and takes no new one", async () => {
    await talks(sentinels[0]);
    relay.close();
    await eventually(() => assert.ok(client?.closed || client?.ended || client?.error));
    const late = await RawClient.connect(port);
    await eventually(() => assert.match(String(late.error), /ECONNREFUSED/));
  });
});
