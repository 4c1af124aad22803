"""What every shared recording sends under each pack of rules, kept as golden files.

`python -m tests.golden` writes them anew; `python -m tests.golden --check` compares all of them (the tests take a part).

`tests/golden/everything` has each line of `replay --json` under the pack `everything`; `tests/golden/digests.txt` has one
SHA-256 and the number of lines for each other pack and recording. A commit that changes what is sent changes them too.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from click.testing import CliRunner

from bot.cli import main
from tests.recordings import PATHS, name_of

FOLDER = Path(__file__).parent / "golden"
WHOLE = "everything"
PACKS = ("default", "drama", "goals", "cards", "quiet", "shootout")


def replay(pack: str, recordings: Sequence[Path], folder: Path) -> list[str]:
    """Return the lines that `touchline replay --json` prints under a pack of rules."""
    config = folder / f"{pack}.yaml"
    config.write_text(f"extends: {pack}\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["replay", "--json", "--config", str(config), *map(str, recordings)])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def digest(lines: Sequence[str]) -> str:
    """Return the hash of the lines and how many they are, as `digests.txt` has them."""
    return f"{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()} {len(lines)}"


def read_golden(path: Path) -> list[str]:
    """Return the kept lines of a recording under the pack `everything`."""
    return (FOLDER / WHOLE / f"{name_of(path)}.jsonl").read_text(encoding="utf-8").splitlines()


def read_digests() -> dict[tuple[str, str], str]:
    """Return the kept digests by pack and recording."""
    rows = (FOLDER / "digests.txt").read_text(encoding="utf-8").splitlines()
    return {(pack, name): rest for pack, name, rest in (row.split(" ", 2) for row in rows)}


def write(folder: Path) -> None:
    """Write all golden files from what is sent today."""
    (FOLDER / WHOLE).mkdir(parents=True, exist_ok=True)
    for path in PATHS:
        lines = replay(WHOLE, [path], folder)
        (FOLDER / WHOLE / f"{name_of(path)}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = [f"{pack} {name_of(path)} {digest(replay(pack, [path], folder))}" for pack in PACKS for path in PATHS]
    (FOLDER / "digests.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")


def differences(folder: Path) -> list[str]:
    """Return each recording and pack that sends something else than the golden files have."""
    found = [f"{WHOLE} {name_of(path)}" for path in PATHS if replay(WHOLE, [path], folder) != read_golden(path)]
    digests = read_digests()
    pairs = [(pack, path) for pack in PACKS for path in PATHS]
    return found + [
        f"{pack} {name_of(path)}" for pack, path in pairs if digest(replay(pack, [path], folder)) != digests[pack, name_of(path)]
    ]


if __name__ == "__main__":
    import tempfile

    if not PATHS:
        sys.exit("There are no recordings: set TOUCHLINE_RECORDINGS to their folder.")
    with tempfile.TemporaryDirectory() as scratch:
        if "--check" in sys.argv:
            changed = differences(Path(scratch))
            sys.exit("\n".join(["Other messages are sent:", *changed]) if changed else 0)
        write(Path(scratch))
