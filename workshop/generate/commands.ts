// Writes the table of docs/commands.md and the list of runtime/access/redis-commands.ts from a running server's commands: `npm run generate`. A test fails when it was forgotten.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { readCommandInfo } from "../../proxy/commands/classify-command.ts";
import { CommandTable } from "../../proxy/commands/command-table.ts";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { commandDocumentation, commandMarkers, commandNamesModule } from "./commands-documentation.ts";
import { replaceBetween } from "./settings-documentation.ts";

/** Not Redis' own: a server of the developer's may be running. */
const port = 16399;
const server = spawn("redis-server", ["--port", String(port), "--save", "", "--bind", "127.0.0.1"]);
try {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`redis-server ended with ${code}`)));
    server.stdout.on("data", (text: Buffer) => {
      if (text.includes("Ready to accept connections")) resolve();
    });
  });
  const connection = new ControlConnection({ address: { host: "127.0.0.1", port } });
  const infos = readCommandInfo(await connection.call("COMMAND"));
  const table = new CommandTable(infos);
  connection.close();
  writeFileSync(
    new URL("../../runtime/access/redis-commands.ts", import.meta.url),
    commandNamesModule(infos),
  );
  const path = new URL("../../docs/commands.md", import.meta.url);
  writeFileSync(
    path,
    replaceBetween(readFileSync(path, "utf8"), commandMarkers, commandDocumentation(table)),
  );
} finally {
  server.kill();
}
