import { readFieldList } from "../../quorum/field-list.ts";
import { type Address, joinAddress } from "../../runtime/address.ts";
import { parseInfo } from "../../sentinel-image/start/ask-peer.ts";
import { heartbeatKey } from "../../sentinel-image/supervise/heartbeat.ts";
import type { Fields, MachineSeen, RedisSeen, SentinelSeen } from "./observation.ts";

/** What is asked of a Redis; INFO is the last, since redis-cli prints it as it is. */
export const redisQuestions: readonly (readonly string[])[] = [
  ["GET", heartbeatKey],
  ["CONFIG", "GET", "replica-priority"],
  ["CONFIG", "GET", "min-replicas-to-write"],
  ["CONFIG", "GET", "appendonly"],
  ["CONFIG", "GET", "maxclients"],
  ["INFO"],
];

/** What is asked of a Sentinel. */
export function sentinelQuestions(masterName: string): readonly (readonly string[])[] {
  return [
    ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName],
    ["SENTINEL", "MASTER", masterName],
    ["SENTINEL", "REPLICAS", masterName],
    ["SENTINEL", "SENTINELS", masterName],
    ["SENTINEL", "MYID"],
    ["INFO"],
  ];
}

interface Part {
  readonly name: string;
  readonly address: Address;
}

/** What a Redis answered to {@link redisQuestions}; an Error stands for a question that it refused, one alone for no answer. */
export function readRedis(part: Part, replies: readonly unknown[] | Error, machine: MachineSeen): RedisSeen {
  const { name, address } = part;
  const nothing = { name, address, info: {}, config: {}, heartbeat: undefined, machine };
  if (replies instanceof Error) return { ...nothing, problem: replies.message };
  const info = replies.at(-1);
  if (typeof info !== "string") return { ...nothing, problem: reasonOf(info) };
  const heartbeat = replies[0];
  const settings = replies.slice(1, -1).map(fieldsOf);
  return {
    ...nothing,
    problem: undefined,
    info: infoOf(info),
    config: Object.assign({}, ...settings) as Fields,
    heartbeat: typeof heartbeat === "string" ? heartbeat : undefined,
  };
}

/** What a Sentinel answered to {@link sentinelQuestions}. */
export function readSentinel(part: Part, replies: readonly unknown[] | Error): SentinelSeen {
  const { name, address } = part;
  const nothing = { name, address, info: {}, named: undefined, master: {}, replicas: [], others: [], id: "" };
  if (replies instanceof Error) return { ...nothing, problem: replies.message };
  const [named, master, replicas, others, id, info] = replies;
  if (typeof info !== "string") return { ...nothing, problem: reasonOf(info) };
  if (!Array.isArray(master)) {
    return { ...nothing, info: infoOf(info), problem: `it doesn't know the master: ${reasonOf(master)}` };
  }
  return {
    name,
    address,
    problem: undefined,
    info: infoOf(info),
    named: readNamed(named),
    master: fieldsOf(master),
    replicas: listOf(replicas),
    others: listOf(others),
    id: typeof id === "string" ? id : "",
  };
}

/** INFO as fields. */
function infoOf(text: string): Fields {
  return Object.fromEntries(parseInfo(text));
}

function fieldsOf(reply: unknown): Fields {
  return Array.isArray(reply) ? Object.fromEntries(readFieldList(reply)) : {};
}

function listOf(reply: unknown): Fields[] {
  return Array.isArray(reply) ? reply.map(fieldsOf) : [];
}

function readNamed(reply: unknown): Address | undefined {
  const [host, port] = Array.isArray(reply) ? (reply as unknown[]) : [];
  if (typeof host !== "string" || host === "") return undefined;
  return joinAddress(host, port);
}

function reasonOf(reply: unknown): string {
  return reply instanceof Error ? reply.message : "it answered nonsense";
}
