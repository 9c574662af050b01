// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the template's own syntax
import assert from "node:assert/strict";
import fc from "fast-check";
import { quoteArgument, renderTemplate } from "../../../../sentinel-image/conf/conf-line.ts";
import { freePort, RedisProcess } from "../../../support/redis-process.ts";

describe("quoteArgument", () => {
  for (const [kind, character] of [
    ["line feed", "\n"],
    ["carriage return", "\r"],
    ["zero byte", "\0"],
  ]) {
    it(`refuses a ${kind}, which would start a new directive or end the value`, () => {
      fc.assert(
        fc.property(fc.string(), fc.string(), (before, after) => {
          assert.throws(() => quoteArgument(`${before}${character}${after}`), /line break/);
        }),
      );
    });
  }

  it("leaves plain words as they are", () => {
    for (const word of ["svc-redis-instance-1", "/data/ha", "127.0.0.1", "a@b%c+d,e"]) {
      assert.equal(quoteArgument(word), word);
    }
  });

  it("gives what redis-server reads as the very same value", async () => {
    const values = fc
      .sample(fc.string({ unit: "grapheme", maxLength: 40 }), { numRuns: 200, seed: 1 })
      .concat(["", " ", "#", '"', "'", "\\", '\\"', "a b", "\t", '" "', "\\x41", "$HOME", "ü", '"\\n"'])
      .filter((value) => !/[\r\n\0]/.test(value));
    // `proc-title-template` would check its value and `requirepass` hide it; this one keeps any text.
    for (const chunk of [values.slice(0, 110), values.slice(110)]) {
      const port = await freePort();
      const aliases = chunk.map((value, i) => `user u${i} on ${quoteArgument(`>${value}`)} +ping`);
      const redis = await RedisProcess.startWithFile(port, [
        `port ${port}`,
        'save ""',
        'logfile ""',
        ...aliases,
      ]);
      try {
        for (const [i, value] of chunk.entries()) {
          assert.equal(await redis.client.call("AUTH", `u${i}`, value), "OK", JSON.stringify(value));
        }
      } finally {
        await redis.kill();
      }
    }
  });
});

describe("renderTemplate", () => {
  it("fills in values, keeps comments and drops empty lines", () => {
    assert.deepEqual(renderTemplate("# why\n\nport ${PORT}\nbind ${BIND}\n", { PORT: "1", BIND: "::1" }), [
      "# why",
      "port 1",
      "bind ::1",
    ]);
  });

  it("leaves out a line whose variable is undefined", () => {
    assert.deepEqual(renderTemplate("requirepass ${SECRET}\nport 1", { SECRET: undefined }), ["port 1"]);
  });

  it("refuses a variable that nobody knows: a misspelt name must not vanish", () => {
    assert.throws(() => renderTemplate("port ${PROT}", { PORT: "1" }), /uses \$\{PROT\}, which is not known/);
  });

  it("keeps a password with a blank one argument", () => {
    assert.deepEqual(renderTemplate("requirepass ${SECRET}", { SECRET: 'two  "words"' }), [
      'requirepass "two  \\"words\\""',
    ]);
  });

  it("makes several arguments of a list", () => {
    assert.deepEqual(renderTemplate("monitor ${MASTER} 2", { MASTER: ["redis 1", "6379"] }), [
      'monitor "redis 1" 6379 2',
    ]);
  });

  it("doesn't let a value change the lines around it", () => {
    assert.throws(() => renderTemplate("requirepass ${SECRET}", { SECRET: "x\nport 1" }), /line break/);
    assert.deepEqual(renderTemplate("requirepass ${SECRET}", { SECRET: "$& ${PORT} $1" }), [
      'requirepass "$& ${PORT} $1"',
    ]);
  });
});
