"""Knows what can be followed, and finds it by what a person types."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter

import msgspec

from bot.chat.search.name_index import Fit, NameIndex, measure_name_fit
from bot.chat.search.nicknames import Nicknames, load_shipped_nicknames, to_search_words
from bot.sharing import Steps, finish, made_in_steps
from bot.subscribers import Scope, Subscription, make_name_key
from rules.football.action import Fixture, Team
from rules.football.names import normalise

FOLLOWABLE_AFTER_KICKOFF = dt.timedelta(hours=4)
"""A match is not offered later than this, even if the fixtures still list it as Live."""


class Choice(msgspec.Struct, frozen=True):
    """One thing that can be followed. Only a match has a `fixture`."""

    scope: Scope
    id: str = ""
    name: str = ""
    fixture: Fixture | None = None
    qualifier: str = ""
    """Distinguishes it from others with the same name: `England`, `Women`, a competition. Empty if no other has the name."""
    next_match: Fixture | None = None
    """Its next match, if no qualifier distinguishes it from others with the same name; else None."""

    @property
    def full_name(self) -> str:
        """`Premier League (England)`, or the name alone where no other has it."""
        return f"{self.name} ({self.qualifier})" if self.qualifier else self.name

    @property
    def subscription(self) -> Subscription:
        """The subscription to store: by the feed's id if there is one, else by name."""
        key = "" if self.scope is Scope.ALL else self.id or make_name_key(self.name)
        return Subscription(self.scope, key, self.full_name)

    @property
    def matching_subscriptions(self) -> tuple[Subscription, ...]:
        """All subscriptions that mean this, including one made when only the name was known."""
        by_name = Subscription(self.scope, make_name_key(self.name), self.name)
        return (self.subscription, by_name) if self.id and self.scope is not Scope.ALL else (self.subscription,)

    @property
    def token(self) -> str:
        """Eight characters that name this in a button."""
        return make_token(self.subscription)


ALL_MATCHES = Choice(Scope.ALL)


def make_token(subscription: Subscription) -> str:
    """Return eight characters that name a subscription in a button."""
    return make_short_id(f"{subscription.scope}:{subscription.key}")


def make_short_id(text: str) -> str:
    """Return eight characters of the URL-safe alphabet for a text."""
    # A button's data has at most 64 bytes, names are longer, and it must mean the same after a restart and in every process.
    # Six bytes of a hash: among 10,000 texts two are alike once in some five million catalogues.
    return base64.urlsafe_b64encode(hashlib.blake2b(text.encode(), digest_size=6).digest()).decode()


