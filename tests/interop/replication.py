#!/usr/bin/env python3
"""Replicates between this server and a real redis-server 7.0, in both directions, while writes go
on and connections are cut, and compares all data afterwards.

    tests/interop/replication.py build/seatrial --redis /usr/bin/redis-server [--only NAME]

Each trial starts its servers on free ports of the loopback, links them through a proxy that can cut
what goes through it, and lets writers work meanwhile: strings, counters, deadlines, transactions
and two databases. What must hold: after a cut the replica goes on with a partial resynchronization
where the backlog allows (INFO's sync_partial_ok says so), else with a full one; when the writers
rest all servers hold the same keys, values and deadlines; only the primary removes what has
expired. Exit: 0 all held, 1 something did not, 2 it could not run.
"""

import argparse
import random
import socket
import sys
import threading
import time

from redis_conversations import encode
from redis_differential import Connection, Server

PATIENCE_SECONDS = 20
KEYS = 2000
SOON_MS = 10_000


class Failure(Exception):
    """Something that must hold does not."""


class Client:
    """Requests as words, replies as values."""

    def __init__(self, server):
        self.connection = Connection(server)
        self.connection.socket.settimeout(PATIENCE_SECONDS)

    def send(self, requests):
        self.connection.send(b"".join(encode(words) for words in requests))

    def replies(self, count):
        return [self.value(self.connection.reply()) for _ in range(count)]

    def many(self, requests):
        self.send(requests)
        return self.replies(len(requests))

    def __call__(self, *words):
        return self.many([[str(word) for word in words]])[0]

    def value(self, data):
        value, end = self.parse(data, 0)
        assert end == len(data)
        return value

    def parse(self, data, start):
        end = data.find(b"\r\n", start)
        if end < 0:
            raise Failure(f"no reply: {data!r}")
        kind, rest = data[start:start + 1], data[start + 1:end]
        if kind == b"+":
            return rest.decode(), end + 2
        if kind == b"-":
            return Failure(rest.decode()), end + 2
        if kind == b":":
            return int(rest), end + 2
        length = int(rest)
        if length < 0:
            return None, end + 2
        if kind == b"$":
            return data[end + 2:end + 2 + length], end + 4 + length
        items, at = [], end + 2
        for _ in range(length):
            item, at = self.parse(data, at)
            items.append(item)
        return items, at

    def info(self, section):
        text = self("INFO", section).decode()
        return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)

    def close(self):
        self.connection.close()


class Proxy:
    """Passes bytes on to a server. Can cut all connections, and refuse new ones for a while."""

    def __init__(self, server):
        self.target = server.port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pairs = []
        self.refusing = False
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.refusing:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            with self.lock:
                self.pairs.append((near, far))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def copy(source, sink):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()

    def close(self):
        self.listener.close()
        self.cut()


class Writer(threading.Thread):
    """Changes the primary's data until it is told to rest."""

    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self.client = Client(server)
        self.random = random.Random(seed)
        self.resting = threading.Event()
        self.problem = None
        self.requests = 0

    def request(self):
        draw = self.random
        key = f"key{draw.randrange(KEYS)}"
        value = "".join(draw.choice("abcdefgh01") for _ in range(draw.choice((1, 10, 200))))
        return draw.choice((
            ["SET", key, value], ["SET", key, value], ["SET", key, str(draw.randrange(10 ** 6))],
            ["SET", key, value, "PX", str(draw.randrange(1, 2000))],
            ["SET", key, value, "EX", "1000", "GET"], ["DEL", key, f"key{draw.randrange(KEYS)}"],
            ["APPEND", key, value], ["INCR", f"count{draw.randrange(20)}"],
            ["PEXPIRE", key, str(draw.randrange(1, 3000))], ["PERSIST", key], ["GET", key],
            ["MSET", key, value, f"key{draw.randrange(KEYS)}", "m"], ["SETEX", key, "500", value],
            ["SELECT", str(draw.randrange(2))],
        ))

    def run(self):
        try:
            while not self.resting.is_set():
                batch = [self.request() for _ in range(self.random.randrange(1, 20))]
                if self.random.random() < 0.3:
                    batch = [["MULTI"], *batch, ["EXEC"]]
                self.client.many(batch)
                self.requests += len(batch)
                time.sleep(0.001)
        except (OSError, Failure) as problem:
            self.problem = problem

    def rest(self):
        self.resting.set()
        self.join()
        if self.problem:
            raise Failure(f"the writer was disturbed: {self.problem}")


