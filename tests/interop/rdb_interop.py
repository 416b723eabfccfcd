#!/usr/bin/env python3
"""Exchanges snapshots with a real redis-server 7.0, both ways.

    tests/interop/rdb_interop.py build/seatrial [--redis /usr/bin/redis-server]
                                 [--check /usr/bin/redis-check-rdb] [--dir DIR]

The same data, strings of all encodings with and without deadlines in several databases, is written
into each server and saved there; redis-check-rdb must accept the file, and the other server must
load it with equal keys, values and deadlines. Exit: 0 equal, 1 not, 2 it could not run.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from redis_conversations import encode
from redis_differential import Connection, free_port

DATABASES = [0, 3, 15]


class Server:
    """A server that works, and ends without saving unless it is asked to."""

    def __init__(self, command, directory, options=()):
        self.port = free_port()
        self.log_path = os.path.join(directory, "log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command + ["--port", str(self.port), "--dir", directory, "--bind", "127.0.0.1",
                           "--save", "", *options], stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.connection = Connection(self)
                if self.ask("PING") == b"+PONG\r\n":
                    return
                self.connection.close()  # Redis listens while it loads.
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    with open(self.log_path) as log:
                        tail = "".join(log.readlines()[-5:])
                    raise RuntimeError(f"{command[0]} does not start:\n{tail}")
            time.sleep(0.01)

    def ask(self, *words):
        return self.ask_all([words])[0]

    def ask_all(self, requests):
        replies = []
        for begin in range(0, len(requests), 500):
            part = requests[begin:begin + 500]
            self.connection.send(b"".join(encode(list(words)) for words in part))
            replies += [self.connection.reply() for _ in part]
        return replies

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def bulk(reply):
    if reply == b"$-1\r\n":
        return None
    end = reply.index(b"\r\n")
    return reply[end + 2:-2]


# How a value is written and read back: strings are bytes, hashes are dicts of them, sets are sets.
def writing(key, value):
    if isinstance(value, (set, frozenset)):
        return ("SADD", key, *sorted(value))
    if isinstance(value, dict):
        return ("HSET", key, *[word for pair in value.items() for word in pair])
    return ("SET", key, value)


def reading(key, value):
    if isinstance(value, (set, frozenset)):
        return ("SMEMBERS", key)
    return ("HGETALL" if isinstance(value, dict) else "GET", key)


def value_of(reply, like):
    """What a reply says, of the type of `like`."""
    if not reply.startswith(b"*"):
        return bulk(reply)
    words = []
    rest = reply[reply.index(b"\r\n") + 2:]
    while rest:
        end = rest.index(b"\r\n")
        size = int(rest[1:end])
        words.append(rest[end + 2:end + 2 + size])
        rest = rest[end + 4 + size:]
    if isinstance(like, (set, frozenset)):
        return set(words) if len(set(words)) == len(words) else words
    return dict(zip(words[::2], words[1::2]))


def data_set(draw):
    """Rows of database, key, value, deadline in milliseconds or None."""
    values = [b"", b"0", b"-1", b"127", b"128", b"-128", b"-129", b"32767", b"32768", b"-32769",
              b"2147483647", b"2147483648", b"-2147483649", b"9223372036854775807",
              b"-9223372036854775808", b"9223372036854775808", b"007", b"+5", b"-0", b" 1",
              b"x" * 20, b"x" * 21, b"ab" * 30, b"\x00\xff\r\n" * 10, b"y" * 63, b"y" * 64,
              bytes(range(256)), b"lorem ipsum dolor sit amet " * 200, b"z" * 16383, b"z" * 16384,
              draw.randbytes(30), draw.randbytes(5000), draw.randbytes(100_000),
              b"text " * 30_000 + draw.randbytes(50) + b"text " * 30_000]
    rows = []
    now = int(time.time() * 1000)
    for database in DATABASES:
        for i, value in enumerate(values):
            rows.append((database, b"value:%d" % i, value, None))
            rows.append((database, b"timed:%d" % i, value, now + 3_600_000 + 777 * i))
        rows.append((database, b"hash: small", {b"a": b"1", b"": b"", b"x": b"y" * 64}, None))
        rows.append((database, b"hash: wide", {b"a": b"y" * 65, b"b": b"lorem " * 3000}, None))
        rows.append((database, b"hash: all", {b"f%d" % i: v for i, v in enumerate(values)}, None))
        for i, size in enumerate([1, 10, 300, 512, 513, 5000]):
            fields = {b"field:%d" % n: b"%d" % (n * n - 7) for n in range(size)}
            rows.append((database, b"hash:%d" % i, fields, now + 3_600_000 if i % 2 else None))
        rows.append((database, b"set: words", {b"", b"a", b"y" * 5000, b"1", b"01"}, None))
        rows.append((database, b"set: all", set(values), None))
        for i, edge in enumerate([7, 2**15 - 1, 2**15, 2**31 - 1, 2**31, 2**63 - 1]):
            numbers = {b"%d" % edge, b"%d" % -edge, b"0", b"-1"}
            rows.append((database, b"set: edge %d" % i, numbers, None))
        for i, size in enumerate([1, 10, 512, 513, 5000]):
            numbers = {b"%d" % (n * n - 7) for n in range(size)}
            deadline = now + 3_600_000 if i % 2 else None
            rows.append((database, b"set: numbers %d" % i, numbers, deadline))
            rows.append((database, b"set: words %d" % i, {b"m" + n for n in numbers}, deadline))
        for i in range(3000):
            size = draw.choice([1, 5, 12, 30, 100, 400])
            value = bytes(draw.choice(b"abcdefgh ") for _ in range(size))
            if draw.random() < 0.3:
                value = b"%d" % draw.randint(-2**draw.choice([7, 15, 31, 63]), 2**31)
            deadline = now + draw.randint(600_000, 10**12) if draw.random() < 0.3 else None
            rows.append((database, b"random:%d" % i, value, deadline))
    rows.append((0, b"", b"of the empty key", None))
    rows.append((0, b"k" * 300, b"of a long key", None))
    rows.append((0, b"\x00\xfebinary\r\n", b"of a binary key", None))
    return rows


def fill(server, rows):
    for database in DATABASES:
        mine = [row for row in rows if row[0] == database]
        requests = [("SELECT", str(database))]
        requests += [writing(key, value) for _, key, value, _ in mine]
        requests += [("PEXPIREAT", key, str(deadline)) for _, key, _, deadline in mine if deadline]
        wrong = [reply for reply in server.ask_all(requests) if reply[:1] not in (b"+", b":")]
        if wrong:
            raise RuntimeError(f"the data was not taken: {wrong[0][:100]!r}")


def differences(server, rows):
    """How the server's data differs from these rows, in words."""
    found = []
    for database in range(16):
        mine = [row for row in rows if row[0] == database]
        requests = [("SELECT", str(database)), ("DBSIZE",)]
        requests += [reading(key, value) for _, key, value, _ in mine]
        requests += [("PEXPIRETIME", key) for _, key, _, _ in mine]
        replies = server.ask_all(requests)[1:]
        if replies[0] != b":%d\r\n" % len(mine):
            found.append(f"database {database}: {replies[0]!r} keys, expected {len(mine)}")
        for i, (_, key, value, deadline) in enumerate(mine):
            if value_of(replies[1 + i], value) != value:
                found.append(f"database {database}: the value of {key!r} differs")
            if replies[1 + len(mine) + i] != b":%d\r\n" % (deadline or -1):
                found.append(f"database {database}: the deadline of {key!r} is "
                             f"{replies[1 + len(mine) + i]!r}, expected {deadline}")
    return found


