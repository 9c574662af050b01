import { setTimeout as delay } from "node:timers/promises";
import { type AttackBudget, AttackerConnection } from "./attacker-connection.ts";
import {
  bigKey,
  garbage,
  grammarSoup,
  harmlessCommand,
  hugePromise,
  inlineSoup,
  mutatedStream,
  validStream,
} from "./hostile-bytes.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** What an attack is done with. */
export interface AttackContext {
  readonly random: SeededRandom;
  readonly budget: AttackBudget;
  /** Aborted when the attack has to end; it then ends soon by itself. */
  readonly signal: AbortSignal;
  readonly port: number;
  readonly sentinelPort: number;
  /** A password that the proxy accepts: most attackers are clients that have one. */
  readonly password: string;
}

type Attack = (context: AttackContext) => Promise<void>;

async function open(context: AttackContext, port = context.port): Promise<AttackerConnection> {
  return AttackerConnection.open(port, context.budget, context.signal);
}

async function openAuthenticated(context: AttackContext): Promise<AttackerConnection> {
  const connection = await open(context);
  await connection.command("AUTH", context.password);
  return connection;
}

/** Waits without holding up the end of the attack. */
async function pause(context: AttackContext, ms: number): Promise<void> {
  await delay(ms, undefined, { signal: context.signal }).catch(() => undefined);
}

/** Sends what `make` makes until the other side has enough, at most `times`. */
function sending(make: (random: SeededRandom) => Buffer, times: number): Attack {
  return async (context) => {
    const connection = context.random.oneIn(4) ? await open(context) : await openAuthenticated(context);
    for (let i = context.random.between(1, times); i > 0 && connection.isOpen; i--) {
      await connection.send(make(context.random));
      if (context.random.oneIn(3)) await pause(context, context.random.between(1, 50));
    }
    connection.leave({ reset: context.random.oneIn(2) });
  };
}

/** The start of a stream, and then nothing more, or the end. */
const truncate: Attack = async (context) => {
  const { random } = context;
  const connection = await openAuthenticated(context);
  const stream = validStream(random, random.between(1, 10));
  await connection.send(stream.subarray(0, random.between(1, stream.length)));
  if (random.oneIn(3)) connection.halfClose();
  else if (random.oneIn(2)) await pause(context, random.between(500, 8000));
  connection.leave({ reset: random.oneIn(2) });
};

const promise: Attack = async (context) => {
  const connection = context.random.oneIn(3) ? await open(context) : await openAuthenticated(context);
  await connection.send(hugePromise(context.random));
  await pause(context, context.random.between(100, 8000));
  connection.leave({ reset: true });
};

/** Small questions with big answers, none of which is read. */
const neverRead: Attack = async (context) => {
  const { random } = context;
  const connection = await openAuthenticated(context);
  connection.stopReading();
  for (let i = random.between(1, 24); i > 0; i--) await connection.command("GET", bigKey);
  if (random.oneIn(3)) connection.halfClose();
  await pause(context, random.between(1000, 8000));
  connection.leave({ reset: true });
};

const slowLoris: Attack = async (context) => {
  const { random } = context;
  const connection = random.oneIn(2) ? await open(context) : await openAuthenticated(context);
  const stream = validStream(random, 3);
  for (let i = 0; i < stream.length && connection.isOpen; i++) {
    await connection.send(stream.subarray(i, i + 1));
    await pause(context, random.between(20, 400));
  }
  connection.leave({ reset: true });
};

/** Hundreds of commands at once, again and again before the answers are there. */
const deepPipeline: Attack = async (context) => {
  const { random } = context;
  const connection = await openAuthenticated(context);
  for (let i = random.between(1, 5); i > 0; i--) await connection.send(validStream(random, 300));
  if (random.oneIn(2)) await pause(context, 100);
  connection.leave({ reset: random.oneIn(2) });
};

const connectStorm: Attack = async (context) => {
  const { random } = context;
  const connections: AttackerConnection[] = [];
  for (let i = random.between(5, 40); i > 0; i--) {
    const connection = await open(context);
    if (random.oneIn(3)) await connection.send(Buffer.from("PING\r\n"));
    connections.push(connection);
  }
  for (const connection of connections) connection.leave({ reset: random.oneIn(2) });
};

const halfClose: Attack = async (context) => {
  const { random } = context;
  const connection = await openAuthenticated(context);
  await connection.send(random.oneIn(2) ? validStream(random, 5) : mutatedStream(random));
  connection.halfClose();
  await pause(context, random.between(0, 1000));
  connection.leave({ reset: random.oneIn(2) });
};

