import assert from "node:assert/strict";
import { readPodAnswers } from "../../../../cli/operate/ask-in-pod.ts";

const output = `@self svc-redis-instance-1:6379
@master redis-ha-dev
@sentinels svc-redis-sentinel-1:26379,svc-redis-sentinel-2:26379
@clock 1796040000250
@disk /dev/sda 1000 400 600 40% /data
@replies svc-redis-sentinel-2:26379
Could not connect to Redis at svc-redis-sentinel-2:26379: Connection refused
@end
@replies svc-redis-instance-1:6379
"OK"
"3:1796040000000"
["replica-priority","100"]
error:"NOPERM this user has no permissions to run the 'config|get' command"
# Server
redis_version:8.2.9

# Replication
role:master
@end
@replies svc-redis-sentinel-1:26379
error:"WRONGPASS invalid username-password pair or user is disabled."
@end
`;

describe("the answers from a pod of Redis", () => {
  const answers = readPodAnswers(output, 1796040000000);

  it("are those of every server, each with its reason when it has none", () => {
    const [heartbeat, priority, refused, info] = answers.replies.get(
      "svc-redis-instance-1:6379",
    ) as unknown[];
    assert.equal(heartbeat, "3:1796040000000");
    assert.deepEqual(priority, ["replica-priority", "100"]);
    assert.match((refused as Error).message, /^NOPERM .* command$/);
    assert.match(String(info), /^# Server\nredis_version:8.2.9\n\n# Replication\nrole:master$/);
    assert.match(String(answers.replies.get("svc-redis-sentinel-2:26379")), /Connection refused/);
    assert.match(
      String(answers.replies.get("svc-redis-sentinel-1:26379")),
      /Error: WRONGPASS .* disabled\.$/,
    );
  });

  it("are understood when redis-cli gives INFO as JSON, too", () => {
    const quoted = '@replies a:1\n"OK"\n"# not it"\n"# Server\\r\\nredis_version:8.2.9\\r\\n"\n@end\n';
    assert.deepEqual(readPodAnswers(quoted, 0).replies.get("a:1"), [
      "# not it",
      "# Server\r\nredis_version:8.2.9\r\n",
    ]);
  });

  it("tell of the machine", () => {
    assert.deepEqual(answers.machine, {
      clockMs: 250,
      clockErrorMs: 0,
      askedMs: 1796040000250,
      diskBytes: 1_024_000,
      diskFreeBytes: 614_400,
    });
    assert.deepEqual(answers.sentinels, ["svc-redis-sentinel-1:26379", "svc-redis-sentinel-2:26379"]);
  });

  it("are none when nothing came", () => {
    assert.equal(readPodAnswers("", 0).replies.size, 0);
    assert.deepEqual(readPodAnswers("@clock %3N\n", 0).machine, {});
  });
});
