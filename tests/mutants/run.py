#!/usr/bin/env python3
"""Plants each bug of tests/mutants/ into a copy of the tree and sees that its scenario finds it.

A mutant is NAME.patch: a unified diff against production code, below a header that says what it
is (see Mutant). `./dev mutants [NAME...]` runs this. The working tree is never touched.

  run.py              all mutants: exits with 1 if one is missed, or the unmutated tree fails
  run.py NAME...      only these
  run.py --check      only whether every patch is complete and still applies: quick
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = "tests/mutants"
FINDINGS = {"violation": 1, "crash": 4, "stuck": 5}  # Verdict: exit code of `seatrial run`.
FIND_SECONDS_MAX = 600


class Mistake(Exception):
    """Something is wrong with a mutant or its build; the message is for the developer."""


@dataclass
class Mutant:
    """One planted bug. Its file begins with these lines, in any order:

    # scenario: kv/watch-transfer    what must find it: a scenario or a suite
    # seeds: 200                     within so many seeds
    # bug: one sentence              what the patch breaks
    # seen as: one sentence          what a user would see of it
    # expect: violation              optional: verdicts that count, separated by blanks
    """

    name: str
    path: str
    scenario: str
    seeds: int
    expected: tuple

    @staticmethod
    def load(path):
        name = os.path.basename(path)[: -len(".patch")]
        fields = {}
        with open(path, encoding="utf-8") as file:
            for line in file:
                match = re.match(r"# (scenario|seeds|bug|seen as|expect):\s*(.*\S)", line)
                if match:
                    fields[match.group(1)] = match.group(2)
                elif line.startswith(("diff ", "--- ")):
                    break
                elif line.strip():
                    raise Mistake(f"{path}: not a line of the header: {line.strip()}")
            else:
                raise Mistake(f"{path}: there is no diff in it")
        for key in ("scenario", "seeds", "bug", "seen as"):
            if key not in fields:
                raise Mistake(f"{path}: the header needs a line '# {key}: ...'")
        if not re.fullmatch(r"[1-9]\d*", fields["seeds"]):
            raise Mistake(f"{path}: seeds: expected a number, found '{fields['seeds']}'")
        expected = tuple(fields.get("expect", " ".join(FINDINGS)).split())
        if not set(expected) <= set(FINDINGS):
            raise Mistake(f"{path}: expect: only {', '.join(FINDINGS)} can be expected")
        return Mutant(name, path, fields["scenario"], int(fields["seeds"]), expected)


@dataclass
class Finding:
    """What a run came to: verdict is None when it found nothing."""

    verdict: str
    by: str
    seed: int
    seeds_run: int
    seconds: float


class Workshop:
    """A copy of the tree with a build of its own, in which bugs are planted one at a time."""

    def __init__(self, root, scratch, jobs):
        self.tree = os.path.join(scratch, "tree")
        self.build_folder = os.path.join(scratch, "build")
        self.results = os.path.join(scratch, "results")
        self.log = os.path.join(scratch, "log")
        self.jobs = jobs
        self.files = read_tree(root)
        os.makedirs(self.tree, exist_ok=True)

    def restore(self):
        """Makes the copy what the tree was at the start; what is right already is not touched."""
        for folder, _, names in os.walk(self.tree):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.relpath(path, self.tree) not in self.files:
                    os.remove(path)
        for relative, (content, mode) in self.files.items():
            path = os.path.join(self.tree, relative)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    if file.read() == content:
                        continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
            os.chmod(path, mode)

    def plant(self, mutant):
        # Without the ceiling git would take the copy for a folder of the repository around it.
        environment = dict(os.environ, GIT_CEILING_DIRECTORIES=os.path.dirname(self.tree))
        applied = subprocess.run(
            ["git", "apply", os.path.abspath(mutant.path)],
            cwd=self.tree, env=environment, capture_output=True, text=True,
        )
        if applied.returncode != 0:
            raise Mistake(f"{mutant.name} does not apply:\n{applied.stderr.strip()}")

    def build(self):
        """Builds the binary; returns the seconds that it took."""
        begun = time.monotonic()
        if not os.path.isfile(os.path.join(self.build_folder, "build.ninja")):
            self._logged(["cmake", "-S", self.tree, "-B", self.build_folder, "-G", "Ninja",
                          "-DCMAKE_BUILD_TYPE=Release", "-DSEATRIAL_TESTS=OFF"], "configure")
        self._logged(["ninja", "-C", self.build_folder, "-j", str(self.jobs), "seatrial"], "build")
        return time.monotonic() - begun

    def _logged(self, command, what):
        with open(self.log, "w", encoding="utf-8") as log:
            code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT).returncode
        if code != 0:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                tail = "".join(log.readlines()[-20:])
            raise Mistake(f"it does not {what}:\n{tail}")

    def find(self, scenario, seeds):
        """Runs the scenario until a seed fails, at most so many."""
        shutil.rmtree(self.results, ignore_errors=True)
        begun = time.monotonic()
        command = [os.path.join(self.build_folder, "seatrial"), "run", scenario, "--seeds",
                   f"1..{seeds}", "--fail-fast", "--jobs", str(self.jobs), "--out", self.results]
        with open(self.log, "w", encoding="utf-8") as log:
            try:
                code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log,
                                      stderr=subprocess.STDOUT,
                                      timeout=FIND_SECONDS_MAX).returncode
            except subprocess.TimeoutExpired:
                raise Mistake(f"no end after {FIND_SECONDS_MAX} s: {' '.join(command)}") from None
        seconds = time.monotonic() - begun
        runs = read_results(os.path.join(self.results, "results.jsonl"))
        failed = [run for run in runs if run["verdict"] != "pass"]
        if code == 0 and not failed and runs:
            return Finding(None, "", 0, len(runs), seconds)
        findings = [run for run in failed if run["verdict"] in FINDINGS]
        if not findings or code not in FINDINGS.values():
            with open(self.log, encoding="utf-8", errors="replace") as log:
                tail = "".join(log.readlines()[-10:])
            raise Mistake(f"the run ended with {code} and {len(failed)} failing seeds:\n{tail}")
        first = findings[0]
        by = ", ".join(sorted({violation["checker"] for violation in first["violations"]}))
        by = by or first["message"].split("\n")[0]
        return Finding(first["verdict"], by, first["seed"], len(runs), seconds)


def read_tree(root):
    """Tracked and new files with their content and mode; what git ignores is left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout
    files = {}
    for relative in sorted(set(filter(None, listed.split("\0")))):
        path = os.path.join(root, relative)
        if os.path.isfile(path):
            with open(path, "rb") as file:
                files[relative] = (file.read(), os.stat(path).st_mode & 0o777)
    return files


