/** Turns the flat field/value list of a Sentinel's reply into a map. */
export function readFieldList(reply: unknown): Map<string, string> {
  if (!Array.isArray(reply))
    throw new Error(`SENTINEL MASTER answered ${typeof reply}, not a list of fields`);
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < reply.length; i += 2) fields.set(String(reply[i]), String(reply[i + 1]));
  return fields;
}

/** Every decision compares epochs, so one that is no number must not get into it. */
export function readEpoch(text: string): number {
  const epoch = Number(text);
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new Error(`SENTINEL MASTER gave the epoch '${text}'`);
  return epoch;
}

/** The value of a field without which the answer is worth nothing. */
export function required(fields: Map<string, string>, name: string): string {
  const value = fields.get(name);
  if (value === undefined || value === "") throw new Error(`a Sentinel gave no '${name}'`);
  return value;
}
