#!/bin/sh
# Installs the npm packages of the lockfile, and with them the Node that this project runs on.
set -eu
command -v npm >/dev/null || {
  echo "npm is not installed: install Node.js 18 or newer with npm (Debian and Ubuntu: apt-get install nodejs npm)." >&2
  exit 1
}
npm ci --no-audit --no-fund --loglevel=error
# `make` compares times: unpacking may leave an older one.
touch node_modules
