#!/usr/bin/env bash
# The smoke suite on seeds of its own: all hold, and what is left on disk can be read by others.
set -euo pipefail
"$SEATRIAL" run smoke --seeds 1..600 --out "$SCRATCH/results"
python3 - "$SCRATCH/results" <<'PY'
import json, sys, xml.etree.ElementTree as tree
folder = sys.argv[1]
lines = [json.loads(line) for line in open(folder + "/results.jsonl")]
assert len(lines) == 600, len(lines)
assert all(line["verdict"] == "pass" for line in lines)
assert len({line["hash"] for line in lines}) == 600
cases = tree.parse(folder + "/junit.xml").getroot().iter("testcase")
assert len(list(cases)) == 600
PY
