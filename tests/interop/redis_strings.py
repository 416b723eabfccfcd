"""Conversations about the less common commands on strings, for redis_differential.py."""

import random

from redis_conversations import Step, about, commands, kind, lines, step


def conversations():
    yield "strings: setnx and msetnx", lines("""
        SETNX k 1
        SETNX k 2
        GET k
        SETNX k
        SETNX k 1 2
        HSET h a 1
        SETNX h 1
        MSETNX a 1 b 2
        MSETNX c 1 a 2
        EXISTS c
        MSETNX d 1 d 2
        GET d
        MSETNX x 1 h 2
        MSETNX
        MSETNX x
        MSETNX x 1 y
        MGET a b c d x
    """)
    yield "strings: setex and psetex", lines("""
        SETEX k 100 v
        TTL k
        GET k
        SETEX k 0 v
        SETEX k -1 v
        SETEX k x v
        SETEX k 1.5 v
        SETEX k 9223372036854775807 v
        SETEX k 9223372036854775 v
        SETEX k 100
        SETEX k 100 v w
        PSETEX k 100000 w
        TTL k
        PSETEX k 0 v
        PSETEX k -1 v
        PSETEX k x v
        PSETEX k 9223372036854775807 v
        GET k
        HSET h a 1
        SETEX h 100 v
        TYPE h
    """) + [step("PTTL k", view=about)]
    yield "strings: getset and getdel", lines("""
        GETSET k 1
        GETSET k 2
        SET t v EX 100
        GETSET t w
        TTL t
        GETSET n 5
        INCR n
        GETSET k
        GETSET k 1 2
        GETDEL k
        GETDEL k
        EXISTS k
        GETDEL
        GETDEL a b
        HSET h a 1
        GETSET h 1
        GETDEL h
        TYPE h
    """)
    yield "strings: getex", lines("""
        GETEX none
        GETEX none EX 0
        SET k v
        GETEX k
        TTL k
        GETEX k EX 100
        TTL k
        GETEX k
        TTL k
        GETEX k PX 200000
        TTL k
        GETEX k PERSIST
        TTL k
        GETEX k PERSIST
        GETEX k EXAT 99999999999
        EXPIRETIME k
        GETEX k PXAT 99999999999123
        PEXPIRETIME k
        GETEX k EX 0
        GETEX k EX -1
        GETEX k EX x
        GETEX k EX
        GETEX k PX 9223372036854775807
        GETEX k EX 10 PX 10
        GETEX k EX 10 EX 20
        TTL k
        GETEX k EX 10 PERSIST
        GETEX k PERSIST EX 10
        GETEX k PERSIST PERSIST
        GETEX k KEEPTTL
        GETEX k NX
        GETEX k GET
        GETEX k nosuch
        GETEX none nosuch
        GETEX k exat 1
        EXISTS k
        SET k v
        GETEX k PXAT 1
        EXISTS k
        GETEX k EXAT 0
        GETEX
        HSET h a 1
        GETEX h
        GETEX h EX x
        GETEX h nosuch
    """)
    yield "strings: incrbyfloat", lines("""
        INCRBYFLOAT f 10.5
        INCRBYFLOAT f 0.1
        INCRBYFLOAT f -5
        INCRBYFLOAT f 5.0e3
        GET f
        INCRBYFLOAT f 1e400
        INCRBYFLOAT f inf
        INCRBYFLOAT f -inf
        INCRBYFLOAT f nan
        INCRBYFLOAT f abc
        INCRBYFLOAT f ''
        INCRBYFLOAT f 0x10
        INCRBYFLOAT f 1e-400
        INCRBYFLOAT f -5000
        INCRBYFLOAT f 3.0e-20
        INCRBYFLOAT n 3
        INCR n
        INCRBYFLOAT n 0.5
        INCR n
        INCRBYFLOAT n 0.5
        INCR n
        SET big 9223372036854775807
        INCRBYFLOAT big 1
        INCRBYFLOAT big 1e17
        SET text abc
        INCRBYFLOAT text 1
        INCRBYFLOAT text x
        SET e ''
        INCRBYFLOAT e 1
        SET i inf
        INCRBYFLOAT i 1
        SET z 0
        INCRBYFLOAT z -0.0
        INCRBYFLOAT z 1.7976931348623157e308
        INCRBYFLOAT z 1.18973149535723176502e+4932
        SET t 1 EX 100
        INCRBYFLOAT t 1.5
        TTL t
        HSET h a 1
        INCRBYFLOAT h 1
        INCRBYFLOAT h x
        INCRBYFLOAT f
        INCRBYFLOAT f 1 2
    """) + [Step(["INCRBYFLOAT", "f", " 1"]), Step(["INCRBYFLOAT", "f", "1 "]),
            Step(["INCRBYFLOAT", "f", b"1\x00"])]
    yield "strings: setrange", lines("""
        SETRANGE k 0 hello
        SETRANGE k 6 world
        GET k
        SETRANGE k 2 ''
        SETRANGE none 5 ''
        EXISTS none
        SETRANGE k -1 x
        SETRANGE none -1 ''
        SETRANGE k x y
        SETRANGE k 536870912 x
        SETRANGE k 536870907 xxxxxxx
        SETRANGE k 9223372036854775807 x
        SETRANGE k 9223372036854775808 x
        SETRANGE k 300 x
        STRLEN k
        SETRANGE k 310 tail
        GETRANGE k 290 -1
        SET n 12
        SETRANGE n 1 3
        INCR n
        SETRANGE n 1 x
        INCR n
        SETRANGE n 1 5
        INCR n
        SET t v EX 100
        SETRANGE t 1 x
        TTL t
        HSET h a 1
        SETRANGE h 0 x
        SETRANGE h 0 ''
        SETRANGE h -1 x
        SETRANGE k 0
        SETRANGE k 0 x y
    """)
    places = ["0", "1", "-1", "-2", "3", "5", "6", "-6", "-7", "100", "-100",
              "9223372036854775807", "-9223372036854775808"]
    yield "strings: getrange", lines("SET k abcdef\nSET n 1234\nSET e ''\nHSET h a 1") + [
        step(f"GETRANGE {key} {first} {last}") for key in ("k", "n", "e", "none")
        for first in places for last in places
    ] + lines("""
        SUBSTR k 1 3
        SUBSTR k -3 -1
        SUBSTR h 0 1
        SUBSTR k x 1
        SUBSTR k 1
        GETRANGE h 0 1
        GETRANGE h x 1
        GETRANGE k x 1
        GETRANGE k 1 x
        GETRANGE none x 1
        GETRANGE k 1
        GETRANGE k 1 2 3
    """)
    options = ["", "LEN", "IDX", "IDX WITHMATCHLEN", "IDX MINMATCHLEN 2", "idx minmatchlen 3",
               "IDX MINMATCHLEN 4 WITHMATCHLEN", "IDX MINMATCHLEN 0", "IDX MINMATCHLEN -5",
               "IDX MINMATCHLEN 100", "LEN MINMATCHLEN 3", "LEN WITHMATCHLEN", "WITHMATCHLEN",
               "MINMATCHLEN 2", "IDX LEN", "LEN IDX", "IDX MINMATCHLEN", "IDX MINMATCHLEN x",
               "NOSUCH", "IDX NOSUCH", "LEN IDX NOSUCH", "LEN LEN",
               "IDX MINMATCHLEN 1 MINMATCHLEN 3"]
    yield "strings: lcs", lines("""
        MSET a ohmytext b mynewtext c abcdefghij d jihgfedcba e xabcyabcz f abcabc n 12345 m 23
        SET empty ''
        HSET h a 1
    """) + [
        step(f"LCS {pair} {words}") for pair in ("a b", "b a", "c d", "e f", "a none", "none none",
                                                 "empty a", "n m", "a a", "h a", "a h")
        for words in options
    ] + lines("LCS a\nLCS") + [
        step("CONFIG SET proto-max-bulk-len 1mb"), Step(["SET", "long", "ab" * 256]),
        Step(["SET", "longer", "abc" * 170]), step("LCS long longer LEN"),
        Step(["SET", "longer", "x" * 511]), step("LCS long longer"),
        step("LCS long longer IDX LEN"), step("LCS longer long NOSUCH"),
        step("CONFIG SET proto-max-bulk-len 512mb")]
    for change in ("SETNX k 1", "SETEX k 100 v", "GETSET k v", "GETDEL k", "GETEX k",
                   "GETEX k EX 100", "GETEX k PERSIST", "GETEX k PXAT 1", "MSETNX k 1 l 2",
                   "INCRBYFLOAT k 1", "SETRANGE k 0 5", "SETRANGE k 0", "GETRANGE k 0 1"):
        yield f"watch: {change}", [
            step("SET k 5"), step("WATCH k"), step(change, on=1), step("MULTI"), step("PING"),
            step("EXEC"), step("GET k")]
        yield f"watch a missing key: {change}", [
            step("WATCH k"), step(change, on=1), step("MULTI"), step("PING"), step("EXEC"),
            step("GET k")]
    yield "strings: command", [
        Step(["COMMAND", "INFO", name], view=commands) for name in
        ("setnx setex psetex getset getdel getex msetnx incrbyfloat setrange getrange substr "
         "lcs").split()
    ] + lines("COMMAND GETKEYS LCS a b\nCOMMAND GETKEYS MSETNX a 1 b 2")
    yield "strings: in time", [
        step("PSETEX k 60 v"), step("SET l v"), step("GETEX l PX 60", pause=0.15), step("GET k"),
        step("GETDEL l"), step("SETNX k w"), step("TTL k")]


