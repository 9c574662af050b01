/** Where a Redis or a Sentinel is reached: a host name or IP address and a TCP port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with brackets around an IPv6 host. The inverse of {@link parseAddress}. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Reads `host:port`, `[ipv6]:port` or, when a default port is given, a bare host.
 *
 * @throws {Error} when the host is empty or the port is not a number from 1 to 65535.
 */
export function parseAddress(text: string, defaultPort?: number): Address {
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<name>[^:[\]]+))(?::(?<port>\d{1,5}))?$/.exec(text.trim());
  const host = match?.groups?.six ?? match?.groups?.name;
  const port = match?.groups?.port === undefined ? defaultPort : Number(match.groups.port);
  if (host === undefined || port === undefined || port < 1 || port > 65535) {
    throw new Error(`'${text}' is not an address: use host:port with a port from 1 to 65535`);
  }
  return { host, port };
}

/**
 * An address whose host and port came apart, as Redis and the Sentinels tell them: an IPv6 host without brackets.
 *
 * @throws {Error} as {@link parseAddress}.
 */
export function joinAddress(host: string, port: unknown): Address {
  return parseAddress(`${host.includes(":") ? `[${host}]` : host}:${String(port)}`);
}

/** Reads a comma-separated list of addresses; empty items are ignored. */
export function parseAddressList(text: string, defaultPort?: number): Address[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "")
    .map((item) => parseAddress(item, defaultPort));
}

/** Two addresses name the same place. Host names compare without case, as DNS does. */
export function sameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && a.host.toLowerCase() === b.host.toLowerCase();
}
