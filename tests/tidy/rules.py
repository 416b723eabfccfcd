"""The house's rules. Each is a function that yields (line, message) for one file; RULES lists
them with the files that they hold for. A message says what is wrong and what to do instead.
"""

import os
import re
from dataclasses import dataclass
from typing import Callable

from source import INIT_LIST, strip_parentheses, strip_templates

COLUMNS_MAX = 100
FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
LONG_FILE_REASON = "This file is long because"

# What may break a rule, and why. Nothing else may.
ALLOWED = {
    ("os-include", "system/os/fiber.cc"): "stacks with guard pages are mapped memory",
    ("throw", "system/os/fiber.cc"): "a killed process's stacks are unwound by one exception",
    ("mutable-static", "system/base/check.cc"): "a check fails at any depth, without an Os",
    ("mutable-static", "system/os/mark.cc"): "marks are hit at any depth, without an Os",
}


@dataclass
class Rule:
    name: str
    holds_for: Callable[[str], bool]
    check: Callable


# ---- Which files ----


def is_cpp(path):
    return path.endswith((".cc", ".h"))


def is_header(path):
    return path.endswith(".h")


def is_script(path):
    name = os.path.basename(path)
    return path.endswith((".py", ".sh", ".cmake")) or name in ("CMakeLists.txt", "dev", "run")


def is_text(path):
    return is_cpp(path) or is_script(path) or path.endswith((".toml", ".md", ".yml"))


def below_the_boundary(path):
    """Code that must reach the world through os/ only."""
    return is_cpp(path) and path.startswith("system/") and not path.startswith("system/linux/")


def is_test(path):
    return is_cpp(path) and path.startswith("tests/")


def is_layer(path):
    return is_cpp(path) and layer_of(path) is not None


def layer_of(path):
    # Examples are other people's projects: they have names of their own.
    if path.startswith("scenarios/examples/"):
        return None
    parts = path.split("/")
    if parts[0] == "system" and len(parts) > 2:
        return parts[1]
    if parts[0] in ("sim", "checkers", "scenarios", "reports"):
        return parts[0]
    return None


# ---- Helpers ----


def each_match(source, pattern, message):
    for number, line in enumerate(source.code_lines, 1):
        for match in re.finditer(pattern, line):
            yield number, message.format(match.group(0).strip())


# ---- The boundary ----

INSTEAD = [
    (r"sys/(time|timerfd)\.h|time\.h|ctime", "os/clock.h"),
    (r"sys/(socket|epoll|un|uio|select)\.h|netinet/.*|arpa/.*|netdb\.h|poll\.h", "os/network.h"),
    (r"sys/(wait|prctl|resource)\.h|spawn\.h|signal\.h|csignal", "os/process.h"),
    (r"sys/random\.h|random", "os/random.h, or base/random.h with a stream that you were given"),
    (r"fcntl\.h|sys/(stat|file|mman|statvfs)\.h|dirent\.h|fstream|filesystem", "os/disk.h"),
    (r"pthread\.h|thread|future|stop_token", "os/fiber.h: fibers of the node's own Os"),
    (r"mutex|shared_mutex|condition_variable|semaphore|latch|barrier", "os/sync.h"),
    (r"errno\.h|cerrno", "base/error.h: Result<T> and Errc"),
    (r"spdlog/.*|iostream", "base/log.h: the Log of the node's own Os"),
    (r"unistd\.h|sys/.*|linux/.*|dlfcn\.h|setjmp\.h|csetjmp", "the part of os/ that offers it"),
]


def os_include(source):
    for include in source.includes():
        if include.quoted:
            continue
        for pattern, instead in INSTEAD:
            if re.fullmatch(pattern, include.path):
                yield include.line, f"<{include.path}> is banned here, use {instead}"
                break


def std_clock(source):
    yield from each_match(
        source,
        r"\b(system_clock|steady_clock|high_resolution_clock|utc_clock|file_clock)\b",
        "{} is banned here: ask os::Clock, or take the time as an argument",
    )


def simulated(source):
    yield from each_match(
        source,
        r"\b\w*(?i:simulat)\w*\b",
        "{}: code under system/ must not know whether it is simulated; "
        "put the difference behind os/, or ask os::Chaos",
    )


def exceptions(source):
    yield from each_match(
        source, r"\bthrow\b(?!\s*\()", "throw is banned here, return base::fail(...) or CHECK"
    )
    yield from each_match(
        source, r"\bthrow\s*\(", "throw is banned here, return base::fail(...) or CHECK"
    )


