#!/usr/bin/env python3
"""Compares the server's replies with those of a real redis-server 7.0, byte for byte.

    tests/interop/redis_differential.py build/seatrial [--redis /usr/bin/redis-server]

Both are started on free ports of the loopback, on empty directories. Each conversation is sent to
both, on fresh connections and empty databases; every reply must be the same bytes, unless its
line says how it may differ. Exit: 0 all the same, 1 differences (printed), 2 it could not run.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import redis_bits
import redis_conversations
import redis_hashes
import redis_keys
import redis_sets
import redis_strings
from redis_conversations import encode

TIMEOUT_SECONDS = 5


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server process on a directory of its own."""

    def __init__(self, command, name):
        self.name = name
        self.port = free_port()
        self.directory = tempfile.mkdtemp(prefix=f"differential-{name}-")
        self.log = open(os.path.join(self.directory, "log"), "w")
        self.process = subprocess.Popen(
            command + ["--port", str(self.port), "--dir", self.directory, "--save", "",
                       "--bind", "127.0.0.1", "--enable-debug-command", "yes"],
            stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 10
        while True:
            try:
                Connection(self).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    raise RuntimeError(f"{name} does not listen on port {self.port}")
                time.sleep(0.02)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Connection:
    """Sends requests, and cuts the byte stream into replies without changing them."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_SECONDS)
        self.buffer = b""

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def line(self, start):
        while True:
            end = self.buffer.find(b"\r\n", start)
            if end >= 0:
                return end + 2
            self.fill()

    def reply_end(self, start):
        end = self.line(start)
        kind, rest = self.buffer[start:start + 1], self.buffer[start + 1:end - 2]
        if kind in b"+-:":
            return end
        if kind == b"$":
            length = int(rest)
            if length < 0:
                return end
            while len(self.buffer) < end + length + 2:
                self.fill()
            return end + length + 2
        if kind == b"*":
            for _ in range(max(int(rest), 0)):
                end = self.reply_end(end)
            return end
        raise ValueError(f"no reply starts with {self.buffer[start:start + 20]!r}")

    def reply(self):
        """The bytes of one reply; b"<closed>" if the stream ends, b"<silence>" if none comes."""
        try:
            end = self.reply_end(0)
        except (EOFError, ConnectionError):
            rest, self.buffer = self.buffer, b""
            return rest + b"<closed>"
        except socket.timeout:
            return b"<silence>"
        data, self.buffer = self.buffer[:end], self.buffer[end:]
        return data


def talk(server, steps):
    cleaner = Connection(server)
    cleaner.send(encode(["FLUSHALL"]))
    cleaner.reply()
    cleaner.close()
    connections = {}
    replies = []
    for one in steps:
        connection = connections.get(one.on)
        if connection is None:
            connection = connections[one.on] = Connection(server)
        try:
            connection.send(one.data)
        except OSError:
            pass  # The other side has closed; its reply will say so.
        replies.append([connection.reply() for _ in range(one.replies)])
        if one.pause:
            time.sleep(one.pause)
    for connection in connections.values():
        connection.close()
    return replies


def shorten(value):
    text = repr(value)
    return text if len(text) <= 300 else text[:200] + " ... " + text[-80:]


def compare(name, steps, redis, ours):
    expected, found = talk(redis, steps), talk(ours, steps)
    differences = 0
    for one, left, right in zip(steps, expected, found):
        left_seen = [one.view(reply) for reply in left]
        right_seen = [one.view(reply) for reply in right]
        if left_seen == right_seen:
            continue
        differences += 1
        print(f"DIFFERENT in '{name}': {shorten(one.shown)}\n"
              f"  redis: {shorten(left_seen)}\n  ours:  {shorten(right_seen)}")
    return differences


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seatrial")
    parser.add_argument("--redis", default="/usr/bin/redis-server")
    parser.add_argument("--random", type=int, default=30, help="random conversations")
    parser.add_argument("--only", default="", help="conversations whose name contains this")
    arguments = parser.parse_args()
    try:
        redis = Server([arguments.redis], "redis")
    except (OSError, RuntimeError) as error:
        print(f"cannot start {arguments.redis}: {error}", file=sys.stderr)
        return 2
    try:
        ours = Server([arguments.seatrial, "server"], "seatrial")
    except (OSError, RuntimeError) as error:
        redis.stop()
        print(f"cannot start {arguments.seatrial}: {error}", file=sys.stderr)
        return 2
    try:
        differences = requests = 0
        todo = []
        for family in [redis_conversations, redis_keys, redis_strings, redis_bits, redis_hashes,
                       redis_sets]:
            todo += family.conversations()
            todo += [family.random_conversation(i) for i in range(arguments.random)]
        for name, steps in todo:
            if arguments.only not in name:
                continue
            requests += len(steps)
            differences += compare(name, steps, redis, ours)
        print(f"{len(todo)} conversations, {requests} requests, {differences} different")
        return 1 if differences else 0
    finally:
        redis.stop()
        ours.stop()


if __name__ == "__main__":
    sys.exit(main())
