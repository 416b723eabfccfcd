#!/usr/bin/env bash
# What is not understood is a clear message and an exit code, never a crash and never ignored.
set -uo pipefail
failures=0
# expect CODE TEXT COMMAND...: the command exits with CODE and says TEXT.
expect() {
  local code="$1" text="$2" out actual
  shift 2
  out="$(timeout 20 "$@" 2>&1)"
  actual=$?
  if [[ "$actual" != "$code" || "$out" != *"$text"* ]]; then
    printf 'expected exit %s and "%s", got %s from: %s\n%s\n' "$code" "$text" "$actual" "$*" "$out"
    failures=$((failures + 1))
  fi
}
cd "$SCRATCH"
expect 2 "--sedes" "$SEATRIAL" run smoke --sedes 5
expect 2 "nosuch" "$SEATRIAL" run nosuch
expect 2 "nosuch" "$SEATRIAL" nosuch
expect 2 "9..1" "$SEATRIAL" run smoke --seeds 9..1
expect 2 "cannot be read" "$SEATRIAL" replay missing.json
echo '{"capsule":99}' >other.json
expect 2 "version 99" "$SEATRIAL" replay other.json
echo 'not json' >broken.json
expect 2 "expected a JSON object" "$SEATRIAL" replay broken.json
printf '[storm]\nseconds = 5\nsecnods = 6\n' >typo.toml
expect 2 "typo.toml:3" "$SEATRIAL" run typo.toml --seeds 1
printf '{"hdr":"hjl/1","type":"register"}\n{"t":1}\n' >bad.jsonl
expect 2 "line 2" "$SEATRIAL" check register bad.jsonl

# The server: options, ports, directories, files.
server=("$SEATRIAL" server --bind 127.0.0.1)
expect 2 "nosuchoption" "${server[@]}" --nosuchoption 1
expect 2 "appendfsync" "${server[@]}" --appendfsync sometimes
printf 'port 1\nbogus yes\n' >bad.conf
expect 2 "bad.conf:2" "$SEATRIAL" server bad.conf
port=$((20000 + RANDOM % 20000))
mkdir first
"${server[@]}" --port "$port" --dir first --appendonly yes 2>first/log &
first=$!
for _ in $(seq 100); do
  [[ "$(redis-cli -p "$port" PING 2>/dev/null)" == PONG ]] && break
  sleep 0.1
done
expect 1 "in use" "${server[@]}" --port "$port" --dir first
expect 1 "no-such-directory" "${server[@]}" --port $((port + 1)) --dir no-such-directory \
  --appendonly yes

# Malformed and oversized requests end their connection and nothing else.
for request in '*99999999999\r\n' '*1\r\n$-5\r\n' '*1\r\n$999999999999\r\nx' '*1\r\nx\r\n'; do
  reply="$(printf "$request" | timeout 5 bash -c \
    "exec 3<>/dev/tcp/127.0.0.1/$port; cat >&3; head -c 200 <&3")"
  [[ "$reply" == -ERR* ]] || { echo "$request: $reply"; failures=$((failures + 1)); }
done
for i in $(seq 50); do redis-cli -p "$port" SET "key$i" "value$i" >/dev/null; done
[[ "$(redis-cli -p "$port" DBSIZE)" == 50 ]] || failures=$((failures + 1))
kill -TERM "$first"
wait "$first" || failures=$((failures + 1))

# A log that is damaged in its middle stops the start and names the offset; nothing is changed.
log="$(ls first/appendonlydir/*.incr.aof)"
printf 'X' | dd of="$log" bs=1 seek=200 conv=notrunc status=none
before="$(sha256sum <"$log")"
expect 1 "offset" "${server[@]}" --port "$port" --dir first --appendonly yes
[[ "$(sha256sum <"$log")" == "$before" ]] || {
  echo "a refused log was changed"
  failures=$((failures + 1))
}
exit "$((failures > 0))"
