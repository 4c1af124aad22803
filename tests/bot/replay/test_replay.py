"""`touchline replay --json` over the shared recordings agrees with the truth file beside each of them."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from tests.recordings import PATHS, each_recording, needs_recordings, truth
from tests.truth import RULES, find_disagreements


def run_touchline(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("replay") / "config.yaml"
    file.write_text(RULES)
    return file


@cache
def replay_to_rows(path: Path, config: Path) -> list[dict[str, Any]]:
    """The rows of one recording, replayed once."""
    result = run_touchline("replay", "--json", "--config", config, path)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@needs_recordings
@each_recording
def test_a_recorded_match_is_told_as_it_happened(path: Path, config: Path) -> None:
    expected = truth(path)

    assert find_disagreements(replay_to_rows(path, config), expected) == []


@needs_recordings
@each_recording
def test_the_first_message_of_a_goal_has_its_score_side_and_minute_and_its_retraction_names_them(
    path: Path, config: Path
) -> None:
    incidents = {one["action_id"]: one for one in truth(path)["incidents"] if one["kind"] in ("goal", "own_goal", "penalty_goal")}
    standing: list[str] = []
    for row in replay_to_rows(path, config):
        goal = incidents.get(row["action_id"])
        if goal is None:
            continue
        if row["op"] == "send":
            standing.append(row["action_id"])
            sides = [incidents[one]["side"] for one in standing]
            assert [row["home"], row["away"]] == [sides.count("home"), sides.count("away")]
            assert row["minute"] == goal["minute"]
        elif row["op"] == "reply" and row["state"] == "retracted":
            standing.remove(row["action_id"])
            assert f"{goal['minute']}'" in row["text"]
            assert f"<b>{goal['team']}: no goal</b>" in row["text"].replace("\u2068", "").replace("\u2069", "")
            assert row["player"] is None or row["player"] in row["text"]
        elif row["op"] == "reply":
            standing.append(row["action_id"])


@needs_recordings
@each_recording
def test_the_score_of_a_row_is_the_one_that_its_text_shows(path: Path, config: Path) -> None:
    for row in replay_to_rows(path, config):
        for home, away in re.findall(r"(\d+)–(\d+)(?! pens)", row["text"]):
            assert [row["home"], row["away"]] == [int(home), int(away)]


def test_a_file_that_is_no_recording_gets_a_one_sentence_error(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text("dear diary\n")

    result = run_touchline("replay", tmp_path / "notes.jsonl")

    assert (result.exit_code, result.stdout, "Traceback" in result.stderr) == (1, "", False)
    assert "notes.jsonl" in result.stderr


def test_a_fixture_that_is_moved_twice_is_told_when_its_listing_changes() -> None:
    result = run_touchline("replay", "moved")

    assert [line.partition(" · ")[0] for line in result.stdout.splitlines()[:3]] == [
        "12:10:00  ✉ 🔔  🕓 Kick-off 15:30 UTC: Fulham v Everton",
        "15:02:00  ✉ 🔔  🕓 Kick-off 16:15 UTC: Fulham v Everton",
        "15:35:00  ✉ 🔕  📋 Line-ups: Fulham v Everton",
    ]


@pytest.mark.slow
@needs_recordings
def test_several_recordings_are_replayed_one_after_the_other_each_as_if_alone(config: Path) -> None:
    result = run_touchline("replay", "--json", "--config", config, *PATHS[:2])

    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        *replay_to_rows(PATHS[0], config),
        *replay_to_rows(PATHS[1], config),
    ]