def catch_all(source):
    yield from each_match(
        source,
        r"\bcatch\s*\(\s*\.\.\.\s*\)",
        "{} is banned: it swallows the unwinding of a killed fiber; catch the type that you mean",
    )


# ---- Determinism ----


def thread_local_(source):
    yield from each_match(
        source, r"\bthread_local\b", "{} is banned here: keep state in an object that has an owner"
    )


def pointer_keys(source):
    yield from each_match(
        source,
        r"\b\w*(map|set)\s*<\s*(const\s+)?[\w:]+(<[^<>]*>)?(\s+const)?\s*\*",
        "{}... orders or hashes by address, which differs from run to run; key it by an id",
    )
    yield from each_match(
        source,
        r"\bstd::(less|greater|hash)\s*<\s*(const\s+)?[\w:]+(<[^<>]*>)?(\s+const)?\s*\*",
        "{}... orders or hashes by address, which differs from run to run; use an id",
    )


def is_mutable_variable(text):
    """Whether a declaration that ended at ';' defines a variable that can change."""
    text = re.sub(r"^(inline|static|constinit|\s)+", "", strip_templates(text))
    if re.match(
        r"(using|typedef|class|struct|enum|union|template|namespace|static_assert|friend|extern"
        r"|concept|return|public|private|protected)\b",
        text,
    ):
        return False
    declarator = re.split(r"=|\{", text)[0]
    if "(" in declarator or "operator" in declarator:
        return False
    if re.search(r"\b(constexpr|consteval)\b", declarator):
        return False
    if len(re.findall(r"[\w:]+", declarator)) < 2:
        return False
    constant = declarator.rfind("const ")
    return constant < 0 or "*" in declarator[constant:]


def mutable_static(source):
    message = "'{}' is shared by all nodes of a simulation: keep it in an object that has an owner"
    for declaration in source.declarations():
        static = re.search(r"\bstatic\b", declaration.text)
        if declaration.scope == "class" and not static:
            continue
        if is_mutable_variable(declaration.text):
            yield declaration.line, message.format(declaration.text[:60])
    for function in source.functions():
        body = "\n".join(source.code_lines[function.first_line - 1 : function.last_line])
        if function.signature.startswith("static "):
            body = body.replace("static", "      ", 1)
        for match in re.finditer(r"\bstatic\b(?!_)[^;]*;", body):
            if is_mutable_variable(match.group(0).rstrip(";")):
                line = function.first_line + body[: match.start()].count("\n")
                yield line, message.format(" ".join(match.group(0).split())[:60])


# ---- Includes, namespaces, headers ----


def parent_include(source):
    for include in source.includes():
        if include.path.startswith("../") or "/../" in include.path:
            yield include.line, (
                f'"{include.path}": name the header from its layer, "layer/{include.path[3:]}"'
            )


GROUPS = ["its own header", 'the project\'s ("layer/x.h")', "libraries' (<lib/x.h>)", "std's (<x>)"]


def own_header(source):
    layer = layer_of(source.path)
    if source.is_header or layer is None:
        return None
    inside = source.path.split(f"{layer}/", 1)[1]
    return f"{layer}/{inside[:-3]}.h"


def group_of(source, include):
    if include.quoted:
        return 0 if include.path == own_header(source) else 1
    return 3 if re.fullmatch(r"[a-z_0-9]+", include.path) else 2


def include_order(source):
    """Own header, project, libraries, std: in this order, with a blank line between them."""
    before, before_line = None, 0
    for include in source.includes():
        if include.conditional:
            continue
        group = group_of(source, include)
        if before is not None and group < before:
            yield include.line, (
                f"{include.path}: {GROUPS[group]} headers go before {GROUPS[before]} ones"
            )
        elif before is not None and group > before and include.line == before_line + 1:
            yield include.line, f"{include.path}: a blank line goes before {GROUPS[group]} headers"
        before, before_line = group, include.line


def with_includes_in_order(source):
    """The file's text with its first run of includes grouped and sorted; comments move along."""
    first = next((i for i, line in enumerate(source.lines) if line.startswith("#include")), None)
    if first is None:
        return source.text
    by_line = {include.line: include for include in source.includes() if not include.conditional}
    groups, waiting, end = [[], [], [], []], [], first
    for index in range(first, len(source.lines)):
        line = source.lines[index]
        include = by_line.get(index + 1)
        if include:
            name = include.path
            key = (not (name.endswith(".h") and not include.quoted), name)
            groups[group_of(source, include)].append((key, waiting + [line]))
            waiting, end = [], index + 1
        elif line.startswith("//"):
            waiting.append(line)
        elif line.strip() or waiting:
            break
    blocks = ["\n".join("\n".join(lines) for _, lines in sorted(g)) for g in groups if g]
    new = "\n\n".join(blocks).split("\n")
    return "\n".join(source.lines[:first] + new + source.lines[end:])


