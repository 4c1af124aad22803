"""Every recording on days with ten seeds of faults, at virtual speed: all of what tests/bot/matches/test_feed_faults.py samples.

python -m benchmarks.bad_days           # --seeds 10
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import async_solipsism

from benchmarks.connections import log_nothing
from tests.bot.matches.test_feed_faults import find_problems, follow_on_a_day, make_faults
from tests.recordings import MISSING, PATHS, truth


def run(path: Path, seed: int) -> list[str]:
    """What is wrong after one match on one bad day."""
    log_nothing()
    loop = async_solipsism.EventLoop()
    try:
        process = loop.run_until_complete(follow_on_a_day(path, make_faults(seed)))
    finally:
        loop.close()
    return find_problems(process, truth(path)) + [f"sent twice: {action}" for action in process.find_actions_sent_twice()]


def main() -> None:
    """Run the grid; the exit code is 1 where anything is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10)
    seeds = range(1, parser.parse_args().seeds + 1)
    if not PATHS:
        sys.exit(MISSING)
    runs = [(path, seed) for path in PATHS for seed in seeds]
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(run, *zip(*runs, strict=True)))
    for (path, seed), each in zip(runs, found, strict=True):
        for problem in each:
            print(f"{path.name} seed {seed}: {problem}")
    print(f"{sum(not one for one in found)} of {len(runs)} runs ended with the truth and nothing sent twice")
    sys.exit(any(found))


if __name__ == "__main__":
    main()
