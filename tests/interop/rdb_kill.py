#!/usr/bin/env python3
"""Kills the server with SIGKILL while it takes snapshots in every way, again and again, and checks
that its file always loads and is never older than the last snapshot known to be complete.

    tests/interop/rdb_kill.py build/seatrial [--rounds 20] [--check /usr/bin/redis-check-rdb]

Real sockets, a real disk, one directory for all rounds, no append-only file. One client counts up
three keys together, in MULTI; others ask for BGSAVE and SAVE, and save points are at work. After a
kill (of the server alone: its child goes on as an orphan) the file must be accepted by
redis-check-rdb and load in a new server; its keys must be equal, as they are at any moment, and not
below the count that was known to be saved: what stood when a SAVE was asked for that was answered,
or a BGSAVE that INFO has shown to be complete. Now and then the kill strikes the loading server.
Exit: 0 all well, 1 not, 2 it could not run.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from kill_durability import Node
from redis_conversations import encode
from redis_differential import Connection

KEYS = ["count:a", "count:b", "count:c"]
BALLAST_KEYS = 20_000
OPTIONS = ["--save", "1", "1"]


def ask(connection, *words):
    connection.send(encode(list(words)))
    reply = connection.reply()
    if reply == b"<silence>" or reply.endswith(b"<closed>"):
        raise EOFError
    return reply


class Worker(threading.Thread):
    """Works on a connection of its own until that breaks."""

    def __init__(self, node, shared):
        super().__init__()
        self.connection = Connection(node)
        self.shared = shared
        self.problem = None

    def run(self):
        try:
            while True:
                self.step()
        except (OSError, EOFError):
            pass
        except Exception as error:  # Any other end is a finding, not a broken connection.
            self.problem = repr(error)


class Shared:
    """What is known of the data: `written` has been acknowledged, `saved` is on disk."""

    def __init__(self, count):
        self.written = count
        self.saved = count
        self.snapshots = 0


class Counter(Worker):
    def step(self):
        requests = [["MULTI"]] + [["INCR", key] for key in KEYS] + [["EXEC"]]
        self.connection.send(b"".join(encode(request) for request in requests))
        replies = [self.connection.reply() for _ in requests]
        if b"<closed>" in replies[-1] or replies[-1] == b"<silence>":
            raise EOFError
        self.shared.written += 1
        expected = b"*3\r\n" + b":%d\r\n" % self.shared.written * 3
        if replies[-1] != expected:
            raise AssertionError(f"expected {expected!r}, got {replies[-1]!r}")


class Saver(Worker):
    """SAVE: what was acknowledged before it was asked for is in it."""

    def step(self):
        time.sleep(random.uniform(0, 0.1))
        count = self.shared.written
        reply = ask(self.connection, "SAVE")
        if reply == b"+OK\r\n":
            self.shared.saved = max(self.shared.saved, count)
            self.shared.snapshots += 1
        elif b"already in progress" not in reply:
            raise AssertionError(f"SAVE answers {reply!r}")


class BackgroundSaver(Worker):
    """BGSAVE: what was acknowledged before it was asked for is in it, and it is complete once no
    child is at work any more and the last one has succeeded."""

    def figures(self):
        text = ask(self.connection, "INFO", "persistence").decode()
        lines = dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)
        return lines["rdb_bgsave_in_progress"], lines["rdb_last_bgsave_status"]

    def step(self):
        time.sleep(random.uniform(0, 0.1))
        count = self.shared.written
        reply = ask(self.connection, "BGSAVE")
        if b"already in progress" in reply:
            return
        if reply != b"+Background saving started\r\n":
            raise AssertionError(f"BGSAVE answers {reply!r}")
        while True:
            running, status = self.figures()
            if running == "0":
                break
            time.sleep(0.002)
        # Whichever ended, ours or one after it: it has what stood when ours began.
        if status != "ok":
            raise AssertionError(f"a snapshot failed: {status}")
        self.shared.saved = max(self.shared.saved, count)
        self.shared.snapshots += 1


def fill(node):
    connection = Connection(node)
    for begin in range(0, BALLAST_KEYS, 1000):
        for i in range(begin, begin + 1000):
            connection.send(encode(["SET", f"ballast:{i}", "some words " * (i % 20)]))
        for _ in range(1000):
            connection.reply()
    connection.close()


def read_counts(node):
    connection = Connection(node)
    counts = []
    for key in KEYS:
        reply = ask(connection, "GET", key)
        counts.append(0 if reply == b"$-1\r\n" else int(reply.split(b"\r\n")[1]))
    connection.close()
    return counts


def temporary_files(directory):
    return [name for name in os.listdir(directory) if name.startswith("temp-")]


def check_file(check, directory):
    """What redis-check-rdb has to say against the file; None: nothing."""
    file = os.path.join(directory, "dump.rdb")
    if check is None or not os.path.exists(file):
        return None
    # A copy: the orphan of a server that was killed must not be given a chance to change it.
    copy = os.path.join(directory, "copy-to-check")
    shutil.copyfile(file, copy)
    done = subprocess.run([check, copy], capture_output=True, text=True, check=False)
    os.remove(copy)
    return None if done.returncode == 0 and "RDB looks OK" in done.stdout else done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seatrial")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--check", default=None)
    parser.add_argument("--dir", default=None, help="where; default: the system's temporary")
    arguments = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="rdb-kill-", dir=arguments.dir)
    draw = random.Random(11)
    wrong = snapshots = 0
    try:
        node = Node(arguments.seatrial, directory, OPTIONS)
        fill(node)
        shared = Shared(0)
        for number in range(arguments.rounds):
            workers = [Counter(node, shared), Saver(node, shared), BackgroundSaver(node, shared)]
            for worker in workers:
                worker.start()
            time.sleep(draw.uniform(0.05, 1.5))
            node.kill()
            for worker in workers:
                worker.join()
                if worker.problem:
                    wrong += 1
                    print(f"round {number}: {worker.problem}")
            complaint = check_file(arguments.check, directory)
            if complaint:
                wrong += 1
                print(f"round {number}: redis-check-rdb refuses the file:\n{complaint}")
            if draw.random() < 0.3:
                node = Node(arguments.seatrial, directory, OPTIONS, listens=False)
                time.sleep(draw.uniform(0, 0.05))
                node.kill()
            node = Node(arguments.seatrial, directory, OPTIONS)
            counts = read_counts(node)
            # One more than is known may have been saved: its answer was under way.
            if len(set(counts)) != 1 or not shared.saved <= counts[0] <= shared.written + 1:
                wrong += 1
                print(f"round {number}: the counts are {counts}, at least {shared.saved} was "
                      f"saved, at most {shared.written} written")
            snapshots += shared.snapshots
            shared = Shared(counts[0])
        node.kill()
        Node(arguments.seatrial, directory, OPTIONS).kill()
        # The last one had nobody who saves beside it for long; orphans have ended.
        if len(temporary_files(directory)) > 1:
            wrong += 1
            print(f"temporary files pile up: {temporary_files(directory)}")
    except RuntimeError as error:
        print(error, file=sys.stderr)
        with open(os.path.join(directory, "log")) as log:
            print("".join(log.readlines()[-5:]), file=sys.stderr)
        return 2
    print(f"{arguments.rounds} kills, {snapshots} snapshots known to be complete, {wrong} wrong")
    if wrong:
        print(f"the directory is kept: {directory}")
        return 1
    shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
