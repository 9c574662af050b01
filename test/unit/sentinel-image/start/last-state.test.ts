import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  judgeCopy,
  type LastState,
  readLastState,
  writeLastState,
} from "../../../../sentinel-image/start/last-state.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";
import { instance } from "../../../support/sentinel-views.ts";

const noted: LastState = { bootId: "this", clean: false, heartbeat: { epoch: 3, ms: 1000 } };

describe("what an instance notes for its next start", () => {
  const directory = temporaryDirectory();
  const file = join(directory.path, "last.json");
  after(() => directory.remove());

  it("is read as it was written", () => {
    for (const state of [
      noted,
      { ...noted, clean: true },
      { ...noted, heartbeat: undefined },
      { ...noted, durable: true },
      { ...noted, followed: instance(2) },
      { ...noted, led: true },
    ]) {
      writeLastState(file, state);
      assert.deepEqual(readLastState(file), state);
    }
  });

  for (const [name, text] of [
    ["nothing", ""],
    ["zeros, as after a power cut", "\0\0\0\0"],
    ["half a file", '{"bootId":"this","cle'],
    ["another file's text", '{"role":"master"}'],
  ] as const) {
    it(`is nothing when the file holds ${name}: a start must not fail by it`, () => {
      writeFileSync(file, text);
      assert.equal(readLastState(file), undefined);
    });
  }

  it("tells whom the instance followed, unless that one is none of the others any more", () => {
    const last = { ...noted, followed: instance(2) };
    assert.deepEqual(judgeCopy(last, "this", [instance(2), instance(3)]).followed, instance(2));
    assert.equal(judgeCopy(last, "this", [instance(3)]).followed, undefined);
    assert.equal(judgeCopy(noted, "this", [instance(2)]).followed, undefined);
  });

  it("tells in which epoch it led, unless its machine went down since", () => {
    assert.equal(judgeCopy({ ...noted, led: true }, "this").ledIn, 3);
    assert.equal(judgeCopy({ ...noted, led: true }, "another").ledIn, undefined);
    assert.equal(judgeCopy(noted, "this").ledIn, undefined);
  });

  it("is nothing before the first run", () =>
    assert.equal(readLastState(join(directory.path, "no")), undefined));

  const rows: readonly (readonly [name: string, last: LastState | undefined, crashed: boolean])[] = [
    ["a killed server lost nothing: the kernel still wrote it", noted, false],
    ["a machine that went down did lose something", { ...noted, bootId: "earlier" }, true],
    ["a server that had ended before did not", { ...noted, bootId: "earlier", clean: true }, false],
    [
      "nor one with redis:fsync always, whose file was whole",
      { ...noted, bootId: "earlier", durable: true },
      false,
    ],
    ["a first start neither", undefined, false],
  ];
  for (const [name, last, crashed] of rows) {
    it(name, () => {
      assert.deepEqual(judgeCopy(last, "this"), { heartbeat: last?.heartbeat, crashed });
    });
  }
});
