#!/usr/bin/env bash
# Redis's own clients against the server on real sockets: redis-cli and redis-benchmark, a port
# that is taken, an orderly stop, and what is there after it.
set -euo pipefail

command -v redis-cli >/dev/null && command -v redis-benchmark >/dev/null || exit 77

fail() {
  echo "redis_clients_test: $*" >&2
  cat "$SCRATCH"/*.log >&2
  exit 1
}

port=$((20000 + RANDOM % 10000))
server=
trap '[[ -z "$server" ]] || kill -9 "$server" 2>/dev/null || true' EXIT

start() {
  "$SEATRIAL" server --port "$port" --dir "$SCRATCH" --appendonly yes --appendfsync always \
    >>"$SCRATCH/server.log" 2>&1 &
  server=$!
  local _
  for _ in $(seq 100); do
    [[ "$(redis-cli -p "$port" ping 2>/dev/null)" == PONG ]] && return
    kill -0 "$server" 2>/dev/null || fail "the server did not start"
    sleep 0.1
  done
  fail "the server did not answer within 10 s"
}

stop() {
  local code=0
  kill -TERM "$server"
  wait "$server" || code=$?
  server=
  [[ "$code" == 0 ]] || fail "after SIGTERM the server ended with $code"
}

cli() { redis-cli -p "$port" "$@"; }
expect() {
  local wanted="$1" got
  shift
  got="$(cli "$@")"
  [[ "$got" == "$wanted" ]] || fail "'$*' gave '$got', not '$wanted'"
}

start
expect OK set greeting "hello world"
expect "hello world" get greeting
expect 7 incrby counter 7
expect OK set short lived px 100000
[[ "$(printf 'MULTI\nINCR counter\nGET greeting\nEXEC\n' | cli | tail -2 | tr '\n' ' ')" == \
  "8 hello world " ]] || fail "MULTI and EXEC do not work"

said="$("$SEATRIAL" server --port "$port" --dir "$SCRATCH/other" 2>&1)" &&
  fail "a second server on the same port started"
mkdir "$SCRATCH/other"
said="$("$SEATRIAL" server --port "$port" --dir "$SCRATCH/other" 2>&1)" &&
  fail "a second server on the same port started"
[[ "$said" == *"$port"* ]] || fail "the port that is taken is not named: $said"

redis-benchmark -p "$port" -t ping,set,get,incr,mset -n 2000 -c 20 -P 8 -q \
  >"$SCRATCH/benchmark.log" 2>&1 || fail "redis-benchmark failed"
grep -qi error "$SCRATCH/benchmark.log" && fail "redis-benchmark saw errors"

stop
start
expect 8 get counter
expect "hello world" get greeting
[[ "$(cli pttl short)" -gt 0 ]] || fail "the deadline is lost over a restart"
stop
echo "redis_clients_test: all held"
