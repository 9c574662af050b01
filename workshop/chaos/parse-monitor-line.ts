/** One command that `MONITOR` shows. */
export interface MonitorLine {
  /** The server's clock, ms since 1970. */
  readonly wallMs: number;
  /** `host:port` of the client; on a replica, for what its master sends, the address of the master. */
  readonly source: string;
  readonly args: readonly string[];
}

const pattern = /^\+?(\d+\.\d+) \[\d+ ([^\]]*)\] (.*)$/;

/** Reads a line of `MONITOR`; undefined for any other one. Escapes of bytes that aren't printable are left as they are. */
export function parseMonitorLine(line: string): MonitorLine | undefined {
  const [, seconds, source, rest] = pattern.exec(line) ?? [];
  if (seconds === undefined || source === undefined || rest === undefined) return undefined;
  const args = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) =>
    text.replace(/\\(["\\])/g, "$1"),
  );
  return { wallMs: Number(seconds) * 1000, source, args };
}
