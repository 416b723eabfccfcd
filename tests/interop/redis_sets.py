"""Conversations about sets, for redis_differential.py."""

import random

from redis_conversations import Step, commands, elements, encode, kind, lines, step


def cursor_and_elements(reply):
    """A reply of SSCAN: the members in any order."""
    return elements(b"*" + reply.split(b"*", 2)[2]) if reply.startswith(b"*2") else reply


def header(reply):
    """How many elements an array has."""
    return reply.split(b"\r\n", 1)[0]


NAMES = ("sadd srem scard sismember smismember smembers spop srandmember smove sinter sintercard "
         "sinterstore sunion sunionstore sdiff sdiffstore sscan").split()
# Whose replies have no order; of numbers alone they are sorted on both sides.
UNORDERED = ("SMEMBERS", "SINTER", "SUNION", "SDIFF")


def unordered(text):
    return [Step(one.shown, view=elements if one.shown[0] in UNORDERED else None)
            for one in lines(text)]


def conversations():
    yield "sets", unordered("""
        SADD s 3 1 2
        SADD s 3 4
        SADD s 4
        SMEMBERS s
        SCARD s
        SCARD none
        SISMEMBER s 1
        SISMEMBER s 01
        SISMEMBER s x
        SISMEMBER none 1
        SMISMEMBER s 1 x 4
        SMISMEMBER none 1 2
        SREM s 1 1 x
        SREM none 1
        SADD s a b
        SMEMBERS s
        SISMEMBER s 2
        SISMEMBER s a
        SREM s 2 3 4
        OBJECT ENCODING s
        TYPE s
        SREM s a b c
        EXISTS s
        SMEMBERS s
        SADD e ''
        SMEMBERS e
        SISMEMBER e ''
        SREM e ''
        TYPE e
        OBJECT REFCOUNT s
    """)
    yield "sets: numbers stay sorted", lines("""
        SADD s 5 -5 0 100
        SMEMBERS s
        OBJECT ENCODING s
        SADD s 40000 -40000
        SMEMBERS s
        SADD s 3000000000 -9223372036854775808 9223372036854775807
        SMEMBERS s
        SREM s 9223372036854775807 -9223372036854775808 3000000000 40000 7
        SMEMBERS s
        SINTER s s
        SUNION s none s
        SDIFF s none
        SDIFF s s
        SADD t 0 5 6
        SINTER s t
        SUNION s t
        SDIFF s t
        SINTERSTORE d s t
        SMEMBERS d
        OBJECT ENCODING d
        SSCAN s 0
        SRANDMEMBER s 100
        SPOP s 100
        EXISTS s
        SADD s 9223372036854775808
        OBJECT ENCODING s
        SADD u 1 +1
        OBJECT ENCODING u
        SADD v -0
        OBJECT ENCODING v
        SADD w 1 2
        SADD w x
        SREM w x
        OBJECT ENCODING w
    """)
    yield "sets: arity and types", lines("""
        SADD s
        SREM s
        SCARD
        SCARD s t
        SISMEMBER s
        SISMEMBER s a b
        SMISMEMBER s
        SMEMBERS
        SMEMBERS s t
        SPOP
        SRANDMEMBER
        SMOVE s t
        SMOVE s t a b
        SINTER
        SINTERSTORE d
        SINTERCARD 1
        SUNION
        SUNIONSTORE d
        SDIFF
        SDIFFSTORE d
        SSCAN s
        SET x v
        SADD x a
        SREM x a
        SCARD x
        SISMEMBER x a
        SMISMEMBER x a
        SMEMBERS x
        SPOP x
        SPOP x 0
        SPOP x 1
        SRANDMEMBER x
        SRANDMEMBER x 0
        SRANDMEMBER x 1
        SSCAN x 0
        SSCAN x 0 NOSUCH 1
        SADD s a
        HSET h a 1
        SADD h a
        GET s
        INCR s
        HGET s a
        MGET s x
        SMOVE x s a
        SMOVE s x a
        SMOVE s x none
        SMOVE none x a
        SMOVE x x a
        SMOVE x none a
        SINTER x
        SINTER none x
        SINTER x none
        SINTER s x
        SINTER s none x
        SUNION none x
        SUNION s x
        SUNION x s
        SDIFF none x
        SDIFF s x
        SDIFF x s
        SDIFF s s x
        SINTERCARD 2 none x
        SINTERCARD 2 s x
        SINTERSTORE d none x
        SINTERSTORE x none x
        SUNIONSTORE d s x
        SUNIONSTORE x none x
        SDIFFSTORE d none x
        SDIFFSTORE x s x
        GET x
        EXISTS d
        SUNIONSTORE x s none
        TYPE x
        SMEMBERS x
        SET x v
        SINTERSTORE x none s
        EXISTS x
        SET s v
        SMEMBERS s
    """)
    yield "sets: several", unordered("""
        SADD a 1 2 3 x y
        SADD b 2 3 4 y z
        SADD c 3 y
        SINTER a
        SINTER a b
        SINTER a b c
        SINTER a b none
        SINTER a a
        SUNION a b c none
        SUNION none none
        SUNION a
        SDIFF a b
        SDIFF a b c
        SDIFF none a
        SDIFF a none
        SDIFF a a
        SDIFF a b a
        SINTERCARD 1 a
        SINTERCARD 2 a b
        SINTERCARD 2 a none
        SINTERCARD 2 a b LIMIT 0
        SINTERCARD 2 a b LIMIT 2
        SINTERCARD 2 a b LIMIT 20
        SINTERCARD 2 a b limit 1
        SINTERCARD 2 a b LIMIT 1 LIMIT 2
        SINTERCARD 2 a b LIMIT -1
        SINTERCARD 2 a b LIMIT x
        SINTERCARD 2 a b LIMIT
        SINTERCARD 2 a b c
        SINTERCARD 1 a LIMIT 9223372036854775808
        SINTERCARD 0 a
        SINTERCARD -1 a
        SINTERCARD x a
        SINTERCARD 3 a b
        SINTERCARD 2 a LIMIT
        SINTERSTORE d a b
        SMEMBERS d
        SUNIONSTORE d a c
        SMEMBERS d
        SDIFFSTORE d a b
        SMEMBERS d
        EXPIRE d 100
        SUNIONSTORE d a
        TTL d
        SDIFFSTORE d none a
        EXISTS d
        SINTERSTORE d a none
        EXISTS d
        SUNIONSTORE d none
        SUNIONSTORE a a b
        SMEMBERS a
        SDIFFSTORE a a b
        SMEMBERS a
        SINTERSTORE b b c
        SMEMBERS b
        SDIFFSTORE a a a
        EXISTS a
    """)
    yield "sets: moves", unordered("""
        SADD a 1 2 x
        SMOVE a b 1
        SMEMBERS a
        SMEMBERS b
        OBJECT ENCODING b
        SMOVE a b none
        SMOVE none b 1
        SMOVE a b x
        OBJECT ENCODING b
        SMOVE a a 2
        SMOVE a a 3
        SADD b 2
        SMOVE a b 2
        EXISTS a
        SMEMBERS b
        SMOVE b c x
        SMOVE b c 1
        SMOVE b c 2
        EXISTS b
        SMEMBERS c
    """)
    yield "sets: options", unordered("""
        SPOP none
        SPOP none 0
        SPOP none 3
        SPOP none -1
        SPOP none x
        SPOP none 1 2
        SRANDMEMBER none
        SRANDMEMBER none 3
        SRANDMEMBER none x
        SRANDMEMBER none 1 2
        SADD s 1
        SRANDMEMBER s
        SRANDMEMBER s 0
        SRANDMEMBER s 5
        SRANDMEMBER s -3
        SRANDMEMBER s -9223372036854775808
        SRANDMEMBER s 9223372036854775808
        SPOP s 0
        SPOP s -1
        SPOP s 9223372036854775808
        SPOP s
        EXISTS s
        SADD s x
        SPOP s 9223372036854775807
        EXISTS s
        SADD s a
        SSCAN s 0
        SSCAN s x
        SSCAN s 0 COUNT 0
        SSCAN s 0 COUNT x
        SSCAN s 0 COUNT
        SSCAN s 0 MATCH b*
        SSCAN s 0 MATCH a* COUNT 10
        SSCAN s 0 NOSUCH 1
        SSCAN s 0 TYPE set
        SSCAN none 0
        SSCAN none x
        SSCAN none 0 NOSUCH 1
        HSCAN none 0 NOSUCH 1
    """)
    yield "sets: choices", [
        Step(["SADD", "s"] + [f"m{i}" for i in range(100)]),
        step("SRANDMEMBER s", view=kind), step("SRANDMEMBER s 10", view=header),
        step("SRANDMEMBER s 100", view=elements), step("SRANDMEMBER s 99", view=header),
        step("SPOP s", view=kind), step("SCARD s"), step("SPOP s 10", view=header), step("SCARD s"),
        step("SPOP s 80", view=header), step("SCARD s"), step("SPOP s 9", view=header),
        step("EXISTS s"), Step(["SADD", "n"] + [str(i) for i in range(100)]),
        step("SRANDMEMBER n 10", view=header), step("SPOP n 60", view=header), step("SCARD n"),
        step("SRANDMEMBER n 40", view=kind), step("SPOP n", view=kind), step("SCARD n"),
        step("OBJECT ENCODING n")]
    numbers = [str(i * 3) for i in range(512)]
    yield "sets: from compact to table", [
        Step(["SADD", "s"] + numbers), step("OBJECT ENCODING s"), step("SMEMBERS s"),
        step("SADD s 0"), step("OBJECT ENCODING s"), step("SADD s 1"), step("OBJECT ENCODING s"),
        step("SMEMBERS s", view=elements), step("SCARD s"),
        step("SSCAN s 0 COUNT 1000", view=cursor_and_elements),
        step("SREM s 1"), step("OBJECT ENCODING s"),
        step("SUNIONSTORE d s"), step("OBJECT ENCODING d"), step("SADD o 1"),
        step("SUNIONSTORE d s o"), step("OBJECT ENCODING d"),
        step("SDIFFSTORE d s o"), step("OBJECT ENCODING d"),
        Step(["SADD", "t"] + [str(i) for i in range(1000)]), step("OBJECT ENCODING t"),
        Step(["SADD", "u"] + [str(i) for i in range(995)]), step("SDIFFSTORE d t u o o o"),
        step("OBJECT ENCODING d"), step("SDIFFSTORE d t u"), step("OBJECT ENCODING d"),
        step("SMEMBERS d", view=elements), step("SINTERSTORE d t u"), step("OBJECT ENCODING d"),
        step("SINTERSTORE d s t o"), step("SINTER s t", view=elements),
        step("SINTERCARD 2 s t LIMIT 7"), step("SINTERCARD 2 s t"),
        step("CONFIG SET set-max-intset-entries 2"), step("SADD x 1 2"),
        step("OBJECT ENCODING x"), step("SADD x 3"), step("OBJECT ENCODING x"),
        step("CONFIG GET set-max-intset-entries"), step("CONFIG SET set-max-intset-entries -1"),
        step("CONFIG SET set-max-intset-entries 0"), step("SADD y 1"), step("OBJECT ENCODING y"),
        step("CONFIG SET set-max-intset-entries 512")]
    yield "sets: transactions and deadlines", [
        step("SADD s a"), step("WATCH s"), step("SADD s b", on=1), step("MULTI"),
        step("SCARD s"), step("EXEC"), step("EXPIRE s 100"), step("SADD s c"), step("TTL s"),
        step("MULTI"), step("SADD s d"), step("SISMEMBER s d"), step("SREM s a b c d"),
        step("EXEC"), step("EXISTS s")]
    for change in ["SADD s a", "SADD s b", "SREM s none", "SREM s a", "SPOP s", "SPOP s 0",
                   "SMOVE s t none", "SMOVE s s a", "SMOVE s t a", "SMOVE t s a", "SMOVE t s b",
                   "SUNIONSTORE s none", "SUNIONSTORE s t", "SUNIONSTORE t s", "SDIFFSTORE s s",
                   "SINTERSTORE s s t", "SMEMBERS s", "SRANDMEMBER s"]:
        yield f"sets: watch: {change}", [
            step("SADD s a"), step("SADD t a b"), step("WATCH s"),
            step(change, on=1, view=kind), step("MULTI"), step("PING"), step("EXEC"),
            step("DEL s"), step("WATCH s"), step(change, on=1, view=kind), step("MULTI"),
            step("PING"), step("EXEC")]
    yield "sets: binary", [
        Step(["SADD", "s", bytes(range(256)), "\r\n", "\0"]), step("SMEMBERS s", view=elements),
        Step(["SISMEMBER", "s", bytes(range(256))]), Step(encode(["SADD", "s", "a"]) * 50,
                                                          replies=50)]
    yield "sets: command", [
        Step(["COMMAND", "INFO", name], view=commands) for name in NAMES
    ] + lines("""
        COMMAND GETKEYS SINTERCARD 2 a b
        COMMAND GETKEYS SINTERCARD 2 a b LIMIT 1
        COMMAND GETKEYS SINTERCARD 3 a b
        COMMAND GETKEYS SINTERCARD 0 a
        COMMAND GETKEYS SINTERCARD x a
        COMMAND GETKEYS SINTERCARD 1
        COMMAND GETKEYS SDIFFSTORE a b c
        COMMAND GETKEYS SMOVE a b c
        COMMAND GETKEYS SINTER a
    """)


