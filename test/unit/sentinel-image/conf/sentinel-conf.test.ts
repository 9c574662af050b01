import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SentinelView } from "../../../../quorum/agreement.ts";
import { parseAddress } from "../../../../runtime/address.ts";
import {
  chooseMaster,
  type LearnedState,
  parseLearnedState,
  renderSentinelConf,
  type SentinelConfInput,
  sentinelId,
} from "../../../../sentinel-image/conf/sentinel-conf.ts";
import { eventually } from "../../../support/eventually.ts";
import { freePort, RedisProcess, temporaryDirectory } from "../../../support/redis-process.ts";
import { instance, view } from "../../../support/sentinel-views.ts";

const template = readFileSync(
  new URL("../../../../sentinel-image/sentinel.conf.template", import.meta.url),
  "utf8",
);
const password = 'pass "word" #1';

const variables = {
  BIND_ADDR: "127.0.0.1",
  MASTER_NAME: "mymaster",
  REDIS_PASSWORD: password,
  REDIS_USERNAME: undefined,
  REDIS_ACL_FILE: undefined,
  SENTINEL_TLS_PORT: undefined,
  TLS_CERT_FILE: undefined,
  TLS_KEY_FILE: undefined,
  TLS_CA_FILE: undefined,
  TLS_AUTH_CLIENTS: undefined,
  TLS_REPLICATION: undefined,
  TLS_PROTOCOLS: undefined,
  SENTINEL_OWN_PASSWORD: password,
  SENTINEL_ANNOUNCE_HOSTNAMES: "yes",
  SENTINEL_CONFIG_FILE_DIR: "/tmp",
  SENTINEL_DOWN_AFTER: "1000",
  SENTINEL_FAILOVER: "6000",
  SENTINEL_PARALLEL_SYNCS: "2",
  SENTINEL_QUORUM: "2",
  SENTINEL_RESOLVE_HOSTNAMES: "yes",
  SENTINEL_SVC_IP: "sentinel-1",
  SENTINEL_SVC_PORT: "26379",
  SENTINEL_PLAIN_PORT: "26379",
};

const first: SentinelConfInput = {
  template,
  variables,
  masterName: "mymaster",
  self: parseAddress("sentinel-1:26379"),
  sentinels: [1, 2, 3].map((index) => parseAddress(`sentinel-${index}:26379`)),
  instances: [1, 2, 3].map(instance),
  initialMaster: instance(1),
  learned: undefined,
  peers: [],
  newestVote: 0,
};
const learnt = (master: number, configEpoch: number): LearnedState => ({
  master: instance(master),
  configEpoch,
  leaderEpoch: configEpoch,
  currentEpoch: configEpoch,
});

describe("chooseMaster", () => {
  const rows: readonly (readonly [
    name: string,
    learned: LearnedState | undefined,
    peers: readonly SentinelView[],
    master: number,
    configEpoch: number,
  ])[] = [
    ["takes the initial master at a first start", undefined, [], 1, 0],
    ["takes a peer's master without a file (G: the volume was lost)", undefined, [view(2, 3, 4)], 3, 4],
    ["takes the newest of the peers without a file", undefined, [view(2, 1, 3), view(3, 2, 4)], 2, 4],
    ["keeps what it learnt when nobody answers", learnt(3, 4), [], 3, 4],
    ["keeps what it learnt against an outdated peer", learnt(3, 4), [view(2, 1, 3)], 3, 4],
    ["takes a newer master from a peer", learnt(3, 4), [view(2, 1, 5)], 1, 5],
    ["keeps its own at the same epoch against one peer", learnt(3, 4), [view(2, 1, 4)], 3, 4],
    [
      "is outvoted at the same epoch by two peers: a look-up failed at the moment of a failover",
      learnt(3, 4),
      [view(2, 1, 4), view(3, 1, 4)],
      1,
      4,
    ],
    ["isn't outvoted by two that disagree", learnt(3, 4), [view(2, 1, 4), view(3, 2, 4)], 3, 4],
    [
      "is outvoted by those two of four that agree, wherever they stand",
      learnt(3, 4),
      [view(2, 2, 4), view(3, 1, 4), view(4, 1, 4)],
      1,
      4,
    ],
    ["ignores a peer that names a stranger", learnt(3, 4), [view(2, 9, 7)], 3, 4],
    ["forgets a learnt stranger", learnt(9, 4), [view(2, 2, 3)], 2, 3],
    ["forgets a learnt stranger when nobody answers", learnt(9, 4), [], 1, 0],
  ];
  for (const [name, learned, peers, master, configEpoch] of rows) {
    it(name, () => {
      const chosen = chooseMaster({ ...first, learned, peers });
      assert.deepEqual(
        { master: chosen.master, configEpoch: chosen.configEpoch },
        { master: instance(master), configEpoch },
      );
    });
  }
});

