"""Ten thousand typing mistakes in the example file: each is refused at its places, or read; none ends in a traceback.

python -m benchmarks.mutations            # --number 10000
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from bot.config.load import load_config
from bot.errors import ConfigInvalid
from tests.mutated_text import mutated

EXAMPLE = (Path(__file__).parents[1] / "config.example.yaml").read_text(encoding="utf-8")


def outcome(path: Path) -> str:
    """`read`, or `refused` where every mistake has its place; anything else is raised."""
    try:
        load_config(path, {})
    except ConfigInvalid as error:
        if not all(re.match(rf"{re.escape(str(path))}:\d+:\d+: .", line) for line in error.mistakes):
            raise
        return "refused at its place"
    return "read"


def main() -> None:
    """Print how many were read and how many refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=10_000, help="how many mutations")
    number = parser.parse_args().number
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"

        @settings(
            max_examples=number, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
        )
        @given(text=mutated(EXAMPLE))
        def mutate(text: str) -> None:
            path.write_text(text, encoding="utf-8", errors="ignore", newline="")
            outcomes[outcome(path)] += 1

        started = time.perf_counter()
        mutate()
    told = ", ".join(f"{count:,} {what}" for what, count in sorted(outcomes.items()))
    print(f"{sum(outcomes.values()):,} mutations in {time.perf_counter() - started:.0f} s: {told}")


if __name__ == "__main__":
    main()
