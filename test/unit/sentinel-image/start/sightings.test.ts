import assert from "node:assert/strict";
import { Sightings } from "../../../../sentinel-image/start/sightings.ts";

/** Looks at these times, and what was seen in each. */
type Looks = readonly (readonly [atMs: number, ...seen: string[]])[];

const rows: readonly (readonly [name: string, looks: Looks, sinceMs: number | undefined])[] = [
  ["is unknown before it is seen", [[0]], undefined],
  ["begins with the first look that sees it", [[0], [500, "a"], [1000, "a"]], 500],
  [
    "lasts in time, whatever the number of looks",
    [
      [0, "a"],
      [600, "a"],
      [2300, "a"],
    ],
    0,
  ],
  ["begins anew after a look that didn't see it", [[0, "a"], [500], [1000, "a"]], 1000],
  [
    "is over with the first look that doesn't see it",
    [
      [0, "a"],
      [500, "b"],
    ],
    undefined,
  ],
  [
    "isn't ended by something else",
    [
      [0, "a", "b"],
      [500, "b", "a"],
      [1000, "a"],
    ],
    0,
  ],
  [
    "begins anew after a pause of this process: nobody saw it meanwhile",
    [
      [0, "a"],
      [500, "a"],
      [12_000, "a"],
    ],
    12_000,
  ],
];

describe("a sighting", () => {
  for (const [name, looks, sinceMs] of rows) {
    it(name, () => {
      const sightings = new Sightings();
      for (const [atMs, ...seen] of looks) sightings.look(seen, atMs);
      assert.equal(sightings.sinceMs("a"), sinceMs);
    });
  }
});
