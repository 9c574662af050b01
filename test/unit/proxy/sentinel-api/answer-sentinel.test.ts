import assert from "node:assert/strict";
import { encodeReply } from "../../../../proxy/resp/encode-reply.ts";
import { answerSentinel } from "../../../../proxy/sentinel-api/answer-sentinel.ts";
import type { SentinelApiView } from "../../../../proxy/sentinel-api/sentinel-api-view.ts";
import { sentinelHelp } from "../../../../proxy/sentinel-api/sentinel-help.ts";
import { command, exampleView } from "./example-view.ts";

function bytes(line: string, protocol: 2 | 3, differences: Partial<SentinelApiView> = {}): string {
  return encodeReply(answerSentinel(command(line), exampleView(differences)), protocol).toString();
}

describe("answerSentinel", () => {
  const noSuchMaster = "-ERR No such master with that name\r\n";
  // Each command with its bytes in RESP2 and, where they differ, in RESP3: taken from a Sentinel 7.0.
  const table: [line: string, resp2: string, resp3?: string][] = [
    ["SENTINEL GET-MASTER-ADDR-BY-NAME mymaster", "*2\r\n$13\r\nproxy.example\r\n$4\r\n6379\r\n"],
    ["sentinel get-master-addr-by-name other", "*-1\r\n", "_\r\n"],
    ["SENTINEL get-master-addr-by-name MYMASTER", "*-1\r\n", "_\r\n"],
    ["SENTINEL MASTER other", noSuchMaster],
    ["SENTINEL REPLICAS mymaster", "*0\r\n"],
    ["SENTINEL SLAVES mymaster", "*0\r\n"],
    ["SENTINEL REPLICAS other", noSuchMaster],
    ["SENTINEL SENTINELS other", noSuchMaster],
    ["SENTINEL PENDING-SCRIPTS", "*0\r\n"],
    ["SENTINEL MYID", `$40\r\n${"b".repeat(40)}\r\n`],
    [
      "SENTINEL CKQUORUM mymaster",
      "+OK 3 usable Sentinels. Quorum and failover authorization can be reached\r\n",
    ],
    ["SENTINEL CKQUORUM other", noSuchMaster],
    ["SENTINEL", "-ERR wrong number of arguments for 'sentinel' command\r\n"],
    ["SENTINEL MASTER", "-ERR wrong number of arguments for 'sentinel|master' command\r\n"],
    ["SENTINEL MASTERS x", "-ERR wrong number of arguments for 'sentinel|masters' command\r\n"],
    ["SENTINEL FOO", "-ERR unknown subcommand 'FOO'. Try SENTINEL HELP.\r\n"],
    ["SENTINEL __proto__", "-ERR unknown subcommand '__proto__'. Try SENTINEL HELP.\r\n"],
  ];
  for (const [line, resp2, resp3 = resp2] of table) {
    it(`answers ${line}`, () => {
      assert.equal(bytes(line, 2), resp2);
      assert.equal(bytes(line, 3), resp3);
    });
  }

  it("gives a master's fields as a flat list in RESP2 and as a map in RESP3", () => {
    assert.match(
      bytes("SENTINEL MASTER mymaster", 2),
      /^\*40\r\n\$4\r\nname\r\n\$8\r\nmymaster\r\n\$2\r\nip\r\n/,
    );
    assert.match(
      bytes("SENTINEL MASTER mymaster", 3),
      /^%20\r\n\$4\r\nname\r\n\$8\r\nmymaster\r\n\$2\r\nip\r\n/,
    );
    assert.match(bytes("SENTINEL MASTERS", 2), /^\*1\r\n\*40\r\n\$4\r\nname\r\n/);
    assert.match(bytes("SENTINEL MASTERS", 3), /^\*1\r\n%20\r\n\$4\r\nname\r\n/);
  });

  it("names the proxies' own address for the other Sentinels, with an ID that is nobody's else", () => {
    const view = exampleView({ sentinelCount: 3 });
    const list = answerSentinel(command("SENTINEL SENTINELS mymaster"), view);
    assert.ok(Array.isArray(list));
    const [one, ...others] = list;
    assert.ok(one instanceof Map);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [one.get("ip"), one.get("port"), one.get("flags")],
      ["proxy.example", "26379", "sentinel"],
    );
    assert.match(String(one.get("runid")), /^[0-9a-f]{40}$/);
    assert.notEqual(one.get("runid"), view.myId);
    const alone = exampleView({ sentinelCount: 1 });
    assert.deepEqual(answerSentinel(command("SENTINEL SENTINELS mymaster"), alone), []);
  });

  it("announces the proxy, with the real epoch and the Sentinels' own numbers", () => {
    const master = answerSentinel(command("SENTINEL MASTER mymaster"), exampleView());
    assert.ok(master instanceof Map);
    assert.deepEqual(Object.fromEntries(master), {
      name: "mymaster",
      ip: "proxy.example",
      port: "6379",
      runid: "a".repeat(40),
      flags: "master",
      "link-pending-commands": "0",
      "link-refcount": "1",
      "last-ping-sent": "0",
      "last-ok-ping-reply": "100",
      "last-ping-reply": "100",
      "down-after-milliseconds": "1000",
      "info-refresh": "1000",
      "role-reported": "master",
      "role-reported-time": "12345",
      "config-epoch": "7",
      "num-slaves": "2",
      "num-other-sentinels": "2",
      quorum: "2",
      "failover-timeout": "6000",
      "parallel-syncs": "2",
    });
  });

  it("still names the address when there is no master, and flags it as down", () => {
    const down = { following: false, unchangedForMs: 500 };
    const line = "SENTINEL GET-MASTER-ADDR-BY-NAME mymaster";
    assert.equal(bytes(line, 2, down), bytes(line, 2));
    const master = answerSentinel(command("SENTINEL MASTER mymaster"), exampleView(down));
    assert.ok(master instanceof Map);
    assert.equal(master.get("flags"), "s_down,o_down,master,disconnected");
    assert.equal(master.get("s-down-time"), "500");
    assert.equal(master.get("o-down-time"), "500");
    assert.equal(master.get("last-ok-ping-reply"), "1500");
  });

  const quorums: [usable: number, quorum: number, answer: string][] = [
    [2, 2, "+OK 2 usable Sentinels. Quorum and failover authorization can be reached\r\n"],
    [
      2,
      3,
      "-NOQUORUM 2 usable Sentinels. Not enough available Sentinels to reach the specified quorum for this master\r\n",
    ],
    [
      1,
      1,
      "-NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the majority and authorize a failover\r\n",
    ],
    [
      0,
      2,
      "-NOQUORUM 0 usable Sentinels. Not enough available Sentinels to reach the specified quorum for this master. Not enough available Sentinels to reach the majority and authorize a failover\r\n",
    ],
  ];
  for (const [usable, quorum, answer] of quorums) {
    it(`CKQUORUM with ${usable} of 3 Sentinels and a quorum of ${quorum}`, () => {
      const said = bytes("SENTINEL CKQUORUM mymaster", 2, { reachableSentinels: usable, quorum });
      assert.equal(said, answer);
    });
  }

  const refused = [
    "FAILOVER mymaster",
    "SET mymaster quorum 1",
    "MONITOR x 127.0.0.1 1 1",
    "REMOVE mymaster",
    "RESET *",
    "CONFIG SET resolve-hostnames no",
    "CONFIG GET sentinel-pass",
    "FLUSHCONFIG",
    "SIMULATE-FAILURE crash-after-election",
    "DEBUG INFO-PERIOD",
    "INFO-CACHE mymaster",
    "IS-MASTER-DOWN-BY-ADDR 127.0.0.1 1 0 *",
  ];
  for (const line of refused) {
    it(`refuses SENTINEL ${line}`, () => {
      const subcommand = line.split(" ")[0]?.toLowerCase();
      const said = bytes(`SENTINEL ${line}`, 2);
      assert.equal(
        said,
        `-NOPERM the proxy's Sentinel API doesn't execute 'sentinel|${subcommand}': send it to a Sentinel itself\r\n`,
      );
    });
  }

  it("lists in HELP exactly what it answers", () => {
    const listed = sentinelHelp.flatMap((line) => /^[A-Z-]+(?= |$)/.exec(line)?.[0] ?? []).slice(1);
    for (const name of listed) {
      assert.doesNotMatch(bytes(`SENTINEL ${name} mymaster`, 2), /^-(NOPERM|ERR unknown)/, name);
    }
    assert.ok(listed.length >= 9);
    assert.match(bytes("SENTINEL HELP", 2), /^\*\d+\r\n\+SENTINEL <subcommand>/);
  });
});