class Trial:
    def __init__(self, arguments):
        self.arguments = arguments
        self.stops = []

    def ours(self, *options):
        return self.start([self.arguments.seatrial, "server"], "seatrial", options)

    def redis(self, *options):
        return self.start([self.arguments.redis], "redis", options)

    def server(self, kind, *options):
        return self.ours(*options) if kind == "ours" else self.redis(*options)

    def start(self, command, name, options):
        server = Server(command + ["--repl-diskless-sync-delay", "0", *options], name)
        self.stops.append(server.stop)
        server.client = Client(server)
        return server

    def proxy(self, server):
        proxy = Proxy(server)
        self.stops.append(proxy.close)
        return proxy

    def stop(self):
        for stop in reversed(self.stops):
            stop()


def await_that(what, holds):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise Failure(f"it does not come to pass that {what}")
        time.sleep(0.02)


def linked(server):
    return server.client.info("replication").get("master_link_status") == "up"


def place(server):
    info = server.client.info("replication")
    return info["master_replid"], info["master_repl_offset"]


def data_of(server):
    """All keys of two databases with their values and deadlines, but for those that expire soon."""
    found = {}
    now = int(time.time() * 1000)
    for database in range(2):
        server.client("SELECT", database)
        keys = sorted(server.client("KEYS", "*"))
        for begin in range(0, len(keys), 500):
            part = [key.decode() for key in keys[begin:begin + 500]]
            values = server.client.many([["GET", key] for key in part])
            deadlines = server.client.many([["PEXPIRETIME", key] for key in part])
            for key, value, deadline in zip(part, values, deadlines):
                if deadline == -1 or deadline > now + SOON_MS:
                    found[database, key] = value, deadline
    server.client("SELECT", 0)
    return found


def compare(primary, *replicas):
    """With the writers at rest: the same place, and the same data there."""
    # What expires within seconds is gone everywhere then.
    time.sleep(3.1)
    for replica in replicas:
        await_that("the replica is where its primary is", lambda: place(primary) == place(replica))
    expected = data_of(primary)
    if not expected:
        raise Failure("there is nothing to compare")
    for replica in replicas:
        found = data_of(replica)
        for key in sorted(expected.keys() | found.keys()):
            if expected.get(key) != found.get(key):
                raise Failure(f"{replica.name} has {found.get(key)!r} for {key}, "
                              f"its primary {primary.name} {expected.get(key)!r}")
        # A key may expire between the two questions; a difference that stays is one.
        await_that("DBSIZE is the same on both",
                   lambda r=replica: primary.client("DBSIZE") == r.client("DBSIZE"))
    return len(expected)


def stat(server, name):
    return int(server.client.info("stats")[name])


def follow(replica, proxy):
    replica.client("REPLICAOF", "127.0.0.1", proxy.port)


def expect_equal(what, found, expected):
    if found != expected:
        raise Failure(f"{what}: {found}, expected {expected}")


def pair_trial(trial, primary_kind, replica_kind, options, replica_options):
    """Full resynchronization under writes, three kinds of cuts, then one beyond the backlog."""
    primary = trial.server(primary_kind, "--repl-backlog-size", "1mb", *options)
    replica = trial.server(replica_kind, *replica_options)
    proxy = trial.proxy(primary)
    primary.client.many([["SET", f"key{i}", f"first{i}" * 5] for i in range(KEYS)])
    replica.client.many([["SET", f"old{i}", "x"] for i in range(100)])
    writer = Writer(primary, 1)
    writer.start()
    follow(replica, proxy)
    await_that("the link is up", lambda: linked(replica))
    cuts = (proxy.cut, lambda: primary.client("CLIENT", "KILL", "TYPE", "replica"),
            lambda: replica.client("CLIENT", "KILL", "TYPE", "master"))
    for number, cut in enumerate(cuts):
        time.sleep(0.2)
        cut()
        await_that(f"cut {number} is followed by a partial resynchronization",
                   lambda: stat(primary, "sync_partial_ok") == number + 1 and linked(replica))
    expect_equal("full resynchronizations", stat(primary, "sync_full"), 1)
    proxy.refusing = True
    proxy.cut()
    primary.client.many([["SET", f"large{i}", "x" * 100_000] for i in range(30)])
    proxy.refusing = False
    await_that("what is too much for the backlog needs everything",
               lambda: stat(primary, "sync_full") == 2 and linked(replica))
    writer.rest()
    keys = compare(primary, replica)
    expect_equal("what a replica has removed by its own clock",
                 replica.client.info("stats")["expired_keys"], "0")
    return f"{writer.requests} requests, {keys} keys"


