import { parseQuantity } from "../runtime/quantity.ts";
import type { ParsedSettings } from "./definitions.ts";
import { parseCpus } from "./kinds.ts";

const parts = ["redis", "sentinel", "proxy"] as const;

/** Mistakes in what settings add to pods, as far as the settings alone show them. As sentences. */
export function problemsOfPods(parsed: ParsedSettings): string[] {
  return parts.flatMap((part) => [...problemsOfRequests(part, parsed), ...problemsOfVolumes(part, parsed)]);
}

function problemsOfRequests(part: (typeof parts)[number], parsed: ParsedSettings): string[] {
  const { memory = "", memoryRequest, cpu = "" } = parsed[part];
  const problems: string[] = [];
  if (
    memoryRequest !== undefined &&
    (parseQuantity(memoryRequest) ?? 0) > (parseQuantity(memory) ?? Infinity)
  )
    problems.push(
      `Configuration '${part}:memoryRequest' is ${memoryRequest}, more than the limit ${part}:memory, ${memory}: use at most that, or unset it (pulumi config rm ${part}:memoryRequest).`,
    );
  const { cpuLimit } = parsed.proxy;
  if (part === "proxy" && cpuLimit !== undefined && (parseCpus(cpuLimit) ?? 0) < (parseCpus(cpu) ?? 0))
    problems.push(
      `Configuration 'proxy:cpuLimit' is ${cpuLimit}, less than proxy:cpu, ${cpu}: use at least that, or unset it (pulumi config rm proxy:cpuLimit).`,
    );
  return problems;
}

function problemsOfVolumes(part: (typeof parts)[number], parsed: ParsedSettings): string[] {
  const {
    extraVolumes = [],
    extraMounts = [],
    sidecars = [],
    initContainers = [],
    extraEnv = [],
  } = parsed[part];
  const lists = {
    extraVolumes: extraVolumes.map(({ name }) => name),
    extraMounts: extraMounts.map(({ mountPath }) => mountPath),
    extraEnv: extraEnv.map(({ name }) => name),
    "sidecars and initContainers": [...sidecars, ...initContainers].map(({ name }) => name),
  };
  const twice = Object.entries(lists).flatMap(([key, names]) =>
    [...new Set(names.filter((name, i) => names.indexOf(name) !== i))].map(
      (name) => `Configuration '${part}:${key}' has '${name}' twice: use each once.`,
    ),
  );
  const known = new Set(lists.extraVolumes);
  const homeless = extraMounts
    .filter(({ name }) => !known.has(name))
    .map(
      ({ name, mountPath }) =>
        `Configuration '${part}:extraMounts' mounts '${name}' at ${mountPath}, but '${part}:extraVolumes' has no such volume: add it there.`,
    );
  return [...twice, ...homeless];
}
