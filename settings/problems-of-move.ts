import { isIP } from "node:net";
import { type Address, parseAddress } from "../runtime/address.ts";
import type { ParsedSettings } from "./definitions.ts";

/** Mistakes in what is said about a Redis whose data are taken over, as sentences. */
export function problemsOfMove({ move, redis, tls }: ParsedSettings): string[] {
  const { source } = move;
  const remove = "pulumi config rm move:source";
  if (source === undefined) {
    return (["user", "passwordSecret"] as const)
      .filter((key) => move[key] !== undefined)
      .map(
        (key) =>
          `Configuration 'move:${key}' is set, but not 'move:source': there is nothing to take over. Set it (pulumi config set move:source 10.96.31.7:6379), or remove it (pulumi config rm move:${key}).`,
      );
  }
  const address = readAddress(source);
  if (address === undefined)
    return [
      `Configuration 'move:source' is ${source}: use an address and a port from 1 to 65535, such as 10.96.31.7:6379.`,
    ];
  const { host, port } = address;
  return [
    ...(isIP(host) === 0
      ? [
          `Configuration 'move:source' is ${source}, a name, but Redis pods have no name server: use the address that it stands for, as 'kubectl get service' or 'getent hosts' says (pulumi config set move:source 10.96.31.7:${port}).`,
        ]
      : []),
    ...(redis.durability !== undefined && redis.durability !== "async"
      ? [
          `Configuration 'redis:durability' is ${redis.durability}, but a foreign master confirms nothing: move in with async, and change it after the cut-over (pulumi config set redis:durability async).`,
        ]
      : []),
    ...(redis.persistence === "off"
      ? [
          `Configuration 'redis:persistence' is off, but whether a stack has been cut over is noted on its volumes: move in with aof (pulumi config set redis:persistence aof), or without 'move:source' (${remove}).`,
        ]
      : []),
    ...(tls.mode === "all"
      ? [
          `Configuration 'tls:mode' is all: Redis then speaks TLS with its master, and accepts no authority but its own. Move in with tls:mode clients or off, and change it after the cut-over (pulumi config set tls:mode clients).`,
        ]
      : []),
  ];
}

function readAddress(text: string): Address | undefined {
  try {
    return parseAddress(text);
  } catch {
    return undefined;
  }
}
