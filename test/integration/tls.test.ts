import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, readFileSync, statSync } from "node:fs";
import { connect as connectPlain, type Socket } from "node:net";
import { join } from "node:path";
import { type ConnectionOptions, connect, createServer, type TLSSocket } from "node:tls";
import { Redis } from "ioredis";
import { issueAuthority, issueCertificate } from "../../cli/certificates/issue-certificate.ts";
import { writeLocalCertificates } from "../../cli/local/local-certificates.ts";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { TlsFiles, tlsFileNames } from "../../runtime/tls-files.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

/** Ends when the handshake is done and one PING was answered, or fails. A server may refuse only after the handshake. */
async function ping(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", ...options });
  socket.on("error", () => undefined);
  socket.write("PING\r\n");
  const closed = once(socket, "close").then(() => {
    throw new Error("closed without an answer");
  });
  closed.catch(() => undefined);
  await Promise.race([once(socket, "data"), closed]);
  return socket;
}

/** An error comes before it. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
  });
}

/** What a client gets that speaks no TLS, until the server closes the connection. */
async function speakPlain(port: number): Promise<string> {
  const socket = connectPlain(port, "127.0.0.1");
  socket.on("error", () => undefined);
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
  });
  socket.write("PING\r\n");
  await closeOf(socket);
  return text;
}

for (const mode of ["clients", "all"] as const) {
  describe(`a topology with tls:mode ${mode}`, function () {
    this.timeout(90_000);
    const directory = temporaryDirectory();
    const open: { end(): void }[] = [];
    let basePort: number;
    let local: LocalTopology;

    before(async () => {
      basePort = await freeBasePort();
      local = await LocalTopology.start({
        directory: directory.path,
        basePort,
        configuration: { "tls:mode": mode },
      });
    });
    afterEach(() => {
      for (const socket of open.splice(0)) socket.end();
    });
    after(async () => {
      await local.stop();
      directory.remove();
    });

    const file = (kind: "server" | "proxy", name: keyof typeof tlsFileNames): string =>
      readFileSync(join(directory.path, "tls", kind, tlsFileNames[name]), "utf8");
    const trusted = (): ConnectionOptions => ({ ca: file("proxy", "ca") });
    const withCertificate = (): ConnectionOptions => ({
      ...trusted(),
      cert: file("proxy", "cert"),
      key: file("proxy", "key"),
    });
    const endpoints = (): number[] => [basePort, basePort + 1];
    const servers = (): number[] => [101, 102, 103, 201, 202, 203].map((offset) => basePort + offset);

    it("serves clients on both endpoints, by name and by address", async () => {
      for (const port of endpoints()) {
        for (const servername of ["localhost", undefined]) {
          const socket = await ping(port, {
            ...trusted(),
            ...(servername === undefined ? {} : { servername }),
          });
          open.push(socket);
          assert.equal(socket.authorized, true);
        }
      }
      const client = new Redis({
        sentinels: [{ host: "127.0.0.1", port: basePort + 1 }],
        name: local.settings.sentinel.masterName,
        password: local.password,
        sentinelPassword: local.password,
        tls: trusted(),
        sentinelTLS: trusted(),
        enableTLSForSentinelMode: true,
      });
      client.on("error", () => undefined);
      assert.equal(await client.set("by", "sentinel"), "OK");
      // More than one record, and more than what the proxy keeps of a reply.
      const big = "x".repeat(5 * 2 ** 20);
      await client.set("big", big);
      assert.equal(await client.get("big"), big);
      client.disconnect();
    });

    it("tells clients who trust another authority that it is not theirs", async () => {
      const foreign = await issueAuthority("foreign", 1);
      for (const port of endpoints()) {
        const socket = connect({ port, host: "127.0.0.1", ca: foreign.cert });
        const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
        assert.match(String(error.code), /UNABLE_TO_VERIFY|SELF_SIGNED/);
      }
    });

    it("refuses plain text: nothing is executed, nothing is told", async () => {
      const closed = mode === "all" ? [...endpoints(), ...servers()] : endpoints();
      for (const port of closed) assert.doesNotMatch(await speakPlain(port), /PONG|NOAUTH|\+|ERR/, `${port}`);
    });

    it("refuses an old version of TLS", async () => {
      const closed = mode === "all" ? [...endpoints(), ...servers()] : endpoints();
      for (const port of closed) {
        const old: ConnectionOptions = { ...withCertificate(), minVersion: "TLSv1", maxVersion: "TLSv1.1" };
        await assert.rejects(ping(port, { ...old, ciphers: "DEFAULT@SECLEVEL=0" }), `${port}`);
      }
    });

    it("holds nobody up with clients who begin a handshake and say no more", async () => {
      const silent = Array.from({ length: 50 }, () => connectPlain(basePort, "127.0.0.1"));
      for (const socket of silent) socket.on("error", () => undefined).resume();
      await Promise.all(silent.map((socket) => once(socket, "connect")));
      const begin = performance.now();
      open.push(await ping(basePort, trusted()));
      assert.ok(performance.now() - begin < 1000);
      await Promise.all(silent.map(closeOf));
      assert.ok(performance.now() - begin > 2000, "the proxy closed them, after giving them time");
    });

    it("gives new connections a renewed certificate, and leaves the others alone", async () => {
      const ports = mode === "all" ? [basePort, basePort + 101] : [basePort];
      const before = await Promise.all(ports.map((port) => ping(port, withCertificate())));
      open.push(...before);
      const serials = before.map((socket) => socket.getPeerCertificate().serialNumber);
      const authority = trusted();
      await writeLocalCertificates(join(directory.path, "tls"), { generation: 1, hosts: [], hostnames: [] });
      for (const [i, port] of ports.entries()) {
        await eventually(async () => {
          // Also with the authority that was trusted before.
          const socket = await ping(port, { ...withCertificate(), ...authority });
          open.push(socket);
          assert.notEqual(socket.getPeerCertificate().serialNumber, serials[i]);
        });
      }
      for (const socket of before) {
        socket.write("PING\r\n");
        await once(socket, "data");
      }
      assert.ok((await local.status()).healthy);
    });

    if (mode === "all") {
      it("lets a Sentinel start again whose files may only be read, as a Secret's", async () => {
        const given = join(directory.path, "tls", "server", tlsFileNames.cert);
        chmodSync(given, 0o440);
        await local.restart("redis-sentinel-1");
        await eventually(async () => assert.ok((await local.status()).healthy), { withinMs: 15_000 });
        const copy = join(local.stateDirectory("redis-sentinel-1"), "tls.crt");
        assert.equal(readFileSync(copy, "utf8"), readFileSync(given, "utf8"));
        // Whoever isn't root couldn't write it a second time.
        assert.equal(statSync(copy).mode & 0o777, 0o600);
      });

      it("refuses whoever has no certificate, or one of a foreign authority, on Redis and the Sentinels", async () => {
        const foreign = await issueCertificate(await issueAuthority("foreign", 1), {
          names: ["localhost"],
          days: 1,
        });
        for (const port of servers()) {
          await assert.rejects(ping(port, trusted()), `${port} without a certificate`);
          await assert.rejects(ping(port, { ...trusted(), ...foreign }), `${port} with a foreign one`);
          open.push(await ping(port, withCertificate()));
        }
      });
    }

    it("fails over, and clients stay connected", async () => {
      const client = new Redis({ port: basePort, password: local.password, tls: trusted() });
      let closes = 0;
      client.on("close", () => closes++).on("error", () => undefined);
      await client.set("counter", 0);
      const before = (await local.status()).master;
      const master = (await local.status()).parts.find(
        ({ address, name }) => address === before && name.startsWith("redis-instance"),
      );
      assert.ok(master);
      local.signal(master.name, "SIGKILL");
      await eventually(async () => assert.notEqual((await local.status()).master, before), {
        withinMs: 15_000,
      });
      assert.equal(await client.incr("counter"), 1);
      assert.equal(closes, 0);
      client.disconnect();
      await local.restart(master.name);
      await eventually(async () => assert.ok((await local.status()).healthy), { withinMs: 20_000 });
    });
  });
}

