#!/usr/bin/env python3
"""Hands an append-only log back and forth between this server and a real redis-server 7.0.

    tests/interop/aof_interop.py build/seatrial [--redis /usr/bin/redis-server]
                                 [--check /usr/bin/redis-check-aof] [--dir DIR]

One directory, many turns: each turn a server, now this one, now Redis, loads the log that the last
one has left (killed, so that it ends as it stands), must show the data exactly, and goes on writing
and rewriting it, with RDB bases and with RESP bases. redis-check-aof must accept every log. Then
the single file of Redis before 7, and logs damaged in every file. Exit: 0 all well, 1 not, 2 it
could not run.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

from rdb_interop import Server, reading, value_of

DATABASES = [0, 3, 15]
LOG = "appendonlydir"


def encoded(value):
    """As bytes: a string, the fields of a hash, or the members of a set."""
    if isinstance(value, frozenset):
        return {member.encode() for member in value}
    if isinstance(value, dict):
        return {name.encode(): text.encode() for name, text in value.items()}
    return value.encode()


class Turns:
    def __init__(self, arguments):
        self.ours = [arguments.seatrial, "server"]
        self.redis = [arguments.redis]
        self.check = arguments.check
        self.directory = tempfile.mkdtemp(prefix="aof-interop-", dir=arguments.dir)
        self.truth = {database: {} for database in DATABASES}  # Key: (value, deadline or None).
        self.draw = random.Random(11)
        self.wrong = 0
        self.turns = 0

    def complain(self, what):
        self.wrong += 1
        print(f"WRONG: {what}")

    def start(self, command, *options):
        return Server(command, self.directory,
                      ["--appendonly", "yes", "--appendfsync", "always", *options])

    def turn(self, name, command, rdb, rewrites):
        """Starts a server, compares, writes, rewrites so many times amid writing, and kills it."""
        self.turns += 1
        server = self.start(command, "--aof-use-rdb-preamble", "yes" if rdb else "no")
        self.compare(server, f"turn {self.turns}, {name}")
        for part in range(rewrites + 1):
            if part > 0:
                reply = server.ask("BGREWRITEAOF")
                if b"started" not in reply:
                    self.complain(f"turn {self.turns}: BGREWRITEAOF answers {reply!r}")
            self.write(server)
            if part > 0:
                self.await_rewrite(server)
            self.write(server)
        server.stop()
        self.accepted(f"turn {self.turns}, {name}")

    def write(self, server):
        draw = self.draw
        requests, expected = [], []
        for _ in range(200):
            database = draw.choice(DATABASES)
            data = self.truth[database]
            key = draw.choice(["k", "key:", "x" * 300]) + str(draw.randrange(60))
            requests.append(("SELECT", str(database)))
            what = draw.random()
            held = data.get(key, ("", None))
            if what < 0.2:
                fields = {f"f{draw.randrange(9)}": draw.choice(["1", "v" * 70, "\r\n"])
                          for _ in range(draw.choice([1, 5, 600]))}
                if not isinstance(held[0], dict):
                    requests.append(("DEL", key))
                    held = ({}, None)
                requests.append(("HSET", key, *[word for pair in fields.items() for word in pair]))
                requests.append(("HDEL", key, "f0"))
                left = {**held[0], **fields}
                left.pop("f0", None)
                data[key] = (left, held[1])
                if not left:
                    data.pop(key)
            elif what < 0.35:
                words = draw.choice([["1", "-7", "100000"], ["m", "w" * 70, "\r\n"]])
                members = {word + str(draw.randrange(9)) for word in words}
                if draw.random() < 0.2:
                    members |= {str(n) for n in range(600)}
                if not isinstance(held[0], frozenset):
                    requests.append(("DEL", key))
                    held = (frozenset(), None)
                requests.append(("SADD", key, *sorted(members)))
                gone = draw.choice(sorted(members))
                requests.append(("SREM", key, gone, "none"))
                left = (held[0] | members) - {gone}
                data[key] = (left, held[1])
                if not left:
                    data.pop(key)
            elif what < 0.38:
                other = key + " too"
                if isinstance(held[0], frozenset) and held[0]:
                    requests.append(("SUNIONSTORE", other, key, "none"))
                    requests.append(("SPOP", key, str(len(held[0]))))
                    data.pop(key)
                    data[other] = (held[0], None)
            elif what < 0.6:
                value = draw.choice(["", "7", "-123456789", "abc" * 100, "\r\n*1\r\n", "v" * 20000,
                                     str(draw.randrange(10**9))])
                if draw.random() < 0.3:
                    deadline = int(time.time() * 1000) + 10**7 + draw.randrange(10**6)
                    requests.append(("SET", key, value, "PXAT", str(deadline)))
                    data[key] = (value, deadline)
                else:
                    requests.append(("SET", key, value))
                    data[key] = (value, None)
            elif what < 0.7:
                requests.append(("DEL", key))
                data.pop(key, None)
            elif what < 0.8:
                if not isinstance(held[0], str):
                    continue
                requests.append(("APPEND", key, "+"))
                data[key] = (held[0] + "+", held[1])
            elif what < 0.99:
                requests += [("MULTI",), ("SET", key, "1"), ("INCR", key), ("EXEC",)]
                data[key] = ("2", None)
            else:
                requests.append(("FLUSHDB",))
                data.clear()
        for reply in server.ask_all(requests):
            if reply.startswith(b"-"):
                self.complain(f"a write is answered with {reply!r}")

    def compare(self, server, what):
        for database in DATABASES:
            data = self.truth[database]
            keys = sorted(data)
            replies = server.ask_all([("SELECT", str(database)), ("DBSIZE",)]
                                     + [reading(key, data[key][0]) for key in keys]
                                     + [("PEXPIRETIME", key) for key in keys])
            if replies[1] != b":%d\r\n" % len(keys):
                self.complain(f"{what}: database {database} has {replies[1]!r} of {len(keys)} keys")
            for index, key in enumerate(keys):
                value, deadline = data[key]
                found = value_of(replies[2 + index], value)
                if found != encoded(value):
                    self.complain(f"{what}: {key} of {database} is {found!r}, not {value!r}")
                expires = int(replies[2 + len(keys) + index][1:-2])
                if expires != (deadline or -1):
                    self.complain(f"{what}: {key} of {database} expires {expires}, not {deadline}")

    def await_rewrite(self, server):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            text = server.ask("INFO", "persistence")
            if b"aof_rewrite_in_progress:0" in text and b"aof_rewrite_scheduled:0" in text:
                if b"aof_last_bgrewrite_status:ok" not in text:
                    self.complain("a rewrite failed")
                return
            time.sleep(0.01)
        self.complain("a rewrite does not end")

    def accepted(self, what):
        manifest = os.path.join(self.directory, LOG, "appendonly.aof.manifest")
        ran = subprocess.run([self.check, manifest], capture_output=True, text=True)
        if ran.returncode != 0 or "valid" not in ran.stdout:
            self.complain(f"{what}: redis-check-aof refuses the log:\n{ran.stdout}{ran.stderr}")

    def old_single_file(self, rdb_first):
        """What Redis before 7 left: one file, of commands, or of an RDB and then commands."""
        server = self.start(self.redis, "--aof-use-rdb-preamble", "yes" if rdb_first else "no")
        self.compare(server, "before the single file")
        server.ask("BGREWRITEAOF")
        self.await_rewrite(server)
        self.write(server)
        server.stop()
        log = os.path.join(self.directory, LOG)
        with open(os.path.join(log, "appendonly.aof.manifest")) as file:
            names = [line.split()[1] for line in file if line.split()[5] in "bi"]
        with open(os.path.join(self.directory, "appendonly.aof"), "wb") as single:
            for name in names:
                with open(os.path.join(log, name), "rb") as part:
                    single.write(part.read())
        shutil.rmtree(log)
        self.turn("this server, of a single file", self.ours, True, 1)
        if os.path.exists(os.path.join(self.directory, "appendonly.aof")):
            self.complain("the single file was not taken over")

    def damaged(self):
        """A byte changed below what was synced, in each file: refused, and the place named."""
        self.turn("this server", self.ours, False, 1)
        server = self.start(self.ours)
        server.ask("CONFIG", "SET", "auto-aof-rewrite-percentage", "0")
        self.write(server)
        server.stop()
        log = os.path.join(self.directory, LOG)
        for name in sorted(os.listdir(log)):
            path = os.path.join(log, name)
            with open(path, "rb") as file:
                whole = file.read()
            with open(path, "wb") as file:
                file.write(whole[:20] + bytes([whole[20] ^ 0x10]) + whole[21:])
            try:
                self.start(self.ours).stop()
                self.complain(f"a damaged {name} is loaded")
            except RuntimeError as error:
                if name not in str(error) or not ("offset" in str(error) or ":1:" in str(error)):
                    self.complain(f"a damaged {name}: the message is\n{error}")
            with open(path, "wb") as file:
                file.write(whole)
        server = self.start(self.ours)
        self.compare(server, "after the damage was undone")
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seatrial")
    parser.add_argument("--redis", default="/usr/bin/redis-server")
    parser.add_argument("--check", default="/usr/bin/redis-check-aof")
    parser.add_argument("--dir", default=None, help="where; default: the system's temporary")
    turns = Turns(parser.parse_args())
    try:
        for rdb in (True, False):
            turns.turn("this server", turns.ours, rdb, 3)
            turns.turn("Redis", turns.redis, rdb, 0)
            turns.turn("this server", turns.ours, rdb, 0)
            turns.turn("Redis", turns.redis, rdb, 2)
            turns.turn("this server", turns.ours, not rdb, 1)
            turns.turn("Redis", turns.redis, not rdb, 1)
        for rdb_first in (True, False):
            turns.old_single_file(rdb_first)
        turns.damaged()
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{turns.turns} turns, {turns.wrong} wrong")
    if turns.wrong:
        print(f"the directory is kept: {turns.directory}")
        return 1
    shutil.rmtree(turns.directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
