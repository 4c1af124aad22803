"""Every command that plays a match takes the same names."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.errors import UserMistake
from bot.feed.match_source import ScenarioMatch, open_match, open_matches, read_packets_of
from bot.feed.recording import RecordingWriter

DERBY = "match: Arsenal v Chelsea\nevents:\n  - 10' goal Saka (Arsenal)\n"


def _record(source: str, path: Path) -> Path:
    """Write a recording of a scenario, without a list of fixtures beside it."""
    with RecordingWriter(path) as writer:
        for frame in open_match(source).read_frames():
            writer.write(frame.at, frame.frame)
    return path


def test_a_shipped_match_is_opened_by_either_of_its_names() -> None:
    opener, same = open_matches(["opener", "argentina-saudi-arabia"])

    assert isinstance(opener, ScenarioMatch) and isinstance(same, ScenarioMatch)
    assert opener.scenario == same.scenario
    assert [fixture.title for fixture in opener.read_fixtures().values()] == ["Argentina v Saudi Arabia"]


def test_a_recording_of_a_scenario_has_the_same_packets(tmp_path: Path) -> None:
    recorded = open_match(_record("opener", tmp_path / "opener.jsonl.gz"))

    assert list(read_packets_of(recorded)) == list(read_packets_of(open_match("opener")))
    assert any(packet.type == "Goal" for packet in read_packets_of(recorded))


def test_a_folder_is_all_its_recordings_and_scenarios_and_nothing_else(tmp_path: Path) -> None:
    _record("opener", tmp_path / "b.jsonl")
    _record("opener", tmp_path / "a.jsonl.gz")
    (tmp_path / "c.yaml").write_text(DERBY, encoding="utf-8")
    (tmp_path / "config.yaml").write_text("extends: default\n", encoding="utf-8")
    (tmp_path / "half.part").write_text("{", encoding="utf-8")

    assert [Path(match.name).name for match in open_matches([tmp_path])] == ["a.jsonl.gz", "b.jsonl", "c.yaml"]
    with pytest.raises(UserMistake, match=r"there are 3 matches in this folder; name one of them, such as .*a\.jsonl\.gz"):
        open_match(tmp_path)


def test_what_is_no_match_is_said_in_a_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "derby.yaml"
    broken.write_text("match: Arsenal\n", encoding="utf-8")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("match: Málaga v Cádiz".encode("latin-1"))

    for name, sentence in (
        ("openr", 'there is no match "openr": did you mean "opener"?'),
        (
            "xyz.jsonl",
            'there is no match "xyz.jsonl": name a recording, a folder of them, a scenario file, or a match that ships:',
        ),
        (tmp_path / "b" / "..", "there is no match"),
        (broken, f"{broken}:1:8: 'Arsenal' is not of the form: HOME v AWAY"),
        (latin, f"{latin}: this is not text in UTF-8"),
    ):
        with pytest.raises(UserMistake) as refused:
            open_match(name)
        assert str(refused.value).startswith(sentence)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserMistake, match="there is no recording"):
        open_match(tmp_path / "empty")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["a shipped match", "a scenario file", "a recording", "a folder"])
def test_replay_render_and_explain_take_every_kind_of_match(kind: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    file = tmp_path / "folder" / "derby.yaml"
    file.write_text(DERBY, encoding="utf-8")
    names = {"a shipped match": "opener", "a scenario file": str(file), "a folder": str(file.parent)}
    name = names.get(kind) or str(_record(str(file), tmp_path / "derby.jsonl"))
    goal, minute = ("Messi", "10") if kind == "a shipped match" else ("Saka", "10")

    replayed = CliRunner().invoke(main, ["replay", name])
    explained = CliRunner().invoke(main, ["explain", "--recording", name, "--minute", minute])
    drawn = CliRunner().invoke(main, ["render", name, str(tmp_path / "out.png")])

    assert goal in replayed.output and replayed.exit_code == 0
    assert goal in explained.output and explained.exit_code == 0
    assert (drawn.output, drawn.exit_code) == ("", 0) and (tmp_path / "out.png").stat().st_size > 1000


def test_a_picture_is_a_png(tmp_path: Path) -> None:
    drawn = CliRunner().invoke(main, ["render", "opener", str(tmp_path / "opener.svg")])

    assert drawn.output.strip() == f"{tmp_path / 'opener.svg'}: only PNG pictures are drawn; name a file that ends in .png"
    assert drawn.exit_code == 1 and not (tmp_path / "opener.svg").exists()
