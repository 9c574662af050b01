import { writeFileSync } from "node:fs";
import { delimiter } from "node:path";
import { execa } from "execa";
import type { Part } from "../../components/topology/site.ts";
import { findProgram } from "../../runtime/find-program.ts";
import { DelayRelay } from "./delay-relay.ts";
import { type Cut, renderCuts } from "./render-cuts.ts";

/** One program with its arguments. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
}

/** Administrators' programs are often not in a user's PATH. */
const searchPath = [process.env.PATH, "/usr/sbin", "/sbin"].join(delimiter);
const network = "10.77";
const hub = `${network}.0.1`;
const vxlanPort = 4789;
const slowAddress = "02:00:00:00:00:01";

/**
 * A network in which every part is a host of its own: a network namespace with a cable to one router. Any of the ways
 * between two hosts can be cut, in one direction or both, all at the same moment, and for the kernel's own TCP: lost packets
 * are sent again, and a connection survives a cut that is short enough. The process that builds it is the router, and is
 * never cut off.
 *
 * Only for a process in a network of its own (`enterPrivateNetwork`): nothing has to be taken down, and nobody else on the
 * machine sees it, not even another run.
 */
export class PartNetwork {
  readonly #ip = findProgram("ip", searchPath);
  readonly #nft = findProgram("nft", searchPath);
  readonly #parts: readonly Part[];
  readonly #relay: DelayRelay;
  /** Ways that lead through the relay now. */
  #detours: readonly Cut[] = [];

  private constructor(parts: readonly Part[], relay: DelayRelay) {
    this.#parts = parts;
    this.#relay = relay;
  }

  /** Builds it. @throws {Error} when the kernel refuses, or `ip` or `nft` is missing. */
  static async build(parts: readonly Part[]): Promise<PartNetwork> {
    const built = new PartNetwork(parts, await DelayRelay.start(vxlanPort));
    // Where `ip` keeps the names of namespaces; this mount is this process's own.
    await execa("mount", ["-t", "tmpfs", "none", "/run"]);
    writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
    await built.#configure([
      "link set lo up",
      ...parts.flatMap((part) => {
        const name = nameOf(part);
        return [
          `netns add ${name}`,
          `link add name ${name} type veth peer name eth0 netns ${name}`,
          `address add ${hub}/32 dev ${name}`,
          `link set ${name} up`,
        ];
      }),
    ]);
    for (const part of parts) {
      const commands = [
        "link set lo up",
        `address add ${built.hostOf(part)}/32 dev eth0`,
        "link set eth0 up",
        `route add ${hub} dev eth0`,
        `route add default via ${hub}`,
        // Without ARP the target's address is taken to be one's own: all have the same.
        `link add name slow address ${slowAddress} type vxlan id 1 remote ${hub} dstport ${vxlanPort} nolearning`,
        "link set slow arp off up",
      ];
      await built.#configure(commands, nameOf(part));
    }
    await built.#configure(parts.map((part) => `route add ${built.hostOf(part)} dev ${nameOf(part)}`));
    return built;
  }

  /** The address of a part. */
  hostOf({ kind, index }: Part): string {
    return `${network}.${{ proxy: 1, redis: 2, sentinel: 3 }[kind]}.${index}`;
  }

  /** What starts a program on a part's host. The process stays the same one. */
  on(part: Part, { program, args }: CommandLine): CommandLine {
    return { program: this.#ip, args: ["netns", "exec", nameOf(part), program, ...args] };
  }

  /** From this moment on these ways are cut, and no others. */
  async cut(cuts: readonly Cut[]): Promise<void> {
    await execa(this.#nft, ["-f", "-"], { input: renderCuts(cuts) });
    await this.#delay(cuts.filter(({ damage }) => damage.kind === "delay"));
  }

  async #delay(ways: readonly Cut[]): Promise<void> {
    if (ways.length === 0 && this.#detours.length === 0) return;
    this.#relay.delay(
      ways.map(({ from, to, damage }) => ({ from, to, ms: damage.kind === "delay" ? damage.ms : 0 })),
    );
    const before = this.#detours;
    this.#detours = ways;
    await Promise.all(
      this.#parts.map(async (part) => {
        const host = this.hostOf(part);
        const targets = (some: readonly Cut[]): string[] =>
          some.filter(({ from }) => from === host).map(({ to }) => to);
        const now = targets(ways);
        const over = targets(before).filter((target) => !now.includes(target));
        await this.#configure(
          [
            ...now.map((target) => `route replace ${target} dev slow src ${host}`),
            ...over.map((target) => `route del ${target}`),
          ],
          nameOf(part),
        );
      }),
    );
  }

  async #configure(commands: readonly string[], host?: string): Promise<void> {
    const where = host === undefined ? [] : ["-n", host];
    await execa(this.#ip, [...where, "-batch", "-"], { input: commands.join("\n") });
  }
}

function nameOf({ kind, index }: Part): string {
  return `${kind}-${index}`;
}
