#!/usr/bin/env bash
# One append-only log, written by Redis and by this server in turns, with the same data throughout.
set -euo pipefail

# Debian's redis-tools holds Redis's server under the name of a tool; it is what its name says.
redis="$(command -v redis-check-rdb)" || exit 77
check="$(command -v redis-check-aof)" || exit 77
ln -s "$redis" "$SCRATCH/redis-server"
exec python3 tests/interop/aof_interop.py "$SEATRIAL" --redis "$SCRATCH/redis-server" \
  --check "$check" --dir "$SCRATCH"
