import assert from "node:assert/strict";
import { LastLines } from "../../../../../cli/operate/logs/last-lines.ts";
import { parseLogLine } from "../../../../../cli/operate/logs/log-line.ts";
import { remarksOn } from "../../../../../cli/operate/logs/logs-command.ts";
import { describeEntry, mergeLogs } from "../../../../../cli/operate/logs/merge-logs.ts";
import { selectParts } from "../../../../../cli/operate/logs/part-log.ts";

const zone = " UTC";
const at = (seconds: number): number => Date.UTC(2026, 10, 30, 15, 28, 0) + Math.round(seconds * 1000);

describe("a line of a log", () => {
  for (const [what, line, expected] of [
    [
      "of a program of the product, with its other fields",
      '{"level":30,"time":"2026-11-30T15:28:47.135Z","program":"proxy","master":"127.0.0.1:26101","configEpoch":0,"msg":"found the master"}',
      { atMs: at(47.135), level: "info", message: "found the master master=127.0.0.1:26101 configEpoch=0" },
    ],
    [
      "with an object among its fields",
      '{"level":50,"time":"2026-11-30T15:28:47.000Z","program":"redis","err":{"type":"Error","stack":"a\\n  at b"},"msg":"no"}',
      { atMs: at(47), level: "error", message: 'no err={"type":"Error","stack":"a\\n  at b"}' },
    ],
    [
      "with a time in ms since 1970, and no message",
      `{"level":60,"time":${at(1)},"code":1}`,
      { atMs: at(1), level: "fatal", message: "code=1" },
    ],
    [
      "of redis-server",
      "31920:M 30 Nov 2026 15:28:47.043 * Creating AOF base file",
      { atMs: at(47.043), level: "info", message: "Creating AOF base file" },
    ],
    [
      "of redis-server on the first of a month",
      "1:S 1 Nov 2026 00:00:00.001 - DB 0: 2 keys",
      { atMs: Date.UTC(2026, 10, 1) + 1, level: "debug", message: "DB 0: 2 keys" },
    ],
    [
      "of a Sentinel",
      "31805:X 30 Nov 2026 15:28:46.711 # +sdown master redis-ha-local 127.0.0.1 26101",
      { atMs: at(46.711), level: "warn", message: "+sdown master redis-ha-local 127.0.0.1 26101" },
    ],
    [
      "of redis-server's handler of signals, whose time is of whole seconds",
      "31805:signal-handler (1796052530) Received SIGTERM scheduling shutdown...",
      undefined,
    ],
    ["of a stack trace", "    at run (main.js:1:2)", undefined],
    ["that is JSON without a time", '{"a":1}', undefined],
    ["that was cut off", '{"level":30,"time":"2026-11-30T15:28:47.135Z","ms', undefined],
    ["with a month that there isn't", "1:M 30 Xyz 2026 15:28:47.043 * Creating", undefined],
    ["with a time that is none", '{"level":30,"time":"soon","msg":"x"}', undefined],
  ] as const) {
    it(what, () => {
      const whole = { atMs: undefined, level: undefined, message: line };
      assert.deepEqual(parseLogLine(line, zone), expected ?? whole);
    });
  }
});

