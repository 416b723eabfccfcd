#!/usr/bin/env bash
# redis-cli and redis-benchmark, the clients that everybody has, against the server.
set -euo pipefail
port=$((20000 + RANDOM % 20000))
"$SEATRIAL" server --port "$port" --bind 127.0.0.1 --dir "$SCRATCH" --appendonly yes \
  --appendfsync always 2>"$SCRATCH/log" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
cli() { redis-cli -p "$port" "$@"; }
for _ in $(seq 100); do [[ "$(cli PING 2>/dev/null)" == PONG ]] && break || sleep 0.1; done

[[ "$(cli SET greeting hello)" == OK ]]
[[ "$(cli GET greeting)" == hello ]]
[[ "$(cli INCR visits)" == 1 ]]
[[ "$(printf 'MULTI\nINCR visits\nINCR visits\nEXEC\n' | cli | tail -1)" == 3 ]]
[[ "$(cli --no-raw PTTL greeting)" == "(integer) -1" ]]
[[ "$(cli NOSUCH 2>&1)" == *"unknown command"* ]]
redis-benchmark -p "$port" -q -n 20000 -c 20 -P 16 -t ping,set,get,incr,mset >"$SCRATCH/benchmark"
! grep -qi error "$SCRATCH/benchmark"

# An orderly stop, and everything is there again.
kill -TERM "$server"
wait "$server"
"$SEATRIAL" server --port "$port" --bind 127.0.0.1 --dir "$SCRATCH" --appendonly yes \
  2>>"$SCRATCH/log" &
server=$!
for _ in $(seq 100); do [[ "$(cli PING 2>/dev/null)" == PONG ]] && break || sleep 0.1; done
[[ "$(cli GET greeting)" == hello ]]
[[ "$(cli GET visits)" == 3 ]]
