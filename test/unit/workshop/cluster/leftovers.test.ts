import assert from "node:assert/strict";
import { mountsBelow } from "../../../../workshop/cluster/leftovers.ts";

const mounts = `proc /proc proc rw 0 0
tmpfs /run/redis-ha/pods/a tmpfs rw 0 0
overlay /run/redis-ha/pods/a/rootfs overlay rw,lowerdir=/run/redis-ha/x 0 0
tmpfs /run/redis-ha tmpfs rw 0 0
tmpfs /run/redis-ha-other/b tmpfs rw 0 0
tmpfs /home/me/my\\040cluster/data/v tmpfs rw 0 0
`;

describe("mountsBelow", () => {
  it("finds what lies below a directory, the deepest first", () => {
    assert.deepEqual(mountsBelow(mounts, ["/run/redis-ha"]), [
      "/run/redis-ha/pods/a/rootfs",
      "/run/redis-ha/pods/a",
    ]);
  });

  it("understands blanks in paths", () => {
    assert.deepEqual(mountsBelow(mounts, ["/home/me/my cluster"]), ["/home/me/my cluster/data/v"]);
  });

  it("leaves the directory itself, its namesakes and everybody else's mounts alone", () => {
    assert.deepEqual(mountsBelow(mounts, ["/run/redis-ha/pods/a/rootfs", "/run/redis"]), []);
    assert.deepEqual(mountsBelow(mounts, []), []);
    assert.deepEqual(mountsBelow("", ["/run"]), []);
  });
});
