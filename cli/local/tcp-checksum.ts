const tcp = 6;
/** Where TCP has its checksum. */
const checksumAt = 16;

/** Writes the right checksum into an IPv4 packet with TCP; leaves any other packet as it is. */
export function completeChecksum(packet: Buffer): void {
  if (packet.length < 40 || packet[9] !== tcp) return;
  const segment = packet.subarray(((packet[0] ?? 0) & 15) * 4, packet.readUInt16BE(2));
  if (segment.length < 20) return;
  segment.writeUInt16BE(0, checksumAt);
  // Both addresses, the protocol and the length belong to it, too.
  let sum = tcp + segment.length + sumOf(packet.subarray(12, 20)) + sumOf(segment);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  segment.writeUInt16BE(~sum & 0xffff, checksumAt);
}

/** The sum of all numbers of 16 bits; a last odd byte is the upper half of one. */
function sumOf(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  if (bytes.length % 2 === 1) sum += (bytes.at(-1) ?? 0) * 256;
  return sum;
}
