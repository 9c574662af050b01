import type { Command } from "../upstream/command.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Client } from "./client.ts";
import { needsProcess, scriptsFor } from "./translate.ts";

/**
 * Whether commands may be sent over a connection: its process is known and has the scripts that they run. If not, that is seen to;
 * the session is busy meanwhile, and goes on then.
 */
export function prepared(session: Client, upstream: Upstream, commands: readonly Command[]): boolean {
  const [only] = commands;
  if (only?.rule.ofProcess === "cursor" && commands.length === 1 && upstream.process !== undefined)
    return true;
  const needing = commands.filter(needsProcess);
  if (needing.length === 0) return true;
  const { processes } = session.host.link;
  const scripts = needing.flatMap(scriptsFor);
  if (processes.ready(upstream, scripts)) return true;
  session.occupy();
  processes.prepare(upstream, scripts, () => {
    session.free();
    if (!session.ended) session.wake();
  });
  return false;
}
