#!/usr/bin/env bash
# Replication with Redis itself, in both directions, through cuts and under writes.
set -euo pipefail

# Debian's redis-tools holds Redis's server under the name of a tool; it is what its name says.
redis="$(command -v redis-check-rdb)" || exit 77
ln -s "$redis" "$SCRATCH/redis-server"
exec python3 tests/interop/replication.py "$SEATRIAL" --redis "$SCRATCH/redis-server" --logs