def pragma_once(source):
    if not re.search(r"^#pragma once$", source.text, re.MULTILINE):
        yield 1, "a header needs #pragma once, after its comment"


def header_comment(source):
    if not source.text.startswith("// "):
        yield 1, "a header begins with a comment: what it is, its step, its invariants"


def namespace_matches(source):
    layer = layer_of(source.path)
    opened = re.compile(r"^\s*(?:inline\s+)?namespace\s+(seatrial\b[\w:]*)\s*\{")
    seen = False
    for number, line in enumerate(source.code_lines, 1):
        match = opened.match(line)
        if not match:
            continue
        seen = True
        if match.group(1).split("::")[1:2] != [layer]:
            yield number, f"{match.group(1)}: here it is seatrial::{layer}, as the folder"
    if not seen and source.is_header and "#define" not in source.text:
        yield 1, f"a header of this folder declares what it has in namespace seatrial::{layer}"


def test_names(source):
    pattern = r"\b(TEST|TEST_F|TEST_P|TYPED_TEST|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\s*\("
    pattern += r"\s*(\w*)\s*,\s*(\w*)"
    for match in re.finditer(pattern, source.code):
        line = source.code[: match.start()].count("\n") + 1
        for name in match.group(2), match.group(3):
            if name.startswith("DISABLED_"):
                yield line, f"{name}: a disabled test tests nothing; repair it or remove it"
            elif "_" in name:
                yield line, f"{name}: GoogleTest forbids '_' in names; write it in PascalCase"


# ---- Size and layout ----


def function_length(source):
    for function in source.functions():
        length = function.last_line - function.first_line + 1
        if length > FUNCTION_LINES_MAX:
            name = strip_parentheses(INIT_LIST.split(function.signature)[0]).split()[-1:]
            yield function.first_line, (
                f"{' '.join(name)} has {length} lines, at most {FUNCTION_LINES_MAX}: split it "
                "where it changes its subject"
            )


def file_length(source):
    head = "\n".join(source.lines[:20])
    if len(source.lines) - 1 > FILE_LINES_MAX and LONG_FILE_REASON not in head:
        yield FILE_LINES_MAX + 1, (
            f"{len(source.lines) - 1} lines, at most {FILE_LINES_MAX}: split the file, or say in "
            f"its header comment '{LONG_FILE_REASON} ...'"
        )


def columns(source):
    for number, line in enumerate(source.lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns, at most {COLUMNS_MAX}"


def blanks(source):
    for number, line in enumerate(source.lines, 1):
        if "\t" in line:
            yield number, "a tab: indent with blanks"
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
    if source.text and not source.text.endswith("\n"):
        yield len(source.lines), "the last line has no newline"


def unfinished(source):
    for number, line in enumerate(source.lines, 1):
        match = re.search(r"\b(TODO|FIXME|XXX)\b", line)
        if match:
            yield number, f"{match.group(1)}: do it now, or file an issue and say what holds today"


RULES = [
    Rule("os-include", below_the_boundary, os_include),
    Rule("std-clock", below_the_boundary, std_clock),
    Rule("simulated", below_the_boundary, simulated),
    Rule("throw", below_the_boundary, exceptions),
    Rule("catch-all", below_the_boundary, catch_all),
    Rule("thread-local", below_the_boundary, thread_local_),
    Rule("mutable-static", below_the_boundary, mutable_static),
    Rule("pointer-keys", below_the_boundary, pointer_keys),
    Rule("parent-include", is_cpp, parent_include),
    Rule("include-order", is_cpp, include_order),
    Rule("pragma-once", is_header, pragma_once),
    Rule("header-comment", is_header, header_comment),
    Rule("namespace", is_layer, namespace_matches),
    Rule("test-names", is_test, test_names),
    Rule("function-length", is_cpp, function_length),
    Rule("file-length", is_text, file_length),
    Rule("columns", lambda path: is_cpp(path) or is_script(path), columns),
    Rule("blanks", is_text, blanks),
    # This folder names the words that it bans.
    Rule("unfinished", lambda p: is_text(p) and not p.startswith("tests/tidy/"), unfinished),
]
