#!/usr/bin/env bash
# The same seed gives the same run: in two processes with other bytes in fresh memory, and from a
# seed as from its capsule.
set -euo pipefail
"$SEATRIAL" run smoke --seeds 1..150 --check-determinism
hash_of() { "$SEATRIAL" replay "$@" --log off | grep -o 'hash [0-9a-f]*'; }
for scenario in kv/register kv/watch-transfer; do
  [[ "$(hash_of $scenario --seed 7)" == "$(hash_of $scenario --seed 7)" ]]
  [[ "$(hash_of $scenario --seed 7)" != "$(hash_of $scenario --seed 8)" ]]
done
