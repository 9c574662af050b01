#!/bin/sh
# A redis-server of an old version, as far as anybody asks for its version.
[ "$1" = --version ] && echo "Redis server v=7.0.15 sha=00000000:0 malloc=libc bits=64 build=0"
