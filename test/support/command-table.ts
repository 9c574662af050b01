import { freePort, RedisProcess } from "./redis-process.ts";
import { RespClient } from "./resp-client.ts";
import { type Shown, show, splitFrames } from "./resp-frames.ts";

/** What a genuine redis-server says of its commands, to be said by a fake. */
export interface CommandTable {
  /** Name in lower case → its entry of `COMMAND`, as RESP2 and RESP3 bytes. */
  readonly entries: ReadonlyMap<string, { readonly resp2: string; readonly resp3: string }>;
  /** Whether it has this flag, such as `write`. */
  readonly hasFlag: (name: string, flag: string) => boolean;
}

let table: Promise<CommandTable> | undefined;

/** Asks a genuine redis-server, once for all tests of a process. */
export async function readCommandTable(): Promise<CommandTable> {
  table ??= ask();
  return table;
}

async function ask(): Promise<CommandTable> {
  const port = await freePort();
  const server = await RedisProcess.start(port, [
    "--port",
    String(port),
    "--save",
    "",
    "--bind",
    "127.0.0.1",
  ]);
  try {
    const [resp2, resp3] = [await entriesOf(port, 2), await entriesOf(port, 3)];
    const entries = new Map<string, { resp2: string; resp3: string }>();
    const flags = new Map<string, readonly Shown[]>();
    for (const [i, frame] of resp2.entries()) {
      const shown = show(frame);
      if (!Array.isArray(shown)) throw new Error("COMMAND gave no list");
      const [name, , its] = shown as readonly Shown[];
      entries.set(String(name), { resp2: frame, resp3: resp3[i] ?? "" });
      flags.set(String(name), Array.isArray(its) ? (its as readonly Shown[]) : []);
    }
    return {
      entries,
      hasFlag: (name, flag) => flags.get(name.toLowerCase())?.includes(`+${flag}`) === true,
    };
  } finally {
    await server.kill();
  }
}

async function entriesOf(port: number, protocol: 2 | 3): Promise<readonly string[]> {
  const client = await RespClient.connect(port, protocol);
  try {
    client.send("COMMAND");
    const [frame = ""] = await client.rawReplies(1);
    return splitFrames(frame.slice(frame.indexOf("\r\n") + 2)).frames;
  } finally {
    client.destroy();
  }
}
