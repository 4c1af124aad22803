"""A new list of fixtures is made into a catalogue beside the one in use, which answers until the new one is ready."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence

import pytest

from bot.chat.search.catalogue import FollowableCatalogue
from bot.chat.search.current_catalogue import CurrentCatalogue
from bot.clock import ManualClock
from rules.football.action import Fixture, Team
from tests.bot.chat.fixtures import FIXTURES, NOW


def make_fixtures(word: str) -> tuple[Fixture, ...]:
    """Return so many fixtures that nobody waits for their catalogue. The first is one of a team of this name."""
    names = [word, *(f"{word}ville {number}" for number in range(1000))]
    return tuple(
        Fixture(f"{word} {number}", Team(f"{word} h{number}", name), Team(f"{word} a{number}", f"{name} guests"), kickoff=NOW)
        for number, name in enumerate(names)
    )


OLD, NEW, NEWEST = make_fixtures("Oldham"), make_fixtures("Newport"), make_fixtures("Northampton")


class FeedList:
    """The list of a feed, which a test replaces, and the catalogue of it."""

    def __init__(self, fixtures: Sequence[Fixture]) -> None:
        self.fixtures = fixtures
        self.clock = ManualClock(NOW)
        self.current = CurrentCatalogue(lambda: self.fixtures, tuple, None, self.clock)


def knows(catalogue: FollowableCatalogue, name: str) -> bool:
    found = catalogue.search_teams(name).exact
    return found is not None and found.name == name


@pytest.mark.slow
async def test_until_the_catalogue_of_a_new_list_is_ready_the_one_before_answers() -> None:
    feed_list = FeedList(OLD)
    first = await feed_list.current.get()
    feed_list.fixtures = NEW

    assert await feed_list.current.get() is first and knows(first, "Oldham")
    assert knows(await feed_list.current.get(newest=True), "Newport")
    assert knows(await feed_list.current.get(), "Newport")


async def test_before_there_is_a_catalogue_everybody_waits_for_the_first() -> None:
    feed_list = FeedList(())
    assert not (await feed_list.current.get()).all_fixtures
    feed_list.fixtures = OLD

    both = await asyncio.gather(feed_list.current.get(), feed_list.current.get())
    assert both[0] is both[1] and knows(both[0], "Oldham")


@pytest.mark.slow
async def test_a_list_that_comes_while_another_is_made_is_made_next() -> None:
    feed_list = FeedList(OLD)
    await feed_list.current.get()
    feed_list.fixtures = NEW
    await feed_list.current.get()
    # The one of Newport has begun, and is not ready.
    await asyncio.sleep(0)
    feed_list.fixtures = NEWEST

    assert knows(await feed_list.current.get(newest=True), "Northampton")


async def test_the_others_get_the_catalogue_when_one_gives_up_waiting_for_it() -> None:
    feed_list = FeedList(OLD)
    impatient = asyncio.create_task(feed_list.current.get())
    patient = asyncio.create_task(feed_list.current.get())
    await asyncio.sleep(0)
    impatient.cancel()

    assert knows(await patient, "Oldham") and impatient.cancelled()


async def test_a_catalogue_that_nobody_asked_for_within_an_hour_is_not_used_any_more() -> None:
    feed_list = FeedList(OLD)
    await feed_list.current.get()
    feed_list.fixtures = NEW
    feed_list.clock.move_to(NOW + dt.timedelta(hours=1))

    assert knows(await feed_list.current.get(), "Newport")


async def test_a_small_list_is_known_at_once() -> None:
    feed_list = FeedList(FIXTURES)
    await feed_list.current.get()
    feed_list.fixtures = FIXTURES[:1]

    assert (await feed_list.current.get()).fixtures == FIXTURES[:1]


async def test_a_catalogue_that_is_ready_has_everything_that_searches_and_screens_need(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = await FeedList(OLD).current.get()

    def fail(_: object) -> None:
        raise AssertionError("something was made only when it was asked for, in the event loop")

    monkeypatch.setattr("bot.sharing.finish", fail)
    for typed in ("Oldham", "Oldham v Oldham guests", "Oldhm", "oldhamville 7"):
        catalogue.search(typed, NOW)
    assert catalogue.list_upcoming(NOW) and catalogue.find(catalogue.teams[0].token) and catalogue.competitions == ()
