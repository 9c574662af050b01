import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  decideMoveStart,
  type MoveNote,
  type MoveStart,
  type MoveStartObservation,
  parseMoveNote,
  readMoveNote,
  type SourceSeen,
  whyNotFollow,
  writeMoveNote,
} from "../../../../sentinel-image/move/move-note.ts";

const address = { host: "10.0.0.9", port: 6379 };
const note = (state: MoveNote["state"], source = "10.0.0.9:6379"): MoveNote => ({ source, state });
const brandNew: MoveStartObservation = {
  source: { address },
  note: undefined,
  hasData: false,
  peers: [],
};

describe("the start of an instance that is to take over another Redis' data", () => {
  const kinds: readonly (readonly [
    what: string,
    seen: Partial<MoveStartObservation>,
    starts: MoveStart["kind"],
  ])[] = [
    ["follows it with an empty volume", {}, "follow"],
    ["follows it again when it did before, with data", { note: note("following"), hasData: true }, "follow"],
    ["is an ordinary one once it was cut over", { note: note("moved"), hasData: true }, "none"],
    ["is an ordinary one without the setting", { source: undefined, hasData: true }, "none"],
    [
      "is an ordinary one when it was cut over and the setting is gone",
      { source: undefined, note: note("moved"), hasData: true },
      "none",
    ],
    [
      "is a new one when it was backed out and the setting is gone",
      { source: undefined, note: note("backed-out") },
      "none",
    ],
    [
      "follows the others when they were cut over and its volume was lost",
      { peers: [{ role: "replica" }, { role: "master" }] },
      "over",
    ],
    ["follows the source when the others still do", { peers: [{ role: "replica" }] }, "follow"],
    ["asks the source when it was killed in a cut-over", { note: note("cutting"), hasData: true }, "ask"],
    [
      "follows another source after the first was backed out",
      { note: note("backed-out", "10.0.0.8:6379") },
      "follow",
    ],
  ];
  for (const [what, seen, starts] of kinds) {
    it(what, () => {
      assert.equal(decideMoveStart({ ...brandNew, ...seen }).kind, starts);
    });
  }

  const refusals: readonly (readonly [what: string, seen: Partial<MoveStartObservation>, reason: RegExp])[] =
    [
      ["its volume has data of its own", { hasData: true }, /those of 10\.0\.0\.9:6379 would replace/],
      [
        "it was cut over from another one",
        { note: note("moved", "10.0.0.8:6379"), hasData: true },
        /those of 10\.0\.0\.9:6379 would replace/,
      ],
      [
        "its copy was never cut over, and the setting is gone",
        { source: undefined, note: note("following"), hasData: true },
        /never cut over.*move back-out/,
      ],
      [
        "it was killed in a cut-over, and the setting is gone",
        { source: undefined, note: note("cutting"), hasData: true },
        /never cut over/,
      ],
      ["it was backed out", { note: note("backed-out") }, /backed out: remove move:source/],
    ];
  for (const [what, seen, reason] of refusals) {
    it(`is refused when ${what}`, () => {
      const decision = decideMoveStart({ ...brandNew, ...seen });
      assert.equal(decision.kind, "refuse");
      assert.match(decision.kind === "refuse" ? decision.reason : "", reason);
    });
  }
});

describe("a Redis that is to be followed", () => {
  const seen = (fields: Readonly<Record<string, string>>, more: Partial<SourceSeen> = {}): SourceSeen => ({
    info: new Map(
      Object.entries({
        ...{ role: "master", cluster_enabled: "0", loading: "0", redis_version: "7.0.15" },
        ...{ used_memory: "900", used_memory_dataset: "500" },
        ...fields,
      }),
    ),
    ownVersion: "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc bits=64",
    maxmemoryBytes: 600,
    ...more,
  });
  for (const [what, one] of [
    ["of the same version, that fits", seen({})],
    ["of an older version", seen({ redis_version: "6.0.16" })],
    [
      "of an older version, by number and not by text",
      seen({ redis_version: "7.2.1" }, { ownVersion: "v=7.10.0" }),
    ],
    ["of a version that nobody can read", seen({ redis_version: "unstable" })],
    ["that doesn't tell the size of its data alone", seen({ used_memory_dataset: "", used_memory: "1" })],
  ] as const) {
    it(`may be one ${what}`, () => {
      assert.equal(whyNotFollow({ address }, one), undefined);
    });
  }
  for (const [what, one, reason] of [
    [
      "a replica",
      seen({ role: "slave", master_host: "10.0.0.8", master_port: "6379" }),
      /is a replica of 10\.0\.0\.8:6379: set move:source/,
    ],
    ["a node of a cluster", seen({ cluster_enabled: "1" }), /node of a Redis Cluster/],
    ["still loading", seen({ loading: "1" }), /still loads/],
    ["newer", seen({ redis_version: "7.2.0" }), /runs Redis 7\.2\.0.*v=7\.0\.15.*newer/],
    ["too big", seen({ used_memory_dataset: String(700 * 2 ** 20) }), /holds 700 MiB, and redis:memory/],
  ] as const) {
    it(`can't be followed when it is ${what}`, () => {
      assert.match(whyNotFollow({ address }, one) ?? "", reason);
    });
  }
});

describe("the note of a move", () => {
  it("is what was written, and nothing before that", () => {
    const directory = mkdtempSync(join(tmpdir(), "redis-ha-note-"));
    const file = join(directory, "move.json");
    assert.equal(readMoveNote(file), undefined);
    writeMoveNote(file, note("following"));
    assert.deepEqual(readMoveNote(file), note("following"));
    // To guess would be to throw data away, or to serve somebody else's.
    writeFileSync(file, '{"source":"10.0.0.9:6379","state":"follo');
    assert.throws(() => readMoveNote(file), /damaged/);
    rmSync(directory, { recursive: true });
  });

  it("has one of three states", () => {
    assert.equal(parseMoveNote('{"source":"a:1","state":"new"}'), undefined);
    assert.equal(parseMoveNote('{"state":"moved"}'), undefined);
    assert.equal(parseMoveNote("null"), undefined);
    assert.deepEqual(parseMoveNote('{"source":"a:1","state":"moved"}'), note("moved", "a:1"));
  });
});
