"""The last matches are kept as recordings, and a failure to write one never disturbs a match."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.feed.recent_recordings import RecentRecordings
from bot.feed.recording import read_fixtures_beside, read_recording
from rules.football.action import Fixture
from tests.packets import FIXTURE

NOW = dt.datetime(2026, 11, 22, 14, 0, tzinfo=dt.UTC)
FRAME = b'{"fixtureAction":{"id":"a1"}}'


def match(number: int) -> Fixture:
    return replace(FIXTURE, id=f"f{number}")


def list_files(folder: Path, pattern: str = "*") -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))


async def play(last: RecentRecordings, fixture: Fixture, frames: int = 2) -> None:
    keep = last.start(fixture, from_start=True)
    for _ in range(frames if keep else 0):
        assert keep is not None
        keep(NOW, FRAME)
    await last.finish(fixture)


async def test_a_match_that_is_over_is_a_recording_with_its_fixture_beside(tmp_path: Path) -> None:
    last = RecentRecordings(tmp_path / "last", 5)
    await play(last, FIXTURE)

    (path,) = last.recordings()
    assert [(one.at, one.frame) for one in read_recording(path)] == [(NOW, FRAME)] * 2
    assert read_fixtures_beside(path)[FIXTURE.id].title == "Arsenal v Chelsea"


async def test_only_data_is_kept(tmp_path: Path) -> None:
    last = RecentRecordings(tmp_path, 5)
    keep = last.start(FIXTURE, from_start=True)
    assert keep is not None
    for frame in (b'{"heartbeat":true}', b'{"authToken":"secret"}', FRAME):
        keep(NOW, frame)
    await last.finish(FIXTURE)

    assert [one.frame for one in read_recording(last.recordings()[0])] == [FRAME]


async def test_the_oldest_goes_and_no_file_of_anybody_else(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl.gz").write_bytes(b"")
    last = RecentRecordings(tmp_path, 2)
    for number in range(4):
        await play(last, match(number))

    assert [path.name for path in last.recordings()] == ["f3.jsonl.gz", "f2.jsonl.gz"]
    assert list_files(tmp_path, "*.gz") == ["f2.jsonl.gz", "f3.jsonl.gz", "mine.jsonl.gz"]


def test_of_matches_at_the_same_time_only_so_many_are_written(tmp_path: Path) -> None:
    last = RecentRecordings(tmp_path, 2)
    begun = [last.start(match(number), from_start=True) is not None for number in range(3)]
    last.abandon("f0")

    assert begun == [True, True, False] and last.start(match(3), from_start=True) is not None


async def test_none_are_kept_where_none_are_wanted(tmp_path: Path) -> None:
    last = RecentRecordings(tmp_path / "last", 0)
    await play(last, FIXTURE)

    assert last.recordings() == () and not (tmp_path / "last").exists()


async def test_a_match_goes_on_where_a_restart_left_it_without_the_half_written_line(tmp_path: Path) -> None:
    before = RecentRecordings(tmp_path, 5)
    keep = before.start(FIXTURE, from_start=True)
    assert keep is not None
    keep(NOW, FRAME)
    with (tmp_path / "f1.part").open("ab") as file:
        file.write(b'{"at": "2026-1')
    after = RecentRecordings(tmp_path, 5)
    goes_on = after.start(FIXTURE, from_start=False)
    assert goes_on is not None
    goes_on(NOW, FRAME)
    await after.finish(FIXTURE)

    assert len(list(read_recording(after.recordings()[0]))) == 2


async def test_a_match_read_from_the_start_begins_anew(tmp_path: Path) -> None:
    last = RecentRecordings(tmp_path, 5)
    keep = last.start(FIXTURE, from_start=True)
    assert keep is not None
    keep(NOW, FRAME)
    last.abandon(FIXTURE.id)
    await play(last, FIXTURE, frames=1)

    assert len(list(read_recording(last.recordings()[0]))) == 1


async def test_a_match_without_a_frame_is_no_recording(tmp_path: Path) -> None:
    last = RecentRecordings(tmp_path, 5)
    await play(last, FIXTURE, frames=0)

    assert last.recordings() == () and list_files(tmp_path) == []


@pytest.mark.parametrize("broken", ["folder", "list", "recording"])
async def test_a_folder_that_cannot_be_used_hinders_nothing(tmp_path: Path, broken: str) -> None:
    folder = tmp_path / "last"
    if broken == "folder":
        folder.write_text("a file in its place")
    else:
        folder.mkdir()
        (folder / "fixtures.json").write_text("not JSON" if broken == "list" else '[{"id": "x", "recording": "../../x"}, 7]')
    last = RecentRecordings(folder, 5)
    await play(last, FIXTURE)

    assert len(last.recordings()) == (0 if broken == "folder" else 1)


async def test_an_id_is_no_path(tmp_path: Path) -> None:
    last = RecentRecordings(tmp_path / "last", 5)
    await play(last, replace(FIXTURE, id="../../evil"))

    assert [path.name for path in last.recordings()] == ["%2E%2E%2F%2E%2E%2Fevil.jsonl.gz"]


async def test_ids_that_differ_in_one_sign_have_files_of_their_own(tmp_path: Path) -> None:
    last = RecentRecordings(tmp_path, 5)
    for number, fixture_id in enumerate(("a/b", "a_b", "ä", "a.b"), 1):
        await play(last, replace(FIXTURE, id=fixture_id), frames=number)

    assert [len(list(read_recording(path))) for path in last.recordings()] == [4, 3, 2, 1]
    assert all(path.name.isascii() for path in last.recordings())


async def test_a_listed_recording_is_whole_while_what_came_later_is_added(tmp_path: Path) -> None:
    last = RecentRecordings(tmp_path, 5)
    keep = last.start(FIXTURE, from_start=True)
    assert keep is not None
    keep(NOW, FRAME)
    await last.list_ended(FIXTURE)
    keep(NOW, FRAME)
    with last.recordings()[0].open("rb") as reader:
        await last.finish(FIXTURE)
        # As a dry run that began before: it reads the file that it has opened.
        assert gzip.decompress(reader.read()).count(b"fixtureAction") == 1

    assert len(list(read_recording(last.recordings()[0]))) == 2
    assert list_files(tmp_path) == ["f1.jsonl.gz", "fixtures.json"]
