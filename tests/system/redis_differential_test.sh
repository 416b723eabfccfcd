#!/usr/bin/env bash
# The same conversations with Redis itself and with this server: the same answers.
set -euo pipefail

# Debian's redis-tools holds Redis's server under the name of a tool; it is what its name says.
redis="$(command -v redis-check-rdb)" || exit 77
ln -s "$redis" "$SCRATCH/redis-server"
exec python3 tests/interop/redis_differential.py "$SEATRIAL" --redis "$SCRATCH/redis-server"
