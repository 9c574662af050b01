#!/bin/sh
# Probe of a Sentinel: alive when it answers. Ready when it can do its part in a failover, so that a rollout may go on to
# the next one: it isn't in TILT, the mode in which it only watches; it knows all instances and all Sentinels; and it names
# the same master as one of the others.
set -eu
password="$(cat "${SENTINEL_PROBE_PASSWORD_FILE}")"
own_port="${SENTINEL_SVC_PORT:-26379}"
REDIS_ENGINE="${REDIS_ENGINE:-redis}"
# The password goes through a pipe: every process of this user can read another one's arguments and environment.
ask_at() {
  host="$1"
  port="$2"
  shift 2
  command="$*"
  set -- -h "$host" -p "$port"
  if [ -n "${REDIS_TLS_DIR:-}" ]; then
    set -- "$@" --tls --cacert "$REDIS_TLS_DIR/ca.crt" --cert "$REDIS_TLS_DIR/tls.crt" --key "$REDIS_TLS_DIR/tls.key"
  fi
  printf 'AUTH probe %s\n%s\n' "$password" "$command" | timeout "${limit:-5}" "$REDIS_ENGINE-cli" "$@" | sed 1d
}
own_host=127.0.0.1
[ "${BIND_ADDR:-}" != :: ] || own_host=::1
ask() { ask_at "$own_host" "$own_port" "$@"; }
fail() {
  echo "not ready: $1"
  exit 1
}

# A probe is a new process for the kernel, and with TLS a handshake for the Sentinel: all questions go over one connection.
name="${MASTER_NAME:-mymaster}"
if [ "${1:-}" != ready ]; then
  [ "$(ask ping)" = PONG ]
  # A Sentinel never reads its certificate again: it is started anew after a renewal.
  if [ -n "${REDIS_TLS_DIR:-}" ]; then
    cmp -s "$REDIS_TLS_DIR/tls.crt" "$SENTINEL_CONFIG_FILE_DIR/tls.crt" || fail "the certificate was renewed"
  fi
  exit 0
fi
view="$(ask "ping
info sentinel
info server
sentinel master $name
sentinel get-master-addr-by-name $name" | tr -d '\r')"
case "$view" in PONG*) ;; *) fail "it doesn't answer" ;; esac
case "$view" in *"
sentinel_tilt:0
"*) ;; *) fail "in TILT" ;; esac
field() { printf '%s\n' "$view" | grep -A1 -x -- "$1" | tail -n 1; }
info() { printf '%s\n' "$view" | sed -n "s/^$1://p"; }
count() { printf '%s\n' "$1" | tr ',' '\n' | grep -c .; }
[ "$(field num-slaves)" -ge $(($(count "$REDIS_INSTANCES") - 1)) ] || fail "it doesn't know all instances"
[ "$(field num-other-sentinels)" -ge $(($(count "$REDIS_SENTINELS") - 1)) ] || fail "it doesn't know all Sentinels"
mine="$(printf '%s\n' "$view" | tail -n 2)"

# The others are asked again after 10 s, or when this one has started anew or names another master.
agreement="/tmp/redis-ha-agreement-$own_port"
agreed="$(info run_id) $mine"
if [ "$(cat "$agreement" 2>/dev/null)" = "$agreed" ] && [ -n "$(find "$agreement" -newermt '-10 seconds')" ]; then exit 0; fi

master_at() { ask_at "$1" "$2" sentinel get-master-addr-by-name "$name"; }
limit=1
# All at once: where the network drops what goes to a Service without a pod, each of them takes the whole second.
verdicts="$(
  for sentinel in $(printf '%s' "$REDIS_SENTINELS" | tr ',' ' '); do
    [ "$sentinel" != "$SENTINEL_SVC_IP:$own_port" ] || continue
    (
      theirs="$(master_at "${sentinel%:*}" "${sentinel##*:}" 2>/dev/null)"
      case "$theirs" in
        # Nothing, or the words of an error.
        "" | *" "*) ;;
        "$mine") echo same ;;
        *) echo other ;;
      esac
    ) &
  done
  wait
)"
case "$verdicts" in
  *same*)
    printf '%s' "$agreed" >"$agreement"
    exit 0
    ;;
  *other*) fail "it names another master than the others" ;;
esac
# Nobody to agree with. At the first start of all it is the first one; later it has given the others time to come.
[ "$(field config-epoch)" = 0 ] || [ "$(info uptime_in_seconds)" -ge 30 ] || fail "no other Sentinel answers"
