import assert from "node:assert/strict";
import { describeEvents } from "../../../../workshop/chaos/describe-events.ts";

describe("describeEvents", () => {
  it("tells when after the fault, who, what and about whom, and leaves gossip out", () => {
    const event = (channel: string, message: string, atMs: number) => ({
      sentinel: "s:1",
      channel,
      message,
      atMs,
    });
    assert.deepEqual(
      describeEvents(
        [
          event("+sdown", "master m 10.0.0.1 6379", 2043.4),
          event("+vote-for-leader", "abc 1", 2050),
          event("-failover-abort-no-good-slave", "master m 10.0.0.1 6379", 2060),
          event("+promoted-slave", "slave 10.0.0.2:6379 10.0.0.2 6379 @ m 10.0.0.1 6379", 2100),
        ],
        1000,
      ),
      [
        "1043 ms s:1 +sdown master m 10.0.0.1 6379",
        "1060 ms s:1 -failover-abort-no-good-slave master m 10.0.0.1 6379",
        "1100 ms s:1 +promoted-slave slave 10.0.0.2:6379 10.0.0.2 6379",
      ],
    );
  });
});
