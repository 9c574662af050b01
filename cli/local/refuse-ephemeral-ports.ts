import { readFileSync } from "node:fs";
import { localPortCount } from "../../components/topology/site.ts";
import { UserError } from "../../runtime/user-error.ts";

/** From these the kernel takes a port for each outgoing connection: any of them may be in use at any moment. */
export function refuseEphemeralPorts(basePort: number): void {
  let range: string;
  try {
    range = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
  } catch {
    // Only Linux tells; elsewhere they begin at 49152.
    range = "49152 65535";
  }
  const [low = 0, high = 0] = range.trim().split(/\s+/).map(Number);
  if (basePort <= high && basePort + localPortCount > low) {
    throw new UserError(
      `The ports from ${basePort} on overlap with ${low} to ${high}, which this machine gives to outgoing connections: use a --port up to ${low - localPortCount}.`,
    );
  }
}