class FollowableCatalogue:
    """The known fixtures with their teams and competitions, sorted for people and found by token. Immutable."""

    def __init__(
        self, fixtures: Iterable[Fixture] = (), nicknames: Nicknames | None = None, season: Iterable[Fixture] = ()
    ) -> None:
        """`season`: the next match of each team and competition that does not play within the days that `fixtures` covers."""
        self.nicknames = nicknames or load_shipped_nicknames()
        self._given, self._season = fixtures, season

    def prepare(self) -> Steps[None]:
        """Make everything that is otherwise made when it is first asked for: of 20,000 fixtures all of it takes seconds."""
        yield from FollowableCatalogue._by_token.steps(self)
        yield from FollowableCatalogue._listed_matches.steps(self)
        yield from (yield from FollowableCatalogue._team_index.steps(self)).prepare()
        yield from (yield from FollowableCatalogue._match_index.steps(self)).prepare()

    @made_in_steps
    def fixtures(self) -> Steps[tuple[Fixture, ...]]:
        """The fixtures of the days around now, of which every match is listed, by kick-off."""
        # Sorted here once: every screen lists matches by kick-off. Those whose day is not known yet come last.
        return (yield from _sort_by_kickoff(fixture for fixture in self._given if not fixture.is_deleted))

    @made_in_steps
    def all_fixtures(self) -> Steps[tuple[Fixture, ...]]:
        """The fixtures, and the later ones of the season, of which only some are known."""
        fixtures = yield from FollowableCatalogue.fixtures.steps(self)
        listed = {fixture.id for fixture in fixtures}
        later = yield from _sort_by_kickoff(one for one in self._season if one.id not in listed and one.kickoff)
        return (*fixtures, *later)

    @made_in_steps
    def competitions(self) -> Steps[tuple[Choice, ...]]:
        """All competitions, by name."""
        fixtures = yield from FollowableCatalogue.all_fixtures.steps(self)
        found = yield from _remove_duplicates(Scope.COMPETITION, (f.competition for f in fixtures))
        return (yield from _qualify(found, (yield from _index_first_matches(fixtures, lambda f: (f.competition,)))))

    @made_in_steps
    def teams(self) -> Steps[tuple[Choice, ...]]:
        """All teams, by name."""
        fixtures = yield from FollowableCatalogue.all_fixtures.steps(self)
        found = yield from _remove_duplicates(Scope.TEAM, (team for f in fixtures for team in (f.home, f.away)))
        return (yield from _qualify(found, (yield from _index_first_matches(fixtures, lambda f: (f.home, f.away)))))

    @made_in_steps
    def matches(self) -> Steps[tuple[Choice, ...]]:
        """All matches whose teams are known, by kick-off."""
        found = []
        for fixture in (yield from FollowableCatalogue.all_fixtures.steps(self)):
            if fixture.title:
                found.append(Choice(Scope.MATCH, fixture.id, fixture.title, fixture))
            yield
        return tuple(found)

    @made_in_steps
    def _listed_matches(self) -> Steps[int]:
        """How many of the matches are of the days around now. The later ones come after them."""
        count = 0
        for fixture in (yield from FollowableCatalogue.fixtures.steps(self)):
            count += bool(fixture.title)
            yield
        return count

    @made_in_steps
    def _by_token(self) -> Steps[dict[str, Choice]]:
        # A button carries only a token, so what it names is looked up among everything that can be followed now.
        competitions = yield from FollowableCatalogue.competitions.steps(self)
        teams = yield from FollowableCatalogue.teams.steps(self)
        matches = yield from FollowableCatalogue.matches.steps(self)
        found = {}
        for choice in (ALL_MATCHES, *competitions, *teams, *matches):
            found[choice.token] = choice
            yield
        return found

    def find(self, token: str) -> Choice | None:
        """Return what a token names; None if it is not known, or no longer."""
        return self._by_token.get(token)

    def list_teams(self, competition: Choice) -> tuple[Choice, ...]:
        """Return the teams of a competition, by name."""
        ours = (f for f in self.all_fixtures if _is_same_team(f.competition, competition))
        # Few enough to be made at once: a competition has a few dozen. Their qualifiers are those among all teams, so each
        # is looked up by its token.
        teams = finish(_remove_duplicates(Scope.TEAM, (team for f in ours for team in (f.home, f.away))))
        return tuple(self._by_token.get(team.token, team) for team in teams)

    def list_matches(self, competition: Choice, now: dt.datetime) -> tuple[Choice, ...]:
        """Return the matches of a competition that have not ended, by kick-off."""
        return tuple(m for m in self.list_followable(now) if m.fixture and _is_same_team(m.fixture.competition, competition))

    def list_upcoming(self, now: dt.datetime) -> tuple[Choice, ...]:
        """Return all matches of the days around now that have not ended, by kick-off."""
        return tuple(m for m in self.matches[: self._listed_matches] if m.fixture and not has_ended(m.fixture, now))

    def list_followable(self, now: dt.datetime) -> tuple[Choice, ...]:
        """Return all matches that have not ended, those of the coming months too, by kick-off."""
        return tuple(m for m in self.matches if m.fixture and not has_ended(m.fixture, now))

    @made_in_steps
    def _team_index(self) -> Steps[NameIndex[Choice]]:
        competitions = yield from FollowableCatalogue.competitions.steps(self)
        choices = (*competitions, *(yield from FollowableCatalogue.teams.steps(self)))
        named = ((choice, choice.name, choice.full_name if choice.qualifier else "") for choice in choices)
        return NameIndex(named, self.nicknames)

    @made_in_steps
    def _match_index(self) -> Steps[MatchIndex]:
        return MatchIndex((yield from FollowableCatalogue.matches.steps(self)), self.nicknames)

    def search(self, typed: str, now: dt.datetime) -> SearchResult:
        """Search teams and competitions first; matches that have not ended if two teams are named or nothing else fits."""
        # "Arsenal v Chelsea" names no team, so it has to be divided before anything is searched.
        pair = _TEAM_SEPARATOR.split(typed.strip(), maxsplit=1)
        hits = _leave_out_ended(self._match_index.find_by_teams(pair[0], pair[1]), now) if len(pair) == 2 else ()
        # Matches only after the teams: their titles contain every team's name, and somebody who types one means the team.
        hits = hits or self._team_index.find_fitting(typed)
        return self._choose(typed, hits or _leave_out_ended(self._match_index.titles.find_fitting(typed), now))

    def search_teams(self, typed: str) -> SearchResult:
        """Search competitions and teams only."""
        return self._choose(typed, self._team_index.find_fitting(typed))

    def _choose(self, typed: str, hits: Sequence[tuple[Fit, Choice]]) -> SearchResult:
        """Return what is meant without doubt, else what may be meant, else what has a similar name."""
        if not hits:
            return SearchResult(suggestions=self._team_index.find_similar(typed))
        # An exact name outweighs all others: "Arsenal" means Arsenal, although "Arsenal Women" begins with it.
        best = min(fit for fit, _ in hits)
        # So does a nickname: "spurs" means Tottenham, although "Spursoldier" would begin with it.
        candidates = [choice for fit, choice in hits if fit is best] if best <= Fit.NICKNAME else [choice for _, choice in hits]
        ordered = tuple(choice for _, choice in sorted(hits, key=lambda hit: (hit[0], _result_order(hit[1]))))
        # A few letters from the middle of a name are no proof of what is meant, even if only one name has them.
        if len(candidates) == 1 and (best < Fit.SUBSTRING or len(to_search_words(typed)) >= _MIN_SUBSTRING):
            return SearchResult(exact=candidates[0], others=tuple(choice for choice in ordered if choice != candidates[0]))
        return SearchResult(hits=ordered)

    def measure_fit(self, typed: str, name: str) -> Fit | None:
        """Return how well a name, or another name of the same team, fits what was typed; None if it does not."""
        return measure_name_fit(typed, name, self.nicknames)


