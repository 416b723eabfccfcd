"""Conversations about strings as rows of bits, for redis_differential.py."""

import random

from redis_conversations import Step, commands, kind, lines, step


def conversations():
    yield "bits: setbit and getbit", lines("""
        SETBIT k 7 1
        SETBIT k 7 1
        SETBIT k 0 1
        GET k
        GETBIT k 0
        GETBIT k 1
        GETBIT k 7
        GETBIT k 8
        GETBIT k 100000
        GETBIT none 0
        SETBIT k 7 0
        GET k
        SETBIT k 100 0
        STRLEN k
        SETBIT k 2000 1
        STRLEN k
        BITCOUNT k
        SET n 12
        GETBIT n 2
        SETBIT n 15 1
        GET n
        SETBIT n 15 0
        INCR n
        SETBIT k -1 1
        SETBIT k x 1
        SETBIT k 4294967296 1
        SETBIT k 9223372036854775807 1
        SETBIT k 9223372036854775808 1
        SETBIT k 0 2
        SETBIT k 0 -1
        SETBIT k 0 x
        SETBIT k 0 9223372036854775808
        SETBIT k #1 1
        GETBIT k -1
        GETBIT k x
        GETBIT k #1
        GETBIT k 4294967295
        GETBIT k 4294967296
        SETBIT k 0
        SETBIT k
        GETBIT k
        GETBIT k 1 2
        SET t v EX 100
        SETBIT t 0 1
        TTL t
    """)
    yield "bits: how long a string may get", lines("""
        CONFIG SET proto-max-bulk-len 1mb
        SETBIT k 8388607 1
        STRLEN k
        BITPOS k 1
        SETBIT k 8388608 1
        GETBIT k 8388608
        BITFIELD f SET u8 8388607 255
        STRLEN f
        BITFIELD f SET u8 8388608 255
        BITFIELD f GET u8 8388608
        SETRANGE r 1048575 x
        STRLEN r
        SETRANGE r 1048576 x
        SETRANGE r 1048575 xx
        SETRANGE none 1048576 x
        SETRANGE r 9223372036854775807 x
        SETRANGE none 9223372036854775807 ''
        CONFIG SET proto-max-bulk-len 512mb
    """)
    ranges = ["0 0", "1 1", "0 -1", "1 -2", "-2 -1", "5 30", "5 -30", "-100 -50", "-50 -100", "3 2",
              "0 100", "100 200", "-9223372036854775808 9223372036854775807", "2 13", "8 15",
              "9 22"]
    yield "bits: bitcount", lines("SET k foobar\nBITCOUNT k\nSET e ''\nBITCOUNT e\nSET n 77") + [
        step(f"BITCOUNT {key} {span}{unit}") for key in ("k", "e", "none", "n") for span in ranges
        for unit in ("", " BYTE", " BIT", " bit", " nosuch")
    ] + lines("""
        BITCOUNT k 0
        BITCOUNT none 0
        BITCOUNT k x 1
        BITCOUNT k 1 x
        BITCOUNT none x y
        BITCOUNT k 0 1 BIT x
        BITCOUNT none 0 1 BIT x
        BITCOUNT
    """)
    yield "bits: bitpos", [
        Step(["SET", "k", b"\x00\xff\xf0\x00\x01"]), Step(["SET", "ones", b"\xff" * 30]),
        Step(["SET", "zeros", b"\x00" * 30]), Step(["SET", "e", ""]), step("SET n 5"),
        Step(["SET", "long", b"\xff" * 100 + b"\xfe" + b"\xff" * 100])
    ] + [
        step(f"BITPOS {key} {bit}") for key in ("k", "ones", "zeros", "e", "none", "n", "long")
        for bit in ("0", "1")
    ] + [
        step(f"BITPOS {key} {bit} {span}{unit}") for key in ("k", "ones", "zeros", "e", "none", "n")
        for bit in "01" for span in ranges for unit in ("", " BYTE", " BIT", " nosuch")
    ] + [
        step(f"BITPOS {key} {bit} {start}") for key in ("k", "ones", "zeros", "e", "n")
        for bit in "01" for start in (0, 1, 3, -1, -2, 4, 30, 31, -100)
    ] + lines("""
        BITPOS k 2
        BITPOS k -1
        BITPOS k x
        BITPOS none 2
        BITPOS k 1 x
        BITPOS k 1 0 x
        BITPOS k 1 0 x nosuch
        BITPOS k 1 0 1 BIT x
        BITPOS none 1 x y z w
        BITPOS k
    """)
    yield "bits: bitop", [
        Step(["SET", "a", bytes(range(256))]), Step(["SET", "b", b"\x0f\xf0" * 20]),
        step("SET c 123"), Step(["SET", "e", ""])
    ] + [
        one for name in ("AND", "or", "Xor") for keys in ("a", "a b", "a b c", "b a", "c none", "e",
                                                          "e none", "none", "a a", "d a")
        for one in (step(f"BITOP {name} d {keys}"), step("GET d"))
    ] + lines("""
        BITOP NOT d a
        GET d
        BITOP NOT c c
        GET c
        BITOP NOT d none
        EXISTS d
        BITOP NOT d a b
        BITOP NOT d
        BITOP NOSUCH d a
        BITOP AND d
        SET d v EX 100
        BITOP OR d a
        TTL d
        HSET h a 1
        BITOP OR d h
        BITOP OR d none h
        BITOP NOT d h
        BITOP OR h b
        TYPE h
        HSET i a 1
        BITOP AND i none
        EXISTS i
        SET digits 12
        BITOP OR digits digits none
        INCR digits
    """)
    yield "bits: bitfield", lines("""
        BITFIELD k
        EXISTS k
        BITFIELD k GET u8 0
        EXISTS k
        BITFIELD k OVERFLOW SAT
        BITFIELD k SET u8 0 255 GET u8 0 GET i8 0 GET u4 2 GET i4 4
        BITFIELD k INCRBY u8 0 10
        BITFIELD k INCRBY u8 #1 -10
        BITFIELD k INCRBY i5 100 1 GET u4 0
        STRLEN k
        BITFIELD k SET i64 3 -1 GET i64 3 INCRBY i64 3 9223372036854775807
        BITFIELD k SET u63 5 9223372036854775807 INCRBY u63 5 1
        BITFIELD k SET u63 5 -1 GET u63 5
        BITFIELD k GET u1 0 GET u1 1 GET i1 2 GET i1 3
        BITFIELD k OVERFLOW SAT SET i1 0 0 SET i1 0 5 SET i1 0 -5
        BITFIELD k OVERFLOW SAT SET i8 0 -9223372036854775808 GET i8 0
        BITFIELD k OVERFLOW SAT SET i8 0 -9223372036854775680 GET i8 0
        BITFIELD k OVERFLOW SAT SET i8 0 -9223372036854775681 GET i8 0
        BITFIELD k SET i1 0 1 SET i1 0 -1 SET u1 1 2 SET u1 1 3
        BITFIELD k OVERFLOW FAIL SET u8 0 256 SET u8 0 -1 INCRBY u8 0 300 INCRBY u8 0 -300
        BITFIELD k OVERFLOW FAIL SET i8 0 128 SET i8 0 -129 INCRBY i8 0 300 INCRBY i8 0 -300
        BITFIELD k OVERFLOW SAT SET u8 0 256 SET u8 0 -1 INCRBY u8 0 300 INCRBY u8 0 -900
        BITFIELD k OVERFLOW SAT SET i8 0 128 SET i8 0 -129 INCRBY i8 0 900 INCRBY i8 0 -900
        BITFIELD k OVERFLOW WRAP SET u8 0 256 SET u8 0 -1 INCRBY u8 0 300 INCRBY u8 0 -900
        BITFIELD k OVERFLOW WRAP SET i8 0 128 SET i8 0 -129 INCRBY i8 0 900 INCRBY i8 0 -900
        BITFIELD k OVERFLOW SAT SET i64 9 9223372036854775807 INCRBY i64 9 1 INCRBY i64 9 -1
        BITFIELD k OVERFLOW SAT SET i64 9 -9223372036854775808 INCRBY i64 9 -9 INCRBY i64 9 5
        BITFIELD k OVERFLOW FAIL INCRBY i64 9 9223372036854775807 INCRBY i64 9 9223372036854775807
        BITFIELD k OVERFLOW sat INCRBY u2 0 9 overflow fail INCRBY u2 0 1
        BITFIELD k overflow fail INCRBY u2 0 1 Overflow Wrap INCRBY u2 0 1
        BITFIELD k OVERFLOW NOSUCH
        BITFIELD k OVERFLOW
        BITFIELD k GET u64 0
        BITFIELD k GET i65 0
        BITFIELD k GET u0 0
        BITFIELD k GET i0 0
        BITFIELD k GET x8 0
        BITFIELD k GET 8 0
        BITFIELD k GET '' 0
        BITFIELD k GET u 0
        BITFIELD k GET u-1 0
        BITFIELD k GET u08 0
        BITFIELD k GET I8 0
        BITFIELD k GET u8 -1
        BITFIELD k GET u8 x
        BITFIELD k GET u8 #
        BITFIELD k GET u8 #-1
        BITFIELD k GET u8 #x
        BITFIELD k GET u8 4294967295
        BITFIELD k GET u8 4294967296
        BITFIELD k GET u8 #536870911
        BITFIELD k GET u8 #536870912
        BITFIELD k GET u8
        BITFIELD k SET u8 0
        BITFIELD k SET u8 0 x
        BITFIELD k SET u8 0 1.5
        BITFIELD k INCRBY u8 0
        BITFIELD k SET u8 0 9223372036854775808
        BITFIELD k NOSUCH u8 0
        BITFIELD k SET u8 0 1 NOSUCH
        BITFIELD
        GET k
        BITFIELD_RO k GET u8 0 GET i8 5 GET u63 100
        BITFIELD_RO k SET u8 0 1
        BITFIELD_RO k GET u8 0 INCRBY u8 0 1
        BITFIELD_RO k OVERFLOW SAT GET u8 0
        BITFIELD_RO k
        BITFIELD_RO none GET u8 0
        BITFIELD_RO none SET u8 0 1
        BITFIELD fails OVERFLOW FAIL SET u8 80 256
        STRLEN fails
        SET digits 12
        BITFIELD digits INCRBY u8 8 1
        INCR digits
        SET t v EX 100
        BITFIELD t SET u8 0 1
        TTL t
    """)
    yield "bits: other types", lines("""
        HSET h a 1
        SETBIT h 0 1
        SETBIT h x 1
        GETBIT h 0
        GETBIT h x
        BITCOUNT h
        BITCOUNT h 0
        BITPOS h 1
        BITPOS h 2
        BITOP AND d h
        BITFIELD h GET u8 0
        BITFIELD h SET u8 0 1
        BITFIELD h
        BITFIELD h NOSUCH
        BITFIELD_RO h GET u8 0
        BITFIELD_RO h SET u8 0 1
    """)
    for change in ("SETBIT k 7 1", "SETBIT k 1 1", "SETBIT k 100 0", "BITFIELD k GET u8 0",
                   "BITFIELD k SET u8 0 97", "BITFIELD k SET u8 0 98", "BITFIELD k INCRBY u8 0 0",
                   "BITFIELD k SET u8 100 0", "BITFIELD k OVERFLOW FAIL SET u8 0 256",
                   "BITOP OR k none", "BITOP OR k k", "BITOP NOT other k"):
        yield f"watch: {change}", [
            step("SET k a"), step("WATCH k"), step(change, on=1), step("MULTI"), step("PING"),
            step("EXEC"), step("GET k")]
        if "FAIL" in change:
            continue  # Redis makes the key, but watchers, log and replicas never learn of it.
        yield f"watch a missing key: {change}", [
            step("WATCH k"), step(change, on=1), step("MULTI"), step("PING"), step("EXEC"),
            step("GET k")]
    yield "bits: command", [
        Step(["COMMAND", "INFO", name], view=commands) for name in
        "setbit getbit bitcount bitpos bitop bitfield bitfield_ro".split()
    ] + lines("""
        COMMAND GETKEYS BITOP AND d a b
        COMMAND GETKEYS BITFIELD k GET u8 0
        COMMAND GETKEYS SETBIT k 0 1
    """)


