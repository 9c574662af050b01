// The attacker as a process of its own: what it does must not slow down the one that measures.
import { createServer } from "node:net";
import { Attacker, type AttackerOptions, type AttackTarget } from "./attacker.ts";

/** Attack, or send the same to nobody in particular: a sink of this process that throws it away. */
type Order =
  | { readonly options: AttackerOptions }
  | { readonly target: AttackTarget | "sink"; readonly ms: number };

let attacker: Attacker | undefined;
const sink = createServer((socket) => socket.on("error", () => undefined).resume());
sink.listen(0, "127.0.0.1", () => process.send?.("ready"));

function sinkTarget(): AttackTarget {
  const address = sink.address();
  if (address === null || typeof address === "string") throw new Error("the sink isn't there");
  return { port: address.port, sentinelPort: address.port };
}

process.on("message", (order: Order) => {
  if ("options" in order) {
    attacker = new Attacker(order.options);
    return;
  }
  attacker
    ?.run(order.target === "sink" ? sinkTarget() : order.target, order.ms)
    .then((volume) => process.send?.(volume))
    .catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
      process.exit(1);
    });
});
// Whoever has started it is gone.
process.on("disconnect", () => process.exit());
