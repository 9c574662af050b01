/** Everything that is wrong with a configuration, told at once. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  /** One sentence for each mistake: subject, value, what is allowed, what to do. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[], subject = "The configuration has") {
    const count = problems.length === 1 ? "1 mistake" : `${problems.length} mistakes`;
    super(`${subject} ${count}. Nothing was changed.\n${problems.map((p) => `  - ${p}`).join("\n")}`);
    this.problems = problems;
  }
}
