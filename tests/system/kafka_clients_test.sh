#!/usr/bin/env bash
# Kafka's clients against the broker on real sockets: kcat and kafka-python. Debian's own Python has
# the packages.
set -euo pipefail
exec /usr/bin/python3 tests/interop/kafka_clients.py "$SEATRIAL" --dir "$SCRATCH"
