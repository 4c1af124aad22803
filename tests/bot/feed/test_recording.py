"""Recordings are read and written; a broken one gives an error of one sentence."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from pathlib import Path

import pytest

from bot.errors import UserMistake
from bot.feed.decode_fixtures import FixturePage, decode_fixtures
from bot.feed.encode import fixture_to_object
from bot.feed.recording import RecordedFrame, RecordingWriter, read_fixtures_beside, read_recording
from rules.football.action import Fixture
from tests.recordings import PATHS, needs_recordings

AT = dt.datetime(2026, 8, 15, 14, 0, 1, 500, dt.UTC)
LINE = b'{"at":"2026-08-15T14:00:00Z","frame":{"a":1}}\n'


@pytest.mark.parametrize("name", ["match.jsonl", "match.jsonl.gz"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    with RecordingWriter(tmp_path / "new" / name) as writer:
        writer.write(AT, '{"fixtureAction":\n{"x":1}}')
        writer.write(AT, b"not json")

    assert list(read_recording(tmp_path / "new" / name)) == [
        RecordedFrame(AT, b'{"fixtureAction": {"x":1}}'),
        RecordedFrame(AT, b"not json"),
    ]


def test_gzip_is_known_by_its_content_and_empty_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "match.jsonl"
    path.write_bytes(gzip.compress(LINE + b"\n" + LINE))

    assert [recorded.frame for recorded in read_recording(path)] == [b'{"a":1}', b'{"a":1}']


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (LINE + b"oops\n", ":2: this line is not of a recording"),
        (b'{"frame":{}}\n', ":1: this line is not of a recording"),
        (b'{"at":"noon","frame":{}}\n', ":1: 'noon' is not an instant"),
        (gzip.compress(LINE * 99, mtime=0)[:-20], "cut off or damaged"),
    ],
    ids=["no line", "no instant", "no such instant", "cut off"],
)
def test_a_broken_recording_is_one_sentence_with_its_place(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "match.jsonl"
    path.write_bytes(content)

    with pytest.raises(UserMistake, match=sentence):
        list(read_recording(path))


def test_a_recording_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="cannot be read"):
        list(read_recording(tmp_path / "none.jsonl"))


def test_a_folder_without_fixtures_has_none_and_a_broken_list_is_a_mistake(tmp_path: Path) -> None:
    assert read_fixtures_beside(tmp_path / "match.jsonl") == {}

    (tmp_path / "fixtures.json").write_text("oops")
    with pytest.raises(UserMistake, match="not a list of fixtures"):
        read_fixtures_beside(tmp_path / "match.jsonl")


def test_the_list_of_a_folder_is_read_once_for_all_its_recordings_and_again_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def decode(body: bytes) -> FixturePage:
        sizes.append(len(body))
        return decode_fixtures(body)

    monkeypatch.setattr("bot.feed.recording.decode_fixtures", decode)
    listed = tmp_path / "fixtures.json"
    listed.write_text("[]")
    for number in range(3):
        assert read_fixtures_beside(tmp_path / f"{number}.jsonl") == {}
    listed.write_text(json.dumps([fixture_to_object(Fixture("7"))]))

    assert list(read_fixtures_beside(tmp_path / "0.jsonl")) == ["7"]
    assert sizes == [2, listed.stat().st_size]


@needs_recordings
def test_the_fixtures_beside_the_shared_recordings_have_both_teams() -> None:
    fixtures = read_fixtures_beside(PATHS[0])

    assert len(fixtures) == len(PATHS)
    assert all(fixture.home.name and fixture.away.name for fixture in fixtures.values())
