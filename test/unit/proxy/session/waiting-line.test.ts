import assert from "node:assert/strict";
import { unknownCommand } from "../../../../proxy/commands/command-rule.ts";
import { type Pending, WaitingLine } from "../../../../proxy/session/waiting-line.ts";
import { Command } from "../../../../proxy/upstream/command.ts";

const command = (text: string, refusal?: string): Pending => ({
  kind: "command",
  command: new Command(unknownCommand, 1, [Buffer.from(text)]),
  ...(refusal === undefined ? {} : { refusal: Buffer.from(refusal) }),
});
const reply = (text: string, executed = false): Pending => ({
  kind: "reply",
  bytes: Buffer.from(text),
  executed,
});

function* taken(line: WaitingLine): Generator<string> {
  for (let { first } = line; first !== undefined; first = line.first) {
    yield first.kind === "reply"
      ? `<${first.bytes.toString()}`
      : Buffer.concat(first.command.pieces).toString();
    line.removeFirst();
  }
}

describe("WaitingLine", () => {
  let line: WaitingLine;
  beforeEach(() => {
    line = new WaitingLine();
  });

  it("puts what came back before what waits, in the order in which it came back", () => {
    line.append(command("c"));
    line.giveBack(command("a"));
    line.giveBack(reply("b"));
    assert.ok(line.givenBack);
    assert.equal(line.empty, false);
    line.lineUpReturned();
    assert.ok(!line.givenBack);
    assert.deepEqual([...taken(line)], ["a", "<b", "c"]);
    assert.ok(line.empty);
  });

  it("sends nothing again that was refused before a later command was executed: its client gets the refusal", () => {
    line.giveBack(command("a", "refused a"));
    line.giveBack(command("b"));
    line.giveBack(reply("c", true));
    line.giveBack(command("d", "refused d"));
    line.giveBack(reply("e"));
    line.lineUpReturned();
    assert.deepEqual([...taken(line)], ["<refused a", "b", "<c", "d", "<e"]);
  });

  it("lets something that came back turn out to be something else, and nothing that isn't there any more", () => {
    const [answer, other] = [reply("maybe", true), reply("sure", true)];
    line.giveBack(command("a", "refused a"));
    line.giveBack(answer);
    line.replaceReturned(answer, command("again"));
    line.replaceReturned(other, command("never"));
    line.lineUpReturned();
    line.replaceReturned(answer, command("too late"));
    assert.deepEqual([...taken(line)], ["a", "again"]);
  });

  it("counts the bytes of the commands in the line, not of replies and not of what came back", () => {
    line.append(command("123"));
    line.append(reply("1234"));
    line.putFirst(command("12"));
    line.giveBack(command("12345"));
    assert.equal(line.bytes, 5);
    line.lineUpReturned();
    assert.equal(line.bytes, 10);
  });

  it("replaces the first, and forgets the line but not what came back", () => {
    line.append(command("a"));
    line.append(command("b"));
    line.replaceFirst(reply("expired"));
    line.giveBack(reply("due"));
    line.drop();
    assert.equal(line.first, undefined);
    assert.equal(line.empty, false);
    line.lineUpReturned();
    assert.deepEqual([...taken(line)], ["<due"]);
  });
});
