// Worker of the ledger: ioredis with its default settings, so it sends again what was in flight on a lost connection.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import type { CommandName } from "../history.ts";
import { ledgerKeys } from "../ledger-keys.ts";
import { monotonicMs } from "../monotonic-clock.ts";
import type { WorkerMessage } from "../worker-protocol.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "6379" },
    client: { type: "string", default: "ioredis" },
    "in-flight": { type: "string", default: "8" },
    "pause-ms": { type: "string", default: "20" },
  },
});
const passwordFile = process.env.REDIS_PASSWORD_FILE;
const redis = new Redis({
  host: "127.0.0.1",
  port: Number(values.port),
  ...(passwordFile === undefined ? {} : { password: readFileSync(passwordFile, "utf8").trim() }),
});
const turns: readonly CommandName[] = ["INCR", "RPUSH", "SET", "GET"];
/** Commands of a round that were sent, and those that have not ended. */
const rounds = new Map<string, { sent: number; open: number }>();
const open = new Map<number, () => void>();
let round: string | undefined;
let lastSet: { readonly round: string; readonly id: string } | undefined;
let count = 0;
let stopping = false;

function tell(message: WorkerMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function tellDrained(): void {
  for (const [name, { sent, open: left }] of rounds) {
    if (left > 0 || (name === round && !stopping)) continue;
    tell(["drained", name, sent]);
    rounds.delete(name);
  }
}

async function one(turn: number): Promise<void> {
  if (round === undefined) return;
  const wanted = turns[turn % turns.length] ?? "INCR";
  const command = wanted === "GET" && lastSet?.round !== round ? "SET" : wanted;
  const number = ++count;
  const id = command === "GET" && lastSet !== undefined ? lastSet.id : String(number);
  const own = round;
  const tally = rounds.get(own) ?? { sent: 0, open: 0 };
  rounds.set(own, tally);
  tally.sent++;
  tally.open++;
  const sentMs = monotonicMs();
  const ended = (kind: "acknowledged" | "error" | "open", text: string): void => {
    if (!open.delete(number)) return;
    tell(["op", own, command, id, sentMs, monotonicMs(), kind, text]);
    tally.open--;
    tellDrained();
  };
  open.set(number, () => ended("open", ""));
  try {
    const value = await send(command, own, id);
    if (command === "SET") lastSet = { round: own, id };
    ended("acknowledged", value === null ? "" : String(value));
  } catch (error) {
    ended("error", error instanceof Error ? error.message : String(error));
  }
}

function send(command: CommandName, own: string, id: string): Promise<unknown> {
  const keys = ledgerKeys(own, values.client);
  if (command === "INCR") return redis.incr(keys.counter);
  if (command === "RPUSH") return redis.rpush(keys.list, id);
  return command === "SET" ? redis.set(keys.string(id), id) : redis.get(keys.string(id));
}

async function loop(begin: number): Promise<void> {
  for (let turn = begin; !stopping; turn++) {
    await one(turn);
    await delay(Number(values["pause-ms"]));
  }
}

redis.on("error", () => undefined);
redis.on("close", () => {
  if (!stopping) tell(["disconnect", monotonicMs(), "closed"]);
});
redis.once("ready", () => {
  tell(["ready"]);
  for (let i = 0; i < Number(values["in-flight"]); i++) void loop(i);
});

const input = createInterface(process.stdin);
input.on("line", (line) => {
  const [order, name] = line.split(" ");
  if (order === "round" && name !== undefined) {
    round = name;
    tellDrained();
  } else if (order === "stop") void stop();
});
input.on("close", () => void stop());

async function stop(): Promise<void> {
  stopping = true;
  const deadline = monotonicMs() + 5000;
  while (open.size > 0 && monotonicMs() < deadline) await delay(20);
  for (const giveUp of [...open.values()]) giveUp();
  tellDrained();
  redis.disconnect();
  input.close();
}
