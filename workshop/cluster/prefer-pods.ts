import { existsSync, writeFileSync } from "node:fs";

/**
 * Where the kubelet's group of all pods says how much of a contended processor it gets, with the most that it may say: version 1 and
 * version 2 of control groups.
 */
const files = [
  ["/sys/fs/cgroup/cpu/kubepods/cpu.shares", "262144"],
  ["/sys/fs/cgroup/kubepods/cpu.weight", "10000"],
] as const;

/**
 * Pods come first when this machine is short of processors. In a cluster of one machine its control plane, Pulumi, image builds and the clients that make
 * load compete with the pods; the kubelet gives all pods together about as much as one other process, and Redis and Sentinels that get
 * nothing for a second look dead to one another. In other clusters all of that is on other machines.
 *
 * @returns whether it could be said: the kubelet has made the group when its node is ready; inside of a container it may be read-only.
 */
export function preferPods(groups: readonly (readonly [file: string, most: string])[] = files): boolean {
  return groups
    .filter(([file]) => existsSync(file))
    .some(([file, most]) => {
      try {
        writeFileSync(file, most);
        return true;
      } catch {
        return false;
      }
    });
}
