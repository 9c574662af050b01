import assert from "node:assert/strict";
import fc from "fast-check";
import { formatAddress, parseAddress, parseAddressList, sameAddress } from "../../../runtime/address.ts";

const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom("svc-redis-instance-1", "localhost"),
);
const address = fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) }, { noNullPrototype: true });

describe("addresses", () => {
  it("are the same after being written and read", () => {
    fc.assert(
      fc.property(address, (value) => {
        assert.deepEqual(parseAddress(formatAddress(value)), value);
      }),
    );
  });

  it("survive as a list", () => {
    fc.assert(
      fc.property(fc.array(address), (list) => {
        assert.deepEqual(parseAddressList(list.map(formatAddress).join(" , ")), list);
      }),
    );
  });

  it("take the default port only where none is given", () => {
    assert.deepEqual(parseAddress("redis", 6379), { host: "redis", port: 6379 });
    assert.deepEqual(parseAddress("[::1]", 6379), { host: "::1", port: 6379 });
    assert.deepEqual(parseAddress("redis:7000", 6379), { host: "redis", port: 7000 });
  });

  for (const text of ["", ":6379", "redis", "redis:", "redis:0", "redis:65536", "redis:6379x", "::1:6379"]) {
    it(`refuse '${text}'`, () => {
      assert.throws(() => parseAddress(text), new RegExp(`'${text}' is not an address`));
    });
  }

  it("compare hosts without case, and never across ports", () => {
    assert.ok(sameAddress({ host: "Redis-1", port: 1 }, { host: "redis-1", port: 1 }));
    assert.ok(!sameAddress({ host: "redis-1", port: 1 }, { host: "redis-1", port: 2 }));
  });
});
