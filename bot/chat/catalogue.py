"""What can be followed, and finding it by what a person types."""

from __future__ import annotations

import base64
import datetime as dt
import difflib
import enum
import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from bot.subscribers import Scope, Subscription, make_name_key
from rules.football.action import Fixture, Team
from rules.football.names import normalise

ENDED_STATUSES = frozenset({"completed", "abandoned", "cancelled", "postponed"})

FOLLOWABLE_AFTER_KICKOFF = dt.timedelta(hours=4)
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
        key = "" if self.scope is Scope.ALL else self.id or make_name_key(self.name)
        return Subscription(self.scope, key, self.name)

    @property
    def matching_subscriptions(self) -> tuple[Subscription, ...]:
        """Every subscription that means this, also one that was made when only the name was known."""
        by_name = Subscription(self.scope, make_name_key(self.name), self.name)
        return (self.subscription, by_name) if self.id and self.scope is not Scope.ALL else (self.subscription,)

    @property
    def token(self) -> str:
        """Eight characters that name it in a button and survive a restart."""
        return make_token(self.subscription)


ALL_MATCHES = Choice(Scope.ALL)


def make_token(subscription: Subscription) -> str:
    """Eight characters for a subscription, always the same."""
    return make_short_id(f"{subscription.scope}:{subscription.key}")


def make_short_id(text: str) -> str:
    """Eight characters of the URL-safe alphabet for a text, always the same."""
    return base64.urlsafe_b64encode(hashlib.blake2b(text.encode(), digest_size=6).digest()).decode()


class FollowableCatalogue:
    """The known fixtures, ordered for people and found by token. Immutable."""

    def __init__(self, fixtures: Iterable[Fixture] = ()) -> None:
        known = (f for f in fixtures if not f.deleted)
        self.fixtures = tuple(sorted(known, key=lambda f: (_kickoff_or_latest(f), normalise(f.title))))
        self.competitions = _remove_duplicates(Scope.COMPETITION, (f.competition for f in self.fixtures))
        self.teams = _remove_duplicates(Scope.TEAM, (team for f in self.fixtures for team in (f.home, f.away)))
        self.matches = tuple(Choice(Scope.MATCH, f.id, f.title, f) for f in self.fixtures if f.title)
        everything = (ALL_MATCHES, *self.competitions, *self.teams, *self.matches)
        self._by_token = {choice.token: choice for choice in everything}

    def find(self, token: str) -> Choice | None:
        """The choice that a token names; None when it is not known (any more)."""
        return self._by_token.get(token)

    def competition_name(self, team: Choice) -> str:
        """The name of a competition that a team plays in: what tells two teams of one name apart."""
        ours = (f for f in self.fixtures if any(_is_same_team(side, team) for side in (f.home, f.away)))
        return next((f.competition.name for f in ours), "")

    def list_teams(self, competition: Choice) -> tuple[Choice, ...]:
        """The teams of a competition, by name."""
        ours = (f for f in self.fixtures if _is_same_team(f.competition, competition))
        return _remove_duplicates(Scope.TEAM, (team for f in ours for team in (f.home, f.away)))

    def list_matches(self, competition: Choice, now: dt.datetime) -> tuple[Choice, ...]:
        """The matches of a competition that are not over, by kick-off."""
        return tuple(m for m in self.list_upcoming(now) if m.fixture and _is_same_team(m.fixture.competition, competition))

    def list_upcoming(self, now: dt.datetime) -> tuple[Choice, ...]:
        """Every match that is not over, by kick-off."""
        return tuple(m for m in self.matches if m.fixture and not has_ended(m.fixture, now))


def has_ended(fixture: Fixture, now: dt.datetime) -> bool:
    """Tell whether there is nothing left to follow in a match."""
    late = fixture.kickoff is not None and fixture.kickoff + FOLLOWABLE_AFTER_KICKOFF < now
    return late or fixture.status.casefold() in ENDED_STATUSES


def _kickoff_or_latest(fixture: Fixture) -> dt.datetime:
    return fixture.kickoff or dt.datetime.max.replace(tzinfo=dt.UTC)


def _is_same_team(team: Team, choice: Choice) -> bool:
    return team.id == choice.id if team.id and choice.id else normalise(team.name) == normalise(choice.name)


