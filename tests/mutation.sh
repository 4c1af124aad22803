#!/usr/bin/env bash
# Changes the code in small ways, one at a time, and counts how many of these mutants the tests notice.
#
#   tests/mutation.sh [PACKAGE] [SAMPLE] [SEED]    # all 200 1: up to 200 mutants of each package, the same for the same code and seed
#   tests/mutation.sh rules/engine survivors       # only those that nothing noticed last time, after a change of the tests
#
# The virtual environment is made where it is missing or old: build/mutation. The mutants themselves are never written to disk.
set -euo pipefail
cd "$(dirname "$0")/.."

environment=build/mutation
tools='mutmut==3.8.1'
if [ "$(cat requirements.lock 2>/dev/null; echo "$tools")" != "$(cat "$environment/installed" 2>/dev/null)" ]; then
  base=$(.ci/find_python)
  "$base" -m venv --clear "$environment"
  "$environment/bin/python" -m pip install --no-compile --quiet --disable-pip-version-check --requirement requirements.lock "$tools"
  { cat requirements.lock; echo "$tools"; } >"$environment/installed"  # last, so that an environment that was not finished is made anew
fi
export PYTHONHASHSEED=0
exec "$environment/bin/python" -m tests.mutation "$@"
