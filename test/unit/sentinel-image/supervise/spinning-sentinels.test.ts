import assert from "node:assert/strict";
import { clientsNamed, SpinDetector } from "../../../../sentinel-image/supervise/spinning-sentinels.ts";

/** Feeds a detector with samples `[seconds since the start, seconds of processor time]` and tells at which it fired. */
function firedAt(samples: readonly (readonly [number, number])[]): number[] {
  const detector = new SpinDetector();
  return samples.filter(([at, cpu]) => detector.observe(cpu, at * 1000)).map(([at]) => at);
}

const every = (seconds: number, until: number, share: number): [number, number][] =>
  Array.from({ length: until / seconds + 1 }, (_, i) => [i * seconds, i * seconds * share]);

describe("a spin detector", () => {
  it("is quiet about a process that needs little", () => {
    assert.deepEqual(firedAt(every(1, 120, 0.05)), []);
  });

  it("fires after 10 s of a busy core, and again when 30 s more have changed nothing", () => {
    assert.deepEqual(firedAt(every(1, 75, 0.9)), [10, 40, 70]);
  });

  it("does not take a short burst for a spin", () => {
    assert.deepEqual(
      firedAt([
        [0, 0],
        [1, 1],
        [2, 2],
        [10, 2.1],
        [20, 2.2],
      ]),
      [],
    );
  });

  it("starts anew with another process", () => {
    assert.deepEqual(
      firedAt([
        [0, 500],
        [9, 509],
        [11, 1],
        [12, 2],
        [21, 2.1],
      ]),
      [],
    );
  });

  it("is quiet about a process that was calmed", () => {
    assert.deepEqual(
      firedAt([...every(1, 10, 1), ...every(1, 100, 0.01).map(([at, cpu]) => [at + 11, cpu + 10] as const)]),
      [10],
    );
  });
});

describe("clients of a name", () => {
  const list = [
    "id=10 addr=198.18.0.11:54374 laddr=198.18.0.14:6379 fd=17 name=sentinel-9a8d5902-pubsub age=1641 cmd=subscribe",
    "id=11 addr=198.18.0.11:54404 laddr=198.18.0.14:6379 fd=18 name=sentinel-9a8d5902-cmd age=1641 cmd=ping",
    "id=12 addr=198.18.0.12:40404 laddr=198.18.0.14:6379 fd=19 name=sentinel-11111111-cmd age=1641 cmd=ping",
    "id=13 addr=198.18.0.13:40404 laddr=198.18.0.14:6379 fd=20 name= age=1 cmd=client|list user=name=sentinel-9a8d5902-",
    "",
  ].join("\n");

  it("are found by the beginning of the name alone", () => {
    assert.deepEqual(clientsNamed(list, "sentinel-9a8d5902-"), ["10", "11"]);
    assert.deepEqual(clientsNamed(list, "sentinel-22222222-"), []);
  });
});
