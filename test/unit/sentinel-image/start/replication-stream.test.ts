import assert from "node:assert/strict";
import type { Role } from "../../../../quorum/ask-role.ts";
import { type LinkedOffset, lookAtStream } from "../../../../sentinel-image/start/replication-stream.ts";
import { instance } from "../../../support/sentinel-views.ts";

const replica = (offset: number, linkUp = true): Role => ({
  kind: "replica",
  master: instance(1),
  linkUp,
  offset,
});

describe("a replica's stream", () => {
  const looks = (...roles: Role[]): boolean[] => {
    let linkedOffset: LinkedOffset;
    return roles.map((role) => {
      const look = lookAtStream(role, linkedOffset);
      linkedOffset = look.linkedOffset;
      return look.streaming;
    });
  };

  for (const [name, roles, expected] of [
    [
      "begins when something comes after the link",
      [replica(5), replica(5), replica(6)],
      [false, false, true],
    ],
    ["goes on when nothing new comes", [replica(5), replica(6), replica(6)], [false, true, true]],
    ["ends with the link", [replica(5), replica(6), replica(6, false)], [false, true, false]],
    [
      "begins anew after each link",
      [replica(5), replica(6), replica(6, false), replica(9), replica(9), replica(10)],
      [false, true, false, false, false, true],
    ],
    [
      "begins anew with another copy",
      [replica(5), replica(6), replica(2), replica(3)],
      [false, true, false, true],
    ],
    ["is none of a master", [{ kind: "master", offset: 9, replicas: [] }, replica(9)], [false, false]],
  ] as const) {
    it(name, () => assert.deepEqual(looks(...roles), expected));
  }
});
