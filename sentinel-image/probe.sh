#!/bin/sh
# Probe of a Sentinel: alive when it answers; ready when it is also not in TILT, the mode in which it only watches.
set -eu
REDISCLI_AUTH="$(cat "${REDIS_PASSWORD_FILE}")"
export REDISCLI_AUTH
ask() { redis-cli -h 127.0.0.1 -p "${SENTINEL_SVC_PORT:-26379}" "$@"; }

[ "$(ask ping)" = PONG ]
if [ "${1:-}" = ready ]; then
  ask info sentinel | grep -q '^sentinel_tilt:0'
fi
