import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the commands keep their state: in the checkout, wherever they are called from, and ignored by git. */
export const stateDirectory = fileURLToPath(new URL("../.redis-ha", import.meta.url));

/** Where the topology of this machine is kept, unless another directory is named. */
export const localDirectory = join(stateDirectory, "local");
