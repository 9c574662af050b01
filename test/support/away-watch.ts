import assert from "node:assert/strict";
import { KubeConfig, type V1Pod, Watch } from "@kubernetes/client-node";
import { eventually } from "./eventually.ts";

/** Most pods of each kind that were away at the same moment. */
export type Away = Readonly<Record<"redis" | "sentinel" | "proxy", number>>;

/** Pods that each kind should have. */
type Wanted = Away;

const kindLabel = "app.kubernetes.io/component";
const kinds = ["redis", "sentinel", "proxy"] as const;

/** Counts how many pods of each kind are away: one that isn't ready, that is about to end, or that doesn't exist. */
export class AwayCount {
  readonly #wanted: Wanted;
  readonly #ready = new Map<string, string>();
  #most: Record<keyof Away, number> = { redis: 0, sentinel: 0, proxy: 0 };
  #worst: string[] = [];

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  /** @param type of a watch event: ADDED, MODIFIED, DELETED. */
  observe(type: string, { metadata, status }: V1Pod): void {
    const name = metadata?.name ?? "";
    const ready = status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true;
    if (type !== "DELETED" && ready && metadata?.deletionTimestamp === undefined)
      this.#ready.set(name, metadata?.labels?.[kindLabel] ?? "");
    else this.#ready.delete(name);
    this.#count(name);
  }

  /** What was seen since the last call, and the moments at which more than one of a kind was away. */
  take(): { readonly most: Away; readonly worst: readonly string[] } {
    const taken = { most: this.#most, worst: this.#worst };
    this.#most = { redis: 0, sentinel: 0, proxy: 0 };
    this.#worst = [];
    this.#count("nothing");
    return taken;
  }

  /** How many are away at this moment. */
  now(): Away {
    const [redis = 0, sentinel = 0, proxy = 0] = kinds.map((kind) =>
      Math.max(0, this.#wanted[kind] - this.#readyOf(kind).length),
    );
    return { redis, sentinel, proxy };
  }

  #readyOf(kind: keyof Away): string[] {
    return [...this.#ready].filter(([, of]) => of === kind).map(([name]) => name);
  }

  #count(cause: string): void {
    const now = this.now();
    for (const kind of kinds) {
      const ready = this.#readyOf(kind);
      const away = now[kind];
      if (away > 1)
        this.#worst.push(`${away} ${kind} away when ${cause} changed, ready: ${ready.join(", ")}`);
      this.#most[kind] = Math.max(this.#most[kind], away);
    }
  }
}

/** An {@link AwayCount} that is fed by the API server. */
export class AwayWatch extends AwayCount {
  readonly #namespace: string;
  readonly #config = new KubeConfig();
  #request: AbortController | undefined;
  #stopped = false;
  /** Of the last event. "0" is whatever the server has at hand: the newest may take it a while to know. */
  #version = "0";
  /** Why it could not watch all the time: what it saw is then not all. */
  #gaps: string[] = [];

  private constructor(namespace: string, wanted: Wanted) {
    super(wanted);
    this.#namespace = namespace;
    this.#config.loadFromDefault();
    this.#config.setCurrentContext(process.env.TEST_CONTEXT ?? "");
  }

  /** Begins when all pods are there and ready. */
  static async start(namespace: string, wanted: Wanted): Promise<AwayWatch> {
    const watch = new AwayWatch(namespace, wanted);
    await watch.#connect();
    const none = { redis: 0, sentinel: 0, proxy: 0 };
    const isComplete = (): void => assert.deepEqual(watch.now(), none);
    await eventually(isComplete, { withinMs: 60_000 });
    watch.take();
    return watch;
  }

  override take(): ReturnType<AwayCount["take"]> {
    const gaps = this.#gaps.splice(0);
    if (gaps.length > 0) throw new Error(`pods were not watched all the time: ${gaps.join(", ")}`);
    return super.take();
  }

  stop(): void {
    this.#stopped = true;
    this.#request?.abort();
  }

  async #connect(): Promise<void> {
    const query = {
      labelSelector: "app.kubernetes.io/name=redis-ha",
      // From there on, so that nothing is missed between two connections: one without events is cut after half a minute.
      resourceVersion: this.#version,
    };
    this.#request = await new Watch(this.#config).watch(
      `/api/v1/namespaces/${this.#namespace}/pods`,
      query,
      (type: string, pod: V1Pod) => {
        if (type === "ERROR") {
          // The server may be a moment behind what it has told; only what is too old is lost.
          const { code } = pod as unknown as { code?: number };
          if (code === 410) this.#gaps.push(JSON.stringify(pod));
        } else {
          this.#version = pod.metadata?.resourceVersion ?? this.#version;
          this.observe(type, pod);
        }
      },
      () => {
        if (!this.#stopped) setTimeout(() => void this.#connect(), 200);
      },
    );
  }
}
