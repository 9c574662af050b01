/** Opcodes of the RDB format: https://github.com/redis/redis/blob/7.0/src/rdb.h */
const auxiliaryField = 0xfa;
const endOfFile = 0xff;

/**
 * Whether an RDB file surely holds neither a key nor a function: after the fields about the server comes its end. Size
 * says nothing about that, since a small key needs 10 bytes and the fields differ by more between versions.
 *
 * @param head the first kilobytes of the file. Whatever can't be read in them counts as data.
 */
export function isEmptyRdb(head: Buffer): boolean {
  // Valkey 9 writes its own name and a number of its own; before, it wrote Redis'.
  if (!/^(REDIS\d{4}|VALKEY\d{3})$/.test(head.toString("latin1", 0, 9))) return false;
  let position = 9;
  while (head[position] === auxiliaryField) {
    const value = skipString(head, position + 1);
    const next = value && skipString(head, value);
    if (next === undefined) return false;
    position = next;
  }
  return head[position] === endOfFile;
}

/** The position after a string of the format; undefined when its form isn't one of an auxiliary field. */
function skipString(head: Buffer, position: number): number | undefined {
  const first = head[position];
  if (first === undefined) return undefined;
  const low = first & 0x3f;
  switch (first >> 6) {
    case 0:
      return position + 1 + low;
    case 1:
      return position + 2 + ((low << 8) | (head[position + 1] ?? 0));
    case 3:
      // A number of 1, 2 or 4 bytes.
      return low <= 2 ? position + 1 + 2 ** low : undefined;
    default:
      return undefined;
  }
}
