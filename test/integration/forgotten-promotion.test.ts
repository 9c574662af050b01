import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { formatAddress } from "../../runtime/address.ts";
import type { NamedPart } from "../../workshop/chaos/cluster-control.ts";
import { eventually } from "../support/eventually.ts";
import { useObserved } from "../support/observed-topology.ts";

/** A master hands its role over, and then everything ends before the Sentinels have noted that. */
describe("a promotion that the Sentinels have forgotten", function () {
  this.timeout(120_000);
  const observed = useObserved();

  const confOf = (sentinel: NamedPart): string =>
    join(observed.cluster.stateDirectory(sentinel), "sentinel.conf");

  /** As if it had led the failover, and had seen its end. */
  function remember(sentinel: NamedPart, old: NamedPart, heir: NamedPart): void {
    const file = confOf(sentinel);
    const text = readFileSync(file, "utf8");
    const monitor = /^(sentinel monitor \S+ \S+) (\d+)/m;
    assert.equal(Number(monitor.exec(text)?.[2]), old.address.port);
    writeFileSync(
      file,
      text
        .replace(monitor, `$1 ${heir.address.port}`)
        .replace(
          /^(sentinel config-epoch \S+) (\d+)/m,
          (_line, name, epoch) => `${name} ${Number(epoch) + 1}`,
        ),
    );
  }

  async function isMaster(part: NamedPart): Promise<boolean> {
    const [role] = (await observed.cluster.call(part, "ROLE")) as unknown[];
    return role === "master";
  }

  for (const [name, remembering] of [
    ["no Sentinel", 0],
    ["one Sentinel, which the two others overrule,", 1],
  ] as const) {
    it(`loses nothing that was confirmed after it when ${name} knows of it`, async () => {
      const old = await observed.cluster.master();
      const others = observed.cluster.instances.filter((instance) => instance.name !== old.name);
      await eventually(async () =>
        assert.equal(await observed.cluster.call(old, "SET", "which", "older"), "OK"),
      );
      const ended = observed.topology.end(old.name);
      const heir = await eventually(
        async () => {
          const found = (await Promise.all(others.map(isMaster))).indexOf(true);
          return others[found] ?? assert.fail("nobody has been promoted yet");
        },
        { withinMs: 20_000, everyMs: 2 },
      );
      // The promoted instance tells them some milliseconds later, and a leader finds it out within a second.
      for (const { name: sentinel } of observed.cluster.sentinels)
        observed.topology.signal(sentinel, "SIGKILL");
      await ended;
      // It does so by itself if the Sentinels lived long enough to tell it of the promotion.
      const { host, port } = heir.address;
      for (const other of others)
        if (other !== heir) await observed.cluster.call(other, "REPLICAOF", host, port);
      await eventually(async () =>
        assert.equal(await observed.cluster.call(heir, "SET", "which", name), "OK"),
      );
      for (const part of [...others, ...observed.cluster.sentinels]) {
        if (observed.cluster.isRunning(part)) await observed.cluster.kill(part);
      }
      for (const sentinel of observed.cluster.sentinels.slice(0, remembering)) remember(sentinel, old, heir);

      for (const part of [...observed.cluster.sentinels, old]) await observed.cluster.start(part);
      // Longer than one Sentinel's objection counts.
      await delay(7000);
      const leads = await isMaster(old).catch(() => false);
      assert.equal(leads, false, `${old.name} leads, with older data`);
      await observed.cluster.recover(60_000);
      for (const instance of observed.cluster.instances)
        assert.equal(await observed.cluster.call(instance, "GET", "which"), name, instance.name);
      assert.notEqual(formatAddress((await observed.cluster.master()).address), formatAddress(old.address));
    });
  }
});
