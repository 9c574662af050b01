import type { Protocol } from "../resp/encode-reply.ts";
import { isPlainName, nameError } from "./client-state.ts";

/** What a client asks for with HELLO. */
export interface Hello {
  /** Undefined: it stays as it is. */
  readonly protocol?: Protocol;
  readonly credentials?: { readonly user: string; readonly password: string };
  readonly name?: string;
}

/** Reads `HELLO [2 | 3 [AUTH user password] [SETNAME name]]`, or gives the error that Redis gives. */
export function parseHello(args: readonly Buffer[]): Hello | { readonly problem: string } {
  const words = args.slice(1).map((arg) => arg.toString("latin1"));
  const [version] = words;
  if (version === undefined) return {};
  if (!/^-?\d{1,18}$/.test(version)) {
    return { problem: "ERR Protocol version is not an integer or out of range" };
  }
  if (version !== "2" && version !== "3") return { problem: "NOPROTO unsupported protocol version" };
  let hello: Hello = { protocol: version === "3" ? 3 : 2 };
  for (let at = 1; at < words.length; at++) {
    const option = words[at] ?? "";
    const left = words.length - at - 1;
    if (/^auth$/i.test(option) && left >= 2) {
      hello = { ...hello, credentials: { user: decode(args[at + 2]), password: decode(args[at + 3]) } };
      at += 2;
    } else if (/^setname$/i.test(option) && left >= 1) {
      const name = words[++at] ?? "";
      if (!isPlainName(name)) return { problem: nameError };
      hello = { ...hello, name };
    } else {
      return { problem: `ERR Syntax error in HELLO option '${option.slice(0, 128)}'` };
    }
  }
  return hello;
}

/** A user name or a password as text. */
export function decode(arg: Buffer | undefined): string {
  return arg?.toString("utf8") ?? "";
}
