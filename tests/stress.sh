#!/usr/bin/env bash
# Runs the tests on a machine that is busy with something else: whoever depends on timing fails here.
#
#   tests/stress.sh [RUNS] [PYTHON]      # 1 3.11: the whole suite once, then the end-to-end tests three times in random order
#
# Two busy loops a core run beside it. The virtual environment is made where it is missing: build/python-3.11.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE  # each process that runs tests would compile everything anew

runs=${1:-1}
version=${2:-3.11}
workers=${WORKERS:-$(.ci/workers)}
random_runs=3

if ! [[ $runs =~ ^[0-9]+$ && $version =~ ^3\.[0-9]+$ && $# -le 2 ]]; then
  echo "usage: tests/stress.sh [RUNS] [PYTHON], such as: tests/stress.sh 3 3.12" >&2
  exit 2
fi

loops=()
stop_loops() {
  ((${#loops[@]})) || return 0
  kill "${loops[@]}" 2>/dev/null || true
  wait "${loops[@]}" 2>/dev/null || true
}
# Ctrl-C reaches pytest too; bash handles a signal when the pytest that runs has ended.
trap stop_loops EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

start_loops() {
  local cores number
  cores=$(getconf _NPROCESSORS_ONLN)
  for ((number = 0; number < 2 * cores; number++)); do
    # Asks now and then whether this script ($$) is alive, which may have been killed without a chance to end its loops.
    while kill -0 $$ 2>/dev/null; do for ((turn = 0; turn < 100000; turn++)); do :; done; done &
    loops+=($!)
  done
  echo "${#loops[@]} busy loops on $cores cores"
}

# Ends everything with a sentence where a run fails.
run() {
  local name=$1 started=$SECONDS
  shift
  echo "== $name"
  "$python" -m pytest -q -n "$workers" --dist worksteal --hypothesis-profile=thorough "$@" || { echo "stress: FAILED in $name, on Python $version" >&2; exit 1; }
  echo "== $name: passed in $((SECONDS - started)) s"
}

python=$(.ci/make_environment "$version")
start_loops
for ((number = 1; number <= runs; number++)); do
  run "run $number of $runs"
done
for ((number = 1; number <= random_runs; number++)); do
  seed=$((RANDOM * 32768 + RANDOM))
  # The seed decides the order, what `random` gives in tests, and what hypothesis tries.
  run "end-to-end run $number of $random_runs in random order, -p randomly --randomly-seed=$seed --hypothesis-seed=$seed" \
    tests/e2e -p randomly "--randomly-seed=$seed" "--hypothesis-seed=$seed"
done
echo "stress: $runs whole runs and $random_runs end-to-end runs in random order passed on Python $version with ${#loops[@]} busy loops"
