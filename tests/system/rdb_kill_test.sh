#!/usr/bin/env bash
# SIGKILL while snapshots are taken on a real disk: the file always loads, and is never older than
# the last one that was complete.
set -euo pipefail
check="$(command -v redis-check-rdb)" || exit 77
exec python3 tests/interop/rdb_kill.py "$SEATRIAL" --rounds 20 --check "$check" --dir "$SCRATCH"
