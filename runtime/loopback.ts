/** Where a process of the same pod or machine reaches a server. @param bind the address that the server listens on. */
export function loopbackOf(bind: string): string {
  if (bind === "0.0.0.0") return "127.0.0.1";
  return bind === "::" ? "::1" : bind;
}