def _remove_duplicates(scope: Scope, teams: Iterable[Team]) -> tuple[Choice, ...]:
    """Each once: by id, and by name where an id is missing."""
    found: dict[str, Choice] = {}
    for team in teams:
        if team.name:
            found.setdefault(team.id or make_name_key(team.name), Choice(scope, team.id, team.name))
    names = {normalise(choice.name) for choice in found.values() if choice.id}
    kept: Sequence[Choice] = [c for c in found.values() if c.id or normalise(c.name) not in names]
    return tuple(sorted(kept, key=lambda c: normalise(c.name)))


MAX_SUGGESTIONS = 5
"""How many near names are offered."""

_TEAM_SEPARATOR = re.compile(r"\s+(?:v|vs|versus)\.?\s+|\s+[-–—]\s+", re.IGNORECASE)


class Fit(enum.IntEnum):
    """How well a name fits what was typed; the lower the better."""

    EXACT = 0
    PREFIX = 1
    WORD_PREFIXES = 2
    SUBSTRING = 3


class SearchResult(msgspec.Struct, frozen=True):
    """What was found: `exact` when there is no doubt, else `hits`, best first; else `suggestions`."""

    exact: Choice | None = None
    hits: tuple[Choice, ...] = ()
    suggestions: tuple[Choice, ...] = ()


@lru_cache(maxsize=8192)
def to_search_words(text: str) -> str:
    """Letters and digits only: `Saint-Étienne` and `saint etienne` are the same."""
    return " ".join(re.sub(r"[^\w]+", " ", normalise(text)).split())


def search(wanted: str, teams: Sequence[Choice], matches: Sequence[Choice]) -> SearchResult:
    """Look among teams and competitions first, and among matches when two teams are named or nothing else fits."""
    pair = _TEAM_SEPARATOR.split(wanted.strip(), maxsplit=1)
    hits = _find_matches_of_teams(pair[0], pair[1], matches) if len(pair) == 2 else ()
    hits = hits or _find_fitting(wanted, teams) or _find_fitting(wanted, matches)
    if not hits:
        return SearchResult(suggestions=_find_similar(wanted, teams))
    best = min(fit for fit, _ in hits)
    sure = [choice for fit, choice in hits if fit is Fit.EXACT] or [c for _, c in hits]
    if len(sure) == 1 and best < Fit.SUBSTRING:
        return SearchResult(exact=sure[0])
    return SearchResult(hits=tuple(choice for _, choice in sorted(hits, key=lambda hit: (hit[0], _result_order(hit[1])))))


def measure_fit(wanted: str, name: str) -> Fit | None:
    """Tell how well a name fits; None when it does not."""
    typed, known = to_search_words(wanted), to_search_words(name)
    if not typed:
        return None
    if typed == known:
        return Fit.EXACT
    if known.startswith(typed):
        return Fit.PREFIX
    if _do_words_begin(typed.split(), known.split()):
        return Fit.WORD_PREFIXES
    return Fit.SUBSTRING if len(typed) > 1 and typed in known else None


def _do_words_begin(typed: list[str], known: list[str]) -> bool:
    return all(any(word.startswith(piece) for word in known) for piece in typed)


def _find_fitting(wanted: str, choices: Iterable[Choice]) -> tuple[tuple[Fit, Choice], ...]:
    found = ((measure_fit(wanted, choice.name), choice) for choice in choices)
    return tuple((how, choice) for how, choice in found if how is not None)


def _find_matches_of_teams(one: str, other: str, matches: Iterable[Choice]) -> tuple[tuple[Fit, Choice], ...]:
    """Matches of two teams, in either order."""
    found = []
    for choice in matches:
        sides = (choice.fixture.home.name, choice.fixture.away.name) if choice.fixture else ("", "")
        for home, away in (sides, sides[::-1]):
            fits = (measure_fit(one, home), measure_fit(other, away))
            if None not in fits:
                found.append((max(f for f in fits if f is not None), choice))
                break
    return tuple(found)


def _find_similar(wanted: str, choices: Sequence[Choice]) -> tuple[Choice, ...]:
    by_name = {to_search_words(choice.name): choice for choice in choices}
    words = {word: choice for name, choice in by_name.items() for word in name.split() if len(word) > 3}
    close = difflib.get_close_matches(to_search_words(wanted), [*by_name, *words], n=MAX_SUGGESTIONS, cutoff=0.7)
    return tuple(dict.fromkeys((by_name.get(name) or words[name]) for name in close))


def _result_order(choice: Choice) -> tuple[bool, bool, str]:
    """Competitions before teams of the same fit; matches keep the order of their kick-offs."""
    return (choice.scope is Scope.MATCH, choice.scope is Scope.TEAM, "" if choice.fixture else to_search_words(choice.name))
