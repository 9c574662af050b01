import { setTimeout as delay } from "node:timers/promises";
import { formatAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import type { FailoverStory } from "../operate/last-failover.ts";
import type { Observation } from "../operate/observation.ts";
import { reportStatus } from "../operate/status-report.ts";
import type { Target } from "../operate/target.ts";
import { type ConsoleState, type Marks, viewTopology } from "./console-state.ts";
import { type DoneAction, type Timeline, tellTimeline } from "./tell-timeline.ts";
import type { WriteClient } from "./write-client.ts";
import type { Tick, WriteMeter } from "./write-meter.ts";

/** What the page is told. */
export type Message =
  | { readonly kind: "state"; readonly value: ConsoleState }
  | { readonly kind: "problem"; readonly value: string }
  | { readonly kind: "ticks"; readonly value: readonly Tick[] }
  | { readonly kind: "timeline"; readonly value: Timeline };

/** Whoever looks. */
export type Viewer = (message: Message) => void;

/** What is shown, and how often it is looked at, ms. */
export interface LiveViewOptions {
  readonly target: Target;
  /** Undefined: a stack, to which nothing destructive is done. */
  readonly marks: Marks | undefined;
  /** Undefined: nobody writes. */
  readonly writes:
    | { readonly client: Pick<WriteClient, "start" | "stop">; readonly meter: WriteMeter }
    | undefined;
  readonly calmMs: number;
  readonly busyMs: number;
}

const tickMs = 500;
/** For so long after something happened it is looked more often. */
const busyForMs = 8000;
/** After a change of the master: when its story is read. Logs and the last Sentinel come a little later. */
const storyAfterMs = [300, 1500, 4000];
const keptActions = 20;

/** Looks at a topology as long as somebody looks at it here, and tells what changed. Without viewers nothing is asked and nothing written. */
export class LiveView {
  readonly #options: LiveViewOptions;
  readonly #viewers = new Set<Viewer>();
  #ended: AbortController | undefined;
  #state: Message | undefined;
  #timeline: Message | undefined;
  #story: { readonly story: FailoverStory; readonly nameOf: (address: string) => string } | undefined;
  #busyUntilMs = 0;
  #leader: string | undefined;
  /** When the story of the last failover is to be read, oldest first. */
  #storyDueMs: number[] = [];
  #actions: DoneAction[] = [];

  constructor(options: LiveViewOptions) {
    this.#options = options;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** Tells a viewer everything, and from now on what changes. @returns what ends that. */
  join(viewer: Viewer): () => void {
    this.#viewers.add(viewer);
    const { writes } = this.#options;
    if (writes !== undefined && writes.meter.ticks.length > 0)
      viewer({ kind: "ticks", value: writes.meter.ticks });
    for (const message of [this.#state, this.#timeline]) if (message !== undefined) viewer(message);
    if (this.#ended === undefined) this.#begin();
    return () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size === 0) this.end();
    };
  }

  /** Something is about to happen. */
  lookClosely(): void {
    this.#busyUntilMs = Date.now() + busyForMs;
  }

  /** Something was done by the page. @param atMs when, ms since 1970. */
  did(text: string, atMs: number): void {
    this.#actions = [...this.#actions, { atMs, text }].slice(-keptActions);
    this.lookClosely();
  }

  end(): void {
    this.#ended?.abort();
    this.#ended = undefined;
    this.#options.writes?.client.stop();
  }

  #begin(): void {
    const end = new AbortController();
    this.#ended = end;
    this.#storyDueMs = [0];
    const { writes } = this.#options;
    writes?.client.start();
    void this.#look(end.signal);
    if (writes !== undefined) void this.#tick(writes.meter, end.signal);
  }

  #tell(message: Message): void {
    for (const viewer of this.#viewers) viewer(message);
  }

  async #tick(meter: WriteMeter, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(tickMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      this.#tell({ kind: "ticks", value: [meter.tick(Date.now())] });
      if (Date.now() < this.#busyUntilMs) this.#tellStory();
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { target, calmMs, busyMs } = this.#options;
    while (!signal.aborted) {
      try {
        const logs = (this.#storyDueMs[0] ?? Number.POSITIVE_INFINITY) <= Date.now();
        const seen = await target.observe({ logs });
        this.#show(seen);
        if (logs) this.#readStory(seen);
      } catch (error) {
        // A part that ends while it is asked, or an API server that is away for a moment.
        this.#state = undefined;
        this.#tell({ kind: "problem", value: messageOf(error) });
      }
      const pauseMs = Date.now() < this.#busyUntilMs ? busyMs : calmMs;
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #show(seen: Observation): void {
    const value = viewTopology(seen, this.#options.marks);
    const leader = `${value.master} ${value.epoch}`;
    if (value.master !== undefined && leader !== this.#leader) {
      if (this.#leader !== undefined) {
        this.#storyDueMs = storyAfterMs.map((ms) => Date.now() + ms);
        this.lookClosely();
      }
      this.#leader = leader;
    }
    const message: Message = { kind: "state", value };
    if (JSON.stringify(message) === JSON.stringify(this.#state)) return;
    this.#state = message;
    this.#tell(message);
  }

  #readStory(seen: Observation): void {
    this.#storyDueMs = this.#storyDueMs.filter((atMs) => atMs > seen.atMs);
    const story = reportStatus(seen).lastFailover;
    if (story === undefined) return;
    const names = new Map(seen.redis.map(({ name, address }) => [formatAddress(address), name]));
    this.#story = { story, nameOf: (address) => names.get(address) ?? address };
    this.#tellStory();
  }

  /** A pause may end, and an action be answered, after the story was read. */
  #tellStory(): void {
    if (this.#story === undefined) return;
    const { story, nameOf } = this.#story;
    const pauses = this.#options.writes?.meter.pauses ?? [];
    const message: Message = {
      kind: "timeline",
      value: tellTimeline(story, nameOf, this.#actions, pauses),
    };
    if (JSON.stringify(message) === JSON.stringify(this.#timeline)) return;
    this.#timeline = message;
    this.#tell(message);
  }
}