def random_conversation(seed):
    """Many requests over few members, with small limits, so that sets change their form."""
    draw = random.Random(f"sets {seed}")
    keys = ["a", "b", "c"]
    numbers = ["0", "1", "-1", "40000", "-40000", "3000000000"] + [str(i) for i in range(2, 14)]
    words = ["", "x", "01", "+1", "-0", "y" * 70]
    steps = [step("CONFIG SET set-max-intset-entries 8")]
    for _ in range(400):
        key, other, third = draw.choice(keys), draw.choice(keys), draw.choice(keys)
        pool = numbers if draw.random() < 0.9 else words
        member = draw.choice(pool)
        some = draw.sample(numbers, draw.randrange(1, 12))
        request, view = draw.choice([
            (["SADD", key, member], None), (["SADD", key, member], None),
            (["SADD", key, *some], None),
            (["SREM", key, member], None), (["SREM", key, *some], None), (["SCARD", key], None),
            (["SISMEMBER", key, member], None), (["SMISMEMBER", key, member, *some], None),
            (["SMEMBERS", key], elements), (["SMOVE", key, other, member], None),
            (["SINTER", key, other], elements), (["SINTER", key, other, third], elements),
            (["SUNION", key, other, third], elements), (["SDIFF", key, other], elements),
            (["SDIFF", key, other, third], elements),
            (["SINTERCARD", "2", key, other, "LIMIT", draw.choice("025")], None),
            (["SINTERSTORE", key, other, third], None), (["SUNIONSTORE", key, other, third], None),
            (["SDIFFSTORE", key, other, third], None),
            (["SDIFFSTORE", key, other, third, third, third], None),
            (["SSCAN", key, "0", "COUNT", "1000"], cursor_and_elements),
            (["SRANDMEMBER", key, "100"], elements), (["SPOP", key, "100"], elements),
            (["OBJECT", "ENCODING", key], None), (["OBJECT", "ENCODING", key], None),
            (["EXISTS", key], None), (["TYPE", key], None), (["DEL", key], None),
            (["EXPIRE", key, "1000"], None), (["TTL", key], None), (["MULTI"], None),
            (["EXEC"], kind), (["WATCH", key], None),
            draw.choice([(["SET", key, "v"], None), (["DEL", key], None), (["GET", key], None)]),
        ])
        steps.append(Step(request, on=draw.choice([0, 0, 1]), view=view))
    steps.append(step("CONFIG SET set-max-intset-entries 512"))
    return f"random sets {seed}", steps
