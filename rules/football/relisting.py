"""Compares how the feed lists a fixture with how chats know it: kick-off, date, venue, teams, coverage, and whether it is on.

What chats know is the last listing that they were notified of. A small move of the kick-off does not change it, so that several
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
    """How a fixture is listed now, and what changed since chats were last notified."""

    after: Fixture
    """What chats know once they have the changes: to be compared with the next listing."""
    changes: tuple[str, ...] = ()
    """Action types, in the order in which chats are notified of them."""


def compare_listing(known: Fixture, now: Fixture) -> Relisting:
    """Compare a listing with what chats know of the fixture."""
    if now.is_deleted and not known.is_deleted:
        return Relisting(now, () if find_status(known.status).is_over else (WITHDRAWN,))
    status, changes, keeps_kickoff = find_status(now.status), list[str](), False
    # Once a match has begun its kick-off is what it was, and the rest comes with its packets.
    if not (status.is_live or status.is_played) and status.news != "Match Cancelled":
        if kickoff_change := _find_kickoff_change(known, now):
            changes.append(kickoff_change)
        else:
            # A kick-off that moved by a few minutes is no news: the next listing is compared with the time that chats know.
            keeps_kickoff = bool(known.kickoff and now.kickoff) and known.is_kickoff_known and now.is_kickoff_known
        if known.venue and now.venue and normalise(known.venue) != normalise(now.venue):
            changes.append(VENUE_CHANGED)
        if _are_teams_known_now(known, now):
            changes.append(TEAMS_KNOWN)
    if _is_coverage_reduced(known, now) and not status.is_over:
        changes.append(COVERAGE_REDUCED)
    after = msgspec.structs.replace(
        now,
        kickoff=known.kickoff if keeps_kickoff else now.kickoff,
        # A field that a listing leaves out is not gone: its next value is compared with the last one.
        venue=now.venue or known.venue,
        coverage_level=now.coverage_level or known.coverage_level,
    )
    return Relisting(after, tuple(changes))


def _find_kickoff_change(known: Fixture, now: Fixture) -> str:
    """Return the action type of a match that is on again, or of its new kick-off; empty where both are the same or unknown."""
    was_put_off = bool(find_status(known.status).news) and not find_status(now.status).is_lost
    if was_put_off or (known.is_deleted and not now.is_deleted):
        # With its new date in the same message: a move of the kick-off would be the second one about it.
        return ON_AGAIN
    if known.kickoff is None or now.kickoff is None:
        return ""
    if not (known.is_kickoff_known and now.is_kickoff_known):
        # Midnight stands for a time that is not known: only the date counts.
        return NEW_DATE if known.kickoff.date() != now.kickoff.date() else ""
    move = abs(now.kickoff - known.kickoff)
    if move <= _UNIMPORTANT_MOVE:
        return ""
    return KICKOFF_MOVED if move < _SAME_DAY else NEW_DATE


def is_placeholder(team: Team) -> bool:
    """Return True for a team that is not known yet, such as `Winner of match 49`."""
    return not team.name or _PLACEHOLDER.fullmatch(normalise(team.name)) is not None


def list_replaced_teams(known: Fixture, now: Fixture) -> list[tuple[Team, Team]]:
    """Return the placeholders of a fixture that are teams now, each with its team."""
    pairs = [(known.team(side), now.team(side)) for side in Side]
    return [(old, new) for old, new in pairs if old.name and is_placeholder(old) and not is_placeholder(new)]


def _are_teams_known_now(known: Fixture, now: Fixture) -> bool:
    if any(is_placeholder(now.team(side)) for side in Side):
        return bool(list_replaced_teams(known, now))
    # Teams that change sides are the same match: who is at home shows in the next message by itself.
    is_swapped = not _is_other_team(known.home, now.away) and not _is_other_team(known.away, now.home)
    return any(_is_other_team(known.team(side), now.team(side)) for side in Side) and not is_swapped


def _is_other_team(known: Team, now: Team) -> bool:
    """Return True unless both are one team, by id or by name. A team that was not listed at all is no change."""
    if not known.name or (known.id and known.id == now.id):
        return False
    return normalise(known.name) != normalise(now.name)


def _is_coverage_reduced(known: Fixture, now: Fixture) -> bool:
    """Return True if the coverage level fell while the feed still has data."""
    before, after = _COVERAGE_ORDER.get(known.coverage_level), _COVERAGE_ORDER.get(now.coverage_level)
    # Coverage that the feed drops or suspends has an alert of its own.
    is_lost = now.collection_status.casefold() in ("collectiondropped", "collectionsuspended")
    return before is not None and after is not None and after < before and not is_lost


assert set(_COVERAGE_ORDER) == set(COVERAGE_LEVELS)  # noqa: S101


def find_successor(gone: Fixture, listed: Iterable[Fixture], known_ids: frozenset[str]) -> Fixture | None:
    """Return the fixture that replaces a deleted one: the same match under a new id. None where that is not certain.

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


def make_relisting_moments(match: Match, known: Fixture, relisting: Relisting, revision: int, at: dt.datetime) -> list[Moment]:
    """Return a moment for each change, of a match as it stands. `revision` counts the listings that chats were notified of."""
    moments = []
    for number, name in enumerate(relisting.changes):
        metadata = {"coverageLevel": known.coverage_level} if name == COVERAGE_REDUCED else {}
        if known.kickoff and known.kickoff != relisting.after.kickoff:
            metadata["kickoffBefore"] = format_kickoff(known)
        if name == VENUE_CHANGED:
            metadata["venueBefore"] = known.venue
        action = Action(
            fixture_id=relisting.after.id,
            # Numbered: a kick-off may be moved to a time that it had before.
            id=str(uuid.uuid5(_NAMESPACE, f"{relisting.after.id} {name} {revision} {number}")),
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


def relist_match(match: Match, now: Fixture, revision: int, at: dt.datetime) -> tuple[Match, list[Moment]]:
    """Return a match under its new listing, and a moment for each change that is news. Its own fixture is what chats know."""
    relisting = compare_listing(match.fixture, now)
    after = msgspec.structs.replace(match, fixture=relisting.after)
    return after, make_relisting_moments(after, match.fixture, relisting, revision, at)


def format_kickoff(fixture: Fixture) -> str:
    """Return `2026-08-22 14:00 UTC`, the date alone where the time is not known; empty without a kick-off.

    Each message shows it in the language and the time zone of its chat.
    """
    if fixture.kickoff is None:
        return ""
    return f"{fixture.kickoff:%Y-%m-%d %H:%M} UTC" if fixture.is_kickoff_known else f"{fixture.kickoff:%Y-%m-%d}"
