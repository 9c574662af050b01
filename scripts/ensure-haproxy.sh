#!/bin/sh
# Makes sure that haproxy is there, which the benchmark compares the proxy with: installs it where that is possible without questions.
set -eu
PATH="$PATH:/usr/sbin"
command -v haproxy >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing haproxy"
  apt-get update -qq
  # RUNLEVEL=1 keeps Debian from starting its own server.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends haproxy >/dev/null
  exit 0
fi
echo "haproxy is not installed: apt-get install haproxy, or brew install haproxy." >&2
exit 1
