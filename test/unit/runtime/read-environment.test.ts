import assert from "node:assert/strict";
import { hostname } from "node:os";
import { readProxyEnvironment } from "../../../proxy/environment.ts";
import { EnvironmentError, env, readEnvironment } from "../../../runtime/read-environment.ts";

describe("readEnvironment", () => {
  const contract = {
    NAME: env.text(),
    COUNT: env.integer(1, 9, 3),
    PORT: env.port(6379),
    EXTRA_PORT: env.optionalPort(),
    WANTED: env.yesNo("no"),
    ADDRESS: env.address(6379),
    OTHER_ADDRESS: env.optionalAddress(),
    ADDRESSES: env.addresses(26379),
    NOTE: env.optionalText(),
  };
  const good = { NAME: "n", ADDRESS: "redis-1", ADDRESSES: "a,b:1" };

  it("reads values and fills in defaults", () => {
    assert.deepEqual(readEnvironment(contract, { ...good, EXTRA_PORT: "", NOTE: "" }), {
      NAME: "n",
      COUNT: 3,
      PORT: 6379,
      EXTRA_PORT: undefined,
      WANTED: "no",
      ADDRESS: { host: "redis-1", port: 6379 },
      OTHER_ADDRESS: undefined,
      ADDRESSES: [
        { host: "a", port: 26379 },
        { host: "b", port: 1 },
      ],
      NOTE: undefined,
    });
  });

  it("tells all mistakes at once, each with what was found and what is allowed", () => {
    const environment = { ...good, NAME: undefined, COUNT: "10", PORT: "0", WANTED: "true", ADDRESSES: "," };
    assert.throws(
      () => readEnvironment(contract, environment),
      (error: unknown) => {
        assert.ok(error instanceof EnvironmentError);
        assert.deepEqual(error.message.split("\n"), [
          "Environment variable NAME is not set: use a text that is not empty.",
          "Environment variable COUNT is '10': use a whole number from 1 to 9.",
          "Environment variable PORT is '0': use a whole number from 1 to 65535.",
          "Environment variable WANTED is 'true': use yes or no.",
          "Environment variable ADDRESSES is ',': use host:port,host:port,… with at least one and none twice.",
        ]);
        return true;
      },
    );
  });

  for (const count of ["", " ", "1.5", "-1", "1e1", "0x5", "5 ", "five", "0"]) {
    it(`refuses '${count}' as a number`, () => {
      assert.throws(() => readEnvironment(contract, { ...good, COUNT: count }), EnvironmentError);
    });
  }

  it("ignores the default of a variable that is set to nothing: an empty name is a mistake", () => {
    assert.throws(() => readEnvironment({ NAME: env.text("x") }, { NAME: "" }), /NAME is ''/);
  });

  for (const list of ["a,b,a", "a,b,A:26379", "[::1],[::1]:26379"]) {
    it(`refuses ${list} as a list: one Sentinel must not count twice`, () => {
      assert.throws(() => readProxyEnvironment({ REDIS_SENTINELS: list }), /REDIS_SENTINELS .*none twice/);
    });
  }

  const announced: [environment: Record<string, string>, expected: unknown][] = [
    [{ PROXY_ANNOUNCE: "redis.example:7000" }, { host: "redis.example", port: 7000 }],
    [
      { BIND_ADDR: "127.0.0.1", PROXY_PORT: "7000" },
      { host: "127.0.0.1", port: 7000 },
    ],
    [{ PROXY_PORT: "7000" }, { host: hostname(), port: 7000 }],
    [{ BIND_ADDR: "::" }, { host: hostname(), port: 6379 }],
  ];
  for (const [environment, expected] of announced) {
    it(`announces ${JSON.stringify(expected)} with ${JSON.stringify(environment)}`, () => {
      assert.deepEqual(
        readProxyEnvironment({ REDIS_SENTINELS: "a", ...environment }).PROXY_ANNOUNCE,
        expected,
      );
    });
  }

  it("wants a port in what is announced", () => {
    const environment = { REDIS_SENTINELS: "a", PROXY_ANNOUNCE: "redis.example" };
    assert.throws(
      () => readProxyEnvironment(environment),
      /PROXY_ANNOUNCE is 'redis.example': use host:port/,
    );
  });

  it("takes two Sentinels on one host", () => {
    const { REDIS_SENTINELS } = readProxyEnvironment({ REDIS_SENTINELS: "a:1,a:2" });
    assert.equal(REDIS_SENTINELS.length, 2);
  });
});