def random_field(draw):
    width = draw.choice([1, 2, 5, 8, 13, 31, 32, 33, 60, 63, 64])
    name = draw.choice("iu")
    return f"{name}{min(width, 63 if name == 'u' else 64)}"


def random_requests(draw):
    """The words of a BITFIELD after its key."""
    words = []
    for _ in range(draw.randrange(1, 5)):
        offset = draw.choice([str(draw.randrange(200)), f"#{draw.randrange(5)}"])
        value = draw.choice([
            str(draw.randrange(-300, 300)), str(draw.randrange(-2**63, 2**63)),
            "9223372036854775807", "-9223372036854775808", "1", "-1", "0"])
        words += draw.choice([
            ["GET", random_field(draw), offset], ["SET", random_field(draw), offset, value],
            ["INCRBY", random_field(draw), offset, value],
            ["OVERFLOW", draw.choice(["WRAP", "SAT", "FAIL"])]])
    return words


def random_conversation(seed):
    """Many requests over few strings, which are short and long, numbers and not."""
    draw = random.Random(f"bits {seed}")
    keys = ["a", "b", "c"]
    values = ["", "0", "12", "-1", "abc", "x" * 130, bytes(range(256)), b"\xff" * 40,
              b"\x00" * 40 + b"\x01"]
    steps = []
    for _ in range(400):
        key, other, value = draw.choice(keys), draw.choice(keys), draw.choice(values)
        offset = draw.choice([str(draw.randrange(64)), str(draw.randrange(3000))])
        bit = draw.choice("01")
        first, last = str(draw.randrange(-300, 300)), str(draw.randrange(-300, 300))
        unit = draw.choice([[], ["BYTE"], ["BIT"]])
        request, view = draw.choice([
            (["SET", key, value], None), (["SETBIT", key, offset, bit], None),
            (["SETBIT", key, offset, bit], None), (["GETBIT", key, offset], None),
            (["BITCOUNT", key], None), (["BITCOUNT", key, first, last] + unit, None),
            (["BITPOS", key, bit], None), (["BITPOS", key, bit, first], None),
            (["BITPOS", key, bit, first, last] + unit, None),
            (["BITOP", draw.choice(["AND", "OR", "XOR"]), key, other, draw.choice(keys)], None),
            (["BITOP", "NOT", key, other], None),
            (["BITFIELD", key] + random_requests(draw), None),
            (["BITFIELD", key] + random_requests(draw), None),
            (["BITFIELD_RO", key, "GET", random_field(draw), offset], None),
            (["SETRANGE", key, str(draw.randrange(200)), value], None),
            (["GETRANGE", key, first, last], None), (["APPEND", key, "7"], None),
            (["GET", key], None), (["DEL", key], None), (["EXPIRE", key, "1000"], None),
            (["TTL", key], None), (["MULTI"], None), (["EXEC"], kind),
        ])
        options = {"view": view} if view else {}
        steps.append(Step(request, on=draw.choice([0, 0, 1]), **options))
    return f"random bits {seed}", steps
