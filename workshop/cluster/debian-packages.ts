import { accessSync, constants } from "node:fs";
import { execa } from "execa";
import { UserError } from "../../runtime/user-error.ts";

/** A Debian package, and a file by which one sees that it is installed. */
const packages: readonly (readonly [name: string, file: string])[] = [
  ["docker.io", "/usr/sbin/dockerd"],
  ["containerd", "/usr/bin/containerd"],
  ["runc", "/usr/sbin/runc"],
  ["containernetworking-plugins", "/usr/lib/cni/bridge"],
  ["etcd-server", "/usr/bin/etcd"],
  ["docker-registry", "/usr/bin/docker-registry"],
  ["iptables", "/usr/sbin/iptables"],
  ["conntrack", "/usr/sbin/conntrack"],
  ["nftables", "/usr/sbin/nft"],
  ["iproute2", "/usr/sbin/ip"],
  ["socat", "/usr/bin/socat"],
  ["openssl", "/usr/bin/openssl"],
  ["debootstrap", "/usr/sbin/debootstrap"],
];

/** The packages that are not installed. */
export function missingPackages(exists: (file: string) => boolean = isFile): string[] {
  return packages.filter(([, file]) => !exists(file)).map(([name]) => name);
}

/**
 * Installs what the embedded cluster needs from Debian or Ubuntu.
 *
 * @throws {UserError} with apt's own words when it fails.
 */
export async function ensurePackages(onProgress: (line: string) => void): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  onProgress(`installing ${missing.length} Debian packages: ${missing.join(" ")}`);
  await apt(["update", "-qq"]);
  // Their services are not started: the cluster runs its own processes with its own directories.
  await apt(["install", "-qq", "--yes", "--no-install-recommends", ...missing]);
}

async function apt(args: string[]): Promise<void> {
  const result = await execa("apt-get", args, {
    env: { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
    reject: false,
    stdin: "ignore",
  });
  if (result.exitCode !== 0) {
    throw new UserError(`apt-get ${args[0]} failed: ${result.stderr.trim() || result.shortMessage}`);
  }
}

function isFile(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
