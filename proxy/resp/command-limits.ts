/** What a client may send; smaller before it is authenticated. */
export interface CommandLimits {
  /** Arguments of one command, its name included. */
  readonly args: number;
  /** Bytes of one argument. */
  readonly argBytes: number;
  /** Bytes of an inline command's line. */
  readonly inlineBytes: number;
  /** Bytes of one command, all of it. */
  readonly commandBytes: number;
  /** What an error says about the bounds of bytes: where they come from. */
  readonly reason?: string;
}

/** Bounds for a client that may send values of so many bytes; the others are Redis' own, or those that it had before 7.0. */
export function commandLimits(argBytes: number, reason?: string): CommandLimits {
  return {
    args: 1024 * 1024,
    argBytes,
    inlineBytes: 64 * 1024,
    // A value of the greatest size, or a million small ones.
    commandBytes: argBytes + 2 ** 20,
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Values of up to 64 MiB. */
export const defaultCommandLimits: CommandLimits = commandLimits(64 * 2 ** 20);

/** For commands that were read before: as big as a Redis takes them. */
export const redisCommandLimits: CommandLimits = commandLimits(512 * 2 ** 20);

/** Redis' limits for clients that aren't authenticated yet (CVE-2021-32675). */
export const unauthenticatedCommandLimits: CommandLimits = {
  args: 10,
  argBytes: 16 * 1024,
  inlineBytes: 64 * 1024,
  commandBytes: 1024 * 1024,
};
