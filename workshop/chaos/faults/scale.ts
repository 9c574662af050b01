import { randomUUID } from "node:crypto";
import { orderLocally } from "../../../cli/operate/order-locally.ts";
import { formatAddress } from "../../../runtime/address.ts";
import { findNamed } from "../find-named.ts";
import { monotonicMs } from "../monotonic-clock.ts";
import { LocalScale } from "../scale-locally.ts";
import { pick } from "../seeded-random.ts";
import { waitUntil } from "../wait-until.ts";
import { type Fault, type FaultContext, unnoticed } from "./fault.ts";

const many = { instances: 5, sentinels: 5 };
const few = { instances: 3, sentinels: 3 };

export const scale: Fault = {
  name: "scale",
  summary:
    "5 instances and 5 Sentinels become 3, and 5 again, with the master on any; the topology starts with 5",
  failover: "maybe",
  onlyByName: true,
  needs: { "redis:instances": String(many.instances), "sentinel:count": String(many.sentinels) },
  gapMs: 1000,
  allows: unnoticed,
  async inject(context) {
    const { cluster, topology, say } = context;
    await leadAnywhere(context);
    const atMs = monotonicMs();
    const scaling = new LocalScale(topology, (name, command, ...args) =>
      cluster.call(findNamed("Sentinel", cluster.sentinels, name), command, ...args),
    );
    const forgottenMs = await scaling.to(few);
    await scaling.to(many);
    say(`removed ones forgotten after ${Math.round(forgottenMs)} ms`);
    return atMs;
  },
};

/** Hands the role to an instance of chance, which may be one that goes. */
async function leadAnywhere({ cluster, topology, master, random, say }: FaultContext): Promise<void> {
  const heir = pick(cluster.instances, random);
  say(`master before: ${heir.name}`);
  if (heir.name === master.name) return;
  const address = formatAddress(heir.address);
  await waitUntil(
    `${heir.name} leads`,
    async () => {
      const order = { id: randomUUID(), heir: address };
      const answer = await orderLocally(master.name, topology.stateDirectory(master.name), order);
      if (answer.successor === address) return true as const;
      throw new Error(answer.reason);
    },
    20_000,
  );
}
