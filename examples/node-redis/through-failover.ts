// Writes all the time, and tells what became of each write, until standard input is closed.
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type Client, createRedis } from "./connect.ts";

const writers = 4;
const pauseMs = 10;

/** Runs until standard input ends. One line of JSON for each write that ended, each message and each disconnect. */
export async function runThroughFailover(redis: Client, prefix: string): Promise<void> {
  let stopping = false;

  /** In turns a command that counts and one that appends: both would show if they ran twice. */
  async function write(writer: number): Promise<void> {
    for (let number = 1; !stopping; number++) {
      const command = number % 2 === 0 ? "INCR" : "RPUSH";
      const id = `${writer}-${number}`;
      try {
        const value =
          command === "INCR"
            ? await redis.incr(`${prefix}:counter`)
            : await redis.rPush(`${prefix}:list`, id);
        tell({ event: "written", command, id, value });
      } catch (error) {
        // "UNCERTAIN …": it may have been executed. An application looks, or does what its user would want.
        tell({ event: "error", command, id, message: String(error) });
      }
      await delay(pauseMs);
    }
  }

  const subscriber = createRedis();
  for (const client of [redis, subscriber]) {
    // node-redis tells a lost connection as an error, and connects again.
    client.on("error", (error) => {
      if (!stopping) tell({ event: "disconnected", reason: String(error) });
    });
  }
  await subscriber.connect();
  await subscriber.subscribe(`${prefix}:channel`, (message) => tell({ event: "received", message }));
  const writing = Array.from({ length: writers }, (_, writer) => write(writer));
  tell({ event: "ready" });

  await once(process.stdin.resume(), "end");
  stopping = true;
  await Promise.all(writing);
  await subscriber.close();
  tell({ event: "stopped" });
}

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
