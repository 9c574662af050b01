import { readdirSync, readFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { UserError } from "../../runtime/user-error.ts";
import { type ClusterPlaces, network } from "./places.ts";
import { policyTable } from "./policy-ruleset.ts";

/**
 * Mount points below one of the directories, the deepest first: in the order in which they can be unmounted.
 *
 * @param mounts text of /proc/mounts.
 */
export function mountsBelow(mounts: string, directories: readonly string[]): string[] {
  return mounts
    .split("\n")
    .map((line) => (line.split(" ")[1] ?? "").replaceAll("\\040", " "))
    .filter((path) => directories.some((directory) => path.startsWith(`${directory}/`)))
    .toSorted((a, b) => b.length - a.length);
}

/**
 * Removes what a killed run leaves behind: containers without their shim, shims without their containerd, mounts, network
 * namespaces, bridges and the packet filter's tables. Only what lies in this cluster's directories or bears its
 * names; call it when none of its processes runs.
 */
export async function removeLeftovers(places: ClusterPlaces): Promise<void> {
  killShims(places);
  const roots = [places.run, places.directory];
  const mounted = (): string[] => mountsBelow(readFileSync("/proc/mounts", "utf8"), roots);
  for (const mount of mounted()) await execa("umount", ["--lazy", mount], { reject: false });
  // Files are removed next: what is still mounted would be removed where it really lies.
  const [stuck] = mounted();
  if (stuck !== undefined)
    throw new UserError(`${stuck} can't be unmounted: find who uses it (fuser -vm ${stuck}) and try again.`);
  for (const netns of list(namespaces).filter((name) => name.startsWith("cni-"))) {
    const file = join(namespaces, netns);
    // Where ip has been used, the folder is shared and each namespace is mounted twice.
    while ((await execa("umount", ["--lazy", file], { reject: false })).exitCode === 0);
    try {
      unlinkSync(file);
    } catch (error) {
      // Somebody else's mount hides it. Its random name is never used again.
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    }
  }
  for (const bridge of [network.podBridge, network.bridge]) {
    await execa("ip", ["link", "delete", bridge], { reject: false });
  }
  for (const [family, table] of [
    ["ip", "kube-proxy"],
    ["ip6", "kube-proxy"],
    ["inet", policyTable],
  ] as const) {
    await execa("nft", ["delete", "table", family, table], { reject: false });
  }
}

const namespaces = "/run/netns";

/** Shims and their containers outlive a killed containerd; init adopts them. Their command line names our socket. */
function killShims(places: ClusterPlaces): void {
  const shims = list("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    const command = read(`/proc/${pid}/cmdline`);
    return command.includes("containerd-shim") && command.includes(places.run);
  });
  const children = list("/proc").filter((pid) => {
    const parent = / (\d+)/.exec(read(`/proc/${pid}/stat`).replace(/^.*\) \S/s, ""))?.[1];
    return parent !== undefined && shims.includes(parent);
  });
  for (const pid of [...children, ...shims]) {
    if (Number(pid) === process.pid) continue;
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
