"""What can be followed, made from the known fixtures: competitions, their teams, their matches."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from bot.store.model import Scope, Subscription, named
from rules.action import Fixture, Team
from rules.fold import fold

OVER = frozenset({"completed", "abandoned", "cancelled", "postponed"})
LONGEST = dt.timedelta(hours=4)
"""So long after its kick-off a match is not offered any more, whatever its status says."""


class Choice(msgspec.Struct, frozen=True):
    """One thing to follow. `fixture` is given for a match only."""

    scope: Scope
    id: str = ""
    name: str = ""
    fixture: Fixture | None = None

    @property
    def subscription(self) -> Subscription:
        """What is stored when it is followed: by the feed's id where there is one, else by name."""
        key = "" if self.scope is Scope.ALL else self.id or named(self.name)
        return Subscription(self.scope, key, self.name)

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """Every subscription that means this, also one that was made when only the name was known."""
        by_name = Subscription(self.scope, named(self.name), self.name)
        return (self.subscription, by_name) if self.id and self.scope is not Scope.ALL else (self.subscription,)

    @property
    def token(self) -> str:
        """Eight characters that name it in a button and survive a restart."""
        return token(self.subscription)


ALL = Choice(Scope.ALL)


def token(subscription: Subscription) -> str:
    """Eight characters for a subscription, always the same."""
    return short(f"{subscription.scope}:{subscription.key}")


def short(text: str) -> str:
    """Eight characters of the URL-safe alphabet for a text, always the same."""
    return base64.urlsafe_b64encode(hashlib.blake2b(text.encode(), digest_size=6).digest()).decode()


class Guide:
    """The known fixtures, ordered for people and found by token. Immutable."""

    def __init__(self, fixtures: Iterable[Fixture] = ()) -> None:
        known = (f for f in fixtures if not f.deleted)
        self.fixtures = tuple(sorted(known, key=lambda f: (_instant(f), fold(f.title))))
        self.competitions = _distinct(Scope.COMPETITION, (f.competition for f in self.fixtures))
        self.teams = _distinct(Scope.TEAM, (team for f in self.fixtures for team in (f.home, f.away)))
        self.matches = tuple(Choice(Scope.MATCH, f.id, f.title, f) for f in self.fixtures if f.title)
        everything = (ALL, *self.competitions, *self.teams, *self.matches)
        self._by_token = {choice.token: choice for choice in everything}

    def choice(self, wanted: str) -> Choice | None:
        """The choice that a token names; None when it is not known (any more)."""
        return self._by_token.get(wanted)

    def where(self, team: Choice) -> str:
        """The name of a competition that a team plays in: what tells two teams of one name apart."""
        ours = (f for f in self.fixtures if any(_is(side, team) for side in (f.home, f.away)))
        return next((f.competition.name for f in ours), "")

    def teams_of(self, competition: Choice) -> tuple[Choice, ...]:
        """The teams of a competition, by name."""
        ours = (f for f in self.fixtures if _is(f.competition, competition))
        return _distinct(Scope.TEAM, (team for f in ours for team in (f.home, f.away)))

    def matches_of(self, competition: Choice, now: dt.datetime) -> tuple[Choice, ...]:
        """The matches of a competition that are not over, by kick-off."""
        return tuple(m for m in self.upcoming(now) if m.fixture and _is(m.fixture.competition, competition))

    def upcoming(self, now: dt.datetime) -> tuple[Choice, ...]:
        """Every match that is not over, by kick-off."""
        return tuple(m for m in self.matches if m.fixture and not over(m.fixture, now))


def over(fixture: Fixture, now: dt.datetime) -> bool:
    """Tell whether there is nothing left to follow in a match."""
    late = fixture.kickoff is not None and fixture.kickoff + LONGEST < now
    return late or fixture.status.casefold() in OVER


def _instant(fixture: Fixture) -> dt.datetime:
    return fixture.kickoff or dt.datetime.max.replace(tzinfo=dt.UTC)


def _is(team: Team, choice: Choice) -> bool:
    return team.id == choice.id if team.id and choice.id else fold(team.name) == fold(choice.name)


def _distinct(scope: Scope, teams: Iterable[Team]) -> tuple[Choice, ...]:
    """Each once: by id, and by name where an id is missing."""
    found: dict[str, Choice] = {}
    for team in teams:
        if team.name:
            found.setdefault(team.id or named(team.name), Choice(scope, team.id, team.name))
    names = {fold(choice.name) for choice in found.values() if choice.id}
    kept: Sequence[Choice] = [c for c in found.values() if c.id or fold(c.name) not in names]
    return tuple(sorted(kept, key=lambda c: fold(c.name)))
