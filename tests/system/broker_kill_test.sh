#!/usr/bin/env bash
# SIGKILL while records are produced and consumed, on real sockets and a real disk.
set -euo pipefail
exec python3 tests/interop/broker_kill.py "$SEATRIAL" --rounds 20 --dir "$SCRATCH"