def has_ended(fixture: Fixture, now: dt.datetime) -> bool:
    """Return True if there is nothing left to follow in a match."""
    # The fixtures may list a match as Live long after its end, so the time counts too.
    is_late = fixture.kickoff is not None and fixture.kickoff + FOLLOWABLE_AFTER_KICKOFF < now
    return is_late or fixture.is_over


def _is_same_team(team: Team, choice: Choice) -> bool:
    # The feed leaves out an id now and then, so a name counts where one of the two has none.
    return team.id == choice.id if team.id and choice.id else normalise(team.name) == normalise(choice.name)


def _sort_by_kickoff(fixtures: Iterable[Fixture]) -> Steps[tuple[Fixture, ...]]:
    keyed = []
    for fixture in fixtures:
        instant = fixture.kickoff.timestamp() if fixture.kickoff else math.inf
        keyed.append(((instant, normalise(fixture.title)), fixture))
        yield
    keyed.sort(key=itemgetter(0))
    return tuple(fixture for _, fixture in keyed)


def _remove_duplicates(scope: Scope, teams: Iterable[Team]) -> Steps[tuple[Choice, ...]]:
    """Return each team once, by name. The feed leaves some ids out, so a team without one is dropped if its name is known."""
    # By id first: two teams of one name (men, women, under 21) have two ids and are two choices.
    found: dict[str, Choice] = {}
    for team in teams:
        if team.name:
            key = team.id or make_name_key(team.name)
            if key not in found or (team.detail and not found[key].qualifier):
                found[key] = Choice(scope, team.id, team.name, qualifier=team.detail)
        yield
    named, names_with_id = [], set()
    for choice in found.values():
        name = normalise(choice.name)
        named.append((name, choice))
        if choice.id:
            names_with_id.add(name)
        yield
    unique = [(name, choice) for name, choice in named if choice.id or name not in names_with_id]
    unique.sort(key=itemgetter(0))
    return tuple(choice for _, choice in unique)


def _make_key(one: Team | Choice) -> str:
    return one.id or make_name_key(one.name)


def _index_first_matches(
    fixtures: Iterable[Fixture], list_parts: Callable[[Fixture], Iterable[Team]]
) -> Steps[dict[str, Fixture]]:
    """Return the first fixture of each team or competition, by its key."""
    first: dict[str, Fixture] = {}
    for fixture in fixtures:
        for part in list_parts(fixture):
            if part.name:
                first.setdefault(_make_key(part), fixture)
        yield
    return first


