#!/usr/bin/env bash
# seatrial check on files of other people: what it prints, what it draws, and its exit codes.
set -uo pipefail
failures=0
fail() {
  printf 'check_test: %s\n' "$*"
  failures=$((failures + 1))
}
cd "$SCRATCH" || exit 1

# Two transactions, each of which misses what the other appended, as Jepsen writes them.
cat >skew.edn <<'EDN'
{:type :invoke, :f :txn, :process 0, :index 0, :time 1, :value [[:r :y nil] [:append :x 1]]}
{:type :invoke, :f :txn, :process 1, :index 1, :time 2, :value [[:r :x nil] [:append :y 1]]}
{:type :ok, :f :txn, :process 0, :index 2, :time 3, :value [[:r :y []] [:append :x 1]]}
{:type :ok, :f :txn, :process 1, :index 3, :time 4, :value [[:r :x []] [:append :y 1]]}
{:type :invoke, :f :txn, :process 0, :index 4, :time 5, :value [[:r :x nil] [:r :y nil]]}
{:type :ok, :f :txn, :process 0, :index 5, :time 6, :value [[:r :x [1]] [:r :y [1]]]}
EDN
out="$("$SEATRIAL" check appendtxn skew.edn --dot skew.dot --html skew.html)"
[[ $? == 1 ]] || fail "write skew: expected exit 1: $out"
[[ "$out" == *"violation (G2-item)"* ]] || fail "write skew is not named G2-item: $out"
[[ "$(head -c 8 skew.dot)" == "digraph " ]] || fail "skew.dot is no graph: $(head -c 40 skew.dot)"
[[ "$(tail -c 2 skew.dot)" == "}" ]] || fail "skew.dot does not end"
grep -q 'label="rw"' skew.dot || fail "skew.dot has no rw edge"
grep -qi '^<!doctype html>' skew.html || fail "skew.html is no page"
grep -qE '(src|href)="(https?:)?//' skew.html && fail "skew.html needs another file"

# Without a violation the graph is empty, and everything is still written.
head -1 skew.edn >clean.edn
sed -n 3p skew.edn >>clean.edn
out="$("$SEATRIAL" check appendtxn clean.edn --dot clean.dot)"
[[ $? == 0 ]] || fail "a single transaction: expected exit 0: $out"
[[ "$(head -c 8 clean.dot)" == "digraph " ]] || fail "clean.dot is no graph"

# What cannot be written, or is no history, is said.
out="$("$SEATRIAL" check appendtxn skew.edn --dot no-such-directory/skew.dot 2>&1)"
[[ $? == 2 && "$out" == *"no-such-directory/skew.dot: cannot be written"* ]] || fail "$out"
sed '3s/:value.*//' skew.edn >cut.edn
out="$("$SEATRIAL" check appendtxn cut.edn 2>&1)"
[[ $? == 2 && "$out" == *"line 3"* ]] || fail "a line cut off: $out"

[[ "$failures" == 0 ]] && echo "check_test: all held"
exit $((failures > 0))
