#!/usr/bin/env python3
"""Checks the files of the project (or those named) against the house's rules: see rules.py.

Prints `file:line: [rule] message` for each offence, and exits with 1 if there is any. With --fix
it first repairs what needs no thought: the order of includes.
"""

import argparse
import os
import subprocess
import sys

from rules import ALLOWED, RULES, is_cpp, is_text, with_includes_in_order
from source import Source

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def offences(path, text):
    """All (line, rule name, message) of one file; the path is relative to the project."""
    source = Source(path, text)
    found = []
    for rule in RULES:
        if not rule.holds_for(path) or (rule.name, path) in ALLOWED:
            continue
        found += [(line, rule.name, message) for line, message in rule.check(source)]
    return sorted(found)


def tracked_files():
    """What git knows or would add; without git (a copied tree) all that is not a build."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True,
    )
    if listed.returncode == 0:
        return listed.stdout.splitlines()
    files = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [f for f in folders if not f.startswith(("build", ".git"))]
        files += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    return files


def fixed(full, path, text):
    repaired = with_includes_in_order(Source(path, text))
    if repaired != text:
        with open(full, "w", encoding="utf-8") as file:
            file.write(repaired)
        print(f"{path}: includes put in order")
    return repaired


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("paths", nargs="*", help="relative to the project's root; default: all")
    parser.add_argument("--fix", action="store_true", help="repair the order of includes")
    arguments = parser.parse_args()
    paths = arguments.paths or tracked_files()
    checked = bad = 0
    for path in sorted(paths):
        full = os.path.join(ROOT, path)
        if not is_text(path) or not os.path.isfile(full):
            continue
        checked += 1
        with open(full, encoding="utf-8") as file:
            text = file.read()
        if arguments.fix and is_cpp(path):
            text = fixed(full, path, text)
        for line, rule, message in offences(path, text):
            print(f"{path}:{line}: [{rule}] {message}")
            bad += 1
    if checked == 0:
        sys.exit("tidy: no file to check")
    print(f"tidy: {checked} files, {bad} offences")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
