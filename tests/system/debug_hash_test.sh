#!/usr/bin/env bash
# A Debug build gives the same hashes as the build under test.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
[[ -f "$root/build-debug/build.ninja" ]] ||
  cmake -S "$root" -B "$root/build-debug" -G Ninja -DCMAKE_BUILD_TYPE=Debug >/dev/null
ninja -C "$root/build-debug" seatrial >/dev/null
hashes() {
  "$1" run smoke --seeds 1..60 --out "$2" >/dev/null
  python3 -c 'import json, sys
for line in sorted(open(sys.argv[1] + "/results.jsonl"), key=lambda l: json.loads(l)["seed"]):
    result = json.loads(line)
    print(result["seed"], result["scenario"], result["hash"], result["events"])' "$2"
}
diff <(hashes "$SEATRIAL" "$SCRATCH/release") \
  <(hashes "$root/build-debug/seatrial" "$SCRATCH/debug")
