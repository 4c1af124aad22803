"""Plays packets from the start of a match, with the changes of its listing in between, in the order of their times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from rules.football.action import Fixture, Packet
from rules.football.advance import advance
from rules.football.catalogue import Catalogue
from rules.football.match import Match, Moment
from rules.football.relisting import relist_match

T = TypeVar("T")


def merge_in_time(
    packets: Iterable[tuple[dt.datetime, T]], listings: Sequence[tuple[dt.datetime, Fixture]]
) -> Iterator[tuple[dt.datetime, T | Fixture]]:
    """Yield the packets in their order, before each one the listings up to its time, and the other listings at the end."""
    waiting = list(listings)
    for at, packet in packets:
        while waiting and waiting[0][0] <= at:
            yield waiting.pop(0)
        yield at, packet
    # After the last packet, or of a match that has none: one that is postponed is never played.
    yield from waiting


def play_packets(
    packets: Iterable[Packet],
    fixtures: Mapping[str, Fixture],
    listings: Sequence[tuple[dt.datetime, Fixture]] = (),
    catalogue: Catalogue | None = None,
) -> Iterator[Moment]:
    """Yield what each packet changes, and what each change of the list of fixtures does if it is news.

    `fixtures` are those that are listed at first, by id; a match without one begins with its id alone.
    """
    matches: dict[str, Match] = {}
    # Counts the listings of all matches. It is part of the ids of what a listing changes, and must not come twice for a match.
    revision = 0
    for at, change in merge_in_time(((packet.at, packet) for packet in packets), listings):
        fixture_id = change.id if isinstance(change, Fixture) else change.fixture_id
        match = matches.get(fixture_id) or Match(fixtures.get(fixture_id, Fixture(fixture_id)))
        if isinstance(change, Fixture):
            revision += 1
            matches[fixture_id], moments = relist_match(match, change, revision, at)
            yield from moments
        else:
            moment = advance(match, change, catalogue)
            matches[fixture_id] = moment.after
            yield moment
