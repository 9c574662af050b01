#!/bin/sh
# ensure-program.sh PROGRAM PACKAGE…: makes sure that a program is there: installs the packages where that is possible without questions, else says how.
set -eu
program=$1
shift
PATH="$PATH:/usr/sbin"
command -v "$program" >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing $*"
  apt-get update -qq
  # RUNLEVEL=1 keeps Debian from starting servers of its own.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "$@" >/dev/null
  exit 0
fi
echo "$program is not installed: apt-get install $*, or brew install $program." >&2
exit 1
