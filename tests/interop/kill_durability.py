#!/usr/bin/env python3
"""Kills the server with SIGKILL during writes, again and again, and checks that nothing that it
acknowledged under `appendfsync always` is lost, and that nothing is there that nobody wrote.

    tests/interop/kill_durability.py build/seatrial [--rounds 20] [--clients 8] [--rewrite]

Real sockets, a real disk, one directory for all rounds. Each client sets keys of its own to ever
new values, in pipelines, and counts with INCR; after each kill the restarted server must show, for
every key, the last acknowledged value or one that was under way when the connection broke. With
--rewrite the log is rewritten all the time, as an RDB or as commands, so that kills strike in it.
Exit: 0 all there, 1 something was lost or made up, 2 it could not run.
"""

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from redis_conversations import encode
from redis_differential import Connection, free_port

KEYS_PER_CLIENT = 20
OPTIONS = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]


class Node:
    """The server on a port of its own; `listens`: not before it answers."""

    def __init__(self, binary, directory, options, listens=True):
        self.port = free_port()
        self.log_path = os.path.join(directory, "log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [binary, "server", "--port", str(self.port), "--dir", directory,
                 "--bind", "127.0.0.1", *options],
                stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while listens:
            try:
                Connection(self).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the server does not start, see {self.log_path}")
                time.sleep(0.01)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Client(threading.Thread):
    """Writes until the connection breaks. For each key, `acknowledged` is the last value that was
    confirmed, and `possible` are those sent since then."""

    def __init__(self, number, node, acknowledged, start_at):
        super().__init__()
        self.connection = Connection(node)
        self.keys = [f"client{number}:key{i}" for i in range(KEYS_PER_CLIENT)]
        self.counter = f"client{number}:counter"
        self.acknowledged = acknowledged
        self.possible = {}
        self.next_value = start_at
        self.confirmed = 0
        self.draw = random.Random(number * 1000003 + start_at)
        self.problem = None

    def run(self):
        try:
            while True:
                self.one_pipeline()
        except (OSError, EOFError):
            pass
        except Exception as error:  # Any other end is a finding, not a broken connection.
            self.problem = repr(error)

    def one_pipeline(self):
        requests = []
        for _ in range(self.draw.choice([1, 1, 3, 10])):
            if self.draw.random() < 0.3:
                sent = self.possible.get(self.counter) or [self.acknowledged.get(self.counter, 0)]
                value = sent[-1] + 1
                requests.append(
                    (self.counter, value, encode(["INCR", self.counter]), b":%d\r\n" % value))
            else:
                self.next_value += 1
                key = self.draw.choice(self.keys)
                requests.append((key, self.next_value, encode(["SET", key, str(self.next_value)]),
                                 b"+OK\r\n"))
            self.possible.setdefault(requests[-1][0], []).append(requests[-1][1])
        self.connection.send(b"".join(request[2] for request in requests))
        for key, value, _, expected in requests:
            reply = self.connection.reply()
            if reply == b"<silence>" or reply.endswith(b"<closed>"):
                raise EOFError
            if reply != expected:
                raise AssertionError(f"{key}: expected {expected!r}, got {reply!r}")
            self.acknowledged[key] = value
            self.possible[key].remove(value)
            if not self.possible[key]:
                del self.possible[key]
            self.confirmed += 1


class Rewriter(threading.Thread):
    """Has the log rewritten again and again, until the connection breaks."""

    def __init__(self, node, number):
        super().__init__()
        self.connection = Connection(node)
        self.draw = random.Random(number)
        self.started = 0
        self.complete = 0

    def run(self):
        try:
            while True:
                kind = self.draw.choice(["yes", "no"])
                self.connection.send(encode(["CONFIG", "SET", "aof-use-rdb-preamble", kind])
                                     + encode(["BGREWRITEAOF"]) + encode(["INFO", "persistence"]))
                self.connection.reply()
                self.started += b"started" in self.connection.reply()
                text = self.connection.reply()
                if b"aof_rewrites:" in text:
                    self.complete = int(text.split(b"aof_rewrites:")[1].split(b"\r\n")[0])
                time.sleep(self.draw.uniform(0, 0.02))
        except (OSError, EOFError):
            pass


def check(node, clients, acknowledged):
    """Compares what is there with what may be; what is there becomes the truth."""
    wrong = 0
    connection = Connection(node)
    for client in clients:
        for key in client.keys + [client.counter]:
            connection.send(encode(["GET", key]))
            reply = connection.reply()
            found = None if reply == b"$-1\r\n" else int(reply.split(b"\r\n")[1])
            allowed = [acknowledged.get(key)] + client.possible.get(key, [])
            if found not in allowed:
                wrong += 1
                print(f"LOST OR MADE UP: {key} is {found}, allowed {allowed}")
            if found is not None:
                acknowledged[key] = found
    connection.close()
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seatrial")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rewrite", action="store_true", help="rewrite the log all the time")
    parser.add_argument("--dir", default=None, help="where; default: the system's temporary")
    arguments = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="kill-durability-", dir=arguments.dir)
    draw = random.Random(7)
    acknowledged, confirmed, wrong, start_at = {}, 0, 0, 0
    started, complete = 0, 0
    try:
        node = Node(arguments.seatrial, directory, OPTIONS)
        for number in range(arguments.rounds):
            clients = [Client(i, node, acknowledged, start_at) for i in range(arguments.clients)]
            rewriter = Rewriter(node, number) if arguments.rewrite else None
            for thread in clients + ([rewriter] if rewriter else []):
                thread.start()
            time.sleep(draw.uniform(0.05, 0.6))
            node.kill()
            if rewriter:
                rewriter.join()
                started += rewriter.started
                complete += rewriter.complete
            for client in clients:
                client.join()
                confirmed += client.confirmed
                start_at = max(start_at, client.next_value)
                if client.problem:
                    wrong += 1
                    print(f"WRONG REPLY: {client.problem}")
            node = Node(arguments.seatrial, directory, OPTIONS)
            wrong += check(node, clients, acknowledged)
        node.kill()
    except RuntimeError as error:
        print(error, file=sys.stderr)
        with open(os.path.join(directory, "log")) as log:
            print("".join(log.readlines()[-5:]), file=sys.stderr)
        return 2
    print(f"{arguments.rounds} kills, {confirmed} writes acknowledged, {wrong} wrong")
    if arguments.rewrite:
        print(f"{started} rewrites begun, {complete} seen complete")
        if complete == 0:
            wrong += 1
            print("NOT ONE rewrite came to its end: nothing was tested")
    if wrong:
        print(f"the directory is kept: {directory}")
        return 1
    shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
