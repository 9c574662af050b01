import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createClientServer } from "../../../runtime/tls-files.ts";

const connections = "/proc/net/tcp";

describe("createClientServer", () => {
  it("asks a silent client after 300 s whether it is still there, as Redis does", async function () {
    if (!existsSync(connections)) this.skip();
    const accepted: Socket[] = [];
    const server = createClientServer(
      undefined,
      (socket) => accepted.push(socket),
      () => undefined,
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const client = connect(port, "127.0.0.1");
    await Promise.all([once(client, "connect"), once(server, "connection")]);
    try {
      const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
      const lines = readFileSync(connections, "utf8").split("\n");
      // `sl local remote state tx:rx timer:when …`; state 01 is established, timer 02 keepalive, `when` counts 1/100 s.
      const fields = lines
        .map((line) => line.trim().split(/\s+/))
        .find((line) => line[1] === local && line[3] === "01");
      const [timer, when] = (fields?.[5] ?? "").split(":");
      assert.equal(timer, "02", "no keepalive");
      const seconds = Number.parseInt(when ?? "", 16) / 100;
      assert.ok(seconds > 290 && seconds <= 301, `${seconds} s`);
    } finally {
      client.destroy();
      for (const socket of accepted) socket.destroy();
      server.close();
    }
  });
});
