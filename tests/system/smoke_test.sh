#!/usr/bin/env bash
# The binary as its users have it: a suite, its results, a replay, and what it says to mistakes.
set -euo pipefail

fail() {
  echo "smoke_test: $*" >&2
  exit 1
}

# expect CODE TEXT ARGUMENTS...: this exit code, and TEXT somewhere in what it says.
expect() {
  local wanted="$1" text="$2" said code=0
  shift 2
  said="$("$SEATRIAL" "$@" 2>&1)" || code=$?
  [[ "$code" == "$wanted" ]] || fail "'$*' ended with $code, not $wanted: $said"
  [[ "$said" == *"$text"* ]] || fail "'$*' does not say '$text': $said"
}

hash_of() {
  "$SEATRIAL" replay "$1" --seed "$2" --log off | grep -oE '\b[0-9a-f]{16}\b' | tail -1
}

results="$SCRATCH/results"
"$SEATRIAL" run smoke --seeds 1..300 --out "$results" || fail "the suite ended with $?"
[[ "$(wc -l <"$results/results.jsonl")" == 300 ]] || fail "results.jsonl has not 300 lines"
[[ -s "$results/junit.xml" ]] || fail "there is no junit.xml"

# A seed of the suite, replayed: the same hash as in its results, twice.
line="$(head -1 "$results/results.jsonl")"
scenario="$(sed -E 's/.*"scenario":"([^"]*)".*/\1/' <<<"$line")"
seed="$(sed -E 's/.*"seed":([0-9]+).*/\1/' <<<"$line")"
hash="$(sed -E 's/.*"hash":"([^"]*)".*/\1/' <<<"$line")"
for _ in 1 2; do
  [[ "$(hash_of "$scenario" "$seed")" == "$hash" ]] ||
    fail "$scenario seed $seed had hash $hash, its replay another: $(hash_of "$scenario" "$seed")"
done
"$SEATRIAL" run smoke --seeds 1..30 --check-determinism || fail "not deterministic"

expect 0 "kv/register" list
expect 2 "no" run there-is-no-such-scenario
expect 2 "--seeds" run smoke --seeds 9..7
expect 2 "did you mean" run smoke --seeds 9..7
expect 2 "shards of 3" run smoke --shard 5/3
expect 2 "which seed" replay kv/register
expect 2 "/none.json" replay "$SCRATCH/none.json"
echo '{"capsule": 999}' >"$SCRATCH/old.json"
expect 2 "version" replay "$SCRATCH/old.json"
touch "$SCRATCH/file"
expect 2 "$SCRATCH/file" run smoke --seeds 1 --out "$SCRATCH/file"
expect 2 "bogus" server --bogus yes
expect 2 "none.conf" server "$SCRATCH/none.conf"
echo "smoke_test: all held"
