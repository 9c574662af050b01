import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readCommandInfo } from "../../proxy/commands/classify-command.ts";
import { CommandTable } from "../../proxy/commands/command-table.ts";
import { problemOfRuleWord } from "../../runtime/access/rule-words.ts";
import {
  commandMarkers,
  commandNamesModule,
  commandRows,
} from "../../workshop/generate/commands-documentation.ts";
import { freePort, RedisProcess, temporaryDirectory } from "../support/redis-process.ts";

describe("docs/commands.md", () => {
  const directory = temporaryDirectory();
  let redis: RedisProcess;

  before(async () => {
    const port = await freePort();
    redis = await RedisProcess.start(port, ["--port", String(port), "--dir", directory.path, "--save", ""]);
  });

  after(async () => {
    await redis.stop();
    directory.remove();
  });

  it("has a true row for every command of the running server (npm run generate)", async () => {
    const text = readFileSync(new URL("../../docs/commands.md", import.meta.url), "utf8");
    const begin = text.indexOf(commandMarkers.begin);
    const end = text.indexOf(commandMarkers.end);
    const documented = text
      .slice(begin, end)
      .split("\n")
      .filter((line) => line.startsWith("| "));
    const rows = commandRows(new CommandTable(readCommandInfo(await redis.client.call("COMMAND"))));
    assert.ok(rows.length > 300, `${rows.length} commands`);
    // An older or newer server than the one that the table was made with has fewer or more commands.
    const version = /redis_version:(\S+)/.exec(await redis.client.info("server"))?.[1] ?? "";
    const names = new Set(documented.map((row) => row.split("|")[1]));
    const wrong = rows.filter((row) => names.has(row.split("|")[1] ?? "") && !documented.includes(row));
    assert.deepEqual(wrong, []);
    if (text.includes(`Redis ${version}.`)) assert.deepEqual(documented.slice(1), rows);
    else assert.ok(rows.filter((row) => !documented.includes(row)).length < rows.length / 5);
  });

  it("is followed by the names that rules of users may have (npm run generate)", async () => {
    const infos = readCommandInfo(await redis.client.call("COMMAND"));
    const module = readFileSync(new URL("../../runtime/access/redis-commands.ts", import.meta.url), "utf8");
    const version = /redis_version:(\S+)/.exec(await redis.client.info("server"))?.[1] ?? "";
    const text = readFileSync(new URL("../../docs/commands.md", import.meta.url), "utf8");
    if (text.includes(`Redis ${version}.`)) assert.equal(module, commandNamesModule(infos));
    const names = infos.flatMap((info) => [info, ...info.subcommands]).map(({ name }) => name);
    const known = (await redis.client.call("ACL", "CAT")) as string[];
    const words = [...names.map((name) => `-${name}`), ...known.map((name) => `+@${name}`)];
    assert.deepEqual(words.map(problemOfRuleWord).filter(Boolean), []);
  });

  it("knows every command that only a few servers have as unknown, and shares none of them", () => {
    const table = new CommandTable([]);
    assert.equal(table.find(Buffer.from("FT.SEARCH"), 0, 9).route, "session");
  });
});
