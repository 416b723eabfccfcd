#!/usr/bin/env python3
"""How long a full synchronisation of a million keys takes, ours beside Redis, on this machine.

Each pair is a primary full of keys and an empty replica, both of the same make, on loopback. The
time runs from REPLICAOF until the replica's link is up. Pairs take turns, so that what else the
machine does hits both; the medians are compared.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VALUE_BYTES = 64
START_SECONDS_MAX = 20
SYNC_SECONDS_MAX = 300


class Client:
    """A connection that asks in words and reads one reply."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SYNC_SECONDS_MAX)
        self.file = self.socket.makefile("rb")

    def ask(self, *words):
        self.socket.sendall(encode(words))
        return self.reply()

    def reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        if line[:1] == b"$":
            return self.file.read(int(line[1:]) + 2)[:-2].decode()
        if line[:1] == b"-":
            raise RuntimeError(line[1:].decode().strip())
        return line[1:-2].decode()

    def info(self, field):
        for line in self.ask("INFO").splitlines():
            if line.startswith(field + ":"):
                return line.split(":", 1)[1]
        return None


def encode(words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word.encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server process of one make, with a folder of its own."""

    def __init__(self, make, scratch, name, diskless):
        self.port = free_port()
        folder = os.path.join(scratch, name)
        os.makedirs(folder)
        options = ["--port", str(self.port), "--dir", folder, "--save", "", "--bind", "127.0.0.1",
                   "--repl-diskless-sync", "yes" if diskless else "no",
                   "--repl-diskless-sync-delay", "0"]
        log = open(os.path.join(folder, "log"), "wb")
        self.process = subprocess.Popen(make + options, stdout=log, stderr=log,
                                        stdin=subprocess.DEVNULL)
        until = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                self.client = Client(self.port)
                self.client.ask("PING")
                return
            except (OSError, RuntimeError):
                if time.monotonic() > until or self.process.poll() is not None:
                    raise RuntimeError(f"{make[0]} did not start; see {folder}/log") from None
                time.sleep(0.05)

    def fill(self, keys):
        batch = []
        value = "v" * VALUE_BYTES
        for begin in range(0, keys, 1000):
            batch = [encode(("SET", f"key:{i:012d}", value))
                     for i in range(begin, min(begin + 1000, keys))]
            self.client.socket.sendall(b"".join(batch))
            for _ in batch:
                self.client.reply()

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        # Own and waited-for children's, user and system: the forked child counts.
        return sum(int(fields[i]) for i in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.kill()
        self.process.wait()


def synchronise(primary, replica, keys):
    """Seconds, and the CPU seconds of both sides."""
    before = primary.cpu_seconds() + replica.cpu_seconds()
    begun = time.monotonic()
    replica.client.ask("REPLICAOF", "127.0.0.1", str(primary.port))
    while replica.client.info("master_link_status") != "up":
        if time.monotonic() - begun > SYNC_SECONDS_MAX:
            raise RuntimeError(f"no full synchronisation within {SYNC_SECONDS_MAX} s")
        time.sleep(0.005)
    took = time.monotonic() - begun
    if int(replica.client.ask("DBSIZE")) != keys:
        raise RuntimeError("the replica does not hold what its primary holds")
    time.sleep(0.2)  # The child is reaped, and its CPU counted.
    return took, primary.cpu_seconds() + replica.cpu_seconds() - before


def measure(makes, keys, rounds, diskless, scratch):
    times = {name: [] for name in makes}
    cpus = {name: [] for name in makes}
    primaries = {}
    for name, make in makes.items():
        primaries[name] = Server(make, scratch, f"{name}-{diskless}-primary", diskless)
        primaries[name].fill(keys)
    for turn in range(rounds):
        for name, make in makes.items():
            replica = Server(make, scratch, f"{name}-{diskless}-replica-{turn}", diskless)
            took, cpu = synchronise(primaries[name], replica, keys)
            times[name].append(took)
            cpus[name].append(cpu)
            replica.stop()
    for primary in primaries.values():
        primary.stop()
    how = "diskless" if diskless else "by disk"
    base = statistics.median(times["redis"])
    base_cpu = statistics.median(cpus["redis"])
    for name in makes:
        took = statistics.median(times[name])
        cpu = statistics.median(cpus[name])
        print(f"{name:<10} {how:<9} {keys:>9} {took:>8.2f} {took / base:>9.2f} {cpu:>8.2f} "
              f"{cpu / max(base_cpu, 0.01):>9.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="few keys, one round")
    parser.add_argument("--seatrial", default=os.path.join(ROOT, "build", "seatrial"))
    options = parser.parse_args()
    redis = shutil.which("redis-check-rdb")  # The server itself, under another name.
    if redis is None:
        print("full_sync: redis-tools is not installed", file=sys.stderr)
        return 77
    scratch = tempfile.mkdtemp(prefix="full-sync-")
    server = os.path.join(scratch, "redis-server")
    os.symlink(os.path.realpath(redis), server)
    makes = {"seatrial": [options.seatrial, "server"], "redis": [server]}
    keys = 10_000 if options.quick else 1_000_000
    print(f"{'make':<10} {'how':<9} {'keys':>9} {'seconds':>8} {'of Redis':>9} {'CPU s':>8} "
          f"{'of Redis':>9}")
    try:
        for diskless in (False, True):
            measure(makes, keys, 1 if options.quick else 3, diskless, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
