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
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
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
                self.connect().close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the broker does not start") from None
                time.sleep(0.02)

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

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


# ---- By hand: Produce 7 and Fetch 4 for partition 0 ----

def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


def crc32c(data, table=tuple(crc32c_table())):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(value):
    value = value << 1 ^ value >> 63
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def batch(count, size):
    records = bytearray()
    for i in range(count):
        body = b"\0" + varint(0) + varint(i) + varint(-1) + varint(size) + b"x" * size + varint(0)
        records += varint(len(body)) + body
    now = int(time.time() * 1000)
    covered = struct.pack(">hiqqqhii", 0, count - 1, now, now, -1, -1, -1, count) + records
    return struct.pack(">qiibI", 0, 9 + len(covered), -1, 2, crc32c(covered)) + covered


def text(value):
    return struct.pack(">h", len(value)) + value


def request(api, version, body):
    frame = struct.pack(">hhi", api, version, 1) + text(b"bench") + body
    return struct.pack(">i", len(frame)) + frame


def produce(topic, acks, records):
    return request(0, 7, struct.pack(">hhii", -1, acks, 30000, 1) + text(topic) +
                   struct.pack(">iii", 1, 0, len(records)) + records)


def fetch(topic, offset):
    return request(1, 4, struct.pack(">iiiibi", -1, 100, 1, 50_000_000, 0, 1) + text(topic) +
                   struct.pack(">iiqi", 1, 0, offset, 10_000_000))


def read_reply(connection, buffer):
    view = memoryview(buffer)
    got, wanted = 0, 4
    while got < wanted:
        count = connection.recv_into(view[got:wanted])
        if count == 0:
            raise ConnectionError("the broker closed the connection")
        got += count
        if got == 4:
            wanted = 4 + struct.unpack_from(">i", buffer)[0]
    return got


def make_topic(broker, topic):
    with broker.connect() as connection:
        connection.sendall(request(3, 1, struct.pack(">i", 1) + text(topic)))
        read_reply(connection, bytearray(65536))


def produce_by_hand(broker, topic, size, total_bytes, acks):
    per_batch = BATCH_BYTES // (size + 12)
    frame = produce(topic, acks, batch(per_batch, size))
    rounds = max(2, total_bytes // len(frame))
    buffer = bytearray(65536)
    make_topic(broker, topic)
    with broker.connect() as connection:
        cpu, client, begun = broker.cpu(), own_cpu(), time.monotonic()
        for i in range(rounds + IN_FLIGHT):
            if i >= IN_FLIGHT:
                read_reply(connection, buffer)
            if i < rounds:
                connection.sendall(frame)
        show(f"one socket, acks={acks}, produce {size} B", rounds * per_batch, size,
             time.monotonic() - begun, broker.cpu() - cpu, own_cpu() - client)
    return rounds * per_batch


def fetch_by_hand(broker, topic, size, count):
    buffer = bytearray(64_000_000)
    offset = 0
    with broker.connect() as connection:
        cpu, client, begun = broker.cpu(), own_cpu(), time.monotonic()
        while offset < count:
            connection.sendall(fetch(topic, offset))
            got = read_reply(connection, buffer)
            # Behind the reply's own fields the first batch; whole batches of one size follow.
            at = 4 + 4 + 4 + 4 + 2 + len(topic) + 4 + 4 + 2 + 8 + 8 + 4
            (records,) = struct.unpack_from(">i", buffer, at)
            at += 4
            end = at + records
            while at < end:
                base, length = struct.unpack_from(">qi", buffer, at)
                (last,) = struct.unpack_from(">i", buffer, at + 23)
                at += 12 + length
                offset = base + last + 1
            assert got == end
        show(f"one socket, fetch {size} B", count, size, time.monotonic() - begun,
             broker.cpu() - cpu, own_cpu() - client)


def one_at_a_time(broker, rounds):
    frame = produce(b"single", -1, batch(1, 100))
    buffer = bytearray(65536)
    make_topic(broker, b"single")
    times = []
    with broker.connect() as connection:
        for _ in range(rounds):
            begun = time.monotonic()
            connection.sendall(frame)
            read_reply(connection, buffer)
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
                 "-o", "beginning")
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
