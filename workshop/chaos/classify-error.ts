/** Redis refuses with these before it runs anything. */
const refusals = new Set([
  "ERR",
  "LOADING",
  "READONLY",
  "MASTERDOWN",
  "NOREPLICAS",
  "CLUSTERDOWN",
  "TRYAGAIN",
  "BUSY",
  "MISCONF",
  "OOM",
  "NOAUTH",
  "NOPERM",
  "WRONGPASS",
  "WRONGTYPE",
]);

/** Client libraries put names of classes in front: "ReadOnlyError: …", "io.lettuce.core.RedisLoadingException: LOADING …". */
const prefix = /^(?:[\w.$]*(?:Error|Exception):?\s+)+/;

/**
 * The class of an error text: the code of a Redis error (`UNCERTAIN`, `LOADING`), else the text without its numbers, so
 * that errors of a client library count together whichever port or time they name.
 */
export function classifyError(text: string): string {
  const bare = text.replace(prefix, "");
  const code = /^-?([A-Z][A-Z]+)(?=\s|$)/.exec(bare)?.[1];
  // redis-py cuts LOADING and READONLY off.
  if (/Redis is loading the dataset|^no master available/.test(bare)) return "LOADING";
  if (/^You can't write against a read only/.test(bare)) return "READONLY";
  if (/^the connection to the master was lost while/.test(bare)) return "UNCERTAIN";
  return code ?? bare.replace(/\d+/g, "N").slice(0, 80);
}

/** Whether an error of this class says that the command did not run. Without such a word it may have. */
export function saysNotExecuted(errorClass: string): boolean {
  return refusals.has(errorClass);
}
