#!/usr/bin/env bash
# SIGKILL of the broker under producers and consumers; the checker of offsets judges their history.
set -euo pipefail
exec python3 tests/interop/broker_history.py "$SEATRIAL" --rounds 20 --dir "$SCRATCH"
