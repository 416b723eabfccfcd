#!/usr/bin/env python3
"""Records what a Kafka client and the broker say to each other, as golden files.

    capture.py PORT BROKER_PORT FILE   listens on PORT, relays to 127.0.0.1:BROKER_PORT until its
                                       standard input ends, then writes FILE

One line a frame, without its length: `request` or `reply`, the API's key, its version, and the
bytes in hexadecimal. Each kind (direction, API, version) is kept once, at its longest up to 4 KiB.
"""

import socket
import struct
import sys
import threading


def read_exactly(connection, count):
    data = b""
    while len(data) < count:
        try:
            more = connection.recv(count - len(data))
        except OSError:  # The other thread has closed it.
            return None
        if not more:
            return None
        data += more
    return data


def read_frame(connection):
    length = read_exactly(connection, 4)
    return length and read_exactly(connection, struct.unpack(">i", length)[0])


class Capture:
    def __init__(self):
        self.frames = {}
        self.lock = threading.Lock()

    def keep(self, direction, api, version, frame):
        key = (direction, api, version)
        with self.lock:
            if len(self.frames.get(key, b"")) < len(frame) <= 4096:
                self.frames[key] = frame

    def relay(self, client, broker):
        asked = {}
        threading.Thread(target=self.replies, args=(client, broker, asked), daemon=True).start()
        while frame := read_frame(client):
            api, version, correlation = struct.unpack(">hhi", frame[:8])
            asked[correlation] = (api, version)
            self.keep("request", api, version, frame)
            broker.sendall(struct.pack(">i", len(frame)) + frame)
        broker.close()

    def replies(self, client, broker, asked):
        while frame := read_frame(broker):
            (correlation,) = struct.unpack(">i", frame[:4])
            self.keep("reply", *asked[correlation], frame)
            client.sendall(struct.pack(">i", len(frame)) + frame)


def main():
    port, broker_port, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    capture = Capture()
    listener = socket.create_server(("127.0.0.1", port))

    def accept():
        while True:
            client, _ = listener.accept()
            broker = socket.create_connection(("127.0.0.1", broker_port))
            threading.Thread(target=capture.relay, args=(client, broker), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()
    with open(path, "w", encoding="ascii") as file:
        for (direction, api, version), frame in sorted(capture.frames.items()):
            file.write(f"{direction} {api} {version} {frame.hex()}\n")


if __name__ == "__main__":
    main()
