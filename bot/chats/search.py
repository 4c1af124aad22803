"""Finding what a person means: without accents, letter case or punctuation, by any beginning of its words."""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from bot.chats.guide import Choice
from bot.store.model import Scope
from rules.fold import fold

NEAR = 5
"""How many near names are offered."""

_BETWEEN = re.compile(r"\s+(?:v|vs|versus)\.?\s+|\s+[-–—]\s+", re.IGNORECASE)


class Fit(enum.IntEnum):
    """How well a name fits what was typed; the lower the better."""

    EXACT = 0
    BEGINS = 1
    WORDS = 2
    INSIDE = 3


class Found(msgspec.Struct, frozen=True):
    """What was found: `exact` when there is no doubt, else `hits`, best first; else names that are `near`."""

    exact: Choice | None = None
    hits: tuple[Choice, ...] = ()
    near: tuple[Choice, ...] = ()


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """Letters and digits only: `Saint-Étienne` and `saint etienne` are the same."""
    return " ".join(re.sub(r"[^\w]+", " ", fold(text)).split())


def find(wanted: str, teams: Sequence[Choice], matches: Sequence[Choice]) -> Found:
    """Look among teams and competitions first, and among matches when two teams are named or nothing else fits."""
    pair = _BETWEEN.split(wanted.strip(), maxsplit=1)
    hits = _pairs(pair[0], pair[1], matches) if len(pair) == 2 else ()
    hits = hits or _hits(wanted, teams) or _hits(wanted, matches)
    if not hits:
        return Found(near=_near(wanted, teams))
    best = min(fit for fit, _ in hits)
    sure = [choice for fit, choice in hits if fit is Fit.EXACT] or [c for _, c in hits]
    if len(sure) == 1 and best < Fit.INSIDE:
        return Found(exact=sure[0])
    return Found(hits=tuple(choice for _, choice in sorted(hits, key=lambda hit: (hit[0], _order(hit[1])))))


def fit(wanted: str, name: str) -> Fit | None:
    """Tell how well a name fits; None when it does not."""
    typed, known = plain(wanted), plain(name)
    if not typed:
        return None
    if typed == known:
        return Fit.EXACT
    if known.startswith(typed):
        return Fit.BEGINS
    if _begin(typed.split(), known.split()):
        return Fit.WORDS
    return Fit.INSIDE if len(typed) > 1 and typed in known else None


def _begin(typed: list[str], known: list[str]) -> bool:
    return all(any(word.startswith(piece) for word in known) for piece in typed)


def _hits(wanted: str, choices: Iterable[Choice]) -> tuple[tuple[Fit, Choice], ...]:
    found = ((fit(wanted, choice.name), choice) for choice in choices)
    return tuple((how, choice) for how, choice in found if how is not None)


def _pairs(one: str, other: str, matches: Iterable[Choice]) -> tuple[tuple[Fit, Choice], ...]:
    """Matches of two teams, in either order."""
    found = []
    for choice in matches:
        sides = (choice.fixture.home.name, choice.fixture.away.name) if choice.fixture else ("", "")
        for home, away in (sides, sides[::-1]):
            fits = (fit(one, home), fit(other, away))
            if None not in fits:
                found.append((max(f for f in fits if f is not None), choice))
                break
    return tuple(found)


def _near(wanted: str, choices: Sequence[Choice]) -> tuple[Choice, ...]:
    by_name = {plain(choice.name): choice for choice in choices}
    words = {word: choice for name, choice in by_name.items() for word in name.split() if len(word) > 3}
    close = difflib.get_close_matches(plain(wanted), [*by_name, *words], n=NEAR, cutoff=0.7)
    return tuple(dict.fromkeys((by_name.get(name) or words[name]) for name in close))


def _order(choice: Choice) -> tuple[bool, bool, str]:
    """Competitions before teams of the same fit; matches keep the order of their kick-offs."""
    return (choice.scope is Scope.MATCH, choice.scope is Scope.TEAM, "" if choice.fixture else plain(choice.name))
