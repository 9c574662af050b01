import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { execa } from "execa";
import { network } from "./places.ts";

/** Gives this machine the node's address, on a bridge of its own, and lets packets pass between pods and Services. */
export async function ensureNodeNetwork(): Promise<void> {
  const exists = await execa("ip", ["link", "show", network.bridge], { reject: false });
  if (exists.exitCode !== 0) await execa("ip", ["link", "add", network.bridge, "type", "bridge"]);
  await execa("ip", ["address", "replace", `${network.nodeAddress}/32`, "dev", network.bridge]);
  await execa("ip", ["link", "set", network.bridge, "up"]);
  // What goes from pod to pod over their bridge must pass the packet filter, or NetworkPolicies would not apply to it.
  await execa("modprobe", ["br_netfilter"], { reject: false });
  for (const switchFile of [
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/bridge/bridge-nf-call-iptables",
  ]) {
    if (existsSync(switchFile) && readFileSync(switchFile, "utf8").trim() !== "1")
      writeFileSync(switchFile, "1");
  }
}
