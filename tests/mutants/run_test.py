#!/usr/bin/env python3
"""Self-test of the mutants' runner on a tree that builds in no time: found, missed, broken."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import run

CMAKE = """cmake_minimum_required(VERSION 3.25)
project(fake LANGUAGES NONE)
add_custom_target(seatrial
  COMMAND python3 -m py_compile ${CMAKE_SOURCE_DIR}/server.py
  COMMAND cp ${CMAKE_SOURCE_DIR}/server.py ${CMAKE_BINARY_DIR}/seatrial)
"""

# Fails from seed 3 on when it is broken, with the verdict that its one line of code says.
SERVER = """#!/usr/bin/env python3
import json, os, sys
VERDICT = "pass"
CODE = {"pass": 0, "violation": 1, "crash": 4, "nondeterministic": 3}[VERDICT]
out = sys.argv[sys.argv.index("--out") + 1]
last = int(sys.argv[sys.argv.index("--seeds") + 1].split("..")[1])
os.makedirs(out)
with open(out + "/results.jsonl", "w") as file:
    for seed in range(1, last + 1):
        verdict = VERDICT if seed >= 3 else "pass"
        violations = [{"checker": "bank"}] if verdict == "violation" else []
        line = {"verdict": verdict, "seed": seed, "violations": violations, "message": "CHECK(x)"}
        print(json.dumps(line), file=file)
        if verdict != "pass":
            sys.exit(CODE)
"""


class Runner(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        subprocess.run(["git", "init", "-q", self.root], check=True)
        os.makedirs(os.path.join(self.root, run.FOLDER))
        os.makedirs(os.path.join(self.root, "scenarios/kv"))
        self.write("CMakeLists.txt", CMAKE)
        self.write("server.py", SERVER, mode=0o755)
        self.write("scenarios/kv/bank.toml", "")
        self.write(".gitignore", "/build*/\n")

    def write(self, path, text, mode=0o644):
        full = os.path.join(self.root, path)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(full, mode)

    def mutant(self, name, verdict, header="", before="pass", scenario="kv/bank", seeds=10):
        self.write(
            f"{run.FOLDER}/{name}.patch",
            f"# scenario: {scenario}\n# seeds: {seeds}\n# bug: it breaks\n# seen as: it is broken\n"
            f"{header}diff --git a/server.py b/server.py\n--- a/server.py\n+++ b/server.py\n"
            "@@ -1,5 +1,5 @@\n #!/usr/bin/env python3\n import json, os, sys\n"
            f'-VERDICT = "{before}"\n+VERDICT = "{verdict}"\n'
            ' CODE = {"pass": 0, "violation": 1, "crash": 4, "nondeterministic": 3}[VERDICT]\n'
            ' out = sys.argv[sys.argv.index("--out") + 1]\n',
        )

    def run_all(self, *arguments):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            code = run.main(list(arguments), self.root)
        return code, printed.getvalue()

    def test_found_mutants_are_a_success(self):
        self.mutant("wrong_sum", "violation")
        self.mutant("wrong_pointer", "crash")
        code, text = self.run_all()
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r"wrong_sum +kv/bank +3 +3 .*violation: bank")
        self.assertRegex(text, r"wrong_pointer +kv/bank +3 +3 .*crash: CHECK\(x\)")
        self.assertIn("not found: none", text)

    def test_a_missed_mutant_is_a_failure(self):
        self.mutant("too_late", "violation", seeds=2)
        code, text = self.run_all()
        self.assertEqual(code, 1)
        self.assertRegex(text, r"too_late .*MISSED")
        self.assertIn("not found: too_late", text)

    def test_another_verdict_than_expected_is_a_failure(self):
        self.mutant("wrong_sum", "crash", header="# expect: violation stuck\n")
        code, text = self.run_all()
        self.assertEqual(code, 1)
        self.assertIn("NOT AS EXPECTED: crash", text)

    def test_a_verdict_that_is_no_finding_is_a_failure(self):
        self.mutant("wavering", "nondeterministic")
        code, text = self.run_all()
        self.assertEqual(code, 1)
        self.assertRegex(text, r"wavering .*ERROR: the run ended with 3")

    def test_a_mutant_that_does_not_build_is_not_found(self):
        self.mutant("no_python", '"')
        code, text = self.run_all()
        self.assertEqual(code, 1)
        self.assertRegex(text, r"no_python .*ERROR: it does not build")

    def test_a_patch_that_does_not_apply_is_a_failure_and_the_next_goes_on(self):
        self.mutant("astray", "violation", before="fail")
        self.mutant("wrong_sum", "violation")
        code, text = self.run_all()
        self.assertEqual(code, 1)
        self.assertIn("astray does not apply", text)
        self.assertRegex(text, r"wrong_sum .*violation: bank")
        self.assertEqual(self.run_all("--check")[0], 1)

    def test_a_tree_that_fails_unmutated_proves_nothing(self):
        self.write("server.py", SERVER.replace('VERDICT = "pass"', 'VERDICT = "violation"'), 0o755)
        self.mutant("wrong_sum", "crash", before="violation")
        code, text = self.run_all()
        self.assertEqual(code, 1)
        self.assertIn("FAILS UNMUTATED: bank", text)

    def test_the_tree_itself_is_never_touched_and_a_change_is_seen(self):
        self.mutant("wrong_sum", "violation")
        self.assertEqual(self.run_all()[0], 0)
        with open(os.path.join(self.root, "server.py"), encoding="utf-8") as file:
            self.assertEqual(file.read(), SERVER)
        self.write("server.py", SERVER + "# New.\n", 0o755)
        self.assertEqual(self.run_all()[0], 0)

    def test_only_those_named_are_run_and_unknown_names_are_refused(self):
        self.mutant("wrong_sum", "violation")
        self.mutant("too_late", "violation", seeds=2)
        code, text = self.run_all("tests/mutants/wrong_sum.patch")
        self.assertEqual(code, 0)
        self.assertNotIn("too_late", text)
        code, text = self.run_all("nobody")
        self.assertEqual(code, 1)
        self.assertIn("there is no mutant 'nobody'; there are: too_late, wrong_sum", text)

    def test_the_check_looks_at_headers_and_scenarios(self):
        self.mutant("wrong_sum", "violation")
        self.assertEqual(self.run_all("--check")[0], 0)
        self.mutant("elsewhere", "violation", scenario="kv/nowhere")
        self.assertIn("there is no scenario or suite 'kv/nowhere'", self.run_all("--check")[1])
        self.mutant("vague", "violation", seeds="many")
        self.assertIn("seeds: expected a number, found 'many'", self.run_all("--check")[1])
        self.write(f"{run.FOLDER}/vague.patch", "# scenario: kv/bank\ndiff --git a/x b/x\n")
        self.assertIn("the header needs a line '# seeds: ...'", self.run_all("--check")[1])


if __name__ == "__main__":
    sys.exit(unittest.main())
