#!/usr/bin/env bash
# The package that others build upon: installs it, builds an outside project against it as its own
# authors would, and sees that the simulator finds what is wrong with their system and nothing else.
set -euo pipefail

fail() {
  echo "install_test: $*" >&2
  exit 1
}

source="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
tree="$(dirname "$SEATRIAL")"
package="$SCRATCH/package"
project="$SCRATCH/project"

# An outside copy: nothing of this repository lies around it.
cp -r "$source/scenarios/examples/replicated-register" "$project"
cmake --install "$tree" --prefix "$package" >"$SCRATCH/install.log" || fail "cannot be installed"
"$package/bin/seatrial" list >/dev/null || fail "the installed program does not start"
flags=""
if grep -q '^SEATRIAL_SANITIZE:BOOL=ON' "$tree/CMakeCache.txt"; then
  flags="-fsanitize=address,undefined"
fi
# In a place that the user gave, and below a name of their own.
cmake -S "$project" -B "$project/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$package" -DCMAKE_CXX_FLAGS="$flags" >"$SCRATCH/configure.log" ||
  fail "the outside project cannot be configured: $(tail -5 "$SCRATCH/configure.log")"
cmake --build "$project/build" >"$SCRATCH/build.log" ||
  fail "the outside project cannot be built: $(grep -m3 error "$SCRATCH/build.log")"
trial="$project/build/register-trial"
lines="$(wc -l <"$project/trial.cc")"
[[ "$lines" -lt 150 ]] || fail "the trial has $lines lines, and is to have fewer than 150"

# expect CODE TEXT ARGUMENTS...: this exit code, and TEXT somewhere in what it says.
expect() {
  local wanted="$1" text="$2" code=0
  shift 2
  said="$("$trial" "$@" 2>&1)" || code=$?
  [[ "$code" == "$wanted" ]] || fail "'$*' ended with $code, not $wanted: $(tail -5 <<<"$said")"
  [[ "$said" == *"$text"* ]] || fail "'$*' does not say '$text': $(tail -5 <<<"$said")"
}

# The correct one holds, the same way each time.
expect 0 "1000 held" --seeds 1..1000
expect 0 "30 held" --seeds 1..30 --check-determinism

# Both bugs are found, and the line that is printed repeats the finding.
expect 1 "stale-read" --bug reads-without-write-back --seeds 1..200 --fail-fast
again="$(sed -n 's/^ *repeat it: //p' <<<"$said" | head -1)"
[[ -n "$again" ]] || fail "no line to copy"
code=0
$again >"$SCRATCH/trace" || code=$?
[[ "$code" == 1 ]] || fail "'$again' ended with $code"
grep -q "stale-read" "$SCRATCH/trace" || fail "'$again' does not find it again"
grep -q " deliver " "$SCRATCH/trace" || fail "'$again' shows no trace"
expect 1 "not linearizable" --bug acknowledges-before-sync --seeds 1..500 --fail-fast

# The same library serves on real sockets and disks.
node="$project/build/register-node"
mkdir "$SCRATCH/node"
(cd "$SCRATCH/node" && exec "$node" serve localhost) 2>"$SCRATCH/node.log" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
written=""
for _ in $(seq 50); do
  written="$("$node" write 42 localhost 2>/dev/null || true)"
  [[ "$written" == written ]] && break
  sleep 0.1
done
[[ "$written" == written ]] || fail "a real node takes no write: $(cat "$SCRATCH/node.log")"
[[ "$("$node" read localhost)" == 42 ]] || fail "a real node does not answer what was written"
kill "$server"
timeout 20 tail --pid="$server" -f /dev/null || fail "a real node does not stop in 20 s"
wait "$server" || fail "a real node that is asked to stop ends with an error"
"$node" read localhost >/dev/null && fail "a node that has stopped answers"

# A plan is a file; taken as it was drawn, it makes the same run.
hash_of() { "$trial" "$@" --no-trace | grep -o 'hash [0-9a-f]*'; }
plan="$SCRATCH/plan.json"
drawn="$(hash_of --seed 5 --save-plan "$plan")"
[[ "$(hash_of --seed 5 --plan "$plan")" == "$drawn" ]] || fail "a saved plan makes another run"
sed 's/process.kill/process.tickle/' "$plan" >"$SCRATCH/edited.json"
if grep -q tickle "$SCRATCH/edited.json"; then
  expect 2 "no fault is called" --seed 5 --plan "$SCRATCH/edited.json"
fi
expect 2 "did you mean --seeds" --sedes 1
expect 2 "there are none" --seeds 9..7
echo "install_test: all held"
