import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { lookUpAt } from "../../../../sentinel-image/backup/name-server.ts";

describe("a store's name", () => {
  it("is looked up at its name server alone, and other names as before", async () => {
    const asked: string[] = [];
    // Answers every question for an address by 127.0.0.1.
    const names = createSocket("udp4").on("message", (question, from) => {
      const end = question.indexOf(0, 12);
      asked.push(question.toString("latin1", 13, end).replaceAll(/[^ -~]/g, "."));
      const isAddress = question.readUInt16BE(end + 1) === 1;
      const head = Buffer.from([
        question[0] ?? 0,
        question[1] ?? 0,
        0x81,
        0x80,
        0,
        1,
        0,
        isAddress ? 1 : 0,
        0,
        0,
        0,
        0,
      ]);
      const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
      const parts = [head, question.subarray(12, end + 5), ...(isAddress ? [answer] : [])];
      names.send(Buffer.concat(parts), from.port, from.address);
    });
    names.bind(0, "127.0.0.1");
    await once(names, "listening");
    const store = createServer((_, response) => response.end("here")).listen(0, "127.0.0.1");
    await once(store, "listening");
    const { port } = store.address() as AddressInfo;
    try {
      lookUpAt("minio.storage.svc", `127.0.0.1:${names.address().port}`);
      for (const host of ["minio.storage.svc", "bucket.minio.storage.svc", "localhost"]) {
        const [response] = await once(get({ host, port, agent: false }), "response");
        assert.equal(response.statusCode, 200, host);
        response.resume();
      }
      assert.deepEqual(
        [...new Set(asked)],
        ["minio.storage.svc.cluster.local", "bucket.minio.storage.svc.cluster.local"],
      );
    } finally {
      names.close();
      store.close();
    }
  });
});