describe("all logs in one", () => {
  const json = (seconds: number, msg: string, level = 30): string =>
    JSON.stringify({ level, time: new Date(at(seconds)).toISOString(), program: "redis", msg });
  const logs = [
    {
      part: "redis-instance-1",
      zone,
      lines: [
        "begins in the middle",
        json(1, "a"),
        "1:M 30 Nov 2026 15:28:03.000 # b",
        "1:signal-handler (1796052480) b2",
        "b3",
        json(5, "c"),
      ],
    },
    { part: "redis-sentinel-1", zone, lines: [json(2, "x"), json(3, "y"), json(4, "z", 50), "z2"] },
    { part: "redis-sentinel-proxy", zone, lines: ["no time at all"] },
  ];
  const messages = (...args: Parameters<typeof mergeLogs>): string[] =>
    mergeLogs(...args).map(({ message }) => message);

  it("are sorted by time; what has none stays behind the line before it", () => {
    assert.deepEqual(messages(logs), [
      "no time at all",
      "begins in the middle",
      "a",
      "x",
      "b",
      "1:signal-handler (1796052480) b2",
      "b3",
      "y",
      "z",
      "z2",
      "c",
    ]);
  });

  it("leave out what is older or matters less, with the lines that belong to it", () => {
    assert.deepEqual(messages(logs, { sinceMs: at(3.001) }), ["no time at all", "z", "z2", "c"]);
    assert.deepEqual(messages(logs, { least: "warn" }), [
      "no time at all",
      "b",
      "1:signal-handler (1796052480) b2",
      "b3",
      "z",
      "z2",
    ]);
  });

  it("give no orders to a terminal", () => {
    const [entry] = mergeLogs([{ part: "p", zone, lines: [json(1, "\u001b[2J\u0007 name\n\u009b1m")] }]);
    assert.ok(entry);
    assert.equal(
      describeEntry(entry, 4),
      "2026-11-30T15:28:01.000Z  p     info   \\x1b[2J\\x07 name\\x0a\\x9b1m",
    );
  });

  it("say what isn't shown", () => {
    const log = { part: "p", kind: "redis", zone, lines: ["a", "b"], cut: true } as const;
    assert.deepEqual(
      remarksOn([
        { ...log, problem: "gone" },
        { ...log, cut: false, previousProblem: "none" },
      ]),
      [
        "p: its log can't be read: gone",
        "p: only the last 2 lines; --lines takes more",
        "p: it was started again, and the log before that can't be read: none",
      ],
    );
  });

  it("are of the parts that were named", () => {
    const parts = [
      { name: "redis-instance-1", kind: "redis" },
      { name: "redis-instance-2", kind: "redis" },
      { name: "redis-sentinel-1", kind: "sentinel" },
    ] as const;
    const names = (...wanted: string[]): string[] => selectParts(parts, wanted).map(({ name }) => name);
    assert.deepEqual(names(), ["redis-instance-1", "redis-instance-2", "redis-sentinel-1"]);
    assert.deepEqual(names("redis-instance-2", "sentinel"), ["redis-instance-2", "redis-sentinel-1"]);
    assert.deepEqual(names("proxy"), []);
    assert.throws(() => names("redis-instance-9"), /no part 'redis-instance-9': .* redis-instance-1, /);
  });
});

describe("the last lines", () => {
  const keep = (maxLines: number, maxLength: number, ...pieces: string[]): LastLines => {
    const kept = new LastLines(maxLines, maxLength);
    for (const piece of pieces) kept.feed(piece);
    kept.end();
    return kept;
  };

  it("are put together from pieces", () => {
    const kept = keep(10, 1000, "a", "b\nc\r\n\nd", "", "e");
    assert.deepEqual(kept.lines, ["ab", "c", "de"]);
    assert.equal(kept.cut, false);
  });

  it("are at most so many, and at most so long together", () => {
    const many = keep(3, 1000, ...Array.from({ length: 100 }, (_, i) => `${i}\n`));
    assert.deepEqual([many.lines, many.cut], [["97", "98", "99"], true]);
    const long = keep(100, 5, "aaa\nbbb\ncc\n");
    assert.deepEqual([long.lines, long.cut], [["bbb", "cc"], true]);
    assert.equal(keep(3, 1000, "1\n2\n3\n").cut, false);
  });

  it("are bounded although no line ends", () => {
    const kept = new LastLines(10, 2 ** 20);
    for (let i = 0; i < 64; i++) kept.feed("x".repeat(65_536));
    kept.end();
    assert.deepEqual(
      kept.lines.map(({ length }) => length),
      [65_536],
    );
    assert.equal(kept.cut, true);
  });
});
