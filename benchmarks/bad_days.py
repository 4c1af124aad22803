"""Every recording under ten seeds of misbehaviour, at virtual speed: the whole grid of tests/bot/test_bad_days.py.

python -m benchmarks.bad_days           # --seeds 10
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import async_solipsism

from benchmarks.connections import log_nothing
from tests.bot.matches.test_feed_faults import bad, follow_on_a_day, wrong
from tests.recordings import MISSING, PATHS, truth


def run(path: Path, seed: int) -> list[str]:
    """What is wrong after one match on one bad day."""
    log_nothing()
    loop = async_solipsism.EventLoop()
    try:
        line = loop.run_until_complete(follow_on_a_day(path, bad(seed)))
    finally:
        loop.close()
    return wrong(line, truth(path)) + [f"sent twice: {action}" for action in line.twice()]


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
        for lie in each:
            print(f"{path.name} seed {seed}: {lie}")
    print(f"{sum(not one for one in found)} of {len(runs)} runs ended with the truth and nothing sent twice")
    sys.exit(any(found))


if __name__ == "__main__":
    main()
