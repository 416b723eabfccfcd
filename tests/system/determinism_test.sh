#!/usr/bin/env bash
# The same seed gives the same run: in two processes with other bytes in fresh memory, and from a
# seed as from its capsule. Where two builds differ, the first event that does is named.
set -euo pipefail
"$SEATRIAL" run smoke --seeds 1..150 --check-determinism
"$SEATRIAL" run smoke --seeds 1..400 --check-determinism 0.05
hash_of() { "$SEATRIAL" replay "$@" --log off | grep -o 'hash [0-9a-f]*'; }
for scenario in kv/register kv/watch-transfer; do
  [[ "$(hash_of $scenario --seed 7)" == "$(hash_of $scenario --seed 7)" ]]
  [[ "$(hash_of $scenario --seed 7)" != "$(hash_of $scenario --seed 8)" ]]
done

# Another build that differs: it takes another seed.
other="$SCRATCH/other"
cat >"$other" <<SCRIPT
#!/bin/bash
arguments=("\$@")
for i in "\${!arguments[@]}"; do
  if [[ "\${arguments[i]}" == --seed ]]; then arguments[i + 1]=4321; fi
done
exec "$SEATRIAL" "\${arguments[@]}"
SCRIPT
chmod +x "$other"
code=0
"$SEATRIAL" run kv/register --seeds 3..3 --check-determinism --against "$other" \
  --out "$SCRATCH/results" >"$SCRATCH/text" || code=$?
[[ "$code" == 3 ]]
grep -qE "after \[.*\], this binary had \[.*\], $other had \[.*\]" "$SCRATCH/text"

# Its capsule is this binary's run.
"$SEATRIAL" replay "$SCRATCH"/results/capsules/*.json --log off >"$SCRATCH/replayed" || true
grep -q 'same run (hash' "$SCRATCH/replayed"
# One fault more: the replay says where it departs.
python3 - "$SCRATCH"/results/capsules/*.json "$SCRATCH/edited.json" <<'PYTHON'
import json, sys
capsule = json.load(open(sys.argv[1]))
capsule["plan"]["faults"].insert(0, {
    "at_us": 1, "kind": "process.kill", "target": "kv0", "lasts_us": 100000,
    "moment": "any", "delay_us": 0})
json.dump(capsule, open(sys.argv[2], "w"), indent=1)
PYTHON
"$SEATRIAL" replay "$SCRATCH/edited.json" --log off >"$SCRATCH/replayed" || true
grep -qE 'departs at event [0-9]+, at [0-9.]+ s: then a [a-z]+ event, here' "$SCRATCH/replayed"
