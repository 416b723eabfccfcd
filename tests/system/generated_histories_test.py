#!/usr/bin/env python3
"""seatrial check on histories that a generator makes which is not ours: each type of history clean
and with each kind of impossible result planted, from few clients and from many. A clean one must be
called ok, another one a violation; "undecided" is a failure, too.

The generator is gen_history.py, in ../shared/data/histories or where SEATRIAL_SHARED says; without
it there is nothing to test.

    SEATRIAL=build/seatrial tests/system/generated_histories_test.py [SEEDS]
"""

import os
import pathlib
import subprocess
import sys
import tempfile

# What can be planted, by type of history. "lost-after-flush" needs crashes.
PLANTED = {
    "register": ["stale-read", "aborted-read", "phantom-read"],
    "kv": ["stale-read", "aborted-read", "phantom-read"],
    "list": ["lost-append", "dup-append", "reorder"],
    "queue": ["dup-pop", "fifo-swap"],
    "hash": ["stale-read", "phantom-read"],
    "set": ["stale-member"],
    "txn": ["stale-read", "lost-watch"],
    "appendtxn": ["lost-append", "g-single"],
    "log": ["offset-dup", "offset-regress", "lost-record", "early-visible", "unflushed-visible",
            "hw-regress", "lost-after-flush"],
}
SHAPES = {
    "few clients": ["--clients", "3", "--ops", "300", "--pending", "0.03", "--fail", "0.05"],
    "many clients": ["--clients", "20", "--ops", "2000", "--pending", "0.01", "--fail", "0.02"],
}
EXIT = {0: "ok", 1: "violation", 3: "undecided"}
SKIPPED = 77


def find_generator():
    root = pathlib.Path(__file__).resolve().parents[2]
    folders = [root.parent / "shared", root.parent.parent / "shared"]
    if "SEATRIAL_SHARED" in os.environ:
        folders.insert(0, pathlib.Path(os.environ["SEATRIAL_SHARED"]))
    for folder in folders:
        path = folder / "data" / "histories" / "gen_history.py"
        if path.exists():
            return path
    return None


def generate(generator, path, kind, planted, shape, seed):
    """False where the generator finds no place for what is to be planted."""
    arguments = ["--type", kind, "--seed", str(seed), "--out", str(path)] + SHAPES[shape]
    if planted:
        arguments += ["--inject", planted]
    if planted == "lost-after-flush" or (kind == "log" and seed % 2 == 0):
        arguments += ["--crashes", "2"]
    command = [sys.executable, str(generator)] + arguments
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0 and planted:
        return False
    if made.returncode != 0:
        sys.exit(f"gen_history.py {' '.join(arguments)}: {made.stderr}")
    return True


def judge(seatrial, kind, path):
    model = "offsets" if kind == "log" else kind
    result = subprocess.run([seatrial, "check", model, str(path)], capture_output=True, text=True)
    said = (result.stdout + result.stderr).strip().splitlines()
    return EXIT.get(result.returncode, f"exit {result.returncode}"), said[0] if said else "nothing"


def main():
    generator = find_generator()
    if generator is None:
        print("no gen_history.py: set SEATRIAL_SHARED to the folder that holds data/histories")
        return SKIPPED
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    seatrial = os.environ["SEATRIAL"]
    scratch = pathlib.Path(os.environ.get("SCRATCH") or tempfile.mkdtemp())
    judged = wrong = unplanted = 0
    for kind, plants in PLANTED.items():
        for planted in [None] + plants:
            for shape in SHAPES:
                for seed in range(1, seeds + 1):
                    path = scratch / "history.jsonl"
                    if not generate(generator, path, kind, planted, shape, seed):
                        unplanted += 1
                        continue
                    judged += 1
                    verdict, line = judge(seatrial, kind, path)
                    if verdict != ("violation" if planted else "ok"):
                        wrong += 1
                        print(f"{kind}, {planted or 'clean'}, {shape}, seed {seed}:", verdict, line)
    print(f"{judged} histories judged, {wrong} wrong; {unplanted} with no place for the anomaly")
    return 1 if wrong or judged < unplanted else 0


if __name__ == "__main__":
    sys.exit(main())
