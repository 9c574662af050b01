import { error, type ReplyValue, status } from "../resp/encode-reply.ts";
import { type ClientState, describeClient, isPlainName, nameError } from "./client-state.ts";
import { refusalOf } from "./look-up.ts";
import { cachingProblem, parseTracking } from "./tracking.ts";

/** Answers `CLIENT …` and keeps in `client` what it sets. */
export function answerClient(
  subcommand: string,
  args: readonly Buffer[],
  client: ClientState,
  clients: () => Iterable<ClientState>,
  nowMs: number,
): ReplyValue {
  const [first = "", second = ""] = args.slice(2).map((arg) => arg.toString("latin1"));
  switch (subcommand) {
    case "id":
      return client.id;
    case "getname":
      return client.name === "" ? null : Buffer.from(client.name, "latin1");
    case "getredir":
      return client.tracking.redirect;
    case "tracking":
      return setTracking(client, args.slice(2), clients);
    case "caching":
      return asStatus(cachingProblem(client.tracking, first));
    case "reply":
      // Without answers nobody could ask anything here.
      return /^on$/i.test(first) ? status("OK") : error(refusalOf("client|reply"));
    case "setname":
      return setName(client, first);
    case "setinfo":
      return setInfo(client, first, second);
    case "no-evict":
    case "no-touch":
      return /^(on|off)$/i.test(first) ? status("OK") : error("ERR syntax error");
    case "info":
      return text(describeClient(client, nowMs));
    default:
      return listClients(args.slice(2), clients(), nowMs);
  }
}

function setTracking(
  client: ClientState,
  args: readonly Buffer[],
  clients: () => Iterable<ClientState>,
): ReplyValue {
  const known = (id: number): boolean => [...clients()].some((one) => one.id === id);
  const wanted = parseTracking(args, client.tracking, known);
  if ("problem" in wanted) return error(wanted.problem);
  client.tracking = wanted;
  return status("OK");
}

/** `CLIENT SETNAME` and the option of HELLO. */
export function setName(client: ClientState, name: string): ReplyValue {
  if (!isPlainName(name)) return error(nameError);
  client.name = name;
  return status("OK");
}

function setInfo(client: ClientState, option: string, value: string): ReplyValue {
  const name = option.toLowerCase();
  if (name !== "lib-name" && name !== "lib-ver") return error(`ERR Unrecognized option '${option}'`);
  if (!isPlainName(value)) {
    return error(`ERR ${name} cannot contain spaces, newlines or special characters.`);
  }
  if (name === "lib-name") client.libraryName = value;
  else client.libraryVersion = value;
  return status("OK");
}

/** `CLIENT LIST [TYPE normal | pubsub …] [ID id …]`. */
function listClients(options: readonly Buffer[], clients: Iterable<ClientState>, nowMs: number): ReplyValue {
  const [option, ...values] = options.map((arg) => arg.toString("latin1").toLowerCase());
  const wanted = selector(option, values);
  if (wanted === undefined) return error("ERR syntax error");
  const lines = [...clients].filter(wanted).map((one) => describeClient(one, nowMs));
  return text(lines.join(""));
}

function selector(
  option: string | undefined,
  values: readonly string[],
): ((client: ClientState) => boolean) | undefined {
  if (option === undefined) return () => true;
  const [type = ""] = values;
  if (option === "type" && values.length === 1 && /^(normal|master|replica|slave|pubsub)$/.test(type)) {
    return ({ subscriptions }) => type === (subscriptions.count > 0 ? "pubsub" : "normal");
  }
  if (option === "id" && values.length > 0 && values.every((value) => /^\d+$/.test(value))) {
    return ({ id }) => values.includes(String(id));
  }
  return undefined;
}

function asStatus(problem: string | undefined): ReplyValue {
  return problem === undefined ? status("OK") : error(problem);
}

function text(value: string): ReplyValue {
  return Buffer.from(value, "latin1");
}