describe("renderSentinelConf", () => {
  it("seeds a first start with all instances and Sentinels: without a live master nobody is discovered", () => {
    const text = renderSentinelConf(first);
    assert.match(text, /^sentinel monitor mymaster redis-1 6379 2$/m);
    assert.deepEqual(text.match(/^sentinel known-replica .*$/gm), [
      "sentinel known-replica mymaster redis-2 6379",
      "sentinel known-replica mymaster redis-3 6379",
    ]);
    assert.deepEqual(text.match(/^sentinel known-sentinel .*$/gm), [
      `sentinel known-sentinel mymaster sentinel-2 26379 ${sentinelId("mymaster", parseAddress("sentinel-2:26379"))}`,
      `sentinel known-sentinel mymaster sentinel-3 26379 ${sentinelId("mymaster", parseAddress("sentinel-3:26379"))}`,
    ]);
  });

  it("never lowers an epoch below what the file or a peer has seen", () => {
    const learned = { ...learnt(2, 4), leaderEpoch: 6, currentEpoch: 7 };
    const kept = parseLearnedState(renderSentinelConf({ ...first, learned, peers: [view(2, 2, 3)] }));
    assert.deepEqual(kept, learned);
    const raised = parseLearnedState(renderSentinelConf({ ...first, learned, peers: [view(2, 3, 9)] }));
    assert.deepEqual(raised, { master: instance(3), configEpoch: 9, leaderEpoch: 9, currentEpoch: 9 });
  });

  it("never votes twice: without its file it starts above every vote that the others know of", () => {
    const learned = parseLearnedState(
      renderSentinelConf({ ...first, peers: [view(2, 2, 3)], newestVote: 5 }),
    );
    assert.deepEqual(learned, { master: instance(2), configEpoch: 3, leaderEpoch: 5, currentEpoch: 5 });
  });

  it("names nobody of a larger set's kept file, and keeps its identity and its epochs", () => {
    const larger = [1, 2, 3, 4, 5];
    const before = renderSentinelConf({
      ...first,
      sentinels: larger.map((index) => parseAddress(`sentinel-${index}:26379`)),
      instances: larger.map(instance),
      learned: { ...learnt(5, 4), leaderEpoch: 6, currentEpoch: 7 },
    });
    assert.match(before, /redis-4 6379\n(.*\n)+sentinel known-sentinel mymaster sentinel-5 26379/);
    const after = renderSentinelConf({
      ...first,
      learned: parseLearnedState(before),
      peers: [view(2, 5, 4)],
    });
    assert.doesNotMatch(after, /(redis|sentinel)-[45]/);
    const id = /^sentinel myid .*$/m;
    assert.equal(id.exec(after)?.[0], id.exec(before)?.[0]);
    // Epoch 0: the instances don't trust a master that nobody chose, and compare their data.
    const epochs = { configEpoch: 0, leaderEpoch: 6, currentEpoch: 7 };
    assert.deepEqual(parseLearnedState(after), { master: instance(1), ...epochs });
  });

  it("goes on with what a file with another master name says", () => {
    const before = renderSentinelConf({
      ...first,
      masterName: "renamed",
      variables: { ...variables, MASTER_NAME: "renamed" },
      learned: learnt(3, 4),
    });
    const after = renderSentinelConf({ ...first, learned: parseLearnedState(before) });
    assert.doesNotMatch(after, /renamed/);
    assert.deepEqual(parseLearnedState(after), learnt(3, 4));
  });

  it("gives one Sentinel the same identity at every start, and each another one", () => {
    const ids = first.sentinels.map(
      (self) => /^sentinel myid (\w{40})$/m.exec(renderSentinelConf({ ...first, self }))?.[1],
    );
    assert.equal(new Set(ids).size, 3);
    assert.equal(/^sentinel myid (\w{40})$/m.exec(renderSentinelConf(first))?.[1], ids[0]);
  });
});

