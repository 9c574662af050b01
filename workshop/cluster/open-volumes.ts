// Makes the volumes of the embedded cluster writable for every user. Kubernetes' host-path provisioner gives them to root
// alone, and a pod's fsGroup is not applied to host paths; real storage classes do that.
import { chmodSync, mkdirSync, readdirSync, statSync, watch } from "node:fs";
import { join } from "node:path";
import { volumesDirectory } from "./places.ts";

function open(name: string): void {
  const volume = join(volumesDirectory, name);
  try {
    // Only when needed: a change of the mode is reported, too, and would be answered for ever.
    if ((statSync(volume).mode & 0o777) !== 0o777) chmodSync(volume, 0o777);
  } catch (error) {
    // A deleted volume is reported, too.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

mkdirSync(volumesDirectory, { recursive: true });
watch(volumesDirectory, (_event, name) => {
  if (name !== null) open(name);
});
for (const name of readdirSync(volumesDirectory)) open(name);
