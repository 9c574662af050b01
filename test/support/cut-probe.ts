// What TCP between two hosts of a part network does under each kind of damage; prints it as JSON. A program of its own, since
// it needs a network of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { PartNetwork } from "../../cli/local/part-network.ts";
import { enterPrivateNetwork, inPrivateNetwork } from "../../cli/local/private-network.ts";
import type { Damage } from "../../cli/local/render-cuts.ts";

if (!inPrivateNetwork()) enterPrivateNetwork();

const server = { kind: "redis", index: 1 } as const;
const client = { kind: "proxy", index: 1 } as const;
const network = await PartNetwork.build([server, client]);
const serverHost = network.hostOf(server);
const clientHost = network.hostOf(client);

const echo = network.on(server, {
  program: process.execPath,
  args: [
    "-e",
    "require('net').createServer(s=>s.on('error',()=>{}).pipe(s)).listen(7000,()=>console.log('on'))",
  ],
});
const listening = spawn(echo.program, [...echo.args], { stdio: ["ignore", "pipe", "ignore"] });
await once(listening.stdout, "data");

/** Sends more than a packet holds and waits up to 2.5 s for its echo: ms, or how it ended. */
const ask = network.on(client, {
  program: process.execPath,
  args: [
    "-e",
    `const s = require("net").connect(7000, "${serverHost}");
     const say = (text) => { console.log(text); process.exit(); };
     let begin = 0, got = 0;
     s.on("error", (error) => say(error.code)).on("connect", () => { begin = performance.now(); s.write("x".repeat(5000)); });
     s.on("data", (data) => { got += data.length; if (got === 5000) say(performance.now() - begin); });
     setTimeout(() => say("silence"), 2500);`,
  ],
});

async function under(ways: readonly ("there" | "back")[], damage: Damage): Promise<string> {
  await network.cut(
    ways.map((way) =>
      way === "there"
        ? { from: clientHost, to: serverHost, damage }
        : { from: serverHost, to: clientHost, damage },
    ),
  );
  const asking = spawn(ask.program, [...ask.args], { stdio: ["ignore", "pipe", "inherit"] });
  const [answer] = (await once(asking.stdout, "data")) as [Buffer];
  await network.cut([]);
  return answer.toString().trim();
}

const result = {
  whole: await under([], { kind: "drop" }),
  dropThere: await under(["there"], { kind: "drop" }),
  dropBack: await under(["back"], { kind: "drop" }),
  reset: await under(["there", "back"], { kind: "reset" }),
  late: await under(["there", "back"], { kind: "delay", ms: 150 }),
  lateBack: await under(["back"], { kind: "delay", ms: 150 }),
  healed: await under([], { kind: "drop" }),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
listening.kill();
process.exit();
