import assert from "node:assert/strict";
import { completeChecksum } from "../../../../cli/local/tcp-checksum.ts";

/** An IPv4 packet with TCP from 10.0.0.1 to 10.0.0.2, and this payload. */
function packet(payload: string, protocol = 6): Buffer {
  const bytes = Buffer.alloc(40 + payload.length);
  bytes[0] = 0x45;
  bytes.writeUInt16BE(bytes.length, 2);
  bytes[9] = protocol;
  bytes.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
  bytes.writeUInt16BE(7000, 20);
  bytes.writeUInt16BE(0xbeef, 36);
  bytes.write(payload, 40);
  return bytes;
}

describe("completeChecksum", () => {
  // RFC 9293: the sum with the right checksum in it, over the pseudo header and the segment, has all bits set.
  for (const payload of ["", "even", "odd", "\xff".repeat(1401)]) {
    it(`is right for ${payload.length} bytes`, () => {
      const bytes = packet(payload);
      completeChecksum(bytes);
      const segment = [...bytes.subarray(20), ...(payload.length % 2 === 1 ? [0] : [])];
      const words = [0x0a00, 0x0001, 0x0a00, 0x0002, 6, 20 + payload.length];
      for (let i = 0; i < segment.length; i += 2) words.push((segment[i] ?? 0) * 256 + (segment[i + 1] ?? 0));
      const sum = words.reduce((a, b) => a + b, 0);
      assert.equal((sum & 0xffff) + (sum >>> 16), 0xffff);
    });
  }

  it("leaves what isn't TCP as it is", () => {
    const bytes = packet("text", 17);
    completeChecksum(bytes);
    assert.deepEqual(bytes, packet("text", 17));
  });
});