def _qualify(choices: Sequence[Choice], first_matches: Mapping[str, Fixture]) -> Steps[tuple[Choice, ...]]:
    """Add to choices with the same name what distinguishes them: the feed's words, else a competition, else the next match."""
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    for place, choice in enumerate(choices):
        by_name[normalise(choice.name)].append(place)
        yield
    qualified = list(choices)
    for places in by_name.values():
        namesakes = [choices[place] for place in places]
        matches = [first_matches.get(_make_key(choice)) for choice in namesakes]
        own = [choice.qualifier for choice in namesakes]
        played_in = [
            match.competition.name if match and choice.scope is Scope.TEAM else ""
            for choice, match in zip(namesakes, matches, strict=True)
        ]
        # All words have to differ. One may be empty: of Arsenal and Arsenal Women, only the women's team needs a word.
        words = next((one for one in (own, played_in) if any(one) and len(set(one)) == len(one)), [""] * len(namesakes))
        # Nearly every name: words that distinguish it from nothing would only make it longer.
        is_alone = len(namesakes) == 1
        for place, word, match in zip(places, words, matches, strict=True):
            qualified[place] = msgspec.structs.replace(
                choices[place],
                qualifier="" if is_alone else word,
                next_match=None if is_alone or any(words) else match,
            )
        yield
    return tuple(qualified)


# Shorter ones are in too many names by chance.
_MIN_SUBSTRING = 5
"""Typed text of this length may match in the middle of a name, if only one name contains it: `gladbach`."""

_TEAM_SEPARATOR = re.compile(r"\s+(?:v|vs|versus)\.?\s+|\s+[-–—]\s+", re.IGNORECASE)


class SearchResult(msgspec.Struct, frozen=True):
    """The result of a search; at most one of `exact`, `hits` and `suggestions` is filled."""

    exact: Choice | None = None
    """The one thing that is meant without doubt."""
    others: tuple[Choice, ...] = ()
    """What else fits if the exact name of one was typed: Inter Miami for "Inter"."""
    hits: tuple[Choice, ...] = ()
    """What may be meant, best first."""
    suggestions: tuple[Choice, ...] = ()
    """Similar names, if nothing fits."""


def _leave_out_ended(hits: Iterable[tuple[Fit, Choice]], now: dt.datetime) -> tuple[tuple[Fit, Choice], ...]:
    return tuple(hit for hit in hits if hit[1].fixture and not has_ended(hit[1].fixture, now))


class MatchIndex:
    """Matches by their titles, and by their teams in either order."""

    def __init__(self, matches: Sequence[Choice], nicknames: Nicknames) -> None:
        self.titles = NameIndex(((choice, choice.name, "") for choice in matches), nicknames)
        self._matches, self._nicknames = matches, nicknames

    def prepare(self) -> Steps[None]:
        """Make everything that a search needs and that its first one would have to make."""
        yield from NameIndex._texts.steps(self.titles)
        yield from NameIndex._texts.steps((yield from MatchIndex._teams.steps(self)))

    @made_in_steps
    def _by_team(self) -> Steps[Mapping[str, Sequence[int]]]:
        """The places of the matches of each team, by its name."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, choice in enumerate(self._matches):
            for team in _list_sides(choice):
                places[team].append(place)
            yield
        return places

    @made_in_steps
    def _teams(self) -> Steps[NameIndex[str]]:
        by_team = yield from MatchIndex._by_team.steps(self)
        return NameIndex(((name, name, "") for name in by_team), self._nicknames)

    def find_by_teams(self, one: str, other: str) -> tuple[tuple[Fit, Choice], ...]:
        """Return the matches between two teams, in either order. The weaker of the two fits counts."""
        ones, others = ({team: fit for fit, team in self._teams.find_fitting(typed)} for typed in (one, other))
        found = []
        # By place, so that they stay in the order of their kick-offs.
        for place in sorted({place for team in ones for place in self._by_team[team]}):
            sides = _list_sides(self._matches[place])
            # People type the teams in either order.
            for home, away in (sides, sides[::-1]):
                if home in ones and away in others:
                    found.append((max(ones[home], others[away]), self._matches[place]))
                    break
        return tuple(found)


def _list_sides(choice: Choice) -> tuple[str, str]:
    return (choice.fixture.home.name, choice.fixture.away.name) if choice.fixture else ("", "")


def _result_order(choice: Choice) -> tuple[bool, bool, str]:
    """Sort key: competitions before teams; matches last and, since sorting is stable, by kick-off."""
    return (choice.scope is Scope.MATCH, choice.scope is Scope.TEAM, "" if choice.fixture else to_search_words(choice.name))
