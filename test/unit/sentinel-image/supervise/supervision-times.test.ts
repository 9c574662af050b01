import assert from "node:assert/strict";
import type { Agreement } from "../../../../quorum/agreement.ts";
import { Sightings } from "../../../../sentinel-image/start/sightings.ts";
import {
  lasts,
  planSupervision,
  type SupervisionAction,
  type SupervisionObservation,
  supervisionTimes as times,
} from "../../../../sentinel-image/supervise/plan-supervision.ts";
import { instance, view } from "../../../support/sentinel-views.ts";

// The rules, look after look, with a clock of its own. What counts is the time, however long a look takes: a look every 0.5 s,
// and every 0.6 s when somebody who is asked doesn't answer.

const toleranceMs = 600;
const agreedOn = (index: number): Agreement => ({
  kind: "agreed",
  master: instance(index),
  configEpoch: 3,
  votes: 3,
});
const linked = { kind: "replica", master: instance(2), linkUp: true, offset: 10 } as const;
const unlinked = { ...linked, linkUp: false } as const;
const leading = { kind: "master", offset: 10, replicas: [instance(2)] } as const;
const sentinel = view(3, 2, 3).sentinel;

type Condition =
  | "agreed"
  | "stalled"
  | "orphaned"
  | "unlinked"
  | "unwritable"
  | "leaderless"
  | "odd"
  | "unproven"
  | "needed";
type Seen = Partial<
  Pick<SupervisionObservation, "agreement" | "role" | "masterConfirmed" | "priority" | "newest">
>;

interface Rule {
  readonly name: string;
  readonly condition: Condition;
  readonly seen: Seen;
  readonly does: SupervisionAction["kind"];
  readonly afterMs: number;
  /** From one time to the next, when nothing comes of it. */
  readonly againMs?: number;
}

const patienceMs = 2000;
const rules: readonly Rule[] = [
  {
    name: "an old master follows",
    condition: "agreed",
    seen: { role: leading },
    does: "follow",
    afterMs: times.agreed,
  },
  {
    name: "a stalled failover is asked for",
    condition: "stalled",
    seen: { role: unlinked, masterConfirmed: false },
    does: "request-failover",
    afterMs: times.stalled,
    againMs: times.stalledAgain,
  },
  {
    name: "the newest of orphaned copies may be promoted",
    condition: "orphaned",
    seen: { role: unlinked, masterConfirmed: false, priority: 0 },
    does: "allow-promotion",
    afterMs: times.orphaned,
  },
  {
    name: "an old copy may not be promoted",
    condition: "unlinked",
    seen: { role: unlinked },
    does: "forbid-promotion",
    afterMs: times.unlinked,
  },
  {
    name: "a master without a disk asks to be replaced",
    condition: "unwritable",
    seen: { role: leading, agreement: agreedOn(1) },
    does: "request-failover",
    afterMs: times.unwritable,
    againMs: times.unwritableAgain,
  },
  {
    name: "a named replica asks for a failover when nobody is master",
    condition: "leaderless",
    seen: { role: unlinked, agreement: agreedOn(1), masterConfirmed: false, newest: false },
    does: "request-failover",
    afterMs: patienceMs,
    againMs: times.leaderlessAgain,
  },
  {
    name: "a named replica with the newest data leads at last",
    condition: "leaderless",
    seen: { role: unlinked, agreement: agreedOn(1), masterConfirmed: false },
    does: "lead",
    afterMs: patienceMs + times.leaderlessLead,
  },
  {
    name: "a promoted instance that nobody follows asks to be replaced",
    condition: "unproven",
    seen: { role: leading, agreement: agreedOn(1) },
    does: "request-failover",
    afterMs: times.unproven,
    againMs: times.unprovenAgain,
  },
  {
    name: "an instance that has to lead instead of the named one may be promoted",
    condition: "needed",
    seen: { role: { ...unlinked, master: instance(3) }, priority: 0 },
    does: "allow-promotion",
    afterMs: times.needed,
  },
  {
    name: "a Sentinel that stands alone is repaired",
    condition: "odd",
    seen: { role: leading, agreement: agreedOn(1) },
    does: "repair-sentinel",
    afterMs: times.odd,
    againMs: times.odd,
  },
];

