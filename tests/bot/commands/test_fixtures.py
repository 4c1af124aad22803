"""Fixtures for people, and recordings of them, from the simulator on loopback."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.commands.fixtures import format_fixture_table, list_fixtures, record_fixtures
from bot.errors import UserMistake
from bot.feed.recording import read_fixtures_beside, read_recording
from bot.feed.simulator.server import Simulator
from rules.football.action import Fixture
from tests.bot.feed.simulator.test_script import script
from tests.fakes.feed import FeedSettings
from tests.packets import FIXTURE


class Settings(FeedSettings):
    """A feed whose two sides have addresses of their own."""

    def __init__(self, stream: str, api: str) -> None:
        super().__init__(stream)
        self.api_url = (api,)


def simulator(token: str = "feed-token") -> Simulator:
    return Simulator([script()], 0, token)


@pytest.mark.parametrize(("search", "found"), [("", 1), ("arsénal", 1), ("PREMIER", 1), (FIXTURE.id, 1), ("Leeds", 0)])
async def test_the_search_looks_at_names_competitions_and_ids_whatever_the_letters(search: str, found: int) -> None:
    async with simulator().serve() as urls:
        assert len(await list_fixtures(Settings(urls.stream, urls.api), 7, search)) == found


def nowhere(port: int) -> Settings:
    """A feed that is away."""
    return Settings(f"ws://127.0.0.1:{port}", f"http://127.0.0.1:{port}")


async def test_a_feed_that_refuses_or_is_away_is_a_sentence(refusing_port: int) -> None:
    async with simulator("another").serve() as urls:
        with pytest.raises(UserMistake, match="the fixtures cannot be had: HTTP 401"):
            await list_fixtures(Settings(urls.stream, urls.api), 7, "")
    with pytest.raises(UserMistake, match=r"the fixtures cannot be had: 127\.0\.0\.1 cannot be reached"):
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
        (path,) = await record_fixtures(Settings(urls.stream, urls.api), [FIXTURE.id], tmp_path / "new" / "folder")

    assert len(list(read_recording(path))) == 4
    assert list(read_fixtures_beside(path)) == [FIXTURE.id]


async def test_a_fixture_that_the_feed_does_not_know_is_a_sentence(tmp_path: Path) -> None:
    async with simulator().serve() as urls:
        with pytest.raises(UserMistake, match="the fixtures cannot be had: "):
            await record_fixtures(Settings(urls.stream, urls.api), ["unknown"], tmp_path)


async def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path, refusing_port: int) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UserMistake, match=r"--folder: .*file/folder cannot be made: Not a directory"):
        await record_fixtures(nowhere(refusing_port), [FIXTURE.id], tmp_path / "file" / "folder")