/** Changes of protocol, user and database between ordinary commands. */
const helloMixture: Attack = async (context) => {
  const { random, password } = context;
  const connection = await open(context);
  const steps = [
    ["HELLO"],
    ["HELLO", "2"],
    ["HELLO", "3"],
    ["HELLO", "4"],
    ["HELLO", "3", "AUTH", "default", password],
    ["HELLO", "3", "AUTH", "default", "wrong"],
    ["HELLO", "2", "AUTH", "default", password, "SETNAME", "hostile"],
    ["HELLO", "3", "SETNAME", "with space"],
    ["AUTH", password],
    ["AUTH", "nobody", "x"],
    ["SELECT", "1"],
    ["SELECT", "99"],
    ["RESET"],
    ["CLIENT", "REPLY", "OFF"],
    ["CLIENT", "REPLY", "SKIP"],
    ["CLIENT", "REPLY", "ON"],
    ["CLIENT", "TRACKING", "ON"],
    ["CLIENT", "TRACKING", "OFF"],
  ];
  for (let i = random.between(2, 30); i > 0 && connection.isOpen; i--) {
    await connection.command(...(random.oneIn(2) ? random.pick(steps) : harmlessCommand(random)));
  }
  await pause(context, random.between(0, 300));
  connection.leave({ reset: random.oneIn(2) });
};

/** What a client without the password can do: questions, guesses, big arguments, unread errors. */
const unauthenticatedFlood: Attack = async (context) => {
  const { random } = context;
  const connection = await open(context);
  if (random.oneIn(3)) connection.stopReading();
  for (let i = random.between(1, 10); i > 0 && connection.isOpen; i--) {
    await connection.send(
      random.pick([
        Buffer.from("PING\r\n".repeat(200)),
        Buffer.from("AUTH wrong\r\n".repeat(5)),
        Buffer.from(`*2\r\n$4\r\nAUTH\r\n$16384\r\n${"x".repeat(16_384)}\r\n`),
        Buffer.from("*2\r\n$4\r\nAUTH\r\n$16385\r\n"),
        Buffer.from(`*11\r\n${"$1\r\na\r\n".repeat(11)}`),
        validStream(random, 5),
      ]),
    );
    await pause(context, random.between(0, 200));
  }
  connection.leave({ reset: true });
};

/** States that need a connection of their own, left in their middle. */
const abandonedState: Attack = async (context) => {
  const { random } = context;
  const connection = await openAuthenticated(context);
  const states = [
    [["MULTI"], ["SET", "hostile:1", "x"]],
    [["WATCH", "hostile:1"], ["MULTI"], ["GET", "hostile:1"], ["EXEC"]],
    [["SUBSCRIBE", "hostile", "hostile2"], ["PING"]],
    [["PSUBSCRIBE", "hostile*"], ["UNSUBSCRIBE"]],
    [["BLPOP", "hostile:none", "1"]],
    [["XREAD", "BLOCK", "500", "STREAMS", "hostile:none", "$"]],
    [["MULTI"], ["nosuchcommand"], ["EXEC"], ["EXEC"], ["DISCARD"]],
    [
      ["CLIENT", "TRACKING", "ON"],
      ["GET", "hostile:1"],
    ],
    [["MULTI"], ["SUBSCRIBE", "a"], ["QUIT"]],
  ];
  for (let i = random.between(1, 4); i > 0; i--) {
    for (const step of random.pick(states)) await connection.command(...step);
  }
  if (random.oneIn(3)) await connection.send(grammarSoup(random));
  await pause(context, random.between(0, 500));
  connection.leave({ reset: random.oneIn(2) });
};

/** The same at the port of the Sentinel API. */
const sentinelApi: Attack = async (context) => {
  const { random, sentinelPort, password } = context;
  const connection = await open(context, sentinelPort);
  if (random.oneIn(2)) await connection.command("AUTH", password);
  for (let i = random.between(1, 8); i > 0 && connection.isOpen; i--) {
    const make = random.pick([garbage, grammarSoup, mutatedStream, hugePromise, inlineSoup]);
    await connection.send(
      random.oneIn(3) ? Buffer.from("SENTINEL MASTERS\r\nSUBSCRIBE x\r\n") : make(random),
    );
  }
  if (random.oneIn(4)) await pause(context, random.between(100, 3000));
  connection.leave({ reset: random.oneIn(2) });
};

/** All attacks, by name. */
export const attacks: Readonly<Record<string, Attack>> = {
  garbage: sending(garbage, 10),
  "grammar soup": sending(grammarSoup, 20),
  "mutated streams": sending(mutatedStream, 10),
  "inline soup": sending(inlineSoup, 5),
  "truncated frames": truncate,
  "huge promises": promise,
  "never reading": neverRead,
  "slow loris": slowLoris,
  "deep pipelines": deepPipeline,
  "connect storms": connectStorm,
  "half-closes": halfClose,
  "HELLO mixtures": helloMixture,
  "unauthenticated floods": unauthenticatedFlood,
  "abandoned states": abandonedState,
  "Sentinel API": sentinelApi,
};
