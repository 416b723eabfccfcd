#!/usr/bin/env bash
# A Debug build gives the same runs as the build under test. It takes a whole build of its own, so
# it is asked for: by having that build (./dev build --debug), or by ./dev determinism, which adds
# another compiler.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
if [[ ! -f "$root/build-debug/build.ninja" ]]; then
  echo "no Debug build here: ./dev build --debug makes one, ./dev determinism compares more"
  exit 77
fi
ninja -C "$root/build-debug" seatrial >/dev/null
"$SEATRIAL" run smoke --seeds 1..60 --check-determinism --against "$root/build-debug/seatrial"
