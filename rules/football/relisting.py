"""Compares how the feed lists a fixture with how chats know it: kick-off, date, venue, teams, coverage, and whether it is on.

What chats know is the listing of which they were last told. A small move of the kick-off does not change it, so that several
small moves add up.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable

import msgspec

from rules.football.action import Action, Fixture, SendType, Side, Team
from rules.football.match import Match, Moment
from rules.football.minute import Period
from rules.football.names import normalise
from rules.football.statuses import COVERAGE_LEVELS, find_status

KICKOFF_MOVED = "Kick-off Moved"
NEW_DATE = "New Date"
VENUE_CHANGED = "Venue Changed"
TEAMS_KNOWN = "Teams Known"
ON_AGAIN = "Match On Again"
WITHDRAWN = "Match Withdrawn"
COVERAGE_REDUCED = "Coverage Reduced"

_UNIMPORTANT_MOVE = dt.timedelta(minutes=5)
"""A kick-off that is moved by so much, or less, is no news."""

_SAME_DAY = dt.timedelta(hours=12)
"""A kick-off that is moved by less than this is the same match day; dates differ between the time zones of chats."""

# Action ids are stored in the outbox: another namespace would send the same news twice.
_NAMESPACE = uuid.UUID("0c8e7a52-5b0e-5d3c-8f57-4f4ad0c3f9b1")

_PLACEHOLDER = re.compile(
    r"(winners?|losers?)( (of|match|game|group|round|leg|play-?off|semi|quarter|[a-z]{0,2}\d).*)?"
    r"|runners?[- ]?up.*|(1st|2nd|3rd|first|second|third|best third)[- ](placed?|in|of|group).*"
    r"|tb[acd]|to be (announced|advised|confirmed|decided|determined).*|group [a-z]\b.*|[wl] ?\d+|[1-4][a-l]"
)

_COVERAGE_ORDER = {"In Venue": 4, "Low Latency Stream": 3, "Standard Stream": 2, "Video": 1, "No Coverage": 0}


class Relisting(msgspec.Struct, frozen=True):
    """How a fixture is listed now, and what changed since chats were told last."""

    told: Fixture
    """What chats know after they were told of the changes: to be compared with the next listing."""
    changes: tuple[str, ...] = ()
    """Action types, in the order in which they are told."""


def compare_listing(told: Fixture, now: Fixture) -> Relisting:
    """Compare a listing with what chats know of the fixture."""
    if now.is_deleted and not told.is_deleted:
        return Relisting(now, () if find_status(told.status).is_over else (WITHDRAWN,))
    status, was = find_status(now.status), find_status(told.status)
    changes: list[str] = []
    # A match in play, or over, has begun: its kick-off is what it was, and the rest comes with its packets.
    is_ahead = not (status.is_live or status.is_played) and status.news != "Match Cancelled"
    kickoff, is_kickoff_known = now.kickoff, now.is_kickoff_known
    if (is_ahead and was.news and not status.is_lost) or (told.is_deleted and not now.is_deleted and is_ahead):
        changes.append(ON_AGAIN)
    elif is_ahead and (move := _find_move(told, now)):
        changes.append(move)
    elif is_ahead and told.kickoff and now.kickoff and told.is_kickoff_known and now.is_kickoff_known:
        kickoff, is_kickoff_known = told.kickoff, told.is_kickoff_known
    if is_ahead and told.venue and now.venue and normalise(told.venue) != normalise(now.venue):
        changes.append(VENUE_CHANGED)
    if is_ahead and _are_teams_known_now(told, now):
        changes.append(TEAMS_KNOWN)
    if _is_coverage_reduced(told, now) and not status.is_over:
        changes.append(COVERAGE_REDUCED)
    after = msgspec.structs.replace(
        now,
        kickoff=kickoff,
        is_kickoff_known=is_kickoff_known,
        # A field that a listing leaves out is not gone: its next value is compared with the last one.
        venue=now.venue or told.venue,
        coverage_level=now.coverage_level or told.coverage_level,
    )
    return Relisting(after, tuple(changes))


def _find_move(told: Fixture, now: Fixture) -> str:
    """Return the action type of another kick-off; empty where it is the same, or was not known."""
    if told.kickoff is None or now.kickoff is None:
        return ""
    if not (told.is_kickoff_known and now.is_kickoff_known):
        # Midnight stands for a time that is not known: only the date counts.
        return NEW_DATE if told.kickoff.date() != now.kickoff.date() else ""
    move = abs(now.kickoff - told.kickoff)
    if move <= _UNIMPORTANT_MOVE:
        return ""
    return KICKOFF_MOVED if move < _SAME_DAY else NEW_DATE


def is_placeholder(team: Team) -> bool:
    """Return True for a team that is not known yet, such as `Winner of match 49`."""
    return not team.name or _PLACEHOLDER.fullmatch(normalise(team.name)) is not None


def list_replaced_teams(told: Fixture, now: Fixture) -> list[tuple[Team, Team]]:
    """Return the placeholders of a fixture that are teams now, each with its team."""
    pairs = [(told.team(side), now.team(side)) for side in Side]
    return [(old, new) for old, new in pairs if old.name and is_placeholder(old) and not is_placeholder(new)]


def _are_teams_known_now(told: Fixture, now: Fixture) -> bool:
    if any(is_placeholder(now.team(side)) for side in Side):
        return bool(list_replaced_teams(told, now))
    return any(_is_other_team(told.team(side), now.team(side)) for side in Side) and not _are_sides_swapped(told, now)


def _is_other_team(told: Team, now: Team) -> bool:
    """Return True unless both are one team, by id or by name. A team that was not listed at all is no change."""
    if not told.name or (told.id and told.id == now.id):
        return False
    return normalise(told.name) != normalise(now.name)


def _are_sides_swapped(told: Fixture, now: Fixture) -> bool:
    return not _is_other_team(told.home, now.away) and not _is_other_team(told.away, now.home)


def _is_coverage_reduced(told: Fixture, now: Fixture) -> bool:
    """Return True if the level fell by itself. Coverage that the feed drops or suspends is told as such."""
    before, after = _COVERAGE_ORDER.get(told.coverage_level), _COVERAGE_ORDER.get(now.coverage_level)
    is_told_otherwise = now.collection_status.casefold() in ("collectiondropped", "collectionsuspended")
    return before is not None and after is not None and after < before and not is_told_otherwise


assert set(_COVERAGE_ORDER) == set(COVERAGE_LEVELS)  # noqa: S101


def find_successor(gone: Fixture, listed: Iterable[Fixture], known_ids: frozenset[str]) -> Fixture | None:
    """Return the fixture under whose id the feed lists a match now that it has deleted; None where that is not certain.

    It is the only one between the same teams in the same competition that was not listed while the other was (`known_ids`).
    """

    def same(one: Team, other: Team) -> bool:
        return bool(one.id and one.id == other.id) or bool(one.name and normalise(one.name) == normalise(other.name))

    found = [
        fixture
        for fixture in listed
        if fixture.id not in known_ids
        and fixture.id != gone.id
        and not (fixture.is_over or fixture.is_deleted)
        and same(fixture.home, gone.home)
        and same(fixture.away, gone.away)
        and same(fixture.competition, gone.competition)
    ]
    return found[0] if len(found) == 1 else None


def make_relisting_moments(match: Match, told: Fixture, relisting: Relisting, revision: int, at: dt.datetime) -> list[Moment]:
    """Return a moment for each change, of a match as it stands. `revision` numbers what chats were told of this fixture."""
    moments = []
    for number, name in enumerate(relisting.changes):
        metadata = {"coverageLevel": told.coverage_level} if name == COVERAGE_REDUCED else {}
        if told.kickoff and told.kickoff != relisting.told.kickoff:
            metadata["kickoffBefore"] = format_kickoff(told)
        if name == VENUE_CHANGED:
            metadata["venueBefore"] = told.venue
        action = Action(
            fixture_id=relisting.told.id,
            # Numbered: a kick-off may be moved to a time that it had before.
            id=str(uuid.uuid5(_NAMESPACE, f"{relisting.told.id} {name} {revision} {number}")),
            type=name,
            sub_type="",
            send_type=SendType.CONFIRMED,
            seq=max(1, match.seq),
            at=at,
            period=Period.BEFORE,
            metadata=metadata,
        )
        moments.append(Moment(match, action, match, is_news=False, coverage_change=action))
    return moments


def format_kickoff(fixture: Fixture) -> str:
    """Return `2026-08-22 14:00 UTC`, the date alone where the time is not known; empty without a kick-off.

    Each message shows it in the language and the time zone of its chat.
    """
    if fixture.kickoff is None:
        return ""
    return f"{fixture.kickoff:%Y-%m-%d %H:%M} UTC" if fixture.is_kickoff_known else f"{fixture.kickoff:%Y-%m-%d}"
