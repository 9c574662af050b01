// Worker of the ledger: ioredis with its default settings, so it sends again what was in flight on a lost connection.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import type { CommandName } from "../history.ts";
import { ledgerKeys, registerKey, registerValue } from "../ledger-keys.ts";
import { monotonicMs } from "../monotonic-clock.ts";
import type { WorkerMessage } from "../worker-protocol.ts";

const { values } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "6379" },
    client: { type: "string", default: "ioredis" },
    "in-flight": { type: "string", default: "8" },
    "pause-ms": { type: "string", default: "20" },
    /** File with the authority of the server's certificate: with it TLS is used. */
    ca: { type: "string" },
    /** A name that is in that certificate. */
    "server-name": { type: "string" },
  },
});
const passwordFile = process.env.REDIS_PASSWORD_FILE;
const redis = new Redis({
  host: values.host,
  port: Number(values.port),
  ...(values.ca === undefined ? {} : { tls: tlsWith(values.ca, values["server-name"]) }),
  ...(passwordFile === undefined ? {} : { password: readFileSync(passwordFile, "utf8").trim() }),
});
const turns: readonly CommandName[] = [
  "INCR",
  "RPUSH",
  "SET",
  "GET",
  "SADD",
  "WRITE",
  "READ",
  "WRITE",
  "READ",
];
/** Whole lists are read seldom: they are long. */
const listReadEvery = 60;
/** So long all clients use the same two registers, ms: each gets few enough commands for a search through their orders. */
const registerMs = 500;
/** Commands of a round that were sent, and those that have not ended. */
const rounds = new Map<string, { sent: number; open: number }>();
const open = new Map<number, () => void>();
let round: string | undefined;
let lastSet: { readonly round: string; readonly id: string } | undefined;
let count = 0;
let stopping = false;

function tlsWith(file: string, serverName: string | undefined): ConnectionOptions {
  return { ca: readFileSync(file, "utf8"), ...(serverName === undefined ? {} : { servername: serverName }) };
}

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

/** Sends one command. Gives whether the next one follows without a pause. */
async function one(turn: number): Promise<boolean> {
  if (round === undefined) return false;
  const wanted =
    turn % listReadEvery === listReadEvery - 1 ? "LRANGE" : (turns[turn % turns.length] ?? "INCR");
  const command = wanted === "GET" && lastSet?.round !== round ? "SET" : wanted;
  const number = ++count;
  const own = round;
  const id = identify(command, number);
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
    return false;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    ended("error", text);
    return text.startsWith("UNCERTAIN");
  }
}

function identify(command: CommandName, number: number): string {
  const register = `${Math.floor(monotonicMs() / registerMs)}.${number % 2}`;
  switch (command) {
    case "GET":
      return lastSet?.id ?? "";
    case "LRANGE":
      return "";
    case "WRITE":
      return `${register}=${registerValue(values.client, number)}`;
    case "READ":
      return register;
    default:
      return String(number);
  }
}

function send(command: CommandName, own: string, id: string): Promise<unknown> {
  const keys = ledgerKeys(own, values.client);
  const [register = "", value = ""] = id.split("=");
  switch (command) {
    case "INCR":
      return redis.incr(keys.counter);
    case "RPUSH":
      return redis.rpush(keys.list, id);
    case "SET":
      return redis.set(keys.string(id), id);
    case "GET":
      return redis.get(keys.string(id));
    case "SADD":
      return redis.sadd(keys.set, id);
    case "LRANGE":
      // An array becomes its elements with commas.
      return redis.lrange(keys.list, 0, -1);
    case "WRITE":
      return redis.set(registerKey(own, register), value);
    case "READ":
      return redis.get(registerKey(own, register));
  }
}

async function loop(begin: number): Promise<void> {
  for (let turn = begin; !stopping; turn++) {
    if (!(await one(turn))) await delay(Number(values["pause-ms"]));
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
