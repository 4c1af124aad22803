"""Fixtures for people, and recordings of them, from the simulator on loopback."""

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from bot.commands.fixtures import (
    describe_unknown_fixture,
    find_fixture_ids,
    format_fixture_table,
    list_fixtures,
    record_fixtures,
    select_fixtures,
)
from bot.config.models import FeedSettings
from bot.errors import UserMistake
from bot.feed.recording import read_fixtures_beside, read_recording
from bot.feed.simulator.faults import Faults
from bot.feed.simulator.server import Simulator
from bot.feed.source import StreamSpeed
from rules.football.action import Fixture
from tests.bot.feed.simulator.test_script import script
from tests.fakes.feed import feed_settings
from tests.packets import FIXTURE


def simulator(token: str = "feed-token") -> Simulator:
    return Simulator([script()], 0, token)


@pytest.mark.parametrize(("search", "found"), [("", 1), ("arsénal", 1), ("PREMIER", 1), (FIXTURE.id, 1), ("Leeds", 0)])
async def test_the_search_looks_at_names_competitions_and_ids_whatever_the_letters(search: str, found: int) -> None:
    async with simulator().serve() as urls:
        assert len(await list_fixtures(feed_settings(urls.stream, urls.api), 7, search)) == found


def nowhere(port: int) -> FeedSettings:
    """A feed that is away."""
    return feed_settings(f"ws://127.0.0.1:{port}", f"http://127.0.0.1:{port}")


async def test_a_feed_that_refuses_or_is_away_is_a_sentence(refusing_port: int) -> None:
    async with simulator("another").serve() as urls:
        with pytest.raises(UserMistake, match="the fixtures cannot be read: HTTP 401"):
            await list_fixtures(feed_settings(urls.stream, urls.api), 7, "")
    with pytest.raises(UserMistake, match=r"the fixtures cannot be read: 127\.0\.0\.1 cannot be reached"):
        await list_fixtures(nowhere(refusing_port), 7, "")


def test_a_table_has_one_line_a_fixture_and_wraps_none() -> None:
    long = replace(FIXTURE, id="f2", name="A" * 150 + " v " + "B" * 100)
    lines = format_fixture_table([FIXTURE, long]).splitlines()

    assert len(lines) == 3
    assert lines[1].split()[:2] == ["2026-08-15", "14:00"]
    assert lines[1].endswith("f1")


@pytest.mark.parametrize(
    ("fixture", "words"),
    [(replace(FIXTURE, kickoff=None), "unknown"), (replace(FIXTURE, is_kickoff_known=False), "2026-08-15 ?")],
)
def test_a_kick_off_that_is_not_known_is_said_to_be_so(fixture: Fixture, words: str) -> None:
    assert format_fixture_table([fixture]).splitlines()[1].startswith(words)


def test_no_fixtures_are_said_to_be_none() -> None:
    assert format_fixture_table([]) == "no fixtures"


async def test_a_recording_holds_every_packet_and_has_its_fixture_beside_it(tmp_path: Path) -> None:
    async with simulator().serve() as urls:
        (path,) = await record_fixtures(feed_settings(urls.stream, urls.api), [FIXTURE.id], tmp_path / "new" / "folder")

    assert len(list(read_recording(path))) == 4
    assert list(read_fixtures_beside(path)) == [FIXTURE.id]


async def test_a_fixture_that_the_feed_does_not_know_is_a_sentence(tmp_path: Path) -> None:
    async with simulator().serve() as urls:
        with pytest.raises(UserMistake, match="the fixtures cannot be read: "):
            await record_fixtures(feed_settings(urls.stream, urls.api), ["unknown"], tmp_path)


async def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path, refusing_port: int) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UserMistake, match=r"--folder: .*file/folder cannot be created: Not a directory"):
        await record_fixtures(nowhere(refusing_port), [FIXTURE.id], tmp_path / "file" / "folder")


@pytest.mark.slow
async def test_a_match_that_is_over_is_recorded_at_once_with_the_instants_of_the_feed(tmp_path: Path) -> None:
    over = Simulator([script()], 0, "feed-token")
    async with over.serve() as urls:
        recorded = await record_fixtures(feed_settings(urls.stream, urls.api), [FIXTURE.id], tmp_path, StreamSpeed.FAST)
        frames = list(read_recording(recorded[0]))

    assert [frame.at.isoformat() for frame in frames] == [
        msgspec.json.decode(frame.frame)["fixtureAction"]["timestamp"].replace("Z", "+00:00") for frame in frames
    ]
    assert len(frames) == 4


async def test_a_speed_is_only_for_matches_that_are_over(tmp_path: Path) -> None:
    async with Simulator([script()], 1, "feed-token").serve() as urls:
        with pytest.raises(UserMistake, match="Arsenal v Chelsea is scheduled: only matches that are over"):
            await record_fixtures(feed_settings(urls.stream, urls.api), [FIXTURE.id], tmp_path, StreamSpeed.FAST)


async def test_a_stream_that_does_not_take_the_speed_is_a_sentence(tmp_path: Path) -> None:
    feed = Simulator([script()], 0, "feed-token", faults=Faults(refuse=(400,), seed=3))
    async with feed.serve() as urls:
        with pytest.raises(UserMistake, match="the match cannot be read: the feed refuses to send it at speed fast: HTTP 400"):
            for _ in range(20):
                await record_fixtures(feed_settings(urls.stream, urls.api), [FIXTURE.id], tmp_path, StreamSpeed.FAST)


WOMEN = replace(FIXTURE, id="f2", home=replace(FIXTURE.home, name="Arsenal Women"), name="Arsenal Women v Chelsea")


def test_two_names_are_parts_of_both_teams() -> None:
    assert select_fixtures([FIXTURE, WOMEN], "ars v chel") == (FIXTURE, WOMEN)
    assert select_fixtures([FIXTURE, WOMEN], "women v chelsea") == (WOMEN,)
    assert select_fixtures([FIXTURE], "Chelsea v Arsenal") == ()


@pytest.mark.parametrize(
    ("search", "hint"),
    [
        ("Chelsae", 'did you mean "Chelsea"?'),
        ("Arsenl v Chelsea", 'did you mean "Arsenal v Chelsea"?'),
        ("Premer League", 'did you mean "Premier League"?'),
        ("Xyzzy", "`touchline fixtures` lists them"),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_the_nearest(search: str, hint: str) -> None:
    assert describe_unknown_fixture(search, [FIXTURE], 7) == f'the feed has no fixture "{search}" within 7 days; {hint}'


async def test_a_match_is_recorded_by_its_name() -> None:
    async with simulator().serve() as urls:
        settings = feed_settings(urls.stream, urls.api)
        assert await find_fixture_ids(settings, ["arsenal v chel", "another-id"]) == (FIXTURE.id, "another-id")
        with pytest.raises(UserMistake, match='did you mean "Arsenal v Chelsea"'):
            await find_fixture_ids(settings, ["Arsenal v Chelsae"])


async def test_without_a_name_the_feed_is_not_asked(refusing_port: int) -> None:
    assert await find_fixture_ids(nowhere(refusing_port), ["f1"]) == ("f1",)
