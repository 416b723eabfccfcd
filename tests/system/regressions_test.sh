#!/usr/bin/env bash
# Each capsule of scenarios/regressions/ is a run that once failed: today it passes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
for capsule in scenarios/regressions/*.json; do
  "$SEATRIAL" replay "$capsule" --log off || { echo "$capsule fails again"; exit 1; }
done
