#!/usr/bin/env python3
"""Kafka's clients against the broker on real sockets: kcat (librdkafka) and kafka-python.

    tests/interop/kafka_clients.py build/seatrial --dir DIRECTORY

Each check is a function below; what it says is its first line. Records that one client produces are
consumed by both. Exit: 0 all held, 1 one did not, 77 a client is missing.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

try:
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import KafkaAdminClient, NewTopic
    from kafka.errors import (InvalidConfigurationError, InvalidPartitionsError,
                              InvalidReplicationFactorError, InvalidTopicError,
                              MessageSizeTooLargeError, TopicAlreadyExistsError)
except ImportError:
    sys.exit(77)
if not shutil.which("kcat"):
    sys.exit(77)

# Codec and acks.
WAYS = ((None, "0"), (None, "1"), (None, "all"), ("gzip", "all"), ("snappy", "1"), ("lz4", "0"),
        ("zstd", "all"))
# What survives of a record: key, value, headers.
RECORDS = [
    (b"key", b"value", [("h", b"1"), ("h", b"2"), ("empty", b"")]),
    (None, b"no key", []),
    (b"", b"an empty key", []),
    (b"no value", None, []),
    (b"empty value", b"", [("h", b"")]),
    (b"\x00\xff\r\n", bytes(range(256)), [("binary", b"\x00\xff")]),
    ("é".encode(), b"x" * 100_000, []),
]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Broker:
    def __init__(self, binary, directory):
        self.binary = binary
        self.directory = directory
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = None
        self.settings = os.path.join(directory, "server.properties")
        with open(self.settings, "w", encoding="ascii") as file:
            file.write(f"""
