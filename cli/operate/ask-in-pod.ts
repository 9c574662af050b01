import { certificateEnd } from "../../runtime/certificate-end.ts";
import { parseMoveNote } from "../../sentinel-image/move/move-note.ts";
import { parseLastState } from "../../sentinel-image/start/last-state.ts";
import type { MachineSeen } from "./observation.ts";

/** What a pod of Redis answered: of itself, of each Sentinel that it asked, and of where it runs. */
export interface PodAnswers {
  readonly masterName: string;
  readonly self: string;
  /** By `host:port`. */
  readonly replies: ReadonlyMap<string, readonly unknown[] | Error>;
  readonly sentinels: readonly string[];
  readonly machine: MachineSeen;
}

/**
 * The script that asks in a pod of Redis, as its supervisor's user: nobody's password leaves the pod, and none is in an argument. Node would do it
 * better, and take 50 MiB of a pod that may have none left. The answers come between marks.
 */
export function askingScript(
  ofRedis: readonly (readonly string[])[],
  ofSentinel: (masterName: string) => readonly (readonly string[])[],
): string {
  const lines = (questions: readonly (readonly string[])[]): string =>
    questions.map((words) => words.join(" ")).join("\n");
  return `
tls=
[ -z "\${REDIS_TLS_DIR:-}" ] || tls="--tls --cacert $REDIS_TLS_DIR/ca.crt --cert $REDIS_TLS_DIR/tls.crt --key $REDIS_TLS_DIR/tls.key"
ask() {
  { printf 'AUTH %s %s\\n' "$REDIS_USERNAME" "$(cat "$REDIS_PASSWORD_FILE")"; printf '%s\\n' "$3"; } |
    timeout 2 "\${REDIS_ENGINE:-redis}-cli" -2 --json -h "$1" -p "$2" $tls 2>&1 || true
}
name="$MASTER_NAME"
echo "@self $REDIS_SELF"
echo "@master $MASTER_NAME"
echo "@sentinels $REDIS_SENTINELS"
echo "@clock $(date +%s%3N)"
[ ! -e "\${REDIS_DATA_DIR:-/data}/ha/fenced" ] || echo "@fenced $(head -n 1 "\${REDIS_DATA_DIR:-/data}/ha/fenced")"
[ ! -e "\${REDIS_DATA_DIR:-/data}/ha/last.json" ] || echo "@last $(head -n 1 "\${REDIS_DATA_DIR:-/data}/ha/last.json")"
[ ! -e "\${REDIS_DATA_DIR:-/data}/ha/move.json" ] || echo "@move $(head -n 1 "\${REDIS_DATA_DIR:-/data}/ha/move.json")"
echo "@disk $(df -Pk "\${REDIS_DATA_DIR:-/data}" | tail -n 1)"
[ -z "\${REDIS_TLS_DIR:-}" ] || { echo "@certificate"; cat "$REDIS_TLS_DIR/tls.crt"; }
answers="$(mktemp -d)"
trap 'rm -rf "$answers"' EXIT
{
  own="$(ask "$(case "\${BIND_ADDR:-}" in ::) echo ::1 ;; *) echo 127.0.0.1 ;; esac)" "\${REDIS_SELF##*:}" '${lines(ofRedis)}')"
  printf '@replies %s\\n%s\\n@end\\n' "$REDIS_SELF" "$own" > "$answers/self"
} &
for sentinel in $(printf '%s' "$REDIS_SENTINELS" | tr ',' ' '); do
  {
    theirs="$(ask "\${sentinel%:*}" "\${sentinel##*:}" "${lines(ofSentinel("$name"))}")"
    printf '@replies %s\\n%s\\n@end\\n' "$sentinel" "$theirs" > "$answers/$sentinel"
  } &
done
wait
# Not as they come: two of them at once would mix in the pipe.
cat "$answers"/*
`;
}

/** Reads what {@link askingScript} printed. @param lookedMs when it was asked, ms since 1970. @param tookMs until it had answered. */
export function readPodAnswers(output: string, lookedMs: number, tookMs = 0): PodAnswers {
  const word = (mark: string): string => new RegExp(`^@${mark} (.*)$`, "m").exec(output)?.[1] ?? "";
  const replies = new Map<string, readonly unknown[] | Error>();
  for (const [, address = "", body = ""] of output.matchAll(/^@replies (\S+)\r?\n([\s\S]*?)\n?@end$/gm)) {
    replies.set(address, readReplies(body));
  }
  const [, size, , free] = word("disk").split(/\s+/);
  const clock = Number(word("clock"));
  const noted = parseLastState(word("last"))?.heartbeat;
  const move = parseMoveNote(word("move"));
  const certificate = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(output)?.[0];
  const end = certificate === undefined ? undefined : certificateEnd(certificate);
  return {
    self: word("self"),
    masterName: word("master"),
    sentinels: word("sentinels").split(",").filter(Boolean),
    replies,
    machine: {
      ...(Number.isFinite(clock) && clock > 1e12
        ? { clockMs: clock - lookedMs, clockErrorMs: tookMs, askedMs: clock }
        : {}),
      ...(Number(size) > 0 ? { diskBytes: Number(size) * 1024, diskFreeBytes: Number(free) * 1024 } : {}),
      ...(end === undefined ? {} : { certificateEndsMs: end }),
      ...(noted === undefined ? {} : { noted }),
      ...(move === undefined ? {} : { move }),
      ...(/^@fenced /m.test(output) ? { fenced: word("fenced") } : {}),
    },
  };
}

/** One reply a line in JSON, the first of them to AUTH; then INFO as it is. */
function readReplies(body: string): readonly unknown[] | Error {
  const lines = body.split("\n");
  const [login = "", ...rest] = lines;
  if (login !== '"OK"' && login !== "OK")
    return new Error(login === "" ? "no answer within 2 s" : textOf(login));
  // Bare, or as JSON, as the version of redis-cli likes it.
  const infoAt = rest.findIndex((line) => /^"?# Server/.test(line));
  if (infoAt < 0) return new Error(textOf(rest.at(-1) ?? "no answer"));
  return [
    ...rest
      .slice(0, infoAt)
      .filter((line) => line.trim() !== "")
      .map(parseReply),
    infoOf(rest.slice(infoAt)),
  ];
}

function infoOf(lines: readonly string[]): unknown {
  const [first = ""] = lines;
  return first.startsWith('"') ? parseReply(first) : lines.join("\n");
}

function parseReply(line: string): unknown {
  if (line.startsWith("error:")) return new Error(textOf(line));
  try {
    return JSON.parse(line);
  } catch {
    return new Error(line);
  }
}

/** An error as redis-cli prints it, `error:"ERR …"`, without its trimmings. */
function textOf(line: string): string {
  return line
    .replace(/^error:"?/, "")
    .replace(/"$/, "")
    .trim();
}
