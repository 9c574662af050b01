import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SentinelApiServer } from "../../proxy/sentinel-api/sentinel-api-server.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, RedisProcess, temporaryDirectory } from "../support/redis-process.ts";
import { RespClient } from "../support/resp-client.ts";
import type { Shown } from "../support/resp-frames.ts";
import { sentinelStartups } from "../support/sentinel-startups.ts";
import { exampleView } from "../unit/proxy/sentinel-api/example-view.ts";

/** What every one of three Sentinels says of the others has these names, in this order. */
const sentinels = "SENTINEL SENTINELS mymaster";

describe("the start of a client with Sentinel support", function () {
  this.timeout(30_000);
  let directory: ReturnType<typeof temporaryDirectory>;
  const processes: RedisProcess[] = [];
  let real = 0;
  let api: SentinelApiServer;

  before(async () => {
    directory = temporaryDirectory();
    const port = await freePort();
    processes.push(
      await RedisProcess.start(port, ["--port", String(port), "--bind", "127.0.0.1", "--save", ""]),
    );
    for (const name of ["one", "two"]) {
      const own = await freePort();
      const file = join(directory.path, `${name}.conf`);
      const lines = [`port ${own}`, "bind 127.0.0.1", `dir ${directory.path}`];
      writeFileSync(file, [...lines, `sentinel monitor mymaster 127.0.0.1 ${port} 2`].join("\n"));
      processes.push(await RedisProcess.start(own, [file, "--sentinel"]));
      real = own;
    }
    const view = exampleView({
      announced: { host: "127.0.0.1", port },
      announcedSentinel: { host: "127.0.0.1", port: 26379 },
    });
    api = new SentinelApiServer({
      host: "127.0.0.1",
      port: 0,
      maxClients: 100,
      view: () => view,
      authenticate: undefined,
      redisVersion: () => "7.0.15",
      report: assert.ifError,
    });
    await api.listen();
    // They hear of each other every two seconds.
    await eventually(async () => assert.ok(isFilled(await ask(real, [sentinels]))), { withinMs: 10_000 });
  });
  after(async () => {
    await api?.close();
    for (const process of processes) await process.kill();
    directory?.remove();
  });

  /** What a server answers to these lines, one after the other; a subscription's first confirmation stands for all. */
  async function ask(port: number, lines: readonly string[]): Promise<Shown[]> {
    const client = await RespClient.connect(port);
    try {
      const answers: Shown[] = [];
      for (const line of lines) {
        client.send(line);
        const count = /^p?(un)?subscribe/i.test(line) ? line.split(" ").length - 1 : 1;
        answers.push((await client.replies(count))[0] ?? null);
      }
      return answers;
    } finally {
      client.destroy();
    }
  }

  for (const [name, connections] of Object.entries(sentinelStartups)) {
    it(`is answered as by a Sentinel: ${name}`, async () => {
      for (const lines of connections) {
        const [said, expected] = [await ask(api.port, lines), await ask(real, lines)];
        for (const [i, line] of lines.entries()) {
          // A newer Sentinel knows it, an older one doesn't: clients take both.
          if (/^client setinfo/i.test(line)) assert.equal(said[i], "+OK");
          // Replicas would lead past the proxy.
          else if (/^sentinel (slaves|replicas)/i.test(line)) assert.ok(Array.isArray(said[i]), line);
          else assert.deepEqual(outline(said[i]), outline(expected[i]), line);
        }
      }
    });
  }

  it("is led nowhere but to the proxy by the list of the other Sentinels, which isn't empty", async () => {
    const [[list], [expected]] = [await ask(api.port, [sentinels]), await ask(real, [sentinels])];
    assert.ok(isFilled([list]));
    assert.deepEqual(fieldNames(list), fieldNames(expected));
    const flat = (list as string[][])[0] ?? [];
    const field = (wanted: string): string | undefined => flat[flat.indexOf(wanted) + 1];
    assert.deepEqual([field("ip"), field("port"), field("flags")], ["127.0.0.1", "26379", "sentinel"]);
    assert.match(String(field("name")), /^[0-9a-f]{40}$/);
    assert.notDeepEqual([field("name")], await ask(api.port, ["SENTINEL MYID"]));
  });
});

function isFilled([list]: readonly (Shown | undefined)[]): boolean {
  return Array.isArray(list) && list.length > 0;
}

function fieldNames(list: Shown | undefined): unknown[] {
  assert.ok(Array.isArray(list));
  const [first] = list;
  assert.ok(Array.isArray(first));
  return first.filter((_, i) => i % 2 === 0);
}

/** The kind of a reply and the whole of an error: what a client decides by. */
function outline(reply: Shown | undefined): unknown {
  if (Array.isArray(reply)) return reply.length === 0 ? "nothing" : "list";
  // How many Sentinels there are isn't decided by.
  return typeof reply === "string" && /^[-+]/.test(reply)
    ? reply.replace(/\d+ usable/, "n usable")
    : typeof reply;
}
