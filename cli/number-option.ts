import { InvalidArgumentError } from "commander";

/** The parser of an option that is a number from `min` to `max`. */
export function numberFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= min && value <= max))
      throw new InvalidArgumentError(`Use a number from ${min} to ${max}.`);
    return value;
  };
}
