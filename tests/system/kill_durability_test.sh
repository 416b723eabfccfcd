#!/usr/bin/env bash
# Twenty hard kills during writes, on a real disk: nothing acknowledged is lost.
set -euo pipefail
exec python3 "$(dirname "${BASH_SOURCE[0]}")/../interop/kill_durability.py" "$SEATRIAL" --rounds 20
