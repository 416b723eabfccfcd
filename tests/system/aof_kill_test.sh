#!/usr/bin/env bash
# SIGKILL during writes and rewrites of the log, on real sockets and a real disk: nothing
# acknowledged may be lost, and every log that is left must load.
set -euo pipefail
exec python3 tests/interop/kill_durability.py "$SEATRIAL" --rounds 20 --rewrite --dir "$SCRATCH"
