import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { eventually } from "../../support/eventually.ts";
import { tcpConnections } from "../../support/tcp-connections.ts";

(process.platform === "linux" ? describe : describe.skip)("tcpConnections (Linux only)", () => {
  for (const host of ["127.0.0.1", "::ffff:127.0.0.1"]) {
    it(`tells a connection to ${host} from the one that takes its place`, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const open = async (): Promise<Socket> => {
        const socket = connect(port, host);
        await once(socket, "connect");
        return socket;
      };
      const first = await open();
      const before = tcpConnections(process.pid, port);
      assert.equal(before?.size, 1);
      first.destroy();
      await eventually(() => assert.equal(tcpConnections(process.pid, port)?.size, 0));
      const second = await open();
      const after = tcpConnections(process.pid, port);
      assert.equal(after?.size, 1);
      assert.notDeepEqual(after, before);
      second.destroy();
      server.close();
    });
  }
});