describe("parseLearnedState", () => {
  const whole = renderSentinelConf({ ...first, learned: learnt(2, 12) });

  it("reads what renderSentinelConf writes", () => {
    assert.deepEqual(parseLearnedState(whole), learnt(2, 12));
  });

  it("never reads a file that was cut off as one with lower epochs", () => {
    for (let length = 0; length < whole.length; length++) {
      const found = parseLearnedState(whole.slice(0, length));
      if (found !== undefined)
        assert.deepEqual(found, learnt(2, 12), `cut at ${length}: …${whole.slice(length - 30, length)}`);
    }
  });

  for (const [name, text] of [
    ["nothing", ""],
    ["zeros, as after a power cut", "\0".repeat(400)],
    ["a monitor line without a port", "sentinel monitor mymaster redis-1"],
    ["an epoch that is no number", whole.replace(/config-epoch mymaster 12/, "config-epoch mymaster 1z")],
    ["two different masters", `${whole}sentinel monitor other redis-3 6379 2\n`],
  ]) {
    it(`calls ${name} damaged`, () => assert.equal(parseLearnedState(text ?? ""), undefined));
  }
});

describe("sentinel.conf with a real Sentinel", function () {
  this.timeout(30_000);
  let directory: ReturnType<typeof temporaryDirectory>;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => directory.remove());

  it("survives the Sentinel's own rewriting; a new quorum comes in and the learnt master stays", async () => {
    const [masterPort, replicaPort, port] = [await freePort(), await freePort(), await freePort()];
    const self = parseAddress(`127.0.0.1:${port}`);
    const instances = [masterPort, replicaPort].map((instancePort) =>
      parseAddress(`127.0.0.1:${instancePort}`),
    );
    const file = join(directory.path, "sentinel.conf");
    const input = (quorum: number): SentinelConfInput => ({
      ...first,
      self,
      sentinels: [self],
      instances,
      initialMaster: parseAddress(`127.0.0.1:${masterPort}`),
      variables: {
        ...variables,
        SENTINEL_CONFIG_FILE_DIR: directory.path,
        SENTINEL_QUORUM: String(quorum),
        SENTINEL_SVC_IP: self.host,
        SENTINEL_SVC_PORT: String(port),
        SENTINEL_PLAIN_PORT: String(port),
      },
    });
    const server = (serverPort: number, ...more: string[]): Promise<RedisProcess> =>
      RedisProcess.start(
        serverPort,
        [
          "--port",
          String(serverPort),
          "--save",
          "",
          "--requirepass",
          password,
          "--masterauth",
          password,
          ...more,
        ],
        { password },
      );
    const running: RedisProcess[] = [];
    const sentinel = async (quorum: number, learned: LearnedState | undefined): Promise<RedisProcess> => {
      writeFileSync(file, renderSentinelConf({ ...input(quorum), learned }));
      const started = await RedisProcess.start(port, [file, "--sentinel"], { password });
      running.push(started);
      return started;
    };
    const fields = async ({ client }: RedisProcess): Promise<Record<string, string>> => {
      const reply = (await client.call("SENTINEL", "MASTER", "mymaster")) as string[];
      return Object.fromEntries(
        reply.flatMap((name, i) => (i % 2 === 0 ? [[name, reply[i + 1] ?? ""]] : [])),
      );
    };
    try {
      running.push(await server(masterPort));
      running.push(await server(replicaPort, "--replicaof", "127.0.0.1", String(masterPort)));
      const before = await sentinel(1, undefined);
      await eventually(async () => assert.equal((await fields(before))["num-slaves"], "1"), {
        withinMs: 15_000,
      });
      await eventually(() => before.client.call("SENTINEL", "FAILOVER", "mymaster"), { withinMs: 15_000 });
      await eventually(async () => assert.equal((await fields(before)).port, String(replicaPort)), {
        withinMs: 15_000,
      });
      await before.stop();

      const learned = parseLearnedState(readFileSync(file, "utf8"));
      assert.ok(learned, readFileSync(file, "utf8"));
      assert.deepEqual(learned.master, parseAddress(`127.0.0.1:${replicaPort}`));
      assert.ok(learned.configEpoch >= 1 && learned.currentEpoch >= learned.configEpoch);

      const after = await sentinel(2, learned);
      const found = await fields(after);
      assert.equal(found.quorum, "2");
      assert.equal(found.port, String(replicaPort));
      assert.equal(found["config-epoch"], String(learned.configEpoch));
      assert.equal(await after.client.call("SENTINEL", "MYID"), sentinelId("mymaster", self));
    } finally {
      for (const process of running) await process.kill();
    }
  });
});
