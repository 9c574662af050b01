const maxNameLength = 1024;

/** Redis' rule, and a bound: the name is kept for as long as the client is there. */
export function isName(text: string): boolean {
  return text.length <= maxNameLength && /^[!-~]*$/.test(text);
}
