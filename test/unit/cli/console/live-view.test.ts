import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { startConsoleServer } from "../../../../cli/console/console-server.ts";
import { LiveView, type Message } from "../../../../cli/console/live-view.ts";
import { WriteMeter } from "../../../../cli/console/write-meter.ts";
import type { Observation } from "../../../../cli/operate/observation.ts";
import type { Target } from "../../../../cli/operate/target.ts";
import { eventually } from "../../../support/eventually.ts";
import { sampleObservation } from "../../../support/observations.ts";

/** A view of a topology that answers what it is told to, and counts what is asked of it. */
function viewed(initial: Observation | Error = sampleObservation()) {
  const counts = { looks: 0, writing: false };
  const told: { seen: Observation | Error } = { seen: initial };
  const target = {
    observe: async () => {
      counts.looks++;
      if (told.seen instanceof Error) throw told.seen;
      return told.seen;
    },
  } as unknown as Target;
  const client = {
    start: () => {
      counts.writing = true;
    },
    stop: () => {
      counts.writing = false;
    },
  };
  const writes = { client, meter: new WriteMeter(Date.now()) };
  const view = new LiveView({ target, marks: { of: () => undefined }, writes, calmMs: 20, busyMs: 10 });
  return { view, counts, told };
}

describe("the console's live view", function () {
  // Sixteen windows, on a busy machine.
  this.timeout(30_000);

  it("asks and writes nothing unless somebody looks", async () => {
    const { view, counts } = viewed();
    await delay(60);
    assert.deepEqual(counts, { looks: 0, writing: false });
    const leave = view.join(() => undefined);
    assert.equal(counts.writing, true);
    await eventually(() => assert.ok(counts.looks >= 2));
    const second = view.join(() => undefined);
    leave();
    assert.equal(counts.writing, true);
    second();
    assert.equal(counts.writing, false);
    await delay(20);
    const { looks } = counts;
    await delay(80);
    assert.equal(counts.looks, looks);
  });

  it("tells a state once, a problem while there is one, and everything to whoever comes later", async () => {
    const { view, told } = viewed();
    const messages: Message[] = [];
    const leave = view.join((message) => messages.push(message));
    const kinds = () => messages.map(({ kind }) => kind).filter((kind) => kind !== "ticks");
    await delay(150);
    assert.deepEqual(kinds(), ["state"]);
    told.seen = new Error("the API server is away");
    await eventually(() => assert.ok(kinds().includes("problem")));
    told.seen = sampleObservation();
    await eventually(() => assert.equal(kinds().at(-1), "state"));
    const later: Message[] = [];
    const end = view.join((message) => later.push(message));
    assert.deepEqual(
      later
        .filter(({ kind }) => kind === "state")
        .map(({ value }) => (value as { headline: string }).headline),
      ["redis-instance-1 leads. All is well."],
    );
    end();
    leave();
  });

  it("goes to the page as events, ends with it, and bounds how many look", async () => {
    const { view, counts } = viewed();
    const server = await startConsoleServer({ port: 0, view, act: async () => "" });
    try {
      const page = await fetch(server.url);
      assert.equal(page.status, 200);
      assert.match(await page.text(), /<title>redis-ha<\/title>/);
      const gone = new AbortController();
      const open = () => fetch(`${page.url}events`, { signal: gone.signal });
      const [first] = await Promise.all(Array.from({ length: 16 }, open));
      const { value } = (await first?.body?.getReader().read()) ?? {};
      assert.match(new TextDecoder().decode(value), /^retry: 1000\n\n/);
      await eventually(() => assert.equal(view.viewers, 16));
      const refused = await open();
      assert.equal(refused.status, 503);
      gone.abort();
      await eventually(() => assert.equal(view.viewers, 0));
      assert.equal(counts.writing, false);
    } finally {
      server.close();
    }
  });
});
