#!/bin/sh
# Makes sure that redis-server is there: installs it where that is possible without questions, else says how.
set -eu
command -v redis-server >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing redis-server"
  apt-get update -qq
  # RUNLEVEL=1 keeps Debian from starting its own server.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends redis-server redis-tools >/dev/null
  exit 0
fi
echo "redis-server is not installed: apt-get install redis-server, or brew install redis." >&2
exit 1
