/** A longer line is cut: whatever writes it, it must not fill the memory. Characters. */
const maxLineLength = 65_536;

/** The last lines of a text that comes in pieces, in bounded memory. */
export class LastLines {
  readonly #maxLines: number;
  readonly #maxLength: number;
  #lines: string[] = [];
  #first = 0;
  #length = 0;
  #pending = "";
  #cut = false;

  /**
   * @param maxLines at least 1.
   * @param maxLength of all lines together, characters.
   */
  constructor(maxLines: number, maxLength: number) {
    this.#maxLines = maxLines;
    this.#maxLength = maxLength;
  }

  /** Whether more came than is kept. */
  get cut(): boolean {
    return this.#cut;
  }

  /** The kept lines without their ends, oldest first. */
  get lines(): readonly string[] {
    return this.#lines.slice(this.#first);
  }

  /** Takes the next piece; a line may go on in the one after it. */
  feed(text: string): void {
    const parts = text.split("\n");
    for (const [i, part] of parts.entries()) {
      const room = maxLineLength - this.#pending.length;
      this.#cut ||= part.length > room;
      this.#pending += part.slice(0, room);
      if (i < parts.length - 1) this.end();
    }
  }

  /** Says that the last line is whole although no line end came. */
  end(): void {
    const line = this.#pending.replace(/\r$/, "");
    this.#pending = "";
    if (line === "") return;
    this.#lines.push(line);
    this.#length += line.length;
    while (this.#lines.length - this.#first > this.#maxLines || this.#length > this.#maxLength) {
      this.#length -= this.#lines[this.#first]?.length ?? 0;
      this.#first += 1;
      this.#cut = true;
    }
    // Not at each line: that would move all others each time.
    if (this.#first > this.#maxLines) {
      this.#lines = this.#lines.slice(this.#first);
      this.#first = 0;
    }
  }
}