def random_conversation(seed):
    """Many requests over few keys, which hold numbers, short and long strings, and one hash."""
    draw = random.Random(f"strings {seed}")
    keys = ["a", "b", "c"]
    values = ["", "0", "1", "-1", "abc", "abcabd", "9223372036854775807", "1.5", "x" * 130, "10",
              "".join(draw.choice("abc") for _ in range(200))]
    steps = []
    for _ in range(400):
        key, other, value = draw.choice(keys), draw.choice(keys), draw.choice(values)
        first, last = str(draw.randrange(-150, 150)), str(draw.randrange(-150, 150))
        seconds = str(draw.randrange(100, 10**6))
        amount = draw.choice(["1", "-1.5", "0.1", "1e10", "3.25", "-0"])
        request, view = draw.choice([
            (["SET", key, value], None), (["SETNX", key, value], None),
            (["SETEX", key, seconds, value], None), (["PSETEX", key, seconds + "000", value], None),
            (["GETSET", key, value], None), (["GETDEL", key], None),
            (["GETEX", key] + draw.choice([[], ["PERSIST"], ["EX", seconds], ["PXAT", "1"]]), None),
            (["MSETNX", key, value, other, value], None), (["INCRBYFLOAT", key, amount], None),
            (["SETRANGE", key, str(draw.randrange(160)), value], None),
            (["GETRANGE", key, first, last], None), (["SUBSTR", key, first, last], None),
            (["LCS", key, other], None), (["LCS", key, other, "LEN"], None),
            (["LCS", key, other, "IDX", "WITHMATCHLEN", "MINMATCHLEN",
              str(draw.randrange(4))], None),
            (["APPEND", key, value], None), (["INCR", key], None), (["STRLEN", key], None),
            (["GET", key], None), (["MGET", key, other], None), (["TTL", key], None),
            (["HSET", key, "f", "1"], None), (["DEL", key], None), (["DEL", key], None),
            (["TYPE", key], None), (["MULTI"], None), (["EXEC"], kind), (["WATCH", key], None),
        ])
        options = {"view": view} if view else {}
        steps.append(Step(request, on=draw.choice([0, 0, 1]), **options))
    return f"random strings {seed}", steps
