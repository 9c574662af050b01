import assert from "node:assert/strict";
import { type Address, formatAddress, parseAddress, sameAddress } from "../../../../runtime/address.ts";
import { type Acquaintances, GhostFinder } from "../../../../sentinel-image/supervise/find-ghosts.ts";
import { instance } from "../../../support/sentinel-views.ts";

const sentinel = (index: number): Address => parseAddress(`sentinel-${index}:26379`);
const all = [1, 2, 3];

/** Three Sentinels and three instances, instance 1 the master, with the ghosts that a test adds. Rounds are 500 ms apart. */
class Scene {
  readonly finder = new GhostFinder(all.map(sentinel), all.map(instance));
  /** Further Sentinels and instances, by Sentinel that knows them. */
  readonly ghosts = new Map<number, { readonly sentinels: Address[]; readonly replicas: Address[] }>();
  readonly alive = new Set<string>();
  readonly missing = new Set<string>();
  attached: Address[] = [2, 3].map(instance);
  answering = all;
  mayAct = true;
  /** The names of the ghosts can't be looked up. */
  unresolved = false;
  #round = 0;
  readonly #heardMs = new Map<string, number>();
  #nowMs = 0;

  /** @returns the number of the Sentinel to be reset. */
  round(): number | undefined {
    this.#nowMs += 500;
    this.#round++;
    const known = this.answering.map((index): Acquaintances => {
      const ghosts = this.ghosts.get(index);
      const others = [...all.filter((other) => other !== index).map(sentinel), ...(ghosts?.sentinels ?? [])];
      return {
        sentinel: sentinel(index),
        sentinels: others
          .filter((other) => !this.missing.has(`${index} ${formatAddress(other)}`))
          .map((other) => ({
            host: other.host,
            port: this.unresolved && this.#round % 2 === 0 && other.host === "sentinel-5" ? 0 : other.port,
            id: `id of ${other.host}`,
            votedEpoch: 0,
            helloMs: this.#helloMs(index, other),
          })),
        replicas: [...[2, 3].map(instance), ...(ghosts?.replicas ?? [])],
      };
    });
    const found = this.finder.observe({
      known,
      attached: this.attached,
      nowMs: this.#nowMs,
      mayAct: this.mayAct,
    });
    return found && all.find((index) => sameAddress(sentinel(index), found));
  }

  rounds(count: number): (number | undefined)[] {
    return Array.from({ length: count }, () => this.round());
  }

  /** The two removed ones of both kinds, alive, known to all Sentinels, for 3 s; then they are gone. */
  removed(): this {
    const sentinels = [4, 5].map(sentinel);
    for (const index of all) this.ghosts.set(index, { sentinels, replicas: [4, 5].map(instance) });
    for (const host of sentinels) this.alive.add(formatAddress(host));
    this.attached = [2, 3, 4, 5].map(instance);
    assert.deepEqual(new Set(this.rounds(6)), new Set([undefined]), "nobody is reset while they live");
    this.alive.clear();
    this.attached = [2, 3].map(instance);
    return this;
  }

  #helloMs(index: number, other: Address): number {
    const pair = `${index} ${formatAddress(other)}`;
    const living = this.alive.has(formatAddress(other)) || this.finder.ghostsOf(lone(other)).length === 0;
    // What was only read from the file is heard never: the time counts from the Sentinel's start.
    if (living || !this.#heardMs.has(pair)) this.#heardMs.set(pair, this.#nowMs - 100);
    return this.#nowMs - (this.#heardMs.get(pair) ?? 0);
  }

  /** The Sentinel is started anew: everything that it knows looks as if it had just been heard. */
  restart(index: number): void {
    for (const pair of [...this.#heardMs.keys()])
      if (pair.startsWith(`${index} `)) this.#heardMs.delete(pair);
  }
}

function lone(other: Address): Acquaintances {
  return {
    sentinel: sentinel(1),
    sentinels: [{ ...other, id: "", votedEpoch: 0, helloMs: 0 }],
    replicas: [],
  };
}

describe("hosts that were removed", () => {
  it("are forgotten by one Sentinel after the other, once they have been silent for 1.5 s", () => {
    const scene = new Scene().removed();
    assert.deepEqual(scene.rounds(3), [undefined, undefined, undefined]);
    for (const index of all) {
      assert.equal(scene.round(), index);
      scene.ghosts.delete(index);
    }
    assert.equal(scene.round(), undefined);
  });

  it("are forgotten although their names can't be looked up: Sentinel takes them for one, and its port for 0", () => {
    const scene = new Scene();
    scene.unresolved = true;
    scene.removed();
    assert.ok(scene.rounds(5).includes(1));
  });

  it("are forgotten when only instances were removed", () => {
    const scene = new Scene();
    scene.ghosts.set(2, { sentinels: [], replicas: [instance(4)] });
    scene.attached = [2, 3, 4].map(instance);
    assert.equal(scene.round(), undefined);
    scene.attached = [2, 3].map(instance);
    assert.deepEqual(scene.rounds(4), [undefined, undefined, undefined, 2]);
  });

  it("are left alone when they have never been seen alive: in a scale-up they are still to come", () => {
    const scene = new Scene();
    for (const index of all) {
      scene.ghosts.set(index, { sentinels: [4, 5].map(sentinel), replicas: [4, 5].map(instance) });
    }
    assert.deepEqual(new Set(scene.rounds(20)), new Set([undefined]));
    for (const index of all) scene.restart(index);
    assert.deepEqual(new Set(scene.rounds(20)), new Set([undefined]));
  });

  const obstacles: readonly (readonly [
    name: string,
    hinder: (scene: Scene) => void,
    help: (scene: Scene) => void,
  ])[] = [
    [
      "this instance isn't the master, or a Sentinel sees trouble",
      (scene) => (scene.mayAct = false),
      (scene) => (scene.mayAct = true),
    ],
    ["a Sentinel doesn't answer", (scene) => (scene.answering = [1, 2]), (scene) => (scene.answering = all)],
    [
      "an instance isn't connected: nobody could tell the Sentinel of it",
      (scene) => (scene.attached = [instance(2)]),
      (scene) => (scene.attached = [2, 3].map(instance)),
    ],
    [
      "another Sentinel doesn't know all: two may not be ignorant at a time",
      (scene) => scene.missing.add("3 sentinel-2:26379").add("2 sentinel-3:26379"),
      (scene) => scene.missing.clear(),
    ],
    [
      "one of them says hello again",
      (scene) => scene.alive.add("sentinel-4:26379"),
      (scene) => scene.alive.clear(),
    ],
  ];
  for (const [name, hinder, help] of obstacles) {
    it(`aren't forgotten now when ${name}`, () => {
      const scene = new Scene().removed();
      hinder(scene);
      assert.deepEqual(new Set(scene.rounds(10)), new Set([undefined]));
      help(scene);
      assert.ok(scene.rounds(5).includes(1));
    });
  }

  it("that come back in a Sentinel's memory again and again are given up after three attempts", () => {
    const scene = new Scene().removed();
    for (const index of [2, 3]) scene.ghosts.delete(index);
    assert.deepEqual(
      scene.rounds(20).filter((found) => found !== undefined),
      [1, 1, 1],
    );
  });
});
