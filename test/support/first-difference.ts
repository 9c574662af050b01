/** Where what the proxy says differs from what Redis says, with the text around it; undefined when nothing does. */
export function firstDifference(direct: string, proxied: string): string | undefined {
  if (direct === proxied) return undefined;
  let at = 0;
  while (at < direct.length && direct[at] === proxied[at]) at++;
  const part = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 120), at + 200));
  return `Redis says ${part(direct)}, the proxy ${part(proxied)}`;
}
