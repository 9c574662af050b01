import { execFile } from "node:child_process";
import { promisify } from "node:util";

/**
 * The first release of each maintained series without a known vulnerability, newest first: as of August 2026, by the release
 * notes of redis/redis (CVE-2025-49844, CVE-2026-23479, CVE-2026-25243, CVE-2026-62356 and those before them) and of
 * valkey-io/valkey (CVE-2026-56684, CVE-2026-63639, GHSA-fq2f-crmw-q97r and those before them). Valkey starts at 8.0: its 7.2 isn't
 * judged.
 */
const floors: Readonly<Record<"Redis" | "Valkey", readonly Version[]>> = {
  Redis: [
    [8, 10, 1],
    [8, 8, 2],
    [8, 6, 6],
    [8, 4, 6],
    [8, 2, 9],
    [7, 4, 11],
  ],
  Valkey: [
    [9, 1, 2],
    [9, 0, 6],
    [8, 1, 10],
    [8, 0, 11],
  ],
};

type Version = readonly [major: number, minor: number, patch: number];

/**
 * What to say about a redis-server, by its answer to `--version`; undefined when there is nothing to say: it is new enough, or
 * no Redis whose versions are known here.
 */
export function warnOfVersion(answer: string): string | undefined {
  const found = /^(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)/.exec(answer);
  if (found === null) return undefined;
  const engine = found[1] === "Valkey" ? "Valkey" : "Redis";
  const [major = 0, minor = 0, patch = 0] = found.slice(2).map(Number);
  const known = floors[engine];
  if ((engine === "Valkey" && major < 8) || isPatched([major, minor, patch], known)) return undefined;
  return `${engine === "Valkey" ? "valkey" : "redis"}-server ${major}.${minor}.${patch} has known vulnerabilities, unless your distribution has mended them: use ${known
    .map((floor) => floor.join("."))
    .join(", ")} or a later patch of one of these (pulumi config set images:redisBase …)`;
}

/** A series without a floor of its own gets no fixes any more, unless it is newer than all of them. */
function isPatched([major, minor, patch]: Version, known: readonly Version[]): boolean {
  const own = known.find((floor) => floor[0] === major && floor[1] === minor);
  if (own !== undefined) return patch >= own[2];
  const [newest] = known;
  return newest !== undefined && (major > newest[0] || (major === newest[0] && minor > newest[1]));
}

/** Says so in the log when the redis-server about to be started has known vulnerabilities. Holds nothing up. */
export function logOldVersion(program: string, log: { warn(text: string): void }): void {
  promisify(execFile)(program, ["--version"], { timeout: 5000 }).then(
    ({ stdout }) => {
      const warning = warnOfVersion(stdout);
      if (warning !== undefined) log.warn(warning);
    },
    () => undefined, // One that can't say its version fails to start right after, with a better message.
  );
}
