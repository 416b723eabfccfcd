#!/usr/bin/env python3
"""Self-test of the rules: each rejects what it is there for, and leaves good code alone."""

import sys
import unittest

from rules import ALLOWED, RULES, with_includes_in_order
from source import Source
from symbols import offences as symbol_offences
from tidy import offences

HEADER = "// What it is.\n#pragma once\n\n"

# Rule: where, and snippets that it rejects. The first line is line 1.
BAD = {
    "os-include": ("system/kv/x.cc", [
        "#include <sys/socket.h>\n", "#include <unistd.h>\n", "#include <fcntl.h>\n",
        "#include <pthread.h>\n", "#include <thread>\n", "#include <random>\n",
        "#include <fstream>\n", "#include <mutex>\n", "#include <cerrno>\n",
        "#include <spdlog/spdlog.h>\n",
    ]),
    "std-clock": ("system/kv/x.cc", [
        "auto t = std::chrono::steady_clock::now();\n",
        "using Clock = std::chrono::system_clock;\n",
    ]),
    "simulated": ("system/kv/x.cc", [
        "bool f() { return is_simulated(); }\n", "#ifdef SEATRIAL_SIMULATOR\n#endif\n",
    ]),
    "throw": ("system/kv/x.cc", ["void f() { throw Bad{}; }\n", "void f() { throw(1); }\n"]),
    "catch-all": ("system/kv/x.cc", ["void f() { try { g(); } catch (...) { } }\n"]),
    "thread-local": ("system/kv/x.cc", ["thread_local int depth = 0;\n"]),
    "mutable-static": ("system/kv/x.cc", [
        "int g_count = 0;\n",
        "namespace seatrial::kv {\nnamespace {\nstd::map<int, int> g_table;\n}\n}\n",
        "static int g_count;\n",
        "const char* g_name = nullptr;\n",
        "constinit int g_count = 0;\n",
        "int f() {\n  static int calls = 0;\n  return ++calls;\n}\n",
        "struct A {\n  static int count_;\n};\n",
        "inline std::vector<int> g_list{1, 2};\n",
    ]),
    "pointer-keys": ("system/kv/x.cc", [
        "std::map<Session*, int> a;\n", "std::unordered_set<const Session*> b;\n",
        "std::set<std::pair<int, int>*> c;\n", "absl::flat_hash_map<kv::Session *, int> d;\n",
        "std::hash<Session*> e;\n",
    ]),
    "parent-include": ("system/kv/x.cc", ['#include "../resp/parser.h"\n']),
    "include-order": ("system/kv/x.cc", [
        '#include "base/check.h"\n\n#include "kv/x.h"\n',
        '#include <string>\n\n#include "base/check.h"\n',
        "#include <string>\n\n#include <fmt/format.h>\n",
        "#include <fmt/format.h>\n#include <string>\n",
        '#include "kv/x.h"\n#include "base/check.h"\n',
    ]),
    "pragma-once": ("system/kv/x.h", ["// What it is.\nnamespace seatrial::kv {}\n"]),
    "header-comment": ("system/kv/x.h", ["#pragma once\nnamespace seatrial::kv {}\n"]),
    "namespace": ("system/kv/data/x.h", [
        HEADER + "namespace seatrial::resp {\n}\n", HEADER + "namespace seatrial {\n}\n",
        HEADER + "int f();\n",
    ]),
    "test-names": ("tests/kv/x_test.cc", [
        "TEST(Z_Set, Works) {}\n", "TEST_F(ZSet, range_works) {}\n",
        "TEST(ZSet,\n     DISABLED_Works) {}\n", "RC_GTEST_PROP(A, b_c, (int x)) {}\n",
    ]),
    "function-length": ("sim/x.cc", [
        "int f() {\n" + "  g();\n" * 70 + "}\n",
        "A::A(int a)\n    : a_(a), b_{1} {\n" + "  g();\n" * 70 + "}\n",
        "class A {\n public:\n  int f(Options o = {}) const noexcept {\n" + "  g();\n" * 70
        + "  }\n};\n",
        "TEST(A, B) {\n" + "  if (x) { y(); }\n" * 70 + "}\n",
        "template <typename T>\nbool operator==(const T& a, const T& b) {\n" + "  g();\n" * 70
        + "}\n",
    ]),
    "file-length": ("sim/x.cc", ["int a;\n" * 801]),
    "columns": ("sim/x.cc", ["// " + "x" * 98 + "\n"]),
    "blanks": ("sim/x.cc", ["int a; \n", "\tint a;\n", "int a;"]),
    "unfinished": ("sim/x.cc", ["// TODO: later\n", "// FIXME\n", "int a;  // XXX\n"]),
}

GOOD_HEADER = HEADER + """#include "base/check.h"
#include "os/clock.h"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <string>

namespace seatrial::kv {

inline constexpr std::string_view kName = "thread_local throw";  // A throw in a comment.
constexpr std::array<int, 2> kTable{1, 2};
const char* const kWords[] = {"a", "b"};
using Handler = void (*)(int);
Handler find(std::string_view name);
extern const int kCount;

class Store {
 public:
  explicit Store(int a) : a_(a), b_{a} {}
  static Store make();
  static constexpr int kMax = 3;
  static std::function<void(int)> callback(std::map<int, Store*>& by_id);
  void rethrow_later();

 private:
  int a_ = 0;
  int b_{};
  std::map<int, std::unique_ptr<Store>> children_;
};

enum class Kind { kA, kB };

inline int f() {
  static constexpr int kLocal[] = {1, 2};
  static const std::string name = R"x(static int a; \\" )x";
  int count = 1'000;
  return kLocal[0] + count;
}

}  // namespace seatrial::kv
"""


