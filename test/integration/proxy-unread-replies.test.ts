import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { encodeCommand } from "../../proxy/resp/command-frame.ts";
import { eventually } from "../support/eventually.ts";
import { RealMaster } from "../support/real-master.ts";
import { RespClient } from "../support/resp-client.ts";

const mebi = 2 ** 20;
const value = Buffer.alloc(50_000, "z");
const replySize = "$50000\r\n\r\n".length + value.length;

// A Redis sets no bound on what a client may leave unread. Here it is the memory of the proxy that sets one.
describe("the proxy, clients that read their replies late or slowly", function () {
  this.timeout(60_000);
  let master: RealMaster;
  const sockets: Socket[] = [];

  before(async () => {
    master = await RealMaster.start();
  });
  after(() => master.stop());
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  async function open(): Promise<Socket> {
    const socket = connect({ host: "127.0.0.1", port: master.proxy.port, noDelay: true }).pause();
    sockets.push(socket);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  }

  /** Reads so many bytes; all of them, or fails with how many have come. @param bytesPerMs undefined: as fast as they come. */
  async function read(socket: Socket, bytes: number, bytesPerMs?: number): Promise<void> {
    let got = 0;
    let ended = false;
    const begin = performance.now();
    socket.once("close", () => {
      ended = true;
    });
    socket.on("data", (piece: Buffer) => {
      got += piece.length;
      const ahead = bytesPerMs === undefined ? 0 : got / bytesPerMs - (performance.now() - begin);
      if (ahead < 1) return;
      socket.pause();
      setTimeout(() => socket.resume(), ahead);
    });
    socket.resume();
    await eventually(() => assert.ok(got >= bytes || ended, `${got} of ${bytes}`), {
      withinMs: 50_000,
      everyMs: 20,
    });
    assert.equal(got, bytes);
  }

  const dropped = (reason: string): Promise<number> =>
    master.proxy.metric(`redis_ha_proxy_dropped_clients_total{reason="${reason}"}`);

  async function set(key: string, bytes: Buffer): Promise<void> {
    const socket = await open();
    socket.write(encodeCommand(["SET", key, bytes]));
    await read(socket, "+OK\r\n".length);
  }

  it("a pipeline that is written completely before its replies are read: 1500 GETSETs of 50 kB", async () => {
    await set("pipelined", value);
    const socket = await open();
    const count = 1500;
    const command = encodeCommand(["GETSET", "pipelined", value]);
    const { promise, resolve } = Promise.withResolvers<void>();
    for (let i = 1; i <= count; i++) socket.write(command, () => i === count && resolve());
    await promise;
    await read(socket, count * replySize);
  });

  it("2000 pipelined GETs of 50 kB, read at 60 MB/s, while others are answered", async () => {
    await set("slow", value);
    const [socket, other] = [await open(), await RespClient.connect(master.proxy.port)];
    const count = 2000;
    socket.write(Buffer.concat(Array.from({ length: count }, () => encodeCommand(["GET", "slow"]))));
    const reading = read(socket, count * replySize, 60_000);
    for (let i = 1; i <= 20; i++) {
      assert.equal(await other.call("INCR unread:others"), i);
      await delay(10);
    }
    await reading;
    other.destroy();
  });

  it("one value of 50 MiB, read at 20 MB/s", async () => {
    await set("whole", Buffer.alloc(50 * mebi, "x"));
    const socket = await open();
    socket.write(encodeCommand(["GET", "whole"]));
    await read(socket, 50 * mebi + "$52428800\r\n\r\n".length, 20_000);
    await set("whole", Buffer.from(""));
  });

  it("a client that has ended its side gets everything, as long as it reads on", async () => {
    await set("late", value);
    const socket = await open();
    const count = 300;
    socket.write(Buffer.concat(Array.from({ length: count }, () => encodeCommand(["GET", "late"]))));
    socket.end();
    // Longer than any bound for those that don't read.
    await read(socket, count * replySize, (count * replySize) / 12_000);
  });

  it("who has left and reads nothing is closed", async () => {
    await set("gone", value);
    const socket = await open();
    socket.write(Buffer.concat(Array.from({ length: 300 }, () => encodeCommand(["GET", "gone"]))));
    socket.end();
    await eventually(async () => assert.equal(await dropped("unread replies"), 1), { withinMs: 20_000 });
  });

  it("who never reads is dropped when the proxy's memory is needed, and nobody else", async () => {
    await set("big", Buffer.alloc(mebi, "x"));
    const before = await dropped("unread replies");
    // All of them in flight before the first big reply tells that they are big.
    const sleeper = await RespClient.connect(master.proxy.port);
    await sleeper.call("PING");
    sleeper.socket.pause();
    sleeper.pipeline(...Array.from({ length: 200 }, () => "GET big"));
    const other = await RespClient.connect(master.proxy.port);
    for (let i = 1; i <= 20; i++) {
      other.send("INCR unread:never");
      assert.equal(await other.reply(10_000), i);
    }
    await eventually(async () => assert.equal((await dropped("unread replies")) - before, 1), {
      withinMs: 20_000,
    });
    assert.equal(await other.call("INCR unread:never"), 21);
    sleeper.destroy();
    other.destroy();
  });
});