def chain_trial(trial, kinds):
    """Primary, replica, and a replica's replica, which goes on when the one between is promoted."""
    first, second, third = (trial.server(kind) for kind in kinds)
    to_first, to_second = trial.proxy(first), trial.proxy(second)
    first.client.many([["SELECT", "1"], ["SET", "key1", "in 1"], ["SELECT", "0"]])
    writer = Writer(first, 2)
    writer.start()
    follow(second, to_first)
    await_that("the first link is up", lambda: linked(second))
    follow(third, to_second)
    await_that("the second link is up", lambda: linked(third))
    for cut in (to_first.cut, to_second.cut):
        time.sleep(0.3)
        cut()
        await_that("the links are up again", lambda: linked(second) and linked(third))
    writer.rest()
    keys = compare(first, second, third)
    # The one in the middle takes over: both of the others go on with it.
    fulls = stat(second, "sync_full")
    first.client("SELECT", "0")
    second.client("REPLICAOF", "NO", "ONE")
    second.client("SET", "after", "promotion")
    first.client("REPLICAOF", "127.0.0.1", to_second.port)
    await_that("both follow the one in the middle", lambda: linked(first) and linked(third))
    second.client.many([["SELECT", "1"], ["INCR", "count1"], ["SELECT", "0"]])
    compare(second, first, third)
    expect_equal("full resynchronizations for a promotion", stat(second, "sync_full"), fulls)
    return f"{writer.requests} requests, {keys} keys"


def expiry_trial(trial, primary_kind, replica_kind):
    """A replica hides what has expired, and removes it when its primary does."""
    primary = trial.server(primary_kind)
    replica = trial.server(replica_kind)
    follow(replica, trial.proxy(primary))
    await_that("the link is up", lambda: linked(replica))
    primary.client("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    primary.client.many([["SET", f"short{i}", "x", "PX", "300"] for i in range(50)])
    primary.client("SET", "long", "x", "PX", "100000")
    await_that("the replica has it", lambda: place(primary) == place(replica))
    time.sleep(0.5)
    expect_equal("an expired key on the replica", replica.client("GET", "short1"), None)
    expect_equal("keys on the replica", replica.client("DBSIZE"), 51)
    for i in range(50):
        primary.client("GET", f"short{i}")
    await_that("the primary's DELs arrive", lambda: replica.client("DBSIZE") == 1)
    deadlines = [server.client("PEXPIRETIME", "long") for server in (primary, replica)]
    expect_equal("the deadline on the replica", deadlines[1], deadlines[0])
    return "50 keys"


def wait_trial(trial, primary_kind, replica_kind):
    """WAIT counts who has acknowledged, in both directions."""
    primary = trial.server(primary_kind)
    replicas = [trial.server(replica_kind) for _ in range(2)]
    for replica in replicas:
        follow(replica, trial.proxy(primary))
    for replica in replicas:
        await_that("the link is up", lambda: linked(replica))
    for number in range(20):
        primary.client("SET", "x", number)
        expect_equal("acknowledged", primary.client("WAIT", "2", "5000"), 2)
        for replica in replicas:
            expect_equal("the value", replica.client("GET", "x"), str(number).encode())
    return "20 writes"


def trials():
    disk = ("--repl-diskless-sync", "no")
    diskless = ("--repl-diskless-sync", "yes")
    swap = ("--repl-diskless-load", "swapdb")
    for primary, replica in (("ours", "redis"), ("redis", "ours"), ("ours", "ours")):
        name = f"{primary} to {replica}"
        yield f"{name}, disk", lambda t, p=primary, r=replica: pair_trial(t, p, r, disk, ())
        yield f"{name}, diskless", lambda t, p=primary, r=replica: pair_trial(t, p, r, diskless, ())
        yield (f"{name}, diskless to the end",
               lambda t, p=primary, r=replica: pair_trial(t, p, r, diskless, swap))
        yield f"{name}, expiry", lambda t, p=primary, r=replica: expiry_trial(t, p, r)
        yield f"{name}, wait", lambda t, p=primary, r=replica: wait_trial(t, p, r)
    for kinds in (("redis", "ours", "redis"), ("ours", "redis", "ours"), ("ours", "ours", "ours")):
        yield "chain " + " to ".join(kinds), lambda t, k=kinds: chain_trial(t, k)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seatrial")
    parser.add_argument("--redis", default="/usr/bin/redis-server")
    parser.add_argument("--only", default="", help="trials whose name contains this")
    parser.add_argument("--logs", action="store_true", help="print the servers' logs of a failure")
    arguments = parser.parse_args()
    failures = 0
    for name, run in trials():
        if arguments.only not in name:
            continue
        trial = Trial(arguments)
        try:
            print(f"{name}: {run(trial)}", flush=True)
        except (Failure, OSError) as problem:
            failures += 1
            print(f"FAILED {name}: {problem}", flush=True)
            if arguments.logs:
                for stop in trial.stops:
                    server = getattr(stop, "__self__", None)
                    if isinstance(server, Server):
                        print(f"---- {server.name}")
                        print(open(server.log.name, encoding="utf-8").read()[-4000:])
        except RuntimeError as problem:
            print(f"cannot start: {problem}", file=sys.stderr)
            return 2
        finally:
            trial.stop()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
