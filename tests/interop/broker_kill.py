#!/usr/bin/env python3
"""Kills the broker with SIGKILL while records are produced and consumed, again and again, and
checks what is there afterwards.

    tests/interop/broker_kill.py build/seatrial [--rounds 20] [--dir DIRECTORY]

Real sockets, a real disk, small segments, one directory for all rounds. After each kill every
partition must hold: offsets without a gap; every record that was acknowledged under acks=all, and
every one that a consumer saw, at its offset and the same; nothing that nobody sent; each producer's
records in the order of sending, each once. Exit: 0 all of that held, 1 not, 2 it could not run.
"""

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from kafka_wire import Connection, batch, fetch, produce, read_batches

TOPIC = b"killed"
PARTITIONS = 3
PRODUCERS = 6
IN_FLIGHT = 5


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Broker:
    def __init__(self, binary, directory):
        self.port = free_port()
        self.log_path = os.path.join(directory, "broker.log")
        settings = {"listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
                    "log.dirs": f"{directory}/logs", "num.partitions": PARTITIONS,
                    "log.segment.bytes": 30_000, "log.index.interval.bytes": 500}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [binary, "broker"] + [word for name, value in settings.items()
                                      for word in ("--override", f"{name}={value}")],
                stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while True:
            try:
                Connection(self.port).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the broker does not start, see {self.log_path}") from None
                time.sleep(0.01)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Known:
    """What is known of a partition: records that must be there, and all that were ever sent."""

    def __init__(self):
        self.there = {}
        self.sent = set()


class Producer(threading.Thread):
    def __init__(self, number, round_, broker, known):
        super().__init__()
        self.name_ = b"%d.%d" % (round_, number)
        self.partition = number % PARTITIONS
        self.broker = broker
        self.known = known[self.partition]
        self.random = random.Random(round_ * 1000 + number)
        self.problem = None

    def run(self):
        in_flight = []
        sequence = 0
        try:
            with Connection(self.broker.port) as connection:
                while True:
                    values = []
                    for _ in range(self.random.randrange(1, 8)):
                        padding = b"x" * self.random.randrange(100)
                        values.append(b"%s:%d:%s" % (self.name_, sequence, padding))
                        sequence += 1
                    self.known.sent.update(values)
                    connection.send(produce(TOPIC, self.partition, -1, batch(values)))
                    in_flight.append(values)
                    if len(in_flight) < IN_FLIGHT:
                        continue
                    error, base = connection.produced(TOPIC)
                    if error != 0:
                        self.problem = f"a record was refused with error {error}"
                        return
                    for i, value in enumerate(in_flight.pop(0)):
                        self.known.there[base + i] = value
        except OSError:
            pass


class Consumer(threading.Thread):
    """Follows one partition. What it saw must stay."""

    def __init__(self, partition, broker):
        super().__init__()
        self.partition = partition
        self.broker = broker
        self.seen = {}
        self.problem = None

    def run(self):
        offset = 0
        try:
            with Connection(self.broker.port) as connection:
                while True:
                    connection.send(fetch(TOPIC, self.partition, offset, bytes_max=20_000))
                    error, _, batches = connection.fetched(TOPIC)
                    if error != 0:
                        self.problem = f"fetching at {offset} gave error {error}"
                        return
                    for at, value in read_batches(bytes(batches)):
                        self.seen[at] = value
                        offset = at + 1
        except OSError:
            pass


def read_partition(broker, partition):
    found = []
    with Connection(broker.port) as connection:
        while True:
            connection.send(fetch(TOPIC, partition, len(found), wait_ms=0))
            error, watermark, batches = connection.fetched(TOPIC)
            if error != 0:
                raise AssertionError(f"partition {partition}: error {error} at {len(found)}")
            for offset, value in read_batches(bytes(batches)):
                if offset != len(found):
                    raise AssertionError(
                        f"partition {partition}: offset {offset} where {len(found)} is next")
                found.append(value)
            if len(found) >= watermark:
                return found


def check(broker, partition, known):
    found = read_partition(broker, partition)
    for offset, value in known.there.items():
        if offset >= len(found):
            raise AssertionError(f"partition {partition}: offset {offset} is lost: {value[:40]}; "
                                 f"the log ends at {len(found)}")
        if found[offset] != value:
            raise AssertionError(f"partition {partition}: offset {offset} was {value[:40]}, and is "
                                 f"{found[offset][:40]}")
    last = {}
    for offset, value in enumerate(found):
        if value not in known.sent:
            raise AssertionError(f"partition {partition}: nobody sent {value[:40]} at {offset}")
        name, sequence, _ = value.split(b":", 2)
        if last.get(name, -1) + 1 != int(sequence):
            raise AssertionError(f"partition {partition}: {name} sent {last.get(name, -1) + 1} "
                                 f"next, and {int(sequence)} is at {offset}")
        last[name] = int(sequence)
    # What stands there now stays there, acknowledged or not.
    known.there.update(enumerate(found))
    return len(found)


def run_round(binary, directory, round_, known):
    broker = Broker(binary, directory)
    try:
        with Connection(broker.port) as connection:
            connection.make_topic(TOPIC)
        counts = [check(broker, partition, known[partition]) for partition in range(PARTITIONS)]
        threads = [Producer(i, round_, broker, known) for i in range(PRODUCERS)]
        threads += [Consumer(i, broker) for i in range(PARTITIONS)]
        for thread in threads:
            thread.start()
        time.sleep(random.Random(round_).uniform(0.02, 0.3))
    finally:
        broker.kill()
    for thread in threads:
        thread.join()
        if thread.problem:
            raise AssertionError(thread.problem)
        if isinstance(thread, Consumer):
            for offset, value in thread.seen.items():
                if known[thread.partition].there.setdefault(offset, value) != value:
                    raise AssertionError(f"partition {thread.partition}: a consumer saw "
                                         f"{value[:40]} at {offset}, which was something else")
    return sum(counts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--dir")
    arguments = parser.parse_args()
    directory = arguments.dir or tempfile.mkdtemp(prefix="broker-kill-")
    known = [Known() for _ in range(PARTITIONS)]
    try:
        for round_ in range(arguments.rounds + 1):
            count = run_round(arguments.binary, directory, round_, known)
        print(f"broker_kill: {arguments.rounds} kills, {count} records, nothing lost")
    except AssertionError as error:
        print(f"broker_kill: {error}; what is left is in {directory}", file=sys.stderr)
        sys.exit(1)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"broker_kill: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