/** When a rule acts, ms after the first look that saw its condition, with looks at these times. */
function actionTimes(
  { condition, seen, does }: Rule,
  lookTimes: readonly number[],
  beginsMs: number,
): number[] {
  const sightings = new Sightings();
  let askedAtMs: number | undefined;
  let repairedAtMs: number | undefined;
  const firstSeenMs = lookTimes.find((atMs) => atMs >= beginsMs) ?? Number.NaN;
  return lookTimes.flatMap((nowMs) => {
    const isSo = nowMs >= beginsMs;
    // Whom the Sentinels name has been clear for long, unless that is what begins.
    const steady = condition === "agreed" ? [] : ["agreed"];
    sightings.look(isSo ? [...steady, condition] : steady, nowMs);
    const since = (what: Condition): number | undefined => sightings.sinceMs(what);
    const oddSinceMs = since("odd");
    const actions = planSupervision({
      nowMs,
      self: instance(1),
      agreement: agreedOn(2),
      agreedSinceMs: since("agreed"),
      role: linked,
      masterConfirmed: true,
      streaming: true,
      priority: 100,
      alone: false,
      benched: false,
      leaving: false,
      ...(isSo ? seen : {}),
      stalledSinceMs: since("stalled"),
      orphanedSinceMs: since("orphaned"),
      unlinkedSinceMs: since("unlinked"),
      unwritableSinceMs: since("unwritable"),
      leaderlessSinceMs: since("leaderless"),
      leaderlessPatienceMs: patienceMs,
      unprovenSinceMs: since("unproven"),
      neededSinceMs: since("needed"),
      newest: seen.newest ?? true,
      odd: oddSinceMs === undefined ? undefined : { sentinel, sinceMs: oddSinceMs },
      askedAtMs,
      repairedAtMs,
    });
    if (actions.some(({ kind }) => kind === "request-failover")) askedAtMs = nowMs;
    if (actions.some(({ kind }) => kind === "repair-sentinel")) repairedAtMs = nowMs;
    return actions.some(({ kind }) => kind === does) ? [nowMs - firstSeenMs] : [];
  });
}

describe("a rule of the supervision acts after its time ± 0.6 s", () => {
  for (const [pace, paceMs] of [
    ["with a look every 0.5 s", [500]],
    ["with looks that take 0.6 s", [600]],
    ["when the looks become slow in the middle", [500, 500, 550, 600]],
  ] as const) {
    for (const rule of rules) {
      it(`${rule.name}, ${pace}`, () => {
        const lookTimes: number[] = [];
        for (let atMs = 0, i = 0; atMs < 30_000; atMs += paceMs[Math.min(i++, paceMs.length - 1)] ?? 0)
          lookTimes.push(atMs);
        // Whenever it begins between two looks.
        for (let beginsMs = 3001; beginsMs < 3601; beginsMs += 75) {
          const [first = Number.NaN, second = Number.NaN] = actionTimes(rule, lookTimes, beginsMs);
          const lateMs = first - rule.afterMs;
          assert.ok(lateMs >= 0 && lateMs <= toleranceMs, `began at ${beginsMs}: after ${first} ms`);
          if (rule.againMs === undefined) continue;
          const again = second - first - rule.againMs;
          assert.ok(again >= 0 && again <= toleranceMs, `again after ${second - first} ms`);
        }
      });
    }
  }

  it("and a script that keeps an old master busy is ended after 3 s", () => {
    assert.ok(!lasts(1000, times.busy, 3900));
    assert.ok(lasts(1000, times.busy, 4000));
  });
});
