#!/bin/sh
# Checksums of the files of one part: sums.sh OUT
set -eu

program=
stop() {
  echo "stopped, and nothing is written" >&2
  [ -z "$program" ] || kill "$program"
  exit 143
}

# A shell runs a trap only when the program that it waits for has ended. What may take
# long so runs behind &: wait gives way at once.
trap stop TERM
echo "summing" >&2
cd "/data/part_$JOB_COMPLETION_INDEX" # what stderr says, where it isn't there
sha256sum -- * >"$1" &
program=$!
wait "$program"
