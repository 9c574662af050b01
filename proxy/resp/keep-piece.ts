/** A piece up to this size is copied to the one before it: an object for each byte would take 100 times the memory. */
const smallPiece = 4096;

/** Keeps a piece behind others, without more memory than its bytes need. */
export function keepPiece(pieces: Buffer[], piece: Buffer): void {
  const last = pieces.at(-1);
  if (last !== undefined && last.length + piece.length <= smallPiece) {
    pieces[pieces.length - 1] = Buffer.concat([last, piece]);
  } else {
    // A small part of what was read at once must not keep all of it in memory.
    pieces.push(piece.length * 2 < piece.buffer.byteLength ? Buffer.from(piece) : piece);
  }
}
