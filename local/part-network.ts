import { writeFileSync } from "node:fs";
import { delimiter } from "node:path";
import { execa } from "execa";
import { findProgram } from "../runtime/find-program.ts";
import type { Part } from "../topology/site.ts";
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

  private constructor() {}

  /** Builds it. @throws {Error} when the kernel refuses, or `ip` or `nft` is missing. */
  static async build(parts: readonly Part[]): Promise<PartNetwork> {
    const built = new PartNetwork();
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
  }

  async #configure(commands: readonly string[], host?: string): Promise<void> {
    const where = host === undefined ? [] : ["-n", host];
    await execa(this.#ip, [...where, "-batch", "-"], { input: commands.join("\n") });
  }
}

function nameOf({ kind, index }: Part): string {
  return `${kind}-${index}`;
}
