"""`touchline replay --json` over the shared recordings agrees with every truth beside them."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.recordings import PATHS, each_recording, needs_recordings, truth
from tests.truth import RULES, lies

Rows = dict[str, list[dict[str, Any]]]


def touchline(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "bot", *map(str, words)], capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    config = tmp_path_factory.mktemp("replay") / "config.yaml"
    config.write_text(RULES)
    done = touchline("replay", "--json", "--config", config, *PATHS)
    assert done.returncode == 0, done.stderr
    rows: Rows = defaultdict(list)
    for line in done.stdout.splitlines():
        row = json.loads(line)
        rows[row["fixture_id"]].append(row)
    return rows


@needs_recordings
@each_recording
def test_a_recorded_match_is_told_as_it_happened(path: Path, told: Rows) -> None:
    true = truth(path)

    assert lies(told[true["fixture_id"]], true) == []


@needs_recordings
@each_recording
def test_no_message_shows_a_score_before_it_is_official(path: Path, told: Rows) -> None:
    goals = [0, 0]
    for row in told[truth(path)["fixture_id"]]:
        if row["state"] == "pending":
            assert [row["home"], row["away"]] == goals
        elif row["op"] != "edit" or row["state"] != "retracted":
            goals = [row["home"], row["away"]]


@needs_recordings
@each_recording
def test_the_score_of_a_row_is_the_one_that_its_text_shows(path: Path, told: Rows) -> None:
    for row in told[truth(path)["fixture_id"]]:
        for home, away in re.findall(r"(\d+)–(\d+)(?! pens)", row["text"]):
            assert [row["home"], row["away"]] == [int(home), int(away)]


def test_what_is_not_a_recording_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text("dear diary\n")

    done = touchline("replay", tmp_path / "notes.jsonl")

    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (1, "", False)
    assert "notes.jsonl" in done.stderr
