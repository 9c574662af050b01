import assert from "node:assert/strict";
import type { V1Pod } from "@kubernetes/client-node";
import type { ClusterApi } from "../../../../components/rollout/cluster-api.ts";
import { findLeaving, type LeavingArgs, leavingOf } from "../../../../components/rollout/leaving.ts";
import type { RolloutState } from "../../../../components/rollout/state.ts";
import type { HandOverAnswer, HandOverOrder } from "../../../../runtime/hand-over-order.ts";

const staying = new Map([1, 2, 3].map((n) => [`redis-instance-${n}`, `svc-redis-instance-${n}:6379`]));
const args: LeavingArgs = {
  namespace: "space",
  labels: {},
  staying,
  forMs: 1000,
  isInstance: (name) => /^redis-instance-\d+$/.test(name),
};
const podOf = (name: string, seen: { running?: boolean; ending?: boolean } = {}): V1Pod => ({
  metadata: {
    name: `${name}-x`,
    labels: { "redis-ha/workload": name },
    ...(seen.ending ? { deletionTimestamp: new Date() } : {}),
  },
  status: {
    containerStatuses: [
      {
        ...{ name: "redis", image: "i", imageID: "i", ready: true, restartCount: 0 },
        state: seen.running === false ? {} : { running: {} },
      },
    ],
  },
});
const leaving = ["redis-instance-4", "redis-instance-5"];
const all = [...staying.keys(), ...leaving].map((name) => podOf(name));

/** Looks once. @param answers what each pod answers: an answer, another text, or an error. */
async function look(
  answers: Readonly<Record<string, Partial<HandOverAnswer> | string | Error>>,
  pods: readonly V1Pod[] = all,
): Promise<{ readonly states: RolloutState[]; readonly orders: [pod: string, order: HandOverOrder][] }> {
  const orders: [string, HandOverOrder][] = [];
  const api = {
    pods: async () => [...pods],
    run: async (_namespace: string, pod: string, _container: string, script: string) => {
      const order = JSON.parse(/^\{.*\}$/m.exec(script)?.[0] ?? "") as HandOverOrder;
      orders.push([pod, order]);
      const answer = answers[pod];
      if (answer instanceof Error) throw answer;
      if (typeof answer === "string") return answer;
      const whole = { id: order.id, successor: "", reason: "this instance is a replica", pausedMs: null };
      return `${JSON.stringify({ ...whole, ...answer })}\n`;
    },
  } as unknown as ClusterApi;
  const subject = leavingOf(leaving, args);
  const watched = { api, earlierRestarts: new Map() };
  return { states: [await subject.look(watched), await subject.look(watched)], orders };
}

describe("instances that are going to be removed", () => {
  it("are those that the cluster has and the program doesn't want", async () => {
    const names = ["redis-instance-5", "redis-instance-2", "redis-instance-4", "redis-instance-x", "other"];
    const api = { deployments: async () => names.map((name) => ({ metadata: { name } })) };
    assert.deepEqual(await findLeaving(api, args), leaving);
  });

  it("are told who stays, and nobody else is told anything", async () => {
    const { orders } = await look({});
    assert.deepEqual(
      orders.slice(0, 2).map(([pod, { leaving: told }]) => [pod, told]),
      leaving.map((name) => [`${name}-x`, { staying: [...staying.values()], forMs: 1000 }]),
    );
  });

  const rows: readonly (readonly [string, Parameters<typeof look>, RolloutState["kind"], RegExp?])[] = [
    ["one that stays leads", [{ "redis-instance-4-x": { leads: "svc-redis-instance-1:6379" } }], "done"],
    [
      "the master handed its role to one that stays",
      [
        {
          "redis-instance-5-x": {
            successor: "svc-redis-instance-2:6379",
            leads: "svc-redis-instance-2:6379",
          },
        },
      ],
      "done",
    ],
    [
      "a master that could not hand its role over",
      [
        {
          "redis-instance-5-x": {
            leads: "svc-redis-instance-5:6379",
            reason: "no replica could be promoted",
          },
        },
      ],
      "waiting",
      /svc-redis-instance-5:6379 still leads: no replica could be promoted/,
    ],
    [
      "one that follows another one that leaves",
      [{ "redis-instance-4-x": { leads: "svc-redis-instance-5:6379" } }],
      "waiting",
    ],
    ["older supervisors that don't lead", [{}], "done"],
    [
      "an older supervisor that leads and could not hand over",
      [{ "redis-instance-4-x": { reason: "svc-redis-instance-1:6379 could not be promoted" } }],
      "waiting",
    ],
    [
      "a supervisor that doesn't take the order",
      [{ "redis-instance-4-x": "@untaken\n" }],
      "waiting",
      /untaken/,
    ],
    [
      "a deployer without the right",
      [{ "redis-instance-4-x": new Error("Unexpected server response: 403") }],
      "waiting",
      /'get' and 'create' pods\/exec/,
    ],
    [
      "pods that end, or don't run",
      [
        { "redis-instance-4-x": new Error("never asked"), "redis-instance-5-x": new Error("never asked") },
        [podOf("redis-instance-4", { ending: true }), podOf("redis-instance-5", { running: false })],
      ],
      "done",
    ],
  ];
  for (const [name, given, kind, reason] of rows) {
    it(`${name}: ${kind}`, async () => {
      const [state] = (await look(...given)).states;
      assert.equal(state?.kind, kind);
      if (reason !== undefined) assert.match(state?.kind === "waiting" ? state.reason : "", reason);
    });
  }

  it("are offered each that stays in its turn: an older supervisor takes only one heir", async () => {
    const { orders } = await look({});
    assert.deepEqual(
      [orders[0]?.[1].heir, orders[2]?.[1].heir],
      ["svc-redis-instance-1:6379", "svc-redis-instance-2:6379"],
    );
  });
});