describe("a part that asks a server", () => {
  it("talks to its own server on the loopback when the certificate has the server's name and no address", async () => {
    const directory = temporaryDirectory();
    await writeLocalCertificates(directory.path, { generation: 1, hosts: [], hostnames: [] });
    const authority = JSON.parse(readFileSync(join(directory.path, "authorities.json"), "utf8"))["1"];
    const certificate = await issueCertificate(authority, { names: ["svc-redis-instance-1"], days: 1 });
    const server = createServer(certificate, (socket) => {
      socket.on("error", () => undefined).on("data", () => socket.write("+PONG\r\n"));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const to = (host: string): ControlConnection =>
      new ControlConnection({
        address: { host: "127.0.0.1", port },
        provesToBe: { host, port },
        tls: new TlsFiles(join(directory.path, "server")),
      });
    const [own, other] = [to("svc-redis-instance-1"), to("svc-redis-instance-2")];
    try {
      assert.equal(await own.call("PING"), "PONG");
      await assert.rejects(other.call("PING"), /certificate|altnames/i);
    } finally {
      own.close();
      other.close();
      server.close();
      directory.remove();
    }
  });

  it("talks to none whose certificate is of a foreign authority, or of another host", async () => {
    const directory = temporaryDirectory();
    await writeLocalCertificates(directory.path, { generation: 1, hosts: [], hostnames: [] });
    const own = new TlsFiles(join(directory.path, "server"));
    const ownAuthority = JSON.parse(readFileSync(join(directory.path, "authorities.json"), "utf8"))["1"];
    const attempts = {
      foreign: await issueCertificate(await issueAuthority("foreign", 1), { names: ["127.0.0.1"], days: 1 }),
      "another host": await issueCertificate(ownAuthority, { names: ["elsewhere"], days: 1 }),
    };
    try {
      for (const [what, certificate] of Object.entries(attempts)) {
        let heard = "";
        const server = createServer(certificate, (socket) => {
          socket
            .on("error", () => undefined)
            .on("data", (bytes) => {
              heard += bytes.toString();
            });
        }).listen(0, "127.0.0.1");
        await once(server, "listening");
        const address = server.address();
        const port = address !== null && typeof address === "object" ? address.port : 0;
        const connection = new ControlConnection({
          address: { host: "127.0.0.1", port },
          password: () => "secret",
          tls: own,
        });
        await assert.rejects(connection.call("PING"), /certificate|altnames/i, what);
        connection.close();
        server.close();
        assert.equal(heard, "", `${what}: the password is not told`);
      }
    } finally {
      directory.remove();
    }
  });
});
