/** Writes of a short while. */
export interface Tick {
  /** Its end, ms since 1970. */
  readonly atMs: number;
  readonly perSecond: number;
  /** For how long no write has been acknowledged, ms; below {@link pauseFromMs} it isn't worth telling. */
  readonly silentMs: number;
  /** The longest time in which none was, among those that the chart shows, ms. */
  readonly longestMs: number;
  /** Errors since the beginning, by their first word. */
  readonly errors: Readonly<Record<string, number>>;
}

/** A time without an acknowledged write. */
export interface Pause {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Shorter ones are a busy machine's. */
export const pauseFromMs = 60;

/** How far back the chart looks. */
export const shownMs = 60_000;

/** Counts acknowledged writes, and how long there was none. Pure: the clock is the caller's, ms since 1970. */
export class WriteMeter {
  #count = 0;
  #lastTickMs: number;
  /** Undefined until the first one: a client that isn't connected yet shows no pause of the topology. */
  #lastAckMs: number | undefined;
  #pauses: Pause[] = [];
  #ticks: Tick[] = [];
  readonly #errors: Record<string, number> = Object.create(null);

  constructor(atMs: number) {
    this.#lastTickMs = atMs;
  }

  acknowledged(atMs: number): void {
    this.#count++;
    const fromMs = this.#lastAckMs ?? atMs;
    if (atMs - fromMs >= pauseFromMs) this.#pauses.push({ fromMs, untilMs: atMs });
    this.#lastAckMs = atMs;
  }

  failed(message: string): void {
    const word = message.split(" ")[0] ?? "";
    this.#errors[word] = (this.#errors[word] ?? 0) + 1;
  }

  /** Nobody was to write until now: that is no pause. */
  resume(atMs: number): void {
    this.#lastAckMs = undefined;
    this.#lastTickMs = atMs;
    this.#count = 0;
  }

  /** Closes the time since the last tick. */
  tick(atMs: number): Tick {
    this.#pauses = this.#pauses.filter(({ untilMs }) => atMs - untilMs <= shownMs);
    const silentMs = atMs - (this.#lastAckMs ?? atMs);
    const seconds = Math.max(atMs - this.#lastTickMs, 1) / 1000;
    const tick: Tick = {
      atMs,
      perSecond: Math.round(this.#count / seconds),
      silentMs,
      longestMs: Math.max(
        0,
        silentMs >= pauseFromMs ? silentMs : 0,
        ...this.#pauses.map(({ fromMs, untilMs }) => untilMs - fromMs),
      ),
      errors: { ...this.#errors },
    };
    this.#count = 0;
    this.#lastTickMs = atMs;
    this.#ticks = [...this.#ticks.filter((old) => atMs - old.atMs <= shownMs), tick];
    return tick;
  }

  /** What the chart shows, oldest first. */
  get ticks(): readonly Tick[] {
    return this.#ticks;
  }

  /** Those of the last {@link shownMs}, oldest first. */
  get pauses(): readonly Pause[] {
    return this.#pauses;
  }
}
