import assert from "node:assert/strict";
import type { Agreement } from "../../../../quorum/agreement.ts";
import type { Role } from "../../../../quorum/ask-role.ts";
import { parseAddress } from "../../../../runtime/address.ts";
import type { PromotionForecast } from "../../../../sentinel-image/failover/forecast-promotion.ts";
import {
  type HandOverObservation,
  type HandOverPhase,
  type HandOverStep,
  handOverBounds,
  heirPriority,
  type PeerRole,
  planHandOver,
} from "../../../../sentinel-image/failover/plan-hand-over.ts";
import { instance } from "../../../support/sentinel-views.ts";

const sentinel = parseAddress("sentinel-1:26379");
const agreedOn = (index: number): Agreement => ({
  kind: "agreed",
  master: instance(index),
  configEpoch: 3,
  votes: 3,
});
const none: Agreement = { kind: "none", reason: "0 of 3 Sentinels answer" };
const leading: Role = { kind: "master", offset: 1000, replicas: [instance(2), instance(3)] };
const following: Role = { kind: "replica", master: instance(2), linkUp: true, offset: 1000 };
const replica = (index: number, seen: Partial<Extract<Role, { kind: "replica" }>> = {}): PeerRole => ({
  address: instance(index),
  role: { kind: "replica", master: instance(1), linkUp: true, offset: 1000, ...seen },
});
const master = (index: number, replicas: number): PeerRole => ({
  address: instance(index),
  role: { kind: "master", offset: 1000, replicas: [instance(1), instance(5 - index)].slice(0, replicas) },
});
const peer = (index: number, role: "gone" | "silent"): PeerRole => ({ address: instance(index), role });
const forecast = (index: number, priority: number, ...others: number[]): PromotionForecast => ({
  sentinel,
  replica: instance(index),
  priority,
  offset: 1000,
  candidates: [index, ...others].map(instance),
});

/** Instance 1, the agreed master, with the replicas 2 and 3, unless a row says otherwise. */
const ordinary: HandOverObservation = {
  self: instance(1),
  phase: { kind: "preparing", heir: undefined },
  forMs: 0,
  role: leading,
  agreement: agreedOn(1),
  peers: [replica(2), replica(3)],
  forecasts: [forecast(2, 100)],
};
const preparing: HandOverPhase = { kind: "preparing", heir: instance(2) };
const catchingUp: HandOverPhase = { kind: "catchingUp", heir: instance(2), offset: 1000, sentinel };
const promoting: HandOverPhase = { kind: "promoting", heir: instance(2) };
const announcing: HandOverPhase = { kind: "announcing", successor: instance(2) };
const bounds = handOverBounds;

const wait: HandOverStep = { kind: "wait" };
const stepDown = (index: number): HandOverStep => ({ kind: "stepDown", successor: instance(index) });
const ask: HandOverStep = { kind: "ask", heir: instance(2), sentinel };

const rows: Readonly<
  Record<
    string,
    readonly (readonly [
      name: string,
      seen: Partial<HandOverObservation>,
      step: HandOverStep | { readonly endsBecause: RegExp },
    ])[]
  >
