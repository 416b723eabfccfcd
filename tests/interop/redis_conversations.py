"""What redis_differential.py says to both servers: conversations of requests, each with how its
reply is looked at where it may rightly differ.
"""

import random


def encode(words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        if isinstance(word, str):
            word = word.encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


def words_of(reply):
    """The elements of a flat array of bulk strings; they may hold any bytes."""
    words, rest = [], reply[reply.index(b"\r\n") + 2:]
    while rest:
        line, rest = rest.split(b"\r\n", 1)
        size = int(line[1:]) if line.startswith(b"$") else -1
        words.append(rest[:size] if size >= 0 else line)
        rest = rest[size + 2:] if size >= 0 else rest
    return words


def elements(reply):
    """The elements of a flat array, sorted: for replies without an order."""
    return sorted(words_of(reply)) if reply.startswith(b"*") else reply


def pairs(reply):
    """Name-value pairs of a flat array, sorted by name."""
    if not reply.startswith(b"*"):
        return reply
    words = words_of(reply)
    return sorted(zip(words[::2], words[1::2]))


def commands(reply):
    """COMMAND INFO's reply with the order of flags, categories and subcommands taken out."""
    return sorted(reply.split(b"\r\n"))


def kind(reply):
    return reply[:1]


def about(reply):
    """An integer reply, to the nearest hundred: time goes on between two servers."""
    return round(int(reply[1:]) / 100) if reply.startswith(b":") else reply


class Step:
    """One request: words, or raw bytes; on which connection; how its replies are compared."""

    def __init__(self, request, on=0, replies=1, view=None, pause=0.0):
        self.data = request if isinstance(request, bytes) else encode(request)
        self.shown = request
        self.on = on
        self.replies = replies
        self.view = view or (lambda reply: reply)
        self.pause = pause


def step(line, **options):
    return Step(line.split(), **options)


def lines(text):
    """One request a line, words divided by blanks; '' is the empty word."""
    return [Step(["" if word == "''" else word for word in line.split()])
            for line in text.strip().splitlines() if line.strip()]


def conversations():
    yield "ping and echo", lines("""
        PING
        ping hello
        PING a b
        ECHO hello
        ECHO
        ECHO a b
        PiNg
        NOSUCH
        nosuch a b c
        nosuch ''
    """)
    yield "unknown with long arguments", [
        Step(["x" * 200, "y" * 200, "z"]), Step(["nosuch"] + ["abcdefghij"] * 30),
        Step(["no\r\nsuch", "a\nb"])]
    yield "set and get", lines("""
        SET k v
        GET k
        GET
        GET a b
        SET k
        SET
        SET k v extra
        SET n 10
        GET n
        SET n 010
        GET n
        SET e ''
        GET e
        STRLEN e
        STRLEN n
        STRLEN none
        SET big 9223372036854775807
        INCR big
        GET big
        SET small -9223372036854775808
        DECR small
        GET small
        SET over 9223372036854775808
        INCR over
        SET plus +1
        INCR plus
        SET zero -0
        INCR zero
        SET blank ''
        INCR blank
        SET text abc
        INCR text
        DECR text
        INCRBY text 1
        GET text
    """)
    yield "set options", lines("""
        SET k 1 NX
        SET k 2 NX
        GET k
        SET k 3 XX
        GET k
        SET none 3 XX
        SET k 4 NX XX
        SET k 4 XX NX
        SET k 5 GET
        SET fresh 5 GET
        SET k 6 NX GET
        SET fresh2 6 NX GET
        GET fresh2
        SET k 7 XX GET
        SET none 7 XX GET
        EXISTS none
        SET k v EX 100
        TTL k
        SET k v KEEPTTL
        TTL k
        SET k v
        TTL k
        SET k v PX 100000
        TTL k
        SET k v EX 0
        SET k v EX -1
        SET k v PX 0
        SET k v EX abc
        SET k v EX 1.5
        SET k v EX
        SET k v PX
        SET k v EXAT
        SET k v PXAT
        SET k v EX 9223372036854775807
        SET k v PX 9223372036854775807
        SET k v EX 9223372036854775
        SET k v EXAT 0
        SET k v EX 10 PX 10
        SET k v EX 10 EX 20
        TTL k
        SET k v EX 10 KEEPTTL
        SET k v KEEPTTL EX 10
        SET k v KEEPTTL KEEPTTL
        SET k v EXAT 99999999999
        EXPIRETIME k
        PEXPIRETIME k
        SET k v PXAT 99999999999999
        EXPIRETIME k
        PEXPIRETIME k
        SET k v exat 99999999999 get
        SET k v foo
        SET k v NX NX
        SET k v NX EX
        SET past v PXAT 1
        GET past
        EXISTS past
        SET past v EXAT 1 GET
        DBSIZE
    """)
    yield "del exists type", lines("""
        MSET a 1 b 2 c 3
        EXISTS a
        EXISTS a a a
        EXISTS a b none
        EXISTS
        DEL a none b b
        DEL a
        DEL
        DBSIZE
        TYPE c
        TYPE none
        TYPE
        TYPE a b
    """)
    yield "counting", lines("""
        INCR n
        INCR n
        DECR n
        INCRBY n 10
        INCRBY n -3
        DECRBY n 4
        DECRBY n -4
        INCRBY n abc
        INCRBY n 1.0
        INCRBY n ''
        DECRBY n abc
        DECRBY n -9223372036854775808
        INCRBY n 9223372036854775807
        GET n
        INCRBY n
        INCR
        INCR a b
        DECRBY n 1 2
        SET s 5 EX 100
        INCR s
        TTL s
        APPEND s x
        TTL s
        INCR s
    """)
    yield "append and strlen", lines("""
        APPEND a hello
        APPEND a world
        GET a
        STRLEN a
        APPEND a ''
        APPEND b ''
        EXISTS b
        APPEND n 1
        APPEND n 2
        INCR n
        GET n
        APPEND n
        STRLEN
        STRLEN a b
    """) + [Step(["APPEND", "a", "x" * 300]), Step(["APPEND", "a", "y" * 300]), Step(["GET", "a"]),
            Step(["STRLEN", "a"]), Step(["SET", "a", "short"]), Step(["GET", "a"])]
    yield "mget and mset", lines("""
        MSET a 1 b 2
        MGET a b c
        MGET a a
        MGET
        MSET a
        MSET a 1 b
        MSET
        MSET a 5 a 6
        GET a
        SET t v EX 100
        MSET t w
        TTL t
    """)
    yield "expire", lines("""
        SET k v
        TTL k
        PTTL k
        EXPIRE k 100
        TTL k
        PERSIST k
        PERSIST k
        TTL k
        EXPIRE none 100
        TTL none
        PTTL none
        EXPIRETIME none
        EXPIRETIME k
        PEXPIRETIME k
        PERSIST none
        EXPIRE k abc
        EXPIRE k
        EXPIRE
        EXPIRE k 9223372036854775807
        EXPIRE k -9223372036854775808
        EXPIRE k 9223372036854775
        PEXPIRE k 9223372036854775807
        PEXPIREAT k 9223372036854775807
        PEXPIRETIME k
        EXPIREAT k 9223372036854775807
        EXPIREAT k 99999999999
        EXPIRETIME k
        PEXPIREAT k 99999999999123
        PEXPIRETIME k
        EXPIRETIME k
        PEXPIREAT k 99999999999500
        EXPIRETIME k
        EXPIRE k 0
        EXISTS k
        SET k v
        EXPIRE k -1
        EXISTS k
        SET k v
        PEXPIREAT k 1
        EXISTS k
        SET k v
        EXPIREAT k 1
        EXISTS k
        SET k v
        PEXPIRE k -5
        DBSIZE
    """)
    yield "expire conditions", lines("""
        SET k v
        EXPIRE k 100 XX
        EXPIRE k 100 GT
        EXPIRE k 100 NX
        EXPIRE k 200 NX
        TTL k
        EXPIRE k 50 GT
        EXPIRE k 200 GT
        TTL k
        EXPIRE k 300 LT
        EXPIRE k 100 LT
        TTL k
        EXPIRE k 150 XX
        TTL k
        EXPIRE k 10 NX XX
        EXPIRE k 10 NX GT
        EXPIRE k 10 NX LT
        EXPIRE k 10 GT LT
        EXPIRE k 500 XX GT
        TTL k
        EXPIRE k 400 XX LT
        TTL k
        EXPIRE k 10 FOO
        EXPIRE k 10 NX FOO
        EXPIRE k abc FOO
        PERSIST k
        EXPIRE k 100 LT
        TTL k
        EXPIRE k 100 xx
        PEXPIRE k 100000 nx
        PEXPIREAT k 99999999999000 gt
        EXPIREAT k 88888888888 lt
        EXPIRETIME k
        EXPIRE none 10 XX
        EXPIRE k -1 GT
        EXPIRE k -1 LT
        EXISTS k
    """)
    yield "expiry in time", [
        step("SET k v PX 60"), step("GET k"), step("SET l v PX 60 NX"), step("INCR c"),
        step("PEXPIRE c 60", pause=0.15), step("GET k"), step("EXISTS l"), step("TTL k"),
        step("INCR c"), step("TTL c"), step("DBSIZE"), step("KEYS *"),
        step("SET k v XX"), step("SET k v NX"), step("PERSIST l")]
    yield "expiry is not seen by KEYS", [
        step("DEBUG SET-ACTIVE-EXPIRE 0"), step("SET k v PX 30"), step("SET stays v", pause=0.1),
        step("KEYS *"), step("DBSIZE"), step("EXISTS k"), step("DBSIZE"),
        step("DEBUG SET-ACTIVE-EXPIRE 1")]
    yield "keys", [step("MSET one 1 two 2 three 3 four 4 o[e 5 ab\\c 6")] + [
        Step(["KEYS", pattern], view=elements) for pattern in
        ["*", "t*", "*o*", "?wo", "t??", "[ot]*", "[^ot]*", "[a-f]*", "o\\[e", "nothing", "", "**",
         "*e", "o[", "[", "ab\\\\c", "t*e*", "[f-a]*", "[]", "[^]", "*\\", "one", "ONE"]
    ] + lines("KEYS\nKEYS a b")
    yield "databases", lines("""
        SET k zero
        SELECT 1
        GET k
        SET k one
        DBSIZE
        SELECT 0
        GET k
        SELECT 15
        SELECT 16
        SELECT -1
        SELECT abc
        SELECT
        SELECT 1 2
        SELECT 1
        FLUSHDB
        DBSIZE
        SELECT 0
        DBSIZE
        SET k v
        FLUSHALL
        DBSIZE
        FLUSHALL ASYNC
        FLUSHALL SYNC
        FLUSHALL foo
        FLUSHALL ASYNC SYNC
        FLUSHDB foo
        FLUSHDB sync
        DBSIZE x
    """)
    yield "transactions", lines("""
        MULTI
        SET a 1
        INCR a
        GET a
        EXEC
        EXEC
        DISCARD
        MULTI
        MULTI
        SET a 5
        DISCARD
        GET a
        MULTI
        SET a
        EXEC
        MULTI
        NOSUCH
        SET a 9
        EXEC
        GET a
        MULTI
        SET s abc
        INCR s
        SET after yes
        EXEC
        GET after
        MULTI
        EXEC
        MULTI
        WATCH a
        SET a 3
        EXEC
        MULTI
        SELECT 1
        SET in-one 1
        SELECT 0
        SET in-zero 1
        EXEC
        GET in-one
        GET in-zero
        MULTI
        UNWATCH
        PING
        ECHO hi
        DBSIZE
        EXEC
        MULTI x
        EXEC x
        DISCARD x
        MULTI
        CONFIG NOSUCH
        EXEC
        MULTI
        SHUTDOWN NOSAVE
        EXEC
        PING
        MULTI
        SET a 1
        RESET
        EXEC
        PING
    """)
    yield "watch: nothing changes", lines("""
        SET a 1
        WATCH a
        GET a
        MULTI
        SET a 2
        EXEC
        GET a
        WATCH
        UNWATCH
        UNWATCH x
    """)
    for name, change in [
            ("set", "SET k 2"), ("same value", "SET k 1"), ("del", "DEL k"), ("incr", "INCR k"),
            ("append", "APPEND k x"), ("append nothing", "APPEND k ''"), ("expire", "EXPIRE k 100"),
            ("expire at once", "EXPIRE k 0"), ("persist without ttl", "PERSIST k"),
            ("flushall", "FLUSHALL"), ("flushdb", "FLUSHDB"), ("mset", "MSET x 1 k 1"),
            ("read", "GET k"), ("set nx in vain", "SET k 5 NX"), ("other key", "SET other 5"),
            ("failed incr", "INCRBY k x"), ("expire in vain", "EXPIRE k 100 XX"),
            ("set get", "SET k 9 GET"), ("ttl", "TTL k")]:
        change_step = Step(["" if word == "''" else word for word in change.split()], on=1)
        yield f"watch: {name}", [
            step("SET k 1"), step("WATCH k"), change_step, step("MULTI"), step("SET r 1"),
            step("EXEC"), step("EXISTS r"), step("MULTI"), step("PING"), step("EXEC")]
        yield f"watch a missing key: {name}", [
            step("WATCH k"), change_step, step("MULTI"), step("SET r 1"), step("EXEC"),
            step("EXISTS r")]
    yield "watch: changed by oneself", lines("""
        WATCH k
        SET k 1
        MULTI
        SET r 1
        EXEC
        EXISTS r
    """)
    yield "watch: created and removed again", [
        step("WATCH k"), step("SET k 1", on=1), step("DEL k", on=1), step("MULTI"),
        step("SET r 1"), step("EXEC")]
    yield "watch: unwatch and discard forget", [
        step("SET k 1"), step("WATCH k"), step("SET k 2", on=1), step("UNWATCH"), step("MULTI"),
        step("PING"), step("EXEC"), step("WATCH k"), step("SET k 3", on=1), step("MULTI"),
        step("DISCARD"), step("MULTI"), step("PING"), step("EXEC")]
    yield "watch: other database", [
        step("WATCH k"), step("SELECT 1", on=1), step("SET k 1", on=1), step("MULTI"),
        step("PING"), step("EXEC"), step("WATCH k"), step("FLUSHDB", on=1), step("MULTI"),
        step("PING"), step("EXEC"), step("SELECT 1"), step("WATCH k"), step("SELECT 0"),
        step("SET k 5", on=1), step("MULTI"), step("PING"), step("EXEC")]
    yield "watch: flushall of another database", [
        step("SET k 1"), step("WATCH k"), step("SELECT 1", on=1), step("FLUSHDB", on=1),
        step("MULTI"), step("PING"), step("EXEC"), step("WATCH k"), step("FLUSHALL", on=1),
        step("MULTI"), step("PING"), step("EXEC")]
    for active in ("0", "1"):
        yield f"watch: expires, active expiry {active}", [
            step(f"DEBUG SET-ACTIVE-EXPIRE {active}"), step("SET k 1 PX 50"),
            step("WATCH k", pause=0.25), step("MULTI"), step("PING"), step("EXEC"),
            step("DEBUG SET-ACTIVE-EXPIRE 1")]
        yield f"watch: had expired before, active expiry {active}", [
            step(f"DEBUG SET-ACTIVE-EXPIRE {active}"), step("SET k 1 PX 30", pause=0.25),
            step("WATCH k"), step("MULTI"), step("PING"), step("EXEC"),
            step("DEBUG SET-ACTIVE-EXPIRE 1")]
    yield "watch: had expired before and is touched", [
        step("DEBUG SET-ACTIVE-EXPIRE 0"), step("SET k 1 PX 30", pause=0.1), step("WATCH k"),
        step("GET k", on=1), step("MULTI"), step("PING"), step("EXEC"),
        step("SET k 1 PX 30", pause=0.1), step("WATCH k"), step("SET k 2", on=1), step("MULTI"),
        step("PING"), step("EXEC"),
        step("SET k 1 PX 30", pause=0.1), step("WATCH k"), step("FLUSHALL", on=1), step("MULTI"),
        step("PING"), step("EXEC"),
        step("SET k 1 PX 30", pause=0.1), step("WATCH k"), step("FLUSHALL", on=1),
        step("SET k 5", on=1), step("MULTI"), step("PING"), step("EXEC"),
        step("DEBUG SET-ACTIVE-EXPIRE 1")]
    yield "inline commands", [
        Step(b"PING\r\n"), Step(b"PING\n"), Step(b"  SET  a   b  \r\n"), Step(b"GET a\r\n"),
        Step(b"\r\nPING\r\n"), Step(b"\n\n\nPING\r\n"), Step(b"SET a \"b c\"\r\n"),
        Step(b"GET a\r\n"), Step(b"SET a 'b\\'c'\r\n"), Step(b"GET a\r\n"),
        Step(b"SET a \"\\x41\\n\\\\ \\q\"\r\n"), Step(b"GET a\r\n"), Step(b"SET a ''\r\n"),
        Step(b"GET a\r\n"), Step(b"ECHO a\tb\r\n"), Step(b"ECHO x\"y\"\r\n"),
        Step(b"*0\r\nPING\r\n"), Step(b"*-1\r\nPING\r\n"), Step(b"*-7\r\nPING\r\n")]
    for name, data in [
            ("unbalanced", b"SET a \"b\r\n"), ("quote sticks", b"SET a \"b\"c\r\n"),
            ("single quote", b"ECHO 'a\r\n"),
            ("bulk length", b"*1\r\n$abc\r\n"), ("negative bulk", b"*1\r\n$-1\r\n"),
            ("huge bulk", b"*1\r\n$999999999999\r\n"), ("no dollar", b"*1\r\nPING\r\n"),
            ("colon", b"*2\r\n$4\r\nPING\r\n:1\r\n"), ("multibulk length", b"*abc\r\n"),
            ("huge multibulk", b"*3000000000\r\n"), ("multibulk plus", b"*+1\r\n$4\r\nPING\r\n"),
            ("leading zero", b"*01\r\n$4\r\nPING\r\n"), ("blank length", b"*1\r\n$ 4\r\nPING\r\n"),
            ("empty length", b"*\r\n"), ("empty bulk length", b"*1\r\n$\r\n"),
            ("too big inline", b"x" * 70000), ("too big inline with spaces", b"a " * 40000),
            ("too big count", b"*" + b"1" * 70000), ("too big bulk count",
                                                      b"*1\r\n$" + b"1" * 70000),
            ("after a good one", b"PING\r\n*1\r\n:x\r\n"),
            ("cr instead", b"*1\r\n\r\r\n"), ("proto max", b"*2\r\n$3\r\nGET\r\n$536870913\r\n")]:
        replies = 2 if name == "after a good one" else 1
        yield f"protocol error: {name}", [Step(data, replies=replies), Step(b"PING\r\n")]
    yield "pipelining", [
        Step(encode(["SET", "a", "1"]) * 3 + b"GET a\r\n" + encode(["INCR", "a"]) * 5, replies=9),
        Step(b"".join(encode(["SET", f"k{i}", "v" * i]) for i in range(500)), replies=500),
        Step(b"".join(encode(["GET", f"k{i}"]) for i in range(500)), replies=500)]
    yield "large values", [
        Step(["SET", "a", "x" * 1000000]), step("STRLEN a"), step("GET a"),
        Step(encode(["GET", "a"]) * 5, replies=5), Step(["APPEND", "a", "y" * 1000000]),
        step("GET a"), Step(["SET", "b" * 100000, "v"]), Step(["GET", "b" * 100000])]
    yield "binary", [
        Step(["SET", bytes(range(256)), bytes(range(256))]), Step(["GET", bytes(range(256))]),
        Step(["SET", "", "empty key"]), Step(["GET", ""]), Step(["EXISTS", ""]),
        Step(["ECHO", b"\r\n"]), Step(["KEYS", "*"], view=elements)]
    yield "quit", [step("SET a 1"), step("QUIT"), step("PING")]
    yield "quit with words, within multi", [step("MULTI"), step("QUIT now"), step("PING")]
    yield "quit ends the pipeline", [Step(b"PING\r\nQUIT\r\nPING\r\n", replies=3)]
    yield "hello and reset", [
        step("HELLO", view=lambda r: r[:60]), step("HELLO 2", view=lambda r: r[:60]),
        step("HELLO abc"), step("HELLO 4"), step("HELLO 1"),
        step("HELLO 2 SETNAME joe", view=lambda r: r[:60]), step("CLIENT GETNAME"),
        step("HELLO 2 SETNAME"), step("HELLO 2 FOO"), step("SELECT 3"), step("RESET"),
        step("CLIENT GETNAME"), step("RESET x")]
    yield "client", lines("""
        CLIENT GETNAME
        CLIENT SETNAME joe
        CLIENT GETNAME
        CLIENT SETNAME ''
        CLIENT GETNAME
        CLIENT SETNAME
        CLIENT NO-EVICT on
        CLIENT NO-EVICT maybe
        CLIENT NO-EVICT off
        CLIENT KILL x
        CLIENT KILL a b
        CLIENT KILL ID x
        CLIENT KILL ID 0
        CLIENT KILL ID 99999999
        CLIENT KILL TYPE nosuch
        CLIENT KILL USER nosuch
        CLIENT KILL SKIPME maybe
        CLIENT KILL ADDR 1.2.3.4:5 SKIPME yes
        CLIENT KILL
        CLIENT LIST foo
        CLIENT LIST TYPE foo
        CLIENT LIST TYPE pubsub
        CLIENT LIST ID x
        CLIENT LIST ID 99999999
        CLIENT NOSUCH
        CLIENT
        CLIENT REPLY maybe
        CLIENT REPLY on
    """) + [Step(["CLIENT", "SETNAME", "a b"]), step("CLIENT ID", view=kind),
            step("CLIENT LIST", view=kind), step("CLIENT INFO", view=kind)]
    yield "client reply", [
        Step(b"CLIENT REPLY SKIP\r\nPING\r\nECHO one\r\n", replies=1),
        Step(b"CLIENT REPLY OFF\r\nPING\r\nECHO x\r\nCLIENT REPLY ON\r\nECHO two\r\n", replies=2),
        Step(b"CLIENT REPLY OFF\r\nCLIENT REPLY SKIP\r\nPING\r\nCLIENT REPLY ON\r\n", replies=1)]
    yield "client kill", [
        step("CLIENT SETNAME me"), step("PING", on=1), step("CLIENT KILL TYPE normal"),
        step("PING", on=1), step("PING"),
        step("CLIENT KILL TYPE normal SKIPME no"), step("PING")]
    yield "config", [
        step("CONFIG GET maxclients"), step("CONFIG GET MAXCLIENTS"),
        step("CONFIG GET appendfsync"), step("CONFIG GET append*", view=pairs),
        step("CONFIG GET nosuch"), step("CONFIG GET maxclients timeout", view=pairs),
        step("CONFIG GET save"), step("CONFIG GET databases"),
        step("CONFIG GET proto-max-bulk-len"),
        step("CONFIG GET client-query-buffer-limit"), step("CONFIG GET hz"),
        step("CONFIG GET tcp-backlog"), step("CONFIG GET aof-load-truncated"),
        step("CONFIG GET max[cd]lients"), step("CONFIG GET hz HZ h[z]", view=pairs),
        step("CONFIG SET maxclients 5000"), step("CONFIG GET maxclients"),
        step("CONFIG SET maxclients abc"), step("CONFIG SET maxclients -1"),
        step("CONFIG SET maxclients 0"), step("CONFIG SET maxclients"),
        step("CONFIG SET nosuch 1"), step("CONFIG SET hz 20 nosuch 1"), step("CONFIG GET hz"),
        step("CONFIG SET hz 20 timeout 5"), step("CONFIG GET hz timeout", view=pairs),
        step("CONFIG SET hz 10 timeout 0"), step("CONFIG SET hz 30 maxclients x"),
        step("CONFIG GET hz"), step("CONFIG SET hz 30 hz 40"), step("CONFIG SET databases 3"),
        step("CONFIG SET appendfsync sometimes"), step("CONFIG SET appendfsync always"),
        step("CONFIG GET appendfsync"), step("CONFIG SET appendfsync everysec"),
        step("CONFIG SET proto-max-bulk-len 2mb"), step("CONFIG GET proto-max-bulk-len"),
        step("CONFIG SET proto-max-bulk-len 1gbb"), step("CONFIG SET proto-max-bulk-len 512mb"),
        step("CONFIG SET aof-load-truncated maybe"), step("CONFIG SET hz 10 timeout"),
        step("CONFIG SET maxclients 10000"), step("CONFIG RESETSTAT"), step("CONFIG REWRITE"),
        step("CONFIG"), step("CONFIG NOSUCH"), step("CONFIG GET"), step("CONFIG RESETSTAT x")]
    yield "proto-max-bulk-len", [
        step("CONFIG SET proto-max-bulk-len 1mb"), Step(["SET", "a", "x" * 1000000]),
        Step(["APPEND", "a", "x" * 100000]), step("STRLEN a"),
        step("CONFIG SET proto-max-bulk-len 512mb")]
    in_scope = ("get set incr decr incrby decrby append strlen mget mset del exists expire pexpire "
                "expireat pexpireat ttl pttl expiretime pexpiretime persist type keys dbsize "
                "flushall flushdb select multi exec discard watch unwatch ping echo quit reset "
                "hello time shutdown config|get config|set config|resetstat config|rewrite "
                "client|id client|kill client|list client|no-evict client|reply command|count "
                "command|info command|list command|docs command|getkeys info debug").split()
    yield "command", [
        Step(["COMMAND", "INFO", name], view=commands) for name in in_scope
    ] + lines("""
        COMMAND INFO nosuch
        COMMAND INFO config|nosuch
        COMMAND GETKEYS SET a b
        COMMAND GETKEYS MSET a 1 b 2
        COMMAND GETKEYS DEL a b c
        COMMAND GETKEYS PING x
        COMMAND GETKEYS NOSUCH x
        COMMAND GETKEYS GET
        COMMAND GETKEYS GET a b
        COMMAND LIST FILTERBY FOO x
        COMMAND LIST FILTERBY PATTERN getdelnosuch
        COMMAND LIST FOO
        COMMAND COUNT x
        COMMAND NOSUCH
        COMMAND DOCS nosuch
    """) + [step("COMMAND COUNT", view=kind), step("COMMAND", view=kind)]
    yield "shutdown refused", lines("""
        SHUTDOWN foo
        SHUTDOWN SAVE NOSAVE
        SHUTDOWN ABORT
        SHUTDOWN ABORT NOW
        SHUTDOWN NOSAVE SAVE
        PING
    """)
    yield "shutdown within multi", [step("MULTI"), step("SHUTDOWN"), step("EXEC"), step("PING")]
    yield "debug", [step("DEBUG SLEEP 0"), step("DEBUG SLEEP 0.05"), step("DEBUG SLEEP"),
                    step("DEBUG NOSUCH x")]
    yield "time", [step("TIME", view=kind), step("TIME x")]
    yield "ttl in milliseconds", [
        step("SET k v PX 100000"), step("PTTL k", view=about), step("PEXPIRE k 5555"),
        step("PTTL k", view=about), step("TTL k")]


def random_conversation(seed):
    """Many requests over few keys, so that they meet: a check of state, not of wording."""
    draw = random.Random(seed)
    keys = ["a", "b", "c"]
    values = ["", "0", "1", "-1", "abc", "9223372036854775807", "x" * 130, "10"]
    steps = []
    for _ in range(400):
        key, other = draw.choice(keys), draw.choice(keys)
        value = draw.choice(values)
        # No two deadlines may be so close that it depends on the moment which is the later one.
        seconds = str(draw.randrange(100, 10**6))
        steps.append(Step(draw.choice([
            ["SET", key, value], ["SET", key, value, draw.choice(["NX", "XX", "GET", "KEEPTTL"])],
            ["SET", key, value, "EX", seconds], ["GET", key], ["DEL", key, other],
            ["EXISTS", key, other], ["INCR", key], ["DECRBY", key, value], ["APPEND", key, value],
            ["STRLEN", key], ["MGET", key, other], ["MSET", key, value, other, value],
            ["EXPIRE", key, draw.choice([seconds, seconds, "-1"]),
             draw.choice(["NX", "XX", "GT", "LT"])],
            ["PERSIST", key], ["TTL", key], ["TYPE", key], ["DBSIZE"], ["WATCH", key], ["MULTI"],
            ["EXEC"], ["DISCARD"], ["UNWATCH"], ["SELECT", draw.choice(["0", "1"])], ["FLUSHDB"],
        ]), on=draw.choice([0, 0, 1])))
    return f"random {seed}", steps
