"""`touchline replay --json` over the shared recordings agrees with every truth beside them."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from tests.recordings import PATHS, each_recording, needs_recordings, truth
from tests.truth import RULES, lies


def touchline(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, words)])


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("replay") / "config.yaml"
    file.write_text(RULES)
    return file


@cache
def told(path: Path, config: Path) -> list[dict[str, Any]]:
    """The rows of one recording, replayed once."""
    done = touchline("replay", "--json", "--config", config, path)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


@needs_recordings
@each_recording
def test_a_recorded_match_is_told_as_it_happened(path: Path, config: Path) -> None:
    true = truth(path)

    assert lies(told(path, config), true) == []


@needs_recordings
@each_recording
def test_no_message_shows_a_score_before_it_is_official(path: Path, config: Path) -> None:
    goals = [0, 0]
    for row in told(path, config):
        if row["state"] == "pending":
            assert [row["home"], row["away"]] == goals
        elif row["op"] != "edit" or row["state"] != "retracted":
            goals = [row["home"], row["away"]]


@needs_recordings
@each_recording
def test_the_score_of_a_row_is_the_one_that_its_text_shows(path: Path, config: Path) -> None:
    for row in told(path, config):
        for home, away in re.findall(r"(\d+)–(\d+)(?! pens)", row["text"]):
            assert [row["home"], row["away"]] == [int(home), int(away)]


def test_what_is_not_a_recording_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text("dear diary\n")

    done = touchline("replay", tmp_path / "notes.jsonl")

    assert (done.exit_code, done.stdout, "Traceback" in done.stderr) == (1, "", False)
    assert "notes.jsonl" in done.stderr


@needs_recordings
def test_several_recordings_are_replayed_one_after_the_other_each_as_if_alone(config: Path) -> None:
    done = touchline("replay", "--json", "--config", config, *PATHS[:2])

    assert [json.loads(line) for line in done.stdout.splitlines()] == [*told(PATHS[0], config), *told(PATHS[1], config)]
