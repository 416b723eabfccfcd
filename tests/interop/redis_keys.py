"""Conversations about keys of any type, for redis_differential.py."""

import random

from redis_conversations import Step, commands, elements, kind, lines, step


def scanned(reply):
    """A reply of SCAN that went all round: the keys in any order."""
    return elements(b"*" + reply.split(b"*", 2)[2]) if reply.startswith(b"*2") else reply


def kept(reply):
    """OBJECT ENCODING: an appended string stays "raw" in Redis however short it is."""
    return reply.replace(b"$6\r\nembstr", b"$3\r\nraw")


def conversations():
    yield "rename", lines("""
        RENAME none k
        SET a 1
        RENAME a a
        RENAME a b
        EXISTS a b
        GET b
        SET c v EX 1000
        RENAME c d
        TTL d
        SET e v EX 1000
        SET f w
        RENAME f e
        TTL e
        HSET h a 1
        RENAME h e
        TYPE e
        HGETALL e
        RENAMENX none k
        RENAMENX e d
        RENAMENX e e
        RENAMENX e new
        HGETALL new
        RENAME a
        RENAME a b c
        RENAMENX none none
    """)
    yield "move and copy", lines("""
        SET a 1 EX 1000
        MOVE a 0
        MOVE a 99
        MOVE a -1
        MOVE a x
        MOVE none 1
        MOVE a 1
        EXISTS a
        SELECT 1
        GET a
        TTL a
        SET b 2
        SELECT 0
        SET b 3
        MOVE b 1
        COPY b c
        GET c
        COPY b c
        SET b 4
        COPY b c REPLACE
        GET c
        COPY b b
        COPY b b DB 1
        COPY b x DB 1
        COPY b x DB 1 REPLACE
        COPY b x DB 99
        COPY b x DB y
        COPY b x DB
        COPY b x NOSUCH
        COPY none y
        HSET h a 1
        EXPIRE h 1000
        COPY h i
        HSET i b 2
        HGETALL h
        HGETALL i
        TTL i
        COPY b
        COPY b i REPLACE
        TYPE i
        TTL i
    """)
    yield "scan, touch, unlink, randomkey", lines("""
        SCAN 0
        RANDOMKEY
        SET only v
        RANDOMKEY
        SCAN 0
        SCAN 0 COUNT 0
        SCAN 0 COUNT x
        SCAN 0 MATCH o*
        SCAN 0 MATCH x*
        SCAN 0 TYPE string
        SCAN 0 TYPE hash
        SCAN 0 TYPE nosuch
        SCAN 0 NOSUCH
        SCAN x
        SCAN 0 MATCH
        SCAN
        TOUCH only none only
        UNLINK only none
        UNLINK none
        EXISTS only
        TOUCH
        UNLINK
        RANDOMKEY x
        OBJECT
        OBJECT NOSUCH x
        OBJECT ENCODING none
        OBJECT ENCODING
        OBJECT REFCOUNT none
        SET n 1234567
        SET s abc
        SET m 12345678901234567890123456789012345678901234
        SET l 123456789012345678901234567890123456789012345
        OBJECT ENCODING n
        OBJECT ENCODING s
        OBJECT ENCODING m
        OBJECT ENCODING l
    """)
    yield "scan of many", [
        Step(["MSET"] + [word for i in range(300) for word in (f"k{i}", "v")]),
        Step(["SCAN", "0", "COUNT", "100000"], view=scanned),
        Step(["SCAN", "0", "COUNT", "100000", "MATCH", "k1*"], view=scanned),
        Step(["SCAN", "0", "COUNT", "100000", "TYPE", "STRING"], view=scanned)]
    yield "watched keys move", [
        step("SET a 1"), step("WATCH b"), step("RENAME a b", on=1), step("MULTI"), step("PING"),
        step("EXEC"), step("WATCH b"), step("RENAME b c", on=1), step("MULTI"), step("PING"),
        step("EXEC"), step("WATCH d"), step("COPY c d", on=1), step("MULTI"), step("PING"),
        step("EXEC"), step("WATCH c"), step("MOVE c 2", on=1), step("MULTI"), step("PING"),
        step("EXEC"), step("WATCH d"), step("COPY d e", on=1), step("MULTI"), step("PING"),
        step("EXEC")]
    names = ("copy move rename renamenx scan touch unlink randomkey object|encoding hset hget "
             "hgetall hdel hincrbyfloat hrandfield hscan hmset hsetnx hstrlen").split()
    yield "commands of keys and hashes", [
        Step(["COMMAND", "INFO", name], view=commands) for name in names] + lines("""
        COMMAND GETKEYS RENAME a b
        COMMAND GETKEYS COPY a b
        COMMAND GETKEYS HSET a b c
        COMMAND GETKEYS OBJECT ENCODING a
    """)


def random_conversation(seed):
    draw = random.Random(f"keys {seed}")
    keys = ["a", "b", "c"]
    steps = []
    for _ in range(400):
        key, other = draw.choice(keys), draw.choice(keys)
        database = draw.choice(["0", "1"])
        seconds = str(draw.randrange(100, 10**6))
        request, view = draw.choice([
            (["SET", key, draw.choice(["1", "v", "x" * 200])], None),
            (["HSET", key, draw.choice(["f", "g"]), "1"], None), (["DEL", key], None),
            (["RENAME", key, other], None), (["RENAMENX", key, other], None),
            (["MOVE", key, database], None), (["COPY", key, other], None),
            (["COPY", key, other, "DB", database, "REPLACE"], None), (["TYPE", key], None),
            (["GET", key], None), (["HGETALL", key], None), (["EXPIRE", key, seconds], None),
            (["PERSIST", key], None), (["TTL", key], None), (["TOUCH", key, other], None),
            (["UNLINK", key], None), (["SCAN", "0", "COUNT", "1000"], scanned),
            (["OBJECT", "ENCODING", key], kept), (["SELECT", database], None), (["DBSIZE"], None),
            (["MULTI"], None), (["EXEC"], kind), (["WATCH", key], None),
            (["APPEND", key, "y"], None),
        ])
        options = {"view": view} if view else {}
        steps.append(Step(request, on=draw.choice([0, 0, 1]), **options))
    return f"random keys {seed}", steps
