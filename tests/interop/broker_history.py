#!/usr/bin/env python3
"""Kills the broker with SIGKILL while producers and consumers are at it, again and again, and has
the checker of offsets judge what they saw.

    tests/interop/broker_history.py build/seatrial [--rounds 20] [--producers 4]

Real sockets, a real disk, one directory for all rounds. Raw clients, so that every answer is heard
when it comes: producers send batches with acks=all and acks=1, several at once on one connection,
consumers follow by long polls. Their history goes to a file of type "kafka"; after the last round
everything is read from the beginning, and `seatrial check offsets` decides: nothing acknowledged
lost (a kill takes nothing that was written, so acks=1 counts as well), nothing seen changed,
offsets dense. A broker that does not start again on its files is a finding too.
Exit: 0 all there, 1 something was lost or changed, 2 it could not run.
"""

import argparse
import json
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

from kafka_wire import Connection, batch, fetch, produce, read_batches

PARTITIONS = 3
TOPIC = "killed"
OUT_OF_RANGE = 1


class History:
    """What the clients saw, line by line, in the order in which it happened."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")
        self.lock = threading.Lock()
        self.begun = time.monotonic()
        self.next = 0
        self.file.write('{"hdr":"hjl/1","type":"kafka"}\n')

    def invoke(self, function, partition, argument):
        with self.lock:
            number, self.next = self.next, self.next + 1
            self.line(number, e="invoke", f=function, k=f"{TOPIC}-{partition}", a=argument)
            return number

    def ok(self, number, result):
        with self.lock:
            self.line(number, e="ok", r=result)

    def info(self, number):
        with self.lock:
            self.line(number, e="info")

    def line(self, number, **members):
        # Each operation is a process of its own: they overlap.
        now = int((time.monotonic() - self.begun) * 1e6)
        self.file.write(json.dumps({"t": now, "p": number, "id": number, **members}) + "\n")


class Broker:
    def __init__(self, binary, directory, port, settings):
        self.log_path = os.path.join(directory, "log")
        overrides = [f"log.dirs={os.path.join(directory, 'data')}", f"num.partitions={PARTITIONS}",
                     f"listeners=PLAINTEXT://127.0.0.1:{port}", *settings]
        command = [binary, "broker"]
        for override in overrides:
            command += ["--override", override]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while True:
            try:
                Connection(port).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the broker does not start, see {self.log_path}") from None
                time.sleep(0.01)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Client(threading.Thread):
    def __init__(self, port, history, name):
        super().__init__()
        self.port, self.history, self.name_ = port, history, name
        self.draw = random.Random(name)
        self.open = []  # Operations under way.
        self.problem = None

    def run(self):
        try:
            connection = Connection(self.port)
            while True:
                self.turn(connection)
        except OSError:
            pass
        except Exception as error:  # Any other end is a finding, not a broken connection.
            self.problem = repr(error)
        for number in self.open:
            self.history.info(number)


class Producer(Client):
    acknowledged = 0
    sent = 0

    def turn(self, connection):
        for _ in range(self.draw.choice([1, 1, 3, 8])):
            acks = self.draw.choice([-1, -1, 1])
            partition = self.draw.randrange(PARTITIONS)
            names = []
            for _ in range(self.draw.choice([1, 1, 2, 10])):
                names.append(f"{self.name_}.{self.sent}")
                self.sent += 1
            padding = b":" + b"x" * self.draw.randrange(300)
            records = batch([name.encode() + padding for name in names])
            self.open.append(self.history.invoke(
                "send", partition, {"acks": acks, "by": self.name_, "v": [[n] for n in names]}))
            connection.send(produce(TOPIC.encode(), partition, acks, records))
        while self.open:
            error, base = connection.produced(TOPIC.encode())
            if error != 0:
                raise AssertionError(f"Produce is answered with error {error}")
            self.history.ok(self.open.pop(0), base)
            self.acknowledged += 1


class Consumer(Client):
    def fetch(self, connection, offset, wait_ms):
        connection.send(fetch(TOPIC.encode(), self.partition, offset, wait_ms))
        error, end, batches = connection.fetched(TOPIC.encode())
        return error, end, bytes(batches)

    def __init__(self, port, history, name, partition, final=False):
        super().__init__(port, history, name)
        self.partition, self.position, self.final = partition, 0, final
        if not final:
            self.position = None

    def turn(self, connection):
        if self.position is None:
            # It begins anywhere below the end.
            _, end, _ = self.fetch(connection, 0, 0)
            self.position = self.draw.randrange(max(end, 0) + 1)
        argument = {"by": self.name_, "from": self.position, "wait": 200}
        if self.final:
            argument["final"] = 1
        number = self.history.invoke("poll", self.partition, argument)
        self.open.append(number)
        error, end, batches = self.fetch(connection, self.position, 200)
        self.open.pop()
        if error == OUT_OF_RANGE:
            self.history.ok(number, "out-of-range")
            return
        if error != 0:
            raise AssertionError(f"Fetch is answered with error {error}")
        records = []
        try:
            for offset, value in read_batches(batches):
                # A batch comes whole: what stands before the position was not asked for.
                if offset >= self.position:
                    records.append([offset, value.split(b":")[0].decode()])
        except ValueError as damage:
            # Nobody sent this: the checker will say so.
            records.append([self.position + len(records), str(damage)])
        self.history.ok(number, {"hw": end, "recs": records})
        if records:
            self.position = records[-1][0] + 1
        if self.final and self.position >= end:
            raise OSError("done")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def play_round(port, history, number, producers, seconds, broker):
    clients = [Producer(port, history, f"p{number}.{i}") for i in range(producers)]
    clients += [Consumer(port, history, f"c{number}.{i}", i) for i in range(PARTITIONS)]
    for client in clients:
        client.start()
    time.sleep(seconds)
    broker.kill()
    for client in clients:
        client.join()
    return clients


def read_everything(port, history):
    readers = [Consumer(port, history, "last", i, final=True) for i in range(PARTITIONS)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return readers


def run(arguments, directory):
    draw = random.Random(11)
    history = History(os.path.join(directory, "history.jsonl"))
    port = free_port()
    acknowledged, problems = 0, []
    settings = lambda: ["log.segment.bytes=65536", "message.max.bytes=16384",
                        f"log.flush.interval.messages={draw.choice([1, 20, 10000])}",
                        f"log.flush.interval.ms={draw.choice([1, 20, 200])}"]
    broker = Broker(arguments.seatrial, directory, port, settings())
    Connection(port).make_topic(TOPIC.encode())
    for number in range(arguments.rounds):
        clients = play_round(port, history, number, arguments.producers,
                             draw.uniform(0.05, 0.6), broker)
        acknowledged += sum(client.acknowledged for client in clients
                            if isinstance(client, Producer))
        problems += [client.problem for client in clients if client.problem]
        broker = Broker(arguments.seatrial, directory, port, settings())
    readers = read_everything(port, history)
    problems += [reader.problem for reader in readers if reader.problem]
    read = sum(reader.position for reader in readers)
    broker.kill()
    history.file.close()
    verdict = subprocess.run([arguments.seatrial, "check", "offsets", history.file.name],
                             capture_output=True, text=True)
    print(f"{arguments.rounds} kills, {acknowledged} batches acknowledged, "
          f"{read} records in the end")
    for problem in problems:
        print(f"WRONG ANSWER: {problem}")
    print((verdict.stdout + verdict.stderr).strip())
    if acknowledged == 0:
        raise RuntimeError("nothing was ever acknowledged")
    return 1 if problems or verdict.returncode != 0 else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seatrial")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--producers", type=int, default=4)
    parser.add_argument("--dir", default=None, help="where; default: the system's temporary")
    arguments = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="broker-kill-", dir=arguments.dir)
    try:
        code = run(arguments, directory)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        if os.path.exists(os.path.join(directory, "log")):
            with open(os.path.join(directory, "log"), encoding="utf-8", errors="replace") as log:
                print("".join(log.readlines()[-5:]), file=sys.stderr)
        return 2
    if code != 0:
        print(f"the directory is kept: {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
