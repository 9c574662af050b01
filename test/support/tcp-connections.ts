import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const established = "01";

/**
 * The open connections of a process to a port of this machine, by the kernel's numbers for their sockets: a connection that
 * was closed and opened again has another one. Only Linux tells; elsewhere undefined.
 */
export function tcpConnections(pid: number, port: number): ReadonlySet<string> | undefined {
  if (process.platform !== "linux") return undefined;
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  // Java uses IPv6 sockets for IPv4 addresses, too.
  const sockets = ["tcp", "tcp6"].flatMap((file) =>
    readFileSync(`/proc/${pid}/net/${file}`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , remote, state]) => remote?.endsWith(`:${wanted}`) && state === established)
      .map((fields) => fields[9]),
  );
  return new Set(
    sockets.filter((socket) => socket !== undefined && openSockets(pid).has(socket)) as string[],
  );
}

function openSockets(pid: number): Set<string> {
  const found = new Set<string>();
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const socket = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
      if (socket !== undefined) found.add(socket);
    } catch (error) {
      // It was closed since the directory was listed.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return found;
}
