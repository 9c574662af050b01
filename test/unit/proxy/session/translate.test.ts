import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type CommandRule, unknownCommand } from "../../../../proxy/commands/command-rule.ts";
import { encodeCommand } from "../../../../proxy/resp/command-frame.ts";
import { RedirectTarget, RedirectTargets } from "../../../../proxy/session/redirect-targets.ts";
import { execLost, translate, translateExec } from "../../../../proxy/session/translate.ts";
import { Command } from "../../../../proxy/upstream/command.ts";
import { ScriptStore } from "../../../../proxy/upstream/script-store.ts";
import type { Upstream } from "../../../../proxy/upstream/upstream.ts";

const shaOf = (text: string): string => createHash("sha1").update(text).digest("hex");

function command(ofProcess: CommandRule["ofProcess"], name: string, ...args: string[]): Command {
  const words = name.includes("|") ? name.split("|") : [name];
  const all = [...words, ...args];
  const rule = { ...unknownCommand, name, ...(ofProcess === undefined ? {} : { ofProcess }) };
  return new Command(rule, all.length, [encodeCommand(all)]);
}

describe("a command that is about the server's process", () => {
  let scripts: ScriptStore;
  let clients: RedirectTargets;
  let upstream: Upstream;
  beforeEach(() => {
    scripts = new ScriptStore(1e6);
    clients = new RedirectTargets();
    upstream = { options: { scripts }, process: { tag: 3, runId: "3" } } as unknown as Upstream;
  });

  const wire = (given: Command): string =>
    Buffer.concat((translate(given, upstream, clients)?.wire ?? given).pieces).toString();

  it("names a client by its present id, or nobody while that has no connection", () => {
    const target = new RedirectTarget({ tellAll: () => undefined, revive: () => undefined });
    clients.named(target, 7);
    clients.named(target, 12);
    const frame = (...args: string[]): string => encodeCommand(args).toString();
    assert.equal(
      wire(command("clientId", "client|unblock", "7", "ERROR")),
      frame("client", "unblock", "12", "ERROR"),
    );
    assert.equal(wire(command("clientId", "client|kill", "ID", "7")), frame("client", "kill", "ID", "12"));
    assert.equal(
      wire(command("clientId", "client|kill", "TYPE", "normal", "id", "7")),
      frame("client", "kill", "TYPE", "normal", "id", "12"),
    );
    for (const args of [["12"], ["8"], ["x"], []])
      assert.equal(wire(command("clientId", "client|unblock", ...args)), frame("client", "unblock", ...args));
    assert.equal(wire(command("clientId", "client|kill", "1.2.3.4:7")), frame("client", "kill", "1.2.3.4:7"));
    target.id = undefined;
    assert.equal(
      wire(command("clientId", "client|unblock", "12")),
      frame("client", "unblock", "9007199254740991"),
    );
    clients.forget(target);
    assert.equal(wire(command("clientId", "client|unblock", "12")), frame("client", "unblock", "12"));
  });

  it("is kept of a transaction as of itself, whatever stands between its replies", () => {
    const commands = [
      command(undefined, "get", "a"),
      command("script", "eval", "return 1", "0"),
      command("script", "eval", "return (", "0"),
      command("cursor", "sscan", "s", "0"),
    ];
    const reply = (cursor: string): string =>
      `*4\r\n$1\r\nx\r\n>3\r\n+message\r\n+c\r\n+m\r\n:1\r\n-ERR Error compiling script\r\n*2\r\n$${cursor.length}\r\n${cursor}\r\n*0\r\n`;
    const told = translateExec(Buffer.from(reply("6")), commands, upstream, clients).toString();
    assert.equal(told, reply(String(3 * 2 ** 36 + 6)));
    assert.ok(scripts.get(shaOf("return 1")));
    assert.equal(scripts.count, 1);
    const aborted = Buffer.from("-EXECABORT no\r\n");
    assert.equal(translateExec(aborted, commands, upstream, clients), aborted);
  });

  it("is kept when nobody knows whether it was executed, alone or in a transaction", () => {
    translate(command("script", "eval", "return 1", "0"), upstream, clients)?.translation.lost?.();
    execLost([command(undefined, "get", "a"), command("script", "eval", "return 2", "0")], scripts);
    assert.ok(scripts.get(shaOf("return 1")));
    assert.ok(scripts.get(shaOf("return 2")));
    assert.equal(scripts.isIn(shaOf("return 1"), upstream.process), false);
  });

  it("is kept unless the server refuses it before it is compiled", () => {
    const answers: Record<string, boolean> = {
      "+OK": true,
      "-LOCKED by somebody": true,
      "-ERR user's own script: f_1, on @user_script:1.": true,
      "-NOPERM this user has no permissions": false,
      "-ERR wrong number of arguments for 'eval' command": false,
      "-ERR Error compiling script (new function): user_script:1": false,
    };
    for (const [answer, kept] of Object.entries(answers)) {
      const text = `return '${answer.length}'`;
      const { translation } = translate(command("script", "eval", text, "0"), upstream, clients) ?? {};
      assert.equal(translation?.answered(Buffer.from(`${answer}\r\n`)).toString(), `${answer}\r\n`);
      assert.equal(scripts.get(shaOf(text)) !== undefined, kept, answer);
    }
  });
});