class Rules(unittest.TestCase):
    def test_every_rule_has_bad_examples(self):
        self.assertEqual(sorted(rule.name for rule in RULES), sorted(BAD))

    def test_every_bad_example_is_rejected_by_its_rule(self):
        for rule, (path, snippets) in BAD.items():
            for snippet in snippets:
                with self.subTest(rule=rule, snippet=snippet[:200]):
                    self.assertIn(rule, [name for _, name, _ in offences(path, snippet)])

    def test_good_code_is_left_alone(self):
        self.assertEqual(offences("system/kv/x.h", GOOD_HEADER), [])

    def test_the_boundary_holds_below_it_only(self):
        self.assertEqual(offences("system/linux/x.cc", "#include <sys/socket.h>\n"), [])
        self.assertEqual(offences("sim/x.cc", "#include <unistd.h>\n"), [])

    def test_an_allowance_holds_for_its_rule_and_file_only(self):
        for rule, path in ALLOWED:
            for snippet in BAD[rule][1]:
                names = [name for _, name, _ in offences(path, snippet)]
                self.assertNotIn(rule, names)
        found = offences("system/os/fiber.cc", "thread_local int a;\n")
        self.assertIn("thread-local", [name for _, name, _ in found])

    def test_a_long_file_may_say_why(self):
        text = "// This file is long because it lists all.\n" + "int f();\n" * 801
        self.assertEqual(offences("sim/x.cc", text), [])

    def test_a_function_of_seventy_lines_is_allowed(self):
        self.assertEqual(offences("sim/x.cc", "int f() {\n" + "  g();\n" * 68 + "}\n"), [])

    def test_messages_name_line_and_remedy(self):
        line, _, message = offences("system/kv/x.cc", "\n#include <mutex>\n")[0]
        self.assertEqual(line, 2)
        self.assertEqual(message, "<mutex> is banned here, use os/sync.h")


class Fix(unittest.TestCase):
    def fixed(self, text):
        return with_includes_in_order(Source("system/kv/x.cc", text))

    def test_includes_are_grouped_and_sorted_and_nothing_else_changes(self):
        text = (
            '// A comment.\n#include "kv/x.h"\n\n#include <string>\n#include <fmt/format.h>\n'
            '#include <array>\n\n// Why.\n#include "kv/y.h"\n#include "base/check.h"\n\n'
            "#ifdef A\n#include <zzz>\n#endif\nint a();\n"
        )
        self.assertEqual(
            self.fixed(text),
            '// A comment.\n#include "kv/x.h"\n\n#include "base/check.h"\n// Why.\n'
            '#include "kv/y.h"\n\n#include <fmt/format.h>\n\n#include <array>\n'
            "#include <string>\n\n#ifdef A\n#include <zzz>\n#endif\nint a();\n",
        )
        self.assertEqual(offences("system/kv/x.cc", self.fixed(text)), [])

    def test_what_is_in_order_stays(self):
        for text in (GOOD_HEADER, "int a;\n", "", '#include "kv/x.h"\n// End.\nint a;\n'):
            self.assertEqual(self.fixed(text), text)


class Scopes(unittest.TestCase):
    def functions(self, text):
        return [(f.first_line, f.last_line) for f in Source("sim/x.cc", text).functions()]

    def test_functions_are_found_with_their_lines(self):
        text = "int a() {\n  if (x) {\n  }\n}\n\nstruct B {\n  int c() { return 1; }\n};\n"
        self.assertEqual(self.functions(text), [(1, 4), (7, 7)])

    def test_tables_and_lambdas_are_not_functions(self):
        text = "const Row kRows[] = {\n  {1, [](int a) { return a; }},\n};\nint f() {\n}\n"
        self.assertEqual(self.functions(text), [(4, 5)])

    def test_braces_in_literals_and_comments_do_not_count(self):
        text = "int f() {\n  g('{', \"{\", R\"({)\");  // {\n  /* { */\n}\nint h() {\n}\n"
        self.assertEqual(self.functions(text), [(1, 4), (5, 6)])

    def test_functions_are_found_in_returned_structs_and_after_macros(self):
        text = "struct A make(int b) {\n}\n#define X(a) {\\\n  a\nint h() {\n}\n"
        self.assertEqual(self.functions(text), [(1, 2), (5, 6)])


class Symbols(unittest.TestCase):
    def test_what_is_banned_is_found(self):
        banned = [
            "open", "open64", "socket", "epoll_wait@GLIBC_2.3.2", "clock_gettime@GLIBC_2.17",
            "pthread_create", "getrandom", "fork", "read", "write", "mmap", "nanosleep", "getenv",
            "std::chrono::_V2::steady_clock::now()", "std::thread::join()",
            "std::basic_ifstream<char, std::char_traits<char> >::open(char const*)",
        ]
        for symbol in banned:
            with self.subTest(symbol=symbol):
                self.assertEqual(len(symbol_offences([symbol], "seatrial_kv")), 1)

    def test_the_scheduler_may_map_stacks_and_no_more(self):
        self.assertEqual(symbol_offences(["mmap", "munmap", "mprotect"], "seatrial_os"), [])
        self.assertEqual(len(symbol_offences(["open", "mmap"], "seatrial_os")), 1)

    def test_names_that_only_look_alike_are_left_alone(self):
        good = ["memcpy", "seatrial::kv::open(int)", "seatrial::os::Disk::read()", "abort",
                "seatrial::kv::time", "operator new(unsigned long)", "fwrite"]
        self.assertEqual(symbol_offences(good, "seatrial_kv"), [])


if __name__ == "__main__":
    sys.exit(unittest.main())
