/** The two versions of the protocol: 2 until a client asks for 3 by HELLO. */
export type Protocol = 2 | 3;

/**
 * A reply as a value. Strings are bulk strings, arrays are arrays. `null` is RESP3's null and RESP2's null bulk string;
 * `nullArray` is RESP2's null array. Maps, doubles and pushes become flat arrays and bulk strings in RESP2.
 */
export type ReplyValue =
  | null
  | number
  | boolean
  | string
  | Buffer
  | readonly ReplyValue[]
  | ReadonlyMap<string, ReplyValue>
  | { readonly kind: "status"; readonly text: string }
  | { readonly kind: "error"; readonly text: string }
  | { readonly kind: "double"; readonly value: number }
  | { readonly kind: "push"; readonly items: readonly ReplyValue[] }
  | { readonly kind: "nullArray" };

/** `+text`. */
export function status(text: string): ReplyValue {
  return { kind: "status", text };
}

/** `-text`; its first word is the code that clients look at. */
export function error(text: string): ReplyValue {
  return { kind: "error", text };
}

/** The bytes of a reply in the client's protocol. */
export function encodeReply(value: ReplyValue, protocol: Protocol): Buffer {
  const parts: Buffer[] = [];
  append(parts, value, protocol);
  return Buffer.concat(parts);
}

/** The bytes of an error reply, the same in both protocols. A line break would end it early. */
export function encodeError(text: string): Buffer {
  return Buffer.from(`-${text.replace(/[\r\n]+/g, " ")}\r\n`);
}

function append(parts: Buffer[], value: ReplyValue, protocol: Protocol): void {
  const line = (text: string): number => parts.push(Buffer.from(`${text}\r\n`));
  if (value === null) line(protocol === 3 ? "_" : "$-1");
  else if (typeof value === "number") line(`:${value}`);
  else if (typeof value === "boolean") line(protocol === 3 ? `#${value ? "t" : "f"}` : `:${value ? 1 : 0}`);
  else if (typeof value === "string" || Buffer.isBuffer(value)) appendBulk(parts, value);
  else if (value instanceof Map) {
    line(protocol === 3 ? `%${value.size}` : `*${value.size * 2}`);
    for (const [key, item] of value) {
      append(parts, key, protocol);
      append(parts, item, protocol);
    }
  } else if (isList(value)) {
    line(`*${value.length}`);
    for (const item of value) append(parts, item, protocol);
  } else if ("kind" in value) {
    switch (value.kind) {
      case "status":
        line(`+${value.text}`);
        break;
      case "error":
        parts.push(encodeError(value.text));
        break;
      case "double":
        if (protocol === 3) line(`,${value.value}`);
        else appendBulk(parts, String(value.value));
        break;
      case "push":
        line(`${protocol === 3 ? ">" : "*"}${value.items.length}`);
        for (const item of value.items) append(parts, item, protocol);
        break;
      case "nullArray":
        line(protocol === 3 ? "_" : "*-1");
        break;
    }
  }
}

function isList(value: object): value is readonly ReplyValue[] {
  return Array.isArray(value);
}

function appendBulk(parts: Buffer[], value: string | Buffer): void {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
}
