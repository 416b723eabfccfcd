"""Conversations about hashes, for redis_differential.py."""

import random

from redis_conversations import Step, elements, encode, kind, lines, pairs, step


def cursor_and_pairs(reply):
    """A reply of HSCAN: the fields in any order."""
    return pairs(b"*" + reply.split(b"*", 2)[2]) if reply.startswith(b"*2") else reply


def conversations():
    yield "hashes", lines("""
        HSET h a 1 b 2
        HSET h a 3 c 4
        HGETALL h
        HGET h a
        HGET h none
        HGET none a
        HMGET h a none c
        HMGET none a b
        HKEYS h
        HVALS h
        HLEN h
        HLEN none
        HEXISTS h a
        HEXISTS h none
        HSTRLEN h a
        HSTRLEN h none
        HSETNX h a 9
        HSETNX h d 9
        HDEL h a none
        HDEL none a
        HGETALL h
        HMSET h x 1 y 2
        HDEL h b c d x y
        EXISTS h
        TYPE h
        HSET h '' ''
        HGETALL h
        HGET h ''
        HSET h 01 a 1 b -0 c
        HGETALL h
        OBJECT ENCODING h
    """)
    yield "hashes: arity and types", lines("""
        HSET h a
        HSET h a 1 b
        HSET h
        HMSET h a
        HMSET h a 1 b
        HGET h
        HGET h a b
        HGETALL
        HDEL h
        HINCRBY h a
        SET s v
        HSET s a 1
        HMSET s a 1
        HSETNX s a 1
        HGET s a
        HMGET s a
        HGETALL s
        HKEYS s
        HVALS s
        HLEN s
        HEXISTS s a
        HSTRLEN s a
        HDEL s a
        HINCRBY s a 1
        HINCRBYFLOAT s a 1
        HRANDFIELD s
        HRANDFIELD s 1
        HSCAN s 0
        HSET h a 1
        GET h
        INCR h
        APPEND h x
        STRLEN h
        MGET h s
        SET h v GET
        SET h v
        HGET h a
    """)
    yield "hashes: numbers", lines("""
        HINCRBY h n 5
        HINCRBY h n -7
        HINCRBY h n 9223372036854775807
        HINCRBY h n 9223372036854775807
        HINCRBY h n x
        HSET h t abc
        HINCRBY h t 1
        HINCRBYFLOAT h t 1
        HINCRBYFLOAT h f 10.5
        HINCRBYFLOAT h f 0.1
        HINCRBYFLOAT h f -0.6
        HINCRBYFLOAT h f 5e3
        HINCRBYFLOAT h f 1e400
        HINCRBYFLOAT h f inf
        HINCRBYFLOAT h f nan
        HINCRBYFLOAT h f abc
        HINCRBYFLOAT h f ''
        HINCRBYFLOAT h g 3.0e-20
        HINCRBYFLOAT h g 1e17
        HSET h big 9223372036854775808
        HINCRBY h big 1
        HINCRBYFLOAT h big 1
    """) + [Step(["HGETALL", "h"], view=pairs)]
    yield "hashes: options", lines("""
        HRANDFIELD none
        HRANDFIELD none 3
        HRANDFIELD none 3 WITHVALUES
        HSET h a 1
        HRANDFIELD h
        HRANDFIELD h 0
        HRANDFIELD h 5
        HRANDFIELD h -3
        HRANDFIELD h 5 WITHVALUES
        HRANDFIELD h -2 withvalues
        HRANDFIELD h 1 nosuch
        HRANDFIELD h 1 WITHVALUES x
        HRANDFIELD h x
        HRANDFIELD h -9223372036854775808
        HRANDFIELD h 9223372036854775807 WITHVALUES
        HSCAN h 0
        HSCAN h x
        HSCAN h -1
        HSCAN h 0 COUNT 0
        HSCAN h 0 COUNT x
        HSCAN h 0 COUNT
        HSCAN h 0 MATCH b*
        HSCAN h 0 MATCH a* COUNT 10
        HSCAN h 0 NOSUCH 1
        HSCAN h 0 TYPE hash
        HSCAN none 0
    """)
    long = "x" * 65
    yield "hashes: from compact to table", [
        Step(["HSET", "h"] + [word for i in range(512) for word in (f"f{i}", str(i))]),
        step("OBJECT ENCODING h"), step("HGETALL h"), step("HSET h one more"),
        step("OBJECT ENCODING h"), Step(["HGETALL", "h"], view=pairs), step("HLEN h"),
        Step(["HSCAN", "h", "0", "COUNT", "1000"], view=cursor_and_pairs),
        Step(["HSET", "v", "a", long[:64]]), step("OBJECT ENCODING v"),
        Step(["HSET", "v", "a", long]), step("OBJECT ENCODING v"), Step(["HGET", "v", "a"]),
        Step(["HSET", "w", long, "1"]), step("OBJECT ENCODING w"),
        step("CONFIG SET hash-max-listpack-entries 2"), step("HSET x a 1 b 2"),
        step("OBJECT ENCODING x"), step("HSET x c 3"), step("OBJECT ENCODING x"),
        step("CONFIG GET hash-max-listpack-entries"), step("CONFIG GET hash-max-ziplist-value"),
        step("CONFIG SET hash-max-ziplist-entries 512")]
    yield "hashes: transactions and deadlines", [
        step("HSET h a 1"), step("WATCH h"), step("HSET h a 2", on=1), step("MULTI"),
        step("HGETALL h"), step("EXEC"), step("EXPIRE h 100"), step("HSET h b 1"), step("TTL h"),
        step("MULTI"), step("HSET h c 1"), step("HGET h c"), step("HDEL h a b c"), step("EXEC"),
        step("EXISTS h")]
    yield "hashes: binary", [
        Step(["HSET", "h", bytes(range(256)), bytes(range(256))]), step("HGETALL h"),
        Step(encode(["HSET", "h", "a", "1"]) * 50, replies=50)]


