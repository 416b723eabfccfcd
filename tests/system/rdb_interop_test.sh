#!/usr/bin/env bash
# Snapshots between Redis and this server, both ways, with the same data at the end.
set -euo pipefail

# Debian's redis-tools holds Redis's server under the name of a tool; it is what its name says.
redis="$(command -v redis-check-rdb)" || exit 77
ln -s "$redis" "$SCRATCH/redis-server"
exec python3 tests/interop/rdb_interop.py "$SEATRIAL" --redis "$SCRATCH/redis-server" \
  --check "$redis" --dir "$SCRATCH"
