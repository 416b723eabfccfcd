#!/usr/bin/env bash
# Every reply as a real Redis 7.0 gives it, byte for byte.
set -euo pipefail
exec python3 "$(dirname "${BASH_SOURCE[0]}")/../interop/redis_differential.py" "$SEATRIAL"
