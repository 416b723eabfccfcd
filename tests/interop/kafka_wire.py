"""Kafka's protocol by hand, as far as tests and benches need it: requests for partition after
partition of Produce 7, Fetch 4 and Metadata 1, and record batches that are not compressed."""

import socket
import struct
import time


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


CRC32C = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC32C[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(value):
    value = value << 1 ^ value >> 63
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value >> 1 ^ -(value & 1), at


def batch(values):
    """A record batch of these values, without keys."""
    records = bytearray()
    for i, value in enumerate(values):
        body = b"\0" + varint(0) + varint(i) + varint(-1) + varint(len(value)) + value + varint(0)
        records += varint(len(body)) + body
    now = int(time.time() * 1000)
    covered = struct.pack(">hiqqqhii", 0, len(values) - 1, now, now, -1, -1, -1,
                          len(values)) + records
    return struct.pack(">qiibI", 0, 9 + len(covered), -1, 2, crc32c(covered)) + covered


def read_batches(data):
    """Offset and value of each record in whole batches; checks their checksums."""
    at = 0
    while at < len(data):
        base, length, _, magic, crc = struct.unpack_from(">qiibI", data, at)
        end = at + 12 + length
        if magic != 2 or end > len(data) or crc32c(data[at + 21:end]) != crc:
            raise ValueError(f"a damaged batch at byte {at} of a reply")
        (count,) = struct.unpack_from(">i", data, at + 57)
        at += 61
        for _ in range(count):
            length, at = read_varint(data, at)
            record_end = at + length
            _, field = read_varint(data, at + 1)
            delta, field = read_varint(data, field)
            key, field = read_varint(data, field)
            size, field = read_varint(data, field + max(key, 0))
            yield base + delta, data[field:field + size]
            at = record_end
        if at != end:
            raise ValueError("records that do not fill their batch")


def text(value):
    return struct.pack(">h", len(value)) + value


def request(api, version, body):
    frame = struct.pack(">hhi", api, version, 1) + text(b"by hand") + body
    return struct.pack(">i", len(frame)) + frame


def produce(topic, partition, acks, records):
    return request(0, 7, struct.pack(">hhii", -1, acks, 30000, 1) + text(topic) +
                   struct.pack(">iii", 1, partition, len(records)) + records)


def fetch(topic, partition, offset, wait_ms=100, bytes_max=10_000_000):
    return request(1, 4, struct.pack(">iiiibi", -1, wait_ms, 1, 50_000_000, 0, 1) + text(topic) +
                   struct.pack(">iiqi", 1, partition, offset, bytes_max))


def metadata(topic):
    return request(3, 1, struct.pack(">i", 1) + text(topic))


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray(65536)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def close(self):
        self.socket.close()

    def send(self, frame):
        self.socket.sendall(frame)

    def receive(self):
        """A reply behind its correlation id: a view that the next call makes void."""
        self.fill(0, 4)
        (length,) = struct.unpack_from(">i", self.buffer)
        if len(self.buffer) < length:
            self.buffer = bytearray(length)
        self.fill(0, length)
        return memoryview(self.buffer)[4:length]

    def fill(self, at, end):
        view = memoryview(self.buffer)
        while at < end:
            count = self.socket.recv_into(view[at:end])
            if count == 0:
                raise ConnectionError("the broker closed the connection")
            at += count

    def make_topic(self, topic):
        self.send(metadata(topic))
        self.receive()

    def produced(self, topic):
        """Error and base offset in the reply to a Produce."""
        return struct.unpack_from(">hq", self.receive(), 4 + 2 + len(topic) + 4 + 4)

    def fetched(self, topic):
        """Error, high watermark and batches in the reply to a Fetch."""
        reply = self.receive()
        at = 4 + 4 + 2 + len(topic) + 4 + 4
        error, watermark = struct.unpack_from(">hq", reply, at)
        at += 2 + 8 + 8 + 4
        return error, watermark, reply[at + 4:]