def random_conversation(seed):
    """Many requests over few fields, with small limits, so that hashes change their form."""
    draw = random.Random(f"hashes {seed}")
    keys = ["a", "b"]
    names = ["", "0", "1", "-1", "f", "x" * 20] + [f"f{i}" for i in range(12)]
    values = ["", "0", "1", "-1", "abc", "9223372036854775807", "1.5", "y" * 20, "10"]
    steps = [step("CONFIG SET hash-max-listpack-entries 8"),
             step("CONFIG SET hash-max-listpack-value 16")]
    for _ in range(400):
        key, name, other = draw.choice(keys), draw.choice(names), draw.choice(names)
        value = draw.choice(values)
        request, view = draw.choice([
            (["HSET", key, name, value], None), (["HSET", key, name, value, other, value], None),
            (["HSETNX", key, name, value], None), (["HGET", key, name], None),
            (["HMGET", key, name, other], None), (["HDEL", key, name, other], None),
            (["HDEL", key] + names[:draw.randrange(1, 18)], None), (["HLEN", key], None),
            (["HGETALL", key], pairs), (["HKEYS", key], elements), (["HVALS", key], elements),
            (["HEXISTS", key, name], None), (["HSTRLEN", key, name], None),
            (["HINCRBY", key, name, draw.choice(["1", "-3", "9223372036854775807"])], None),
            (["HINCRBYFLOAT", key, name, draw.choice(["0.5", "-1.25", "3"])], None),
            (["HSCAN", key, "0", "COUNT", "1000"], cursor_and_pairs),
            (["HRANDFIELD", key, "100"], elements), (["OBJECT", "ENCODING", key], None),
            (["EXISTS", key], None), (["TYPE", key], None), (["SET", key, value], None),
            (["DEL", key], None), (["GET", key], None), (["EXPIRE", key, "1000"], None),
            (["TTL", key], None), (["MULTI"], None), (["EXEC"], kind), (["WATCH", key], None),
        ])
        options = {"view": view} if view else {}
        steps.append(Step(request, on=draw.choice([0, 0, 1]), **options))
    steps += [step("CONFIG SET hash-max-listpack-entries 512"),
              step("CONFIG SET hash-max-listpack-value 64")]
    return f"random hashes {seed}", steps
