"""`touchline render`: the picture of a recorded match, at the moment that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.feed.encode import encode_packet
from bot.feed.recording import RecordingWriter
from bot.media.renderer import render_picture
from rules.football.advance import advance
from rules.football.match import Match
from rules.football.timeline import Stage, build_timeline
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import load_scenario

FINAL = load_scenario("final")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "final.jsonl.gz"
    with RecordingWriter(path) as writer:
        for packet in build_packets(FINAL):
            writer.write(packet.at, encode_packet(packet))
    return path


def _render(recording: Path, out: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["render", str(recording), str(out), *options])
    return result.exit_code, result.output


def _after(goals: int) -> Match:
    """The final when so many goals of play had been confirmed."""
    match = Match(FINAL.fixture)
    for packet in build_packets(FINAL):
        match = advance(match, packet).after
        if match.score.home + match.score.away == goals:
            return match
    raise AssertionError


def test_the_whole_match_is_drawn_unless_told_otherwise(recording: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.png", tmp_path / "b.png"

    assert _render(recording, first) == (0, "") == _render(recording, second, "--at", "full-time")
    assert first.read_bytes() == second.read_bytes() and first.read_bytes().startswith(b"\x89PNG")


def test_half_time_shows_the_first_half_only(recording: Path, tmp_path: Path) -> None:
    whole, half = tmp_path / "a.png", tmp_path / "b.png"
    _render(recording, whole)
    _render(recording, half, "--at", "half-time")

    assert _height(half) < _height(whole) / 2


def test_a_minute_shows_the_match_as_it_stood_at_its_end(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    heights = []
    for minute in ("10", "45+7", "81", "118", "120+5"):
        assert _render(recording, out, "--at", minute)[0] == 0
        heights.append(_height(out))

    assert heights == sorted(heights)


def test_dark_is_another_picture(recording: Path, tmp_path: Path) -> None:
    light, dark = tmp_path / "a.png", tmp_path / "b.png"
    _render(recording, light)
    _render(recording, dark, "--dark")

    assert light.read_bytes() != dark.read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--at", "130"), "the match does not come to minute 130"),
        (("--at", "soon"), "'soon' is not a minute such as 45 or 45+2"),
    ],
)
def test_a_moment_that_there_is_not_gets_one_sentence(
    recording: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    code, output = _render(recording, tmp_path / "a.png", *options)

    assert code in (1, 2) and words in output and "Traceback" not in output


def test_a_recording_that_ends_early_has_no_half_time_and_no_full_time(tmp_path: Path) -> None:
    path = tmp_path / "short.jsonl"
    with RecordingWriter(path) as writer:
        for packet in build_packets(FINAL)[:6]:
            writer.write(packet.at, encode_packet(packet))

    assert "does not come to half time" in _render(path, tmp_path / "a.png", "--at", "half-time")[1]
    assert "is not over" in _render(path, tmp_path / "a.png", "--at", "full-time")[1]
    assert _render(path, tmp_path / "a.png")[0] == 0


def test_a_picture_that_cannot_be_written_gets_one_sentence(recording: Path, tmp_path: Path) -> None:
    code, output = _render(recording, tmp_path / "no" / "a.png")

    assert code == 1 and output.strip().endswith("the picture cannot be written: no such file or directory")


def test_a_recording_without_a_match_gets_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_bytes(b"")

    assert "there is no match in this recording" in _render(path, tmp_path / "a.png")[1]


def test_the_picture_of_a_match_in_play_says_its_minute() -> None:
    assert build_timeline(_after(2)).stage is Stage.PLAY
    assert render_picture(build_timeline(_after(2))) != render_picture(build_timeline(_after(2), Stage.HALF_TIME))


def _height(path: Path) -> int:
    return int.from_bytes(path.read_bytes()[20:24])
