import type { ClientReport } from "./client-report.ts";
import { type Allowance, allowedWith, type DurabilityMode, type Fault } from "./faults/fault.ts";
import type { RoundReport } from "./round-report.ts";
import { summarise } from "./summarise.ts";

/**
 * Bounds in ms, over a run, of what the proxy adds before the first write after an announcement. Redis itself takes no
 * write before a replica has joined the new master (`min-replicas-to-write`), however it is asked.
 */
export const addedBeforeWrite = { p50: 15, p99: 100 } as const;

type Unjudged = Omit<RoundReport, "violations" | "slow">;

/** What a round broke of the product's promises, each in a sentence. Pure. */
export function judgeRound(
  round: Unjudged,
  { allows, failover }: Pick<Fault, "allows" | "failover">,
  durability: DurabilityMode = "async",
): string[] {
  const violations = round.clients.flatMap((client) => {
    const own = round.cutOff.includes(client.client) ? (allows.cutOff ?? allows) : allows;
    return judgeClient(client, allowedWith(durability, own)).map((text) => `${client.client}: ${text}`);
  });
  if (round.registers.violated.length > 0) {
    violations.push(`no order explains the registers ${some(round.registers.violated)}`);
  }
  violations.push(...round.broken);
  if (round.falseFailover) violations.push("another master was announced, for no reason");
  if (round.staleWrites.length > 0) {
    violations.push(`a stale master executed ${some(round.staleWrites)} after the announcement`);
  }
  if (failover === true && round.announcementToWriteMs === undefined) {
    violations.push("no write was acknowledged by the announced master");
  }
  return violations;
}

/** What took longer than it should. Pure. */
export function judgeTimes({ gapMs }: Pick<Unjudged, "gapMs">, fault: Pick<Fault, "gapMs">): string[] {
  if (gapMs === undefined) return ["no write was acknowledged after the fault"];
  return gapMs <= fault.gapMs ? [] : [`${Math.round(gapMs)} ms without a write, more than ${fault.gapMs} ms`];
}

/** How libraries tell of it. */
const lostConnection = /^(connection|.*\bEOF$|.*(connection reset|broken pipe|connection is closed))/i;

function judgeClient(client: ClientReport, allows: Allowance): string[] {
  const violations: string[] = [];
  const none = (items: readonly unknown[], what: string): void => {
    if (items.length > 0) violations.push(`${what}: ${some(items.map(String))}`);
  };
  if (!allows.resent) none(client.duplicates, "executed twice");
  none(client.lost, "acknowledged and lost");
  none(client.refusedButExecuted, "refused and yet executed");
  none(client.phantom, "there, and never written");
  none(client.rolledBack, "read, and gone later");
  none(
    client.reordered.map(({ earlier, later }) => `${later} after ${earlier}`),
    "in the wrong order",
  );
  none(client.wrong, "wrong");
  if (client.open > 0) violations.push(`${client.open} commands never got an answer`);
  if (client.disconnects > 0 && !allows.disconnects) violations.push(`${client.disconnects} disconnects`);
  for (const [name, count] of Object.entries(client.errors)) {
    const reads = client.readErrors[name] ?? 0;
    if (allows.refusedConnections && /connection refused/i.test(name)) continue;
    if (allows.lostConnections && lostConnection.test(name)) continue;
    if (allows.errors?.includes(name)) continue;
    if (!allows.uncertain || name !== "UNCERTAIN") violations.push(`${count} × ${name}`);
    else if (reads > 0) violations.push(`${reads} × ${name} for a read`);
  }
  if (client.acknowledged === 0) violations.push("no command was acknowledged");
  return violations;
}

/** What took longer than it should over a whole run. */
export function judgeRun(rounds: readonly RoundReport[]): string[] {
  const { addedMs } = summarise(rounds);
  return (["p50", "p99"] as const).flatMap((name) => {
    const value = addedMs[name];
    const bound = addedBeforeWrite[name];
    return value === undefined || value <= bound
      ? []
      : [
          `from the new master's first accepted write to a client's: ${name} is ${value.toFixed(1)} ms, more than ${bound} ms`,
        ];
  });
}

function some(items: readonly string[]): string {
  const shown = items.slice(0, 3).join(", ");
  return items.length > 3 ? `${shown} and ${items.length - 3} more` : shown;
}