# As Kafka's own file has it, with settings that mean nothing here.
broker.id = 7
listeners=PLAINTEXT://127.0.0.1:{self.port}
log.dirs={directory}/logs
num.network.threads=3
log.retention.hours=168
log.segment.bytes=200000
log.index.interval.bytes=1000
""")

    def start(self):
        self.log = open(os.path.join(self.directory, "broker.log"), "ab")
        self.process = subprocess.Popen([self.binary, "broker", self.settings, "--override",
                                         "num.partitions=1"], stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError("the broker does not start") from None
                time.sleep(0.02)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        expect("exit code after SIGTERM", self.process.wait(20), 0)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def expect(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: expected {wanted!r:.500}, got {got!r:.500}")


def kcat(broker, *arguments, stdin=None):
    done = subprocess.run(["kcat", "-b", broker.address, "-X", "socket.timeout.ms=10000",
                           *arguments],
                          input=stdin, capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(f"kcat {arguments}: {done.stderr.decode()}")
    return done.stdout


def kcat_consume(broker, topic, *arguments):
    """Key and value of each record, from the beginning or from -o, to the end."""
    if "-o" not in arguments:
        arguments = ("-o", "beginning", *arguments)
    lines = kcat(broker, "-C", "-q", "-e", "-J", "-t", topic, "-X", "fetch.wait.max.ms=20",
                 *arguments).splitlines()
    return [(record.get("key"), record.get("payload")) for record in map(json.loads, lines)]


def consumer(broker, topic, partitions=(0,), **settings):
    created = KafkaConsumer(bootstrap_servers=broker.address, group_id=None,
                            auto_offset_reset="earliest", consumer_timeout_ms=10_000,
                            check_crcs=True, **settings)
    created.assign([TopicPartition(topic, partition) for partition in partitions])
    return created


def python_consume(broker, topic, count, partitions=(0,), **settings):
    reading = consumer(broker, topic, partitions, **settings)
    records = []
    for record in reading:
        records.append(record)
        if len(records) == count:
            break
    reading.close()
    return records


def producer(broker, **settings):
    return KafkaProducer(bootstrap_servers=broker.address, **settings)


def create(broker, topic, partitions=1, **settings):
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    try:
        admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=settings)])
    finally:
        admin.close()


def text(value):
    return None if value is None else value.decode()


# ---- Checks ----

def kcat_to_kcat(broker):
    """kcat produces and consumes with every codec that it has and acks 0, 1, all."""
    for codec, acks in WAYS:
        topic = f"kcat-{codec}-{acks}"
        lines = [f"key{i}:value {i} {'x' * (i % 50)}" for i in range(500)]
        settings = ["-X", f"acks={acks}"] + (["-z", codec] if codec else [])
        kcat(broker, "-P", "-t", topic, "-p", "0", "-K:", *settings,
             stdin="\n".join(lines).encode())
        deadline = time.monotonic() + 10
        # Without acknowledgements the end of the producer says nothing.
        while acks == "0" and time.monotonic() < deadline:
            if len(kcat_consume(broker, topic)) == len(lines):
                break
        expect(topic, kcat_consume(broker, topic), [tuple(l.split(":")) for l in lines])


def python_to_both(broker):
    """kafka-python produces every kind of record with every codec; both clients read the same."""
    for codec, acks in WAYS:
        topic = f"python-{codec}-{acks}"
        create(broker, topic)
        writing = producer(broker, acks=acks if acks == "all" else int(acks),
                           compression_type=codec)
        sent = [writing.send(topic, key=key, value=value, headers=headers, partition=0)
                for key, value, headers in RECORDS]
        writing.flush()
        if acks != "0":
            expect(f"{topic}: offsets", [future.get(10).offset for future in sent],
                   list(range(len(RECORDS))))
        writing.close()
        got = python_consume(broker, topic, len(RECORDS))
        expect(f"{topic}: records", [(r.key, r.value, list(r.headers)) for r in got], RECORDS)
        expect(f"{topic}: offsets", [r.offset for r in got], list(range(len(RECORDS))))
        sizes = kcat(broker, "-C", "-q", "-e", "-t", topic, "-o", "beginning",
                     "-f", "%o %K %S\\n").decode().splitlines()
        expect(f"{topic}: sizes by kcat", sizes,
               [f"{i} {-1 if key is None else len(key)} {-1 if value is None else len(value)}"
                for i, (key, value, _) in enumerate(RECORDS)])


def kcat_to_python(broker):
    """kafka-python reads what kcat produced, headers and nulls included."""
    kcat(broker, "-P", "-t", "mixed", "-K:", "-Z", "-H", "a=b", "-H", "a=c", "-H", "null",
         stdin=b"key:value\nnull:\n:empty key\n")
    got = python_consume(broker, "mixed", 3)
    headers = [("a", b"b"), ("a", b"c"), ("null", None)]
    expect("mixed", [(r.key, r.value, list(r.headers)) for r in got],
           [(b"key", b"value", headers), (b"null", None, headers), (None, b"empty key", headers)])


def offsets(broker):
    """Beginning, end, offset, tail and time, by both clients."""
    topic = "offsets"
    writing = producer(broker, acks="all")
    start = 1_700_000_000_000
    for i in range(100):
        writing.send(topic, value=b"%d" % i, timestamp_ms=start + 1000 * i).get(10)
    writing.close()
    values = [(None, str(i)) for i in range(100)]
    expect("-o 40", kcat_consume(broker, topic, "-o", "40"), values[40:])
    expect("-o -5", kcat_consume(broker, topic, "-o", "-5"), values[95:])
    expect("-o end", kcat_consume(broker, topic, "-o", "end"), [])
    for time_ms, first in ((0, 0), (start, 0), (start + 1, 1), (start + 50_000, 50),
                           (start + 98_500, 99)):
        expect(f"-o s@{time_ms}", kcat_consume(broker, topic, "-p", "0", "-o", f"s@{time_ms}"),
               values[first:])
    expect("-c 3", kcat_consume(broker, topic, "-o", "10", "-c", "3"), values[10:13])
    reading = consumer(broker, topic)
    partition = TopicPartition(topic, 0)
    expect("beginning_offsets", reading.beginning_offsets([partition]), {partition: 0})
    expect("end_offsets", reading.end_offsets([partition]), {partition: 100})
    found = reading.offsets_for_times({partition: start + 7_500})[partition]
    expect("offsets_for_times", (found.offset, found.timestamp), (8, start + 8_000))
    expect("past the end", reading.offsets_for_times({partition: start + 100_000}),
           {partition: None})
    for position in (99, 0, 57):
        reading.seek(partition, position)
        expect(f"seek {position}", next(reading).offset, position)
    reading.close()
    query = kcat(broker, "-Q", "-t", f"{topic}:0:{start + 3000}").decode().strip()
    expect("-Q", query, f"{topic} [0] offset 3")
    # Beyond the end the position is reset.
    expect("-o 100000", len(kcat_consume(broker, topic, "-o", "100000", "-X",
                                         "auto.offset.reset=earliest")), 100)


def partitions(broker):
    """Several partitions: keys keep their order, both clients see all."""
    create(broker, "several", 5)
    lines = [f"{i % 17}:{i}" for i in range(1000)]
    kcat(broker, "-P", "-t", "several", "-K:", stdin="\n".join(lines).encode())
    got = kcat_consume(broker, "several")
    expect("count", len(got), 1000)
    for key in range(17):
        expect(f"order of key {key}", [int(v) for k, v in got if k == str(key)],
               list(range(key, 1000, 17)))
    records = python_consume(broker, "several", 1000, range(5))
    expect("by kafka-python", sorted(int(r.value) for r in records), list(range(1000)))
    for partition in range(5):
        mine = [r.offset for r in records if r.partition == partition]
        expect(f"offsets of partition {partition}", mine, list(range(len(mine))))


def topics(broker):
    """Listing, creation, automatic and by hand, and what is refused."""
    kcat(broker, "-P", "-t", "made-by-asking", stdin=b"x\n")
    listing = json.loads(kcat(broker, "-L", "-J"))
    expect("brokers", [(b["id"], b["name"]) for b in listing["brokers"]], [(7, broker.address)])
    counts = {t["topic"]: len(t["partitions"]) for t in listing["topics"]}
    expect("made-by-asking", counts.get("made-by-asking"), 1)
    create(broker, "by-hand", 3, **{"flush.messages": "100", "retention.ms": "-1"})
    reading = consumer(broker, "by-hand")
    expect("partitions", reading.partitions_for_topic("by-hand"), {0, 1, 2})
    reading.close()
    for error, topic, count, settings in (
            (TopicAlreadyExistsError, "by-hand", 1, {}),
            (InvalidTopicError, "no/slash", 1, {}),
            (InvalidTopicError, "x" * 250, 1, {}),
            (InvalidPartitionsError, "none", 0, {}),
            (InvalidConfigurationError, "other", 1, {"no.such.setting": "1"}),
            (InvalidConfigurationError, "other", 1, {"retention.ms": "1000"}),
            (InvalidConfigurationError, "other", 1, {"segment.bytes": "many"})):
        try:
            create(broker, topic, count, **settings)
        except error:
            continue
        raise AssertionError(f"topic {topic} with {settings} was not refused by {error}")
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    try:
        admin.create_topics([NewTopic("replicated", 1, 2)])
        raise AssertionError("two replicas were not refused")
    except InvalidReplicationFactorError:
        pass
    finally:
        admin.close()


def large_records(broker):
    """A record just below the limit passes, one above it is refused, and the broker goes on."""
    topic = "large"
    create(broker, topic, **{"segment.bytes": "2000000"})
    writing = producer(broker, acks="all", max_request_size=4_000_000)
    small = 1_048_588 - 200
    writing.send(topic, value=b"a" * small).get(10)
    try:
        writing.send(topic, value=b"b" * 1_048_588).get(10)
        raise AssertionError("a record above message.max.bytes was taken")
    except MessageSizeTooLargeError:
        pass
    writing.send(topic, value=b"c").get(10)
    writing.close()
    got = python_consume(broker, topic, 2, max_partition_fetch_bytes=1000)
    expect("sizes", [len(r.value) for r in got], [small, 1])
    expect("kcat's", len(kcat_consume(broker, topic, "-X", "fetch.message.max.bytes=1000")), 2)


def long_poll(broker):
    """A consumer that waits at the end gets a record long before its wait is over."""
    topic = "awaited"
    kcat(broker, "-P", "-t", topic, stdin=b"first\n")
    reading = consumer(broker, topic, fetch_max_wait_ms=8_000, fetch_min_bytes=1)
    expect("first", next(reading).value, b"first")
    received = []
    waiting = threading.Thread(target=lambda: received.append((next(reading), time.monotonic())))
    waiting.start()
    time.sleep(1)
    expect("nothing yet", received, [])
    writing = producer(broker, acks="all")
    writing.send(topic, value=b"second").get(10)
    sent = time.monotonic()
    waiting.join(9)
    expect("received", [r.value for r, _ in received], [b"second"])
    if received[0][1] - sent > 2:
        raise AssertionError(f"the long poll ended {received[0][1] - sent:.1f} s after the record")
    writing.close()
    reading.close()


def time_of_append(broker):
    """A topic that keeps the time of the append."""
    topic = "stamped"
    create(broker, topic, **{"message.timestamp.type": "LogAppendTime"})
    writing = producer(broker, acks="all")
    before = int(time.time() * 1000) - 1
    sent = writing.send(topic, value=b"x", timestamp_ms=1).get(10)
    writing.close()
    (record,) = python_consume(broker, topic, 1)
    expect("type", record.timestamp_type, 1)
    if not before <= record.timestamp <= int(time.time() * 1000) + 1:
        raise AssertionError(f"the time of the append is {record.timestamp}")
    expect("as answered", sent.timestamp, record.timestamp)


def announced_lengths(broker):
    """Memory grows with what arrives, not with what is announced, and nonsense harms nobody."""
    def resident():
        with open(f"/proc/{broker.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    before = resident()
    open_ = []
    for _ in range(40):
        connection = socket.create_connection(("127.0.0.1", broker.port))
        connection.sendall((100_000_000).to_bytes(4, "big") + b"x" * 1000)
        open_.append(connection)
    for nonsense in (b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 100, b"\0" * 100, bytes(range(256))):
        with socket.create_connection(("127.0.0.1", broker.port)) as connection:
            connection.settimeout(10)
            connection.sendall(nonsense)
            connection.shutdown(socket.SHUT_WR)
            try:
                expect(f"the end after {nonsense[:8]}", connection.recv(100), b"")
            except ConnectionResetError:
                pass
    grown = resident() - before
    if grown > 20_000:
        raise AssertionError(f"40 announced lengths made the broker grow by {grown} KiB")
    kcat(broker, "-L")
    for connection in open_:
        connection.close()


def everything(broker):
    """All records of all topics, by partition and offset, for a comparison."""
    reading = KafkaConsumer(bootstrap_servers=broker.address, group_id=None,
                            auto_offset_reset="earliest", consumer_timeout_ms=10_000)
    reading.assign([TopicPartition(topic, partition) for topic in reading.topics()
                    for partition in reading.partitions_for_topic(topic)])
    ends = reading.end_offsets(reading.assignment())
    found = {}
    while len(found) < sum(ends.values()):
        record = next(reading)
        found[record.topic, record.partition, record.offset] = (
            record.timestamp, record.key, record.value, list(record.headers))
    reading.close()
    return ends, found


CHECKS = (kcat_to_kcat, python_to_both, kcat_to_python, offsets, partitions, topics, large_records,
          long_poll, time_of_append, announced_lengths)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--dir", required=True)
    parser.add_argument("--only", help="the name of one check")
    arguments = parser.parse_args()
    broker = Broker(os.path.abspath(arguments.binary), arguments.dir)
    broker.start()
    try:
        for check in CHECKS:
            if arguments.only in (None, check.__name__):
                begun = time.monotonic()
                check(broker)
                print(f"{check.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
        before = everything(broker)
        broker.stop()
        broker.start()
        expect("all records after an orderly stop", everything(broker), before)
        broker.kill()
        broker.start()
        expect("all records after SIGKILL", everything(broker), before)
        broker.stop()
    except Exception as error:  # Clients have many, and each is a check that did not hold.
        print(f"kafka_clients: {type(error).__name__}: {error}", file=sys.stderr)
        broker.kill()
        with open(os.path.join(arguments.dir, "broker.log"), encoding="utf-8") as log:
            print("".join(log.readlines()[-20:]), file=sys.stderr)
        sys.exit(1)
    print("kafka_clients: all held")


if __name__ == "__main__":
    main()
