#!/usr/bin/env bash
# A Debug build gives the same runs as the build under test.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
[[ -f "$root/build-debug/build.ninja" ]] ||
  cmake -S "$root" -B "$root/build-debug" -G Ninja -DCMAKE_BUILD_TYPE=Debug >/dev/null
ninja -C "$root/build-debug" seatrial >/dev/null
"$SEATRIAL" run smoke --seeds 1..60 --check-determinism --against "$root/build-debug/seatrial"
