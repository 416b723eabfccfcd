#!/usr/bin/env python3
"""The broker on real sockets and a real disk: records a second, MB/s, and whose CPU it takes.

kcat (librdkafka) is the client that users have. Ready-made batches sent down one socket, with
nearly no client, show the broker's own limit. A record at a time with acks=all is set beside what
one fdatasync of 4 KiB takes on the same disk.

    tests/bench/broker_bench.py [build/seatrial] [--quick]
"""

import argparse
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "interop"))

from kafka_wire import Connection, batch, fetch, produce  # noqa: E402

BATCH_BYTES = 1_000_000
IN_FLIGHT = 8


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Broker:
    def __init__(self, binary, directory):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.log = open(os.path.join(directory, "broker.log"), "wb")
        self.process = subprocess.Popen(
            [binary, "broker", "--override", f"listeners=PLAINTEXT://127.0.0.1:{self.port}",
             "--override", f"log.dirs={directory}/logs"], stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 20
        while True:
            try:
                Connection(self.port).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the broker does not start") from None
                time.sleep(0.02)

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def own_cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def show(what, count, size, seconds, broker_cpu, client_cpu):
    total = count * size / 1e6
    print(f"{what:<38} {count / seconds / 1e3:8.0f} k/s {total / seconds:7.0f} MB/s   "
          f"CPU broker {broker_cpu:5.2f} s, client {client_cpu:5.2f} s: "
          f"{broker_cpu / max(client_cpu, 0.01):.2f}", flush=True)


def kcat(broker, what, count, size, *arguments):
    cpu, client, begun = broker.cpu(), children_cpu(), time.monotonic()
    subprocess.run(["kcat", "-b", broker.address, "-q", *arguments], check=True, timeout=120,
                   stdout=subprocess.DEVNULL)
    show(what, count, size, time.monotonic() - begun, broker.cpu() - cpu, children_cpu() - client)


# ---- By hand ----

def produce_by_hand(broker, topic, size, total_bytes, acks):
    per_batch = BATCH_BYTES // (size + 12)
    frame = produce(topic, 0, acks, batch([b"x" * size] * per_batch))
    rounds = max(2, total_bytes // len(frame))
    with Connection(broker.port) as connection:
        connection.make_topic(topic)
        cpu, client, begun = broker.cpu(), own_cpu(), time.monotonic()
        for i in range(rounds + IN_FLIGHT):
            if i >= IN_FLIGHT:
                connection.receive()
            if i < rounds:
                connection.send(frame)
        show(f"one socket, acks={acks}, produce {size} B", rounds * per_batch, size,
             time.monotonic() - begun, broker.cpu() - cpu, own_cpu() - client)
    return rounds * per_batch


def fetch_by_hand(broker, topic, size, count):
    per_batch = BATCH_BYTES // (size + 12)
    batch_bytes = len(batch([b"x" * size] * per_batch))
    offset = 0
    with Connection(broker.port) as connection:
        cpu, client, begun = broker.cpu(), own_cpu(), time.monotonic()
        while offset < count:
            connection.send(fetch(topic, 0, offset))
            _, _, batches = connection.fetched(topic)
            offset += len(batches) // batch_bytes * per_batch
        show(f"one socket, fetch {size} B", count, size, time.monotonic() - begun,
             broker.cpu() - cpu, own_cpu() - client)


def one_at_a_time(broker, rounds):
    frame = produce(b"single", 0, -1, batch([b"x" * 100]))
    times = []
    with Connection(broker.port) as connection:
        connection.make_topic(b"single")
        for _ in range(rounds):
            begun = time.monotonic()
            connection.send(frame)
            connection.receive()
            times.append(time.monotonic() - begun)
    return times


def bare_syncs(directory, rounds):
    times = []
    with open(os.path.join(directory, "bare"), "wb", buffering=0) as file:
        for _ in range(rounds):
            begun = time.monotonic()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            times.append(time.monotonic() - begun)
    return times


def percentiles(times):
    ordered = sorted(times)
    return (f"median {statistics.median(ordered) * 1e6:.0f} us, "
            f"p99 {ordered[len(ordered) * 99 // 100] * 1e6:.0f} us")


def run(broker, directory, scale):
    if shutil.which("kcat"):
        for size, count in ((100, 1_000_000), (1024, 200_000)):
            count //= scale
            path = os.path.join(directory, "lines")
            with open(path, "w", encoding="ascii") as file:
                file.write(("x" * size + "\n") * count)
            for acks in ("1", "all"):
                topic = f"kcat-{size}-{acks}"
                kcat(broker, f"kcat, acks={acks}, produce {size} B", count, size, "-P", "-t", topic,
                     "-l", path, "-X", f"acks={acks}", "-X", "linger.ms=5", "-X",
                     "queue.buffering.max.messages=1000000")
            kcat(broker, f"kcat, fetch {size} B", count, size, "-C", "-t", topic, "-e",
                 "-o", "beginning", "-X", "queued.min.messages=10000000", "-X",
                 "queued.max.messages.kbytes=1000000")
    else:
        print("kcat is not here: only the bare client")
    for size in (100, 1024):
        for acks in (1, -1):
            topic = f"bare-{size}-{acks}".encode()
            count = produce_by_hand(broker, topic, size, 400_000_000 // scale, acks)
        fetch_by_hand(broker, topic, size, count)
    rounds = 2000 // scale
    print(f"one record at a time, acks=all: {percentiles(one_at_a_time(broker, rounds))}")
    print(f"4 KiB and fdatasync, bare:      {percentiles(bare_syncs(directory, rounds))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", nargs="?", default=os.path.join(ROOT, "build", "seatrial"))
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="broker-bench-", dir=os.path.join(ROOT, "build"))
    broker = Broker(os.path.abspath(arguments.binary), directory)
    try:
        run(broker, directory, 50 if arguments.quick else 1)
    finally:
        broker.stop()
        shutil.rmtree(directory)
    sys.exit(broker.process.returncode)


if __name__ == "__main__":
    main()