def read_results(path):
    if not os.path.isfile(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def load_mutants(root, names):
    folder = os.path.join(root, FOLDER)
    known = sorted(name[: -len(".patch")] for name in os.listdir(folder) if name.endswith(".patch"))
    for name in names:
        if name not in known:
            raise Mistake(f"there is no mutant '{name}'; there are: {', '.join(known)}")
    return [Mutant.load(os.path.join(folder, name + ".patch")) for name in names or known]


def check(root, mutants):
    """Whether every patch applies and its scenario is there: the names of those that fail."""
    bad = []
    for mutant in mutants:
        applied = subprocess.run(["git", "apply", "--check", mutant.path], cwd=root,
                                 capture_output=True, text=True)
        places = [os.path.join(root, "scenarios", part, mutant.scenario + ".toml")
                  for part in ("", "suites")]
        if applied.returncode != 0:
            print(f"{mutant.name} does not apply any more; make it anew with `git diff`:")
            print(applied.stderr.strip())
        elif not any(os.path.isfile(place) for place in places):
            print(f"{mutant.name}: there is no scenario or suite '{mutant.scenario}'")
        else:
            continue
        bad.append(mutant.name)
    print(f"{len(mutants) - len(bad)} mutants apply, {len(bad)} do not")
    return bad


def show(name, scenario, outcome, seed="", seeds="", build="", find=""):
    print(f"{name:<36} {scenario:<18} {seed:>6} {seeds:>6} {build:>8} {find:>7}  {outcome}",
          flush=True)


def judge(mutant, finding):
    """(whether it counts as found, what to say)."""
    if finding.verdict is None:
        return False, "MISSED"
    if finding.verdict not in mutant.expected:
        return False, f"NOT AS EXPECTED: {finding.verdict} ({finding.by})"
    return True, f"{finding.verdict}: {finding.by}"


def hunt(workshop, mutants):
    """Runs all; returns the names of those that were not found as they should."""
    bad = []
    show("mutant", "scenario", "found by", "seed", "seeds", "build s", "find s")
    workshop.restore()
    build = workshop.build()
    # The control: where the unmutated tree fails, finding a mutant would say nothing.
    for scenario in sorted({mutant.scenario for mutant in mutants}):
        seeds = max(mutant.seeds for mutant in mutants if mutant.scenario == scenario)
        finding = workshop.find(scenario, seeds)
        good = finding.verdict is None
        outcome = "nothing, as it should" if good else f"FAILS UNMUTATED: {finding.by}"
        show("(none)", scenario, outcome, finding.seed if not good else "", finding.seeds_run,
             f"{build:.1f}", f"{finding.seconds:.1f}")
        build = 0
        if not good:
            bad.append(f"unmutated {scenario}")
    for mutant in mutants:
        try:
            workshop.restore()
            workshop.plant(mutant)
            build = workshop.build()
            finding = workshop.find(mutant.scenario, mutant.seeds)
        except Mistake as mistake:
            show(mutant.name, mutant.scenario, f"ERROR: {mistake}")
            bad.append(mutant.name)
            continue
        good, outcome = judge(mutant, finding)
        show(mutant.name, mutant.scenario, outcome, finding.seed or "", finding.seeds_run,
             f"{build:.1f}", f"{finding.seconds:.1f}")
        if not good:
            bad.append(mutant.name)
    workshop.restore()
    return bad


def main(arguments=None, root=ROOT):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="only whether the patches apply")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    options = parser.parse_args(arguments)
    try:
        names = [re.sub(r"^.*/|\.patch$", "", name) for name in options.names]
        mutants = load_mutants(root, names)
        if options.check:
            return 1 if check(root, mutants) else 0
        workshop = Workshop(root, os.path.join(root, "build-mutants"), options.jobs)
        bad = hunt(workshop, mutants)
    except Mistake as mistake:
        print(f"mutants: {mistake}", file=sys.stderr)
        return 1
    print(f"\n{len(mutants)} mutants; not found: {', '.join(bad) or 'none'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
