import { UserError } from "../../runtime/user-error.ts";
import type { LocalTopology } from "../local/local-topology.ts";
import { localTarget } from "../operate/local-target.ts";
import { switchOver } from "../operate/switch-over.ts";
import type { Target } from "../operate/target.ts";
import { type ConsoleServer, startConsoleServer } from "./console-server.ts";
import type { ActionName } from "./console-state.ts";
import { LiveView } from "./live-view.ts";
import { LocalFaults } from "./local-faults.ts";
import { WriteClient } from "./write-client.ts";
import { WriteMeter } from "./write-meter.ts";

/** The port, where it is free. */
export const consolePort = 7690;

/** Shows a topology of this machine: everything can be done to it, and a client writes while somebody looks. */
export function startLocalConsole(local: LocalTopology, port: number | undefined): Promise<ConsoleServer> {
  const target = localTarget(local);
  const faults = new LocalFaults(local, target);
  const meter = new WriteMeter(Date.now());
  const writes = { client: new WriteClient(local, meter), meter };
  const view = new LiveView({ target, marks: faults, writes, calmMs: 1000, busyMs: 250 });
  const { names } = local;
  return serve(
    port,
    view,
    () => faults.release(),
    async (action, part) => {
      if (!names.includes(part))
        throw new UserError(`There is no part '${part}': use one of ${names.join(", ")}.`);
      if (action === "hand-over") return handOver(target, part);
      await faults.act(action, part);
      return done[action](part);
    },
  );
}

/** Shows a deployed stack. It can be told to hand the role over, and nothing else. */
export function startStackConsole(target: Target, port: number | undefined): Promise<ConsoleServer> {
  // Each look is a kubectl for every pod.
  const view = new LiveView({ target, marks: undefined, writes: undefined, calmMs: 5000, busyMs: 2000 });
  return serve(
    port,
    view,
    () => undefined,
    async (action, part) => {
      if (action !== "hand-over")
        throw new UserError("On a stack nothing but a hand-over can be ordered from here.");
      return handOver(target, part);
    },
  );
}

const done: Record<Exclude<ActionName, "hand-over">, (part: string) => string> = {
  kill: (part) => `${part} was killed.`,
  freeze: (part) => `The server of ${part} is frozen.`,
  "cut-off": (part) => `${part} is cut off: it answers nobody.`,
  empty: (part) => `${part} was killed, its volume emptied, and it was started again.`,
  restore: (part) => `${part} is back.`,
};

async function handOver(target: Target, part: string): Promise<string> {
  const { from, to, pausedMs } = await switchOver(target, part);
  return `${to} leads in place of ${from}. Writes were paused for ${pausedMs} ms.`;
}

/** @param port undefined: {@link consolePort}, or any other one when that is taken. */
async function serve(
  port: number | undefined,
  view: LiveView,
  release: () => void,
  act: (action: ActionName, part: string) => Promise<string>,
): Promise<ConsoleServer> {
  let busy = false;
  const options = {
    view,
    act: async (action: ActionName, part: string): Promise<string> => {
      if (busy) throw new UserError("Another order is being done: wait for it.");
      busy = true;
      try {
        view.lookClosely();
        const beginMs = Date.now();
        const text = await act(action, part);
        view.did(`${words[action]} ${part}`, atOnce.includes(action) ? Date.now() : beginMs);
        return text;
      } finally {
        busy = false;
      }
    },
  };
  const server = await startConsoleServer({ ...options, port: port ?? consolePort }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") throw error;
      if (port === undefined) return startConsoleServer({ ...options, port: 0 });
      throw new UserError(`Port ${port} is in use: choose another one for the console (0: any).`);
    },
  );
  return {
    url: server.url,
    close: () => {
      server.close();
      release();
    },
  };
}

/** These happen at the end of their order, when the part was found; the others at its beginning. */
const atOnce: readonly ActionName[] = ["kill", "freeze", "cut-off"];

/** As the timeline tells it. */
const words: Record<ActionName, string> = {
  kill: "you killed",
  freeze: "you froze",
  "cut-off": "you cut off",
  "hand-over": "you had the role handed to",
  empty: "you emptied the volume of",
  restore: "you restored",
};