def carry(name, source, target, rows, check, directory, options, save):
    """Saves in one server, checks the file, loads it in the other."""
    home = tempfile.mkdtemp(prefix="carry-", dir=directory)
    server = Server(source, home, options)
    try:
        fill(server, rows)
        for request in save:
            reply = server.ask(*request)
            if reply not in (b"+OK\r\n", b"+Background saving started\r\n"):
                return [f"{name}: {request} answers {reply!r}"]
        deadline = time.monotonic() + 20
        while b"rdb_bgsave_in_progress:1" in server.ask("INFO", "persistence"):
            if time.monotonic() > deadline:
                return [f"{name}: the snapshot does not come to its end"]
            time.sleep(0.02)
    finally:
        server.stop()
    file = os.path.join(home, "dump.rdb")
    checked = subprocess.run([check, file], capture_output=True, text=True, check=False)
    if checked.returncode != 0 or "RDB looks OK" not in checked.stdout:
        return [f"{name}: redis-check-rdb refuses the file:\n{checked.stdout}"]
    server = Server(target, home)
    try:
        found = [f"{name}: {what}" for what in differences(server, rows)]
    finally:
        server.stop()
    shutil.rmtree(home)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seatrial")
    parser.add_argument("--redis", default="/usr/bin/redis-server")
    parser.add_argument("--check", default="/usr/bin/redis-check-rdb")
    parser.add_argument("--dir", default=None, help="where; default: the system's temporary")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    ours, redis = [arguments.seatrial, "server"], [arguments.redis]
    rows = data_set(random.Random(arguments.seed))
    cases = [
        ("ours to redis", ours, redis, ["--rdbcompression", "yes"], [("SAVE",)]),
        ("ours to redis, in the background", ours, redis, [], [("BGSAVE",)]),
        ("ours to redis, neither compressed nor summed", ours, redis,
         ["--rdbcompression", "no", "--rdbchecksum", "no"], [("SAVE",)]),
        ("redis to ours", redis, ours, ["--rdbcompression", "yes"], [("SAVE",)]),
        ("redis to ours, in the background", redis, ours, [], [("BGSAVE",)]),
        ("redis to ours, neither compressed nor summed", redis, ours,
         ["--rdbcompression", "no", "--rdbchecksum", "no"], [("SAVE",)]),
        ("redis to ours, with LRU times", redis, ours,
         ["--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lru"], [("SAVE",)]),
        ("redis to ours, with LFU counts", redis, ours,
         ["--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lfu"], [("SAVE",)]),
        ("ours to ours", ours, ours, [], [("SAVE",)]),
    ]
    found = []
    try:
        for name, source, target, options, save in cases:
            found += carry(name, source, target, rows, arguments.check, arguments.dir, options,
                           save)
    except (OSError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2
    for what in found[:20]:
        print(what)
    print(f"{len(cases)} ways, {len(rows)} keys each, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
