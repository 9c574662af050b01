import { execFileSync } from "node:child_process";
import { delimiter } from "node:path";
import { findProgram } from "../../runtime/find-program.ts";
import { messageOf } from "../../runtime/log.ts";

/** Set in a process that is in a network of its own already. */
const mark = "REDIS_HA_PRIVATE_NETWORK";
const searchPath = [process.env.PATH, "/usr/sbin", "/sbin"].join(delimiter);

/** Whether this process is in a network of its own, where a `PartNetwork` can be built. */
export function inPrivateNetwork(): boolean {
  return process.env[mark] !== undefined;
}

/**
 * Why this machine can't give a process a network of its own; undefined when it can. Linux with `unshare`, `ip` and `nft` can,
 * for root, and for others where users may have namespaces.
 */
export function privateNetworkObstacle(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are a matter of Linux";
  try {
    for (const program of ["ip", "nft", "mount"]) findProgram(program, searchPath);
    const { program, args } = unshare();
    // What will be needed, as far as it may be forbidden.
    const attempt =
      "mount -t tmpfs none /run && ip link add name one type veth peer name two && nft flush ruleset";
    execFileSync(program, [...args, "sh", "-c", attempt], {
      env: { PATH: searchPath },
      stdio: ["ignore", "ignore", "pipe"],
      timeout: 10_000,
    });
    return undefined;
  } catch (error) {
    return messageOf(error).trim().split("\n").slice(0, 2).join(": ");
  }
}

/**
 * Replaces this process by one that runs the same command in a network and with mounts of its own. With the process both vanish,
 * however it ends.
 */
export function enterPrivateNetwork(): never {
  const { program, args } = unshare();
  if (process.execve === undefined) throw new Error("this Node can't replace its process");
  return process.execve(program, [program, ...args, process.execPath, ...process.argv.slice(1)], {
    ...process.env,
    [mark]: "1",
  });
}

function unshare(): { readonly program: string; readonly args: readonly string[] } {
  // Whoever isn't root becomes root of a namespace of users, which has rights over nothing else.
  const user = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  return { program: findProgram("unshare", searchPath), args: ["--net", "--mount", ...user] };
}
