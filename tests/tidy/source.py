"""A C++ file as the rules see it: its lines, its code without comments and literals, its scopes.

This is no parser. It knows comments, literals, preprocessor lines, braces and parentheses, which
is enough to tell a namespace from a class, a function and an initialiser in code laid out by
clang-format.
"""

import re
from dataclasses import dataclass, field


@dataclass
class Include:
    line: int
    path: str
    quoted: bool
    conditional: bool  # Inside an #if.


@dataclass
class Function:
    first_line: int
    last_line: int
    signature: str


@dataclass
class Declaration:
    """A statement that ended at a ';' or whose braces closed, outside of any function."""

    line: int
    text: str
    scope: str  # "namespace" or "class".


@dataclass
class Source:
    path: str
    text: str
    lines: list = field(init=False)
    code: str = field(init=False)
    code_lines: list = field(init=False)

    def __post_init__(self):
        self.lines = self.text.split("\n")
        self.code = blank_comments_and_literals(self.text)
        self.code_lines = self.code.split("\n")

    @property
    def is_header(self):
        return self.path.endswith(".h")

    def includes(self):
        found, depth = [], 0
        for number, (line, code) in enumerate(zip(self.lines, self.code_lines), 1):
            directive = re.match(r"\s*#\s*(\w+)", code)
            if not directive:
                continue
            word = directive.group(1)
            if word in ("if", "ifdef", "ifndef"):
                depth += 1
            elif word == "endif":
                depth -= 1
            elif word == "include":
                target = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
                if target:
                    quoted = target.group(1) == '"'
                    found.append(Include(number, target.group(2), quoted, depth > 0))
        return found

    def functions(self):
        return scan_scopes(self.code)[0]

    def declarations(self):
        return scan_scopes(self.code)[1]


def blank_comments_and_literals(text):
    """Replaces them by blanks, so that lines and columns stay; literals keep their quotes."""
    pattern = re.compile(
        r"""
        (?P<comment> //(?:[^\n\\]|\\.|\\\n)* | /\*.*?\*/ )
      | (?P<raw> R"(?P<fence>[^\s()\\]{0,16})\(.*?\)(?P=fence)" )
      | (?P<string> "(?:[^"\\\n]|\\.)*" )
      | (?P<number> \b\d[\w.']* )
      | (?P<char> '(?:[^'\\\n]|\\.)+' )
        """,
        re.VERBOSE | re.DOTALL,
    )

    def blank(match):
        found = match.group(0)
        if match.lastgroup == "number" or match.group("number"):
            return found
        blanks = re.sub(r"[^\n]", " ", found)
        if match.group("comment"):
            return blanks
        return found[0] + blanks[1:-1] + found[-1]

    return pattern.sub(blank, text)


def without_preprocessor(code):
    """Blanks directives with their continuation lines."""
    result, inside = [], False
    for line in code.split("\n"):
        starts = inside or line.lstrip().startswith("#")
        inside = starts and line.rstrip().endswith("\\")
        result.append(" " * len(line) if starts else line)
    return "\n".join(result)


def strip_templates(text):
    """Removes balanced <...>, innermost first, and attributes."""
    text = re.sub(r"\[\[.*?\]\]", " ", text, flags=re.DOTALL)
    text = re.sub(r"operator\s*(<=>|<<=|>>=|<<|>>|<=|>=|<|>|->)", "operator", text)
    before = None
    while before != text:
        before = text
        text = re.sub(r"<[^<>;{}=]*>", " ", text)
    return text


def strip_parentheses(text):
    before = None
    while before != text:
        before = text
        text = re.sub(r"\([^()]*\)", " ", text)
    return text


def scope_kind(statement):
    """What a '{' after this text opens: namespace, class, enum, function or value."""
    text = strip_templates(statement).strip()
    if re.match(r"(inline\s+)?namespace\b", text) or re.match(r'extern\s*"', text):
        return "namespace"
    text = re.sub(r"^template\b\s*(requires\b[^;]*?(?=\b(class|struct|auto)\b))?", "", text)
    text = text.strip()
    if re.match(r"enum\b", text):
        return "enum"
    outside = strip_parentheses(re.sub(r"operator\s*(\(\s*\)|[-+*/%^&|~!=]+)", "operator", text))
    if re.match(r"(class|struct|union)\b", text) and "=" not in outside and "(" not in text:
        return "class"
    named = r"(class|struct|union)\s+(alignas\s*)?[\w:]+\s*(final\b\s*)?(:(?!:).*)?$"
    if re.match(named, outside, re.DOTALL):
        return "class"
    if "(" in text and "=" not in outside:
        return "function"
    return "value"


INIT_LIST = re.compile(r"\)\s*(noexcept\b\s*(\([^()]*\))?\s*)?:(?!:)")


def opens_member_initialiser(statement):
    """True in `Foo::Foo(int a) : a_{`: the body of the function is still to come."""
    text = statement.rstrip()
    return bool(INIT_LIST.search(text)) and bool(re.search(r"[\w>]$", text))


def scan_scopes(code):
    """All functions (outside of functions), and all other declarations outside of functions."""
    code = without_preprocessor(code)
    functions, declarations = [], []
    stack = []  # (kind, statement before it, its line, parenthesis depth outside of it)
    statement, statement_line, parentheses, line = "", 0, 0, 1

    def scope():
        return stack[-1][0] if stack else "namespace"

    for char in code:
        if char == "\n":
            line += 1
        in_body = scope() in ("function", "value", "enum")
        if char == "{":
            if in_body or parentheses > 0:
                kind = "value"
            elif opens_member_initialiser(statement):
                kind = "value"
            else:
                kind = scope_kind(statement)
            stack.append((kind, statement, statement_line or line, parentheses))
            parentheses = 0
            if kind in ("namespace", "class"):
                statement, statement_line = "", 0
            continue
        if char == "}":
            if not stack:
                continue
            kind, before, first_line, parentheses = stack.pop()
            if kind == "function":
                functions.append(Function(first_line, line, " ".join(before.split())))
                statement, statement_line = "", 0
            elif kind == "value":
                statement, statement_line = before + "{}", first_line
            else:
                statement, statement_line = "", 0
                if kind in ("class", "enum"):
                    statement, statement_line = kind + " {}", line
            continue
        if in_body:
            continue
        if char == "(":
            parentheses += 1
        elif char == ")":
            parentheses = max(0, parentheses - 1)
        if char == ";" and parentheses == 0:
            if statement.strip():
                text = " ".join(statement.split())
                declarations.append(Declaration(statement_line, text, scope()))
            statement, statement_line = "", 0
            continue
        if scope() == "class" and char == ":" and re.fullmatch(
            r"\s*(public|protected|private)\s*", statement
        ):
            statement, statement_line = "", 0
            continue
        if not statement_line and not char.isspace():
            statement_line = line
        statement += char
    return functions, declarations
