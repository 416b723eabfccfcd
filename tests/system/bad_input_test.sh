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
expect 2 "broken.json:1: not JSON" "$SEATRIAL" replay broken.json
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

# A snapshot that is damaged, cut short or of another version stops the start as well.
# refuse NAME TEXT: the start with this dump.rdb ends with 1 and says TEXT; the file stays as it is.
refuse() {
  local before
  mkdir "$1"
  cp broken.rdb "$1/dump.rdb"
  before="$(sha256sum <broken.rdb)"
  expect 1 "$1/dump.rdb: $2" "${server[@]}" --port "$port" --dir "$1"
  [[ "$(sha256sum <"$1/dump.rdb")" == "$before" && "$(ls -A "$1")" == dump.rdb ]] || {
    echo "a refused snapshot was changed: $1"
    failures=$((failures + 1))
  }
}
mkdir good
"${server[@]}" --port "$port" --dir good 2>good/log &
good=$!
for _ in $(seq 100); do
  [[ "$(redis-cli -p "$port" PING 2>/dev/null)" == PONG ]] && break
  sleep 0.1
done
redis-cli -p "$port" SET key value >/dev/null
[[ "$(redis-cli -p "$port" SAVE)" == OK ]] || failures=$((failures + 1))
kill -TERM "$good"
wait "$good" || failures=$((failures + 1))
size="$(stat -c %s good/dump.rdb)"
: >broken.rdb
refuse empty "it ends at offset 0, expected the header"
head -c 30 good/dump.rdb >broken.rdb
refuse short "it ends at offset 30, expected"
head -c $((size - 4)) good/dump.rdb >broken.rdb
refuse without-sum "it ends at offset $((size - 4)), expected the checksum"
cp good/dump.rdb broken.rdb
printf 'X' | dd of=broken.rdb bs=1 seek=$((size - 11)) conv=notrunc status=none
refuse flipped "at offset $((size - 8)): the checksum is"
{ cat good/dump.rdb && printf 'more'; } >broken.rdb
refuse longer "at offset $size: expected the end of the file"
printf 'REDIS0099' >broken.rdb
refuse newer "at offset 5: RDB version 99 cannot be read, only 1 to 10"
printf 'REDIS0010\001\004user\001\001a\001b' >broken.rdb
refuse unknown "at offset 9: the key 'user' of database 0 has a value of type 1 (list)"
printf 'REDIS0010\000\001k\201\077\377\377\377\377\377\377\377x' >broken.rdb
refuse huge "key 'k': it ends at offset 22, expected a string value"
printf 'hello, I am no snapshot' >broken.rdb
refuse text "at offset 0: expected the header"
expect 2 "Invalid save parameters" "${server[@]}" --save 60
expect 2 "must be a name" "${server[@]}" --dbfilename a/b
expect 1 "no-such-directory" "${server[@]}" --port "$port" --dir no-such-directory
exit "$((failures > 0))"
