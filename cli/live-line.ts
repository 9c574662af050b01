import { showProgress } from "./progress.ts";

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMs = 120;
/** Where lines stay, one in this time is enough. */
const lineMs = 15_000;

/** Where a live line is shown. */
export interface LiveLineOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** What long work is at: on a terminal one line that moves, elsewhere a line now and then. */
export class LiveLine {
  readonly #output: LiveLineOutput;
  readonly #say: (line: string) => void;
  readonly #timer: NodeJS.Timeout;
  #text = "";
  #frame = 0;
  #saidMs: number;

  /** @param say for where there is no terminal. */
  constructor(output: LiveLineOutput = process.stderr, say: (line: string) => void = showProgress) {
    this.#output = output;
    this.#say = say;
    this.#saidMs = performance.now();
    this.#timer = setInterval(() => this.#draw(), frameMs);
    this.#timer.unref();
  }

  /** What it is at now. */
  update(text: string): void {
    this.#text = text;
  }

  /** Takes the line away: what came of the work is told by another one. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#output.isTTY) this.#output.write("\r\u001b[K");
  }

  #draw(): void {
    if (this.#text === "") return;
    if (this.#output.isTTY) {
      this.#frame = (this.#frame + 1) % frames.length;
      // A line that is wrapped can't be written over.
      const line = `${frames[this.#frame]} ${this.#text}`.slice(0, (this.#output.columns || 80) - 1);
      this.#output.write(`\r\u001b[K${line}`);
    } else if (performance.now() - this.#saidMs >= lineMs) {
      this.#saidMs = performance.now();
      this.#say(this.#text);
    }
  }
}