> = {
  "before anything is paused": [
    ["names an heir", {}, { kind: "favour", heir: instance(2) }],
    ["ends at once on a replica", { role: following }, { endsBecause: /is a replica/ }],
    ["ends at once without a replica", { role: { ...leading, replicas: [] } }, { endsBecause: /no replica/ }],
    [
      "ends at once when all others are gone",
      { peers: [peer(2, "gone"), peer(3, "gone")] },
      { endsBecause: /no replica/ },
    ],
    ["ends at once as a lone instance", { peers: [] }, { endsBecause: /no replica/ }],
    [
      "ends at once when the Sentinels name another one",
      { agreement: agreedOn(2) },
      { endsBecause: /name redis-2/ },
    ],
    ["waits for an agreement", { agreement: none, forMs: bounds.agreement - 1 }, wait],
    ["ends soon without Sentinels", { agreement: none, forMs: bounds.agreement }, { endsBecause: /0 of 3/ }],
    [
      "prefers the first instance to the one that the Sentinels would take: a scale-down removes the last ones",
      { forecasts: [forecast(3, 100, 2)] },
      { kind: "favour", heir: instance(2) },
    ],
    [
      "doesn't prefer one that lacks more than it could receive in the pause",
      {
        role: { ...leading, offset: 2 ** 21 },
        peers: [replica(2), replica(3, { offset: 2 ** 21 })],
        forecasts: [forecast(3, 100, 2)],
      },
      { kind: "favour", heir: instance(3) },
    ],
    [
      "favours the one that an operator wants, not the first",
      { wanted: [instance(3)], forecasts: [forecast(2, 100, 3)] },
      { kind: "favour", heir: instance(3) },
    ],
    [
      "favours no other one when the wanted one lacks too much",
      {
        wanted: [instance(3)],
        role: { ...leading, offset: 2 ** 21 },
        peers: [replica(2, { offset: 2 ** 21 }), replica(3)],
        forecasts: [forecast(3, 100, 2)],
      },
      wait,
    ],
    [
      "ends when the wanted one isn't promotable, and says which",
      { wanted: [instance(3)], forecasts: [forecast(2, 100)], forMs: bounds.preparingOrdered },
      { endsBecause: /redis-3:6379 could not be promoted/ },
    ],
    [
      "waits longer for the wanted one than a pod that stops could",
      { wanted: [instance(3)], forecasts: [forecast(2, 100)], forMs: bounds.preparing },
      wait,
    ],
    [
      "pauses for the wanted one alone",
      {
        wanted: [instance(3)],
        phase: { kind: "preparing", heir: instance(3) },
        forecasts: [forecast(2, heirPriority), forecast(3, heirPriority)],
      },
      { kind: "pause", heir: instance(3), sentinel },
    ],
    ["waits for a replica that may be promoted", { forecasts: [] }, wait],
    [
      "waits in vain for one",
      { forecasts: [], forMs: bounds.preparing },
      { endsBecause: /no replica could/ },
    ],
    [
      "names no heir that doesn't follow this instance",
      { peers: [replica(2, { master: instance(3) }), replica(3)] },
      wait,
    ],
    ["names no heir whose link is down", { peers: [replica(2, { linkUp: false }), replica(3)] }, wait],
    ["waits until a Sentinel knows of the heir", { phase: preparing }, wait],
    [
      "pauses once one does",
      { phase: preparing, forecasts: [forecast(3, 100), forecast(2, heirPriority)] },
      { kind: "pause", heir: instance(2), sentinel },
    ],
    [
      "doesn't pause for another one than the heir, which may lack the last writes",
      { phase: preparing, forecasts: [forecast(3, 100)] },
      wait,
    ],
    [
      "doesn't pause when the heir is gone",
      { phase: preparing, forecasts: [forecast(2, heirPriority)], peers: [peer(2, "gone"), replica(3)] },
      wait,
    ],
  ],
  "while writes are paused": [
    ["asks for the failover once the heir has everything", { phase: catchingUp }, ask],
    [
      "asks although another replica lags",
      { phase: catchingUp, peers: [replica(2), replica(3, { offset: 1 })] },
      ask,
    ],
    [
      "waits while the heir lags by one byte",
      { phase: catchingUp, peers: [replica(2, { offset: 999 }), replica(3)] },
      wait,
    ],
    [
      "gives up when it lags too long",
      { phase: catchingUp, peers: [replica(2, { offset: 999 })], forMs: bounds.catchingUp },
      { endsBecause: /has not received the last writes/ },
    ],
    ["waits for an answer", { phase: catchingUp, peers: [peer(2, "silent"), replica(3)] }, wait],
    [
      "gives up at once when the heir is gone",
      { phase: catchingUp, peers: [peer(2, "gone"), replica(3)] },
      { endsBecause: /has not received/ },
    ],
  ],
  "after a Sentinel has accepted": [
    ["waits for the promotion", { phase: promoting }, wait],
    [
      "steps down as soon as one says that it is the master",
      { phase: promoting, peers: [master(2, 0), replica(3)] },
      stepDown(2),
    ],
    [
      "steps down as soon as the heir has left it and answers nobody: it writes its configuration",
      {
        phase: promoting,
        role: { ...leading, replicas: [instance(3)] },
        peers: [peer(2, "silent"), replica(3)],
      },
      stepDown(2),
    ],
    [
      "waits while the heir is silent and still its replica",
      { phase: promoting, peers: [peer(2, "silent"), replica(3)] },
      wait,
    ],
    [
      "waits when the heir has only lost its connection",
      {
        phase: promoting,
        role: { ...leading, replicas: [instance(3)] },
        peers: [replica(2, { linkUp: false }), replica(3)],
      },
      wait,
    ],
    [
      "waits when the heir is gone",
      {
        phase: promoting,
        role: { ...leading, replicas: [instance(3)] },
        peers: [peer(2, "gone"), replica(3)],
      },
      wait,
    ],
    ["steps down for another one, too", { phase: promoting, peers: [replica(2), master(3, 0)] }, stepDown(3)],
    [
      "never takes writes again: when nobody was promoted in time it steps down all the same",
      { phase: promoting, peers: [replica(2, { offset: 999 }), replica(3)], forMs: bounds.promoting },
      stepDown(3),
    ],
    [
      "stops when the replicas are gone",
      { phase: promoting, peers: [peer(2, "gone"), peer(3, "gone")] },
      { endsBecause: /gone/ },
    ],
    ["waits while one is gone", { phase: promoting, peers: [replica(2), peer(3, "gone")] }, wait],
  ],
  "after it stepped down": [
    [
      "waits until the Sentinels name the new one",
      { phase: announcing, peers: [master(2, 2), replica(3)] },
      wait,
    ],
    [
      "waits while the Sentinels disagree",
      { phase: announcing, agreement: none, peers: [master(2, 2), replica(3)] },
      wait,
    ],
    [
      "waits until the new one has another replica: alone it takes no writes",
      { phase: announcing, agreement: agreedOn(2), peers: [master(2, 1), replica(3)] },
      wait,
    ],
    [
      "ends when all know",
      { phase: announcing, agreement: agreedOn(2), peers: [master(2, 2), replica(3)] },
      { endsBecause: /redis-2:6379 is the master/ },
    ],
    [
      "ends without another replica where there is none",
      { phase: announcing, agreement: agreedOn(2), peers: [master(2, 1)] },
      { endsBecause: /is the master/ },
    ],
    [
      "doesn't wait for ever",
      { phase: announcing, forMs: bounds.announcing },
      { endsBecause: /time .* is over/ },
    ],
    [
      "doesn't wait for anybody who is gone",
      { phase: announcing, peers: [peer(2, "gone"), peer(3, "gone")] },
      { endsBecause: /over/ },
    ],
  ],
};

describe("a hand-over of the master's role", () => {
  for (const [phase, cases] of Object.entries(rows)) {
    describe(phase, () => {
      for (const [name, seen, expected] of cases) {
        it(name, () => {
          const step = planHandOver({ ...ordinary, ...seen });
          if (!("endsBecause" in expected)) return assert.deepEqual(step, expected);
          assert.equal(step.kind, "end");
          assert.match(step.reason, expected.endsBecause);
        });
      }
    });
  }

  it("takes less time in all than a local topology gives a process to end", () => {
    const { preparing: prepare, catchingUp: catchUp, promoting: promote, announcing: announce } = bounds;
    assert.ok(prepare + catchUp + promote + announce <= 8000);
  });
});
