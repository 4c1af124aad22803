"""Seconds that `touchline check` takes over 1,000 and 20,000 rules, each with a text of its own.

python -m benchmarks.checked_rules --rules 1000 20000
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.rules import wishes, written
from bot.commands.check import check_file


def measure(number: int) -> tuple[float, float]:
    """Return the seconds by the clock and of the processor."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text("rules:\n" + "".join("  " + written(wish) for wish in wishes(number)), encoding="utf-8")
        started, began = time.perf_counter(), time.process_time()
        check = check_file(path, {})
        taken = time.perf_counter() - started, time.process_time() - began
    if check.has_mistakes or check.rule_count != number:
        raise SystemExit("the rules have a mistake")
    return taken


def main() -> None:
    """Print a line for each number of rules."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, nargs="+", default=[1_000, 20_000], help="how many rules")
    # The first check imports what all need.
    check_file(Path("config.example.yaml"), {})
    for number in parser.parse_args().rules:
        clock, processor = measure(number)
        print(f"{number:,} rules: {clock:.2f} s, {processor:.2f} s of processor time")


if __name__ == "__main__":
    main()
