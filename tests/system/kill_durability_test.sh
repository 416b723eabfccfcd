#!/usr/bin/env bash
# SIGKILL during writes on real sockets and a real disk: nothing acknowledged may be lost.
set -euo pipefail
exec python3 tests/interop/kill_durability.py "$SEATRIAL" --rounds 20 --dir "$SCRATCH"
