"""Finds names in rules and in `chats:` that no known fixture has, such as a misspelt team, and tells operators of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import structlog

from bot.chat.search.catalogue import Choice, FollowableCatalogue
from bot.chat.search.nicknames import Nicknames
from bot.matches.connection_plan import LOOK_AHEAD
from bot.subscribers import Scope
from rules.engine.rule import NameReference
from rules.football.action import Fixture, Team
from rules.football.names import normalise
from rules.loading.document import Finding, Severity

log = structlog.get_logger()

_MAX_SUGGESTIONS = 50
"""Unknown names for which a similar one is looked for. More are no typing mistakes: the file was made for another feed."""

_MAX_LOGGED = 50
"""Names of one comparison that are logged; of all others their number."""

_MAX_LINES = 5
"""Names that `/status` and `/rules` show."""

_SCOPES = {"team": Scope.TEAM, "competition": Scope.COMPETITION}

_SENTENCES = {
    "team": "has a team {name}",
    "competition": "is of a competition {name}",
    "fixture": "is {name}",
}


class KnownNames:
    """The names and ids that fixtures have. `find_unknown` compares those of a configuration with them."""

    def __init__(self, fixtures: Sequence[Fixture], nicknames: Nicknames, season: Sequence[Fixture] = ()) -> None:
        """`season` are later fixtures: a team that plays in three months is no mistake."""
        self._fixtures, self._nicknames, self._season = fixtures, nicknames, season
        listed = [fixture for fixture in (*fixtures, *season) if not fixture.is_deleted]
        self._known: Mapping[str, dict[str, str]] = {
            "team": _index_names(_list_names(team) for fixture in listed for team in (fixture.home, fixture.away)),
            "competition": _index_names(_list_names(fixture.competition) for fixture in listed),
            "fixture": _index_names((fixture.title, fixture.name, fixture.id) for fixture in listed),
        }
        self._catalogue: FollowableCatalogue | None = None

    def find_unknown(self, names: Iterable[NameReference]) -> tuple[Finding, ...]:
        """Return a warning for each name that no fixture has. Without any fixture there are no warnings."""
        if not self._fixtures:
            return ()
        near: dict[tuple[str, str], str] = {}
        findings = []
        for one in names:
            key = one.key, normalise(one.name)
            if key[1] in self._known[one.key]:
                continue
            if key not in near:
                near[key] = self._describe_near(*key) if len(near) < _MAX_SUGGESTIONS else ""
            sentence = _SENTENCES[one.key].format(name=one.name)
            sentence = f"no fixture of the next {LOOK_AHEAD.days} days {sentence}{near[key]}"
            findings.append(Finding(one.location, sentence, one.rule, Severity.WARNING))
        return tuple(findings)

    def _describe_near(self, key: str, name: str) -> str:
        """Return the end of the sentence about an unknown name: what was probably meant; empty if nothing is near."""
        other = next((other for other in _SCOPES if other != key and name in self._known[other]), "")
        if other:
            return f", it is a {other}: write {other}: {self._known[other][name]}"
        meant = self._find_match(name) if key == "fixture" else self._find_similar(name, _SCOPES[key])
        return f"; did you mean {meant}?" if meant else ""

    def _find_similar(self, name: str, scope: Scope) -> str:
        if self._catalogue is None:
            self._catalogue = FollowableCatalogue(self._fixtures, self._nicknames, self._season)
        found = self._catalogue.search_teams(name)
        choices: tuple[Choice, ...] = (*([found.exact] if found.exact else ()), *found.others, *found.hits, *found.suggestions)
        choice = next((choice for choice in choices if choice.scope is scope), None)
        if choice is None:
            return ""
        # The longer name only where the feed itself has it: what else tells two apart in a chat means nothing in a rule.
        return choice.full_name if normalise(choice.full_name) in self._known[str(scope)] else choice.name

    def _find_match(self, name: str) -> str:
        """Return the match whose teams have similar names, in either order; empty if there is none."""
        home, _, away = name.partition(" v ")
        teams = self._known["team"]
        meant = [teams.get(side) or self._find_similar(side, Scope.TEAM) for side in (home, away) if side]
        titles = (f"{meant[0]} v {meant[1]}", f"{meant[1]} v {meant[0]}") if len(meant) == 2 else ()
        return next((found for title in titles if (found := self._known["fixture"].get(normalise(title)))), "")


def _list_names(one: Team) -> tuple[str, ...]:
    return one.name, one.id, one.qualified_name


def _index_names(names: Iterable[Iterable[str]]) -> dict[str, str]:
    """Return each name by its normalised form."""
    # Each spelling once: of 20,000 fixtures most have teams and competitions that others have too.
    return {normalise(name): name for name in {name for some in names for name in some} if name}


class NameCheck:
    """Compares the names of a running configuration with the fixtures, whenever one of both changes."""

    def __init__(
        self,
        fixtures: Callable[[], tuple[Fixture, ...]],
        season: Callable[[], tuple[Fixture, ...]],
        names: Callable[[], tuple[tuple[NameReference, ...], ...]],
        nicknames: Nicknames,
    ) -> None:
        """`names` returns those of the rules in effect and those of the chats."""
        self._list_fixtures, self._list_season, self._list_names = fixtures, season, names
        self._nicknames = nicknames
        self._lock = asyncio.Lock()
        self._compared: tuple[object, ...] = ()
        self._findings: tuple[Finding, ...] = ()
        self._logged: frozenset[Finding] = frozenset()
        self._changed = asyncio.Event()

    def request_check(self) -> None:
        """Compare again soon: fixtures were read, or rules or chats have changed."""
        self._changed.set()

    async def find(self) -> tuple[Finding, ...]:
        """Return a warning for each name that no fixture has."""
        async with self._lock:
            fixtures, season, names = self._list_fixtures(), self._list_season(), self._list_names()
            compared = (fixtures, season, *names)
            # By identity: lists that have not changed are the same objects.
            if len(compared) != len(self._compared) or any(a is not b for a, b in zip(compared, self._compared, strict=True)):
                wanted = tuple(name for some in names for name in some)

                def compare() -> tuple[Finding, ...]:
                    return KnownNames(fixtures, self._nicknames, season).find_unknown(wanted) if wanted else ()

                # In a thread: with 20,000 fixtures it takes a second or two, in which goals must not wait.
                self._findings = await asyncio.to_thread(compare)
                self._compared = compared
            return self._findings

    async def list_lines(self) -> list[str]:
        """Return the first findings as lines for admins, each with the name of its file and its line."""
        return shorten_findings(await self.find())

    async def run(self) -> None:
        """Log each finding once for as long as it holds, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                found = frozenset(await self.find())
            except Exception as error:  # it only warns: matches are followed all the same
                log.exception("name_check_failed", reason=repr(error))
                continue
            new = sorted(found - self._logged)
            for one in new[:_MAX_LOGGED]:
                log.warning("name_not_in_fixtures", place=str(one.location), rule=one.rule, reason=one.sentence)
            if len(new) > _MAX_LOGGED:
                log.warning("more_names_not_in_fixtures", count=len(new) - _MAX_LOGGED)
            self._logged = found


def shorten_findings(findings: Sequence[Finding]) -> list[str]:
    """Return the first findings, each in one line that is read on a phone, and how many more there are."""
    lines = []
    for one in findings[:_MAX_LINES]:
        # The file's name without its folders: the path on the server is of no use in a chat.
        rule = f"rule {one.rule}: " if one.rule else ""
        lines.append(f"⚠️ {Path(one.location.file).name}:{one.location.line}: {rule}{one.sentence}")
    more = len(findings) - len(lines)
    return [*lines, f"… and {more} more"] if more > 0 else lines
