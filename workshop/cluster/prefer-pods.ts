import { existsSync, writeFileSync } from "node:fs";

/**
 * Where the kubelet's group of all pods says how much of a contended processor it gets: version 1 and version 2 of control groups. Eight times
 * as much as the kubelet asks for on two processors, and not the most: when all pods start at once the kubelet and containerd need their part.
 */
const files = [
  ["/sys/fs/cgroup/cpu/kubepods/cpu.shares", "16384"],
  ["/sys/fs/cgroup/kubepods/cpu.weight", "800"],
] as const;

/**
 * Pods come first when this machine is short of processors. In a cluster of one machine its control plane, Pulumi, image builds and the clients that make
 * load compete with the pods; the kubelet gives all pods together about as much as one other process, and Redis and Sentinels that get
 * nothing for a second look dead to one another. In other clusters all of that is on other machines.
 *
 * @returns whether it could be said: the kubelet has made the group when its node is ready; inside of a container it may be read-only.
 */
export function preferPods(groups: readonly (readonly [file: string, share: string])[] = files): boolean {
  return groups
    .filter(([file]) => existsSync(file))
    .some(([file, share]) => {
      try {
        writeFileSync(file, share);
        return true;
      } catch {
        return false;
      }
    });
}
