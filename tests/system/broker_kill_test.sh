#!/usr/bin/env bash
# SIGKILL while producing on real sockets and a real disk: nothing acknowledged lost, nothing seen changed.
set -euo pipefail
exec python3 tests/interop/broker_kill.py "$SEATRIAL" --rounds 20 --dir "$SCRATCH"
