"""Finds names by what a person types, among tens of thousands: by beginnings, nicknames, initials, and misspelt."""

from __future__ import annotations

import difflib
import enum
import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from bot.chat.search.nicknames import Nicknames, list_initials, to_core_words, to_search_words
from bot.sharing import Steps, made_in_steps

MAX_SUGGESTIONS = 5
"""Similar names that are offered if nothing fits."""

_LEAST_SIMILARITY = 0.7
"""From 0 to 1, as `difflib` measures it. A name that is less similar is taken for another name and not for a misspelt one."""

_MIN_NICKNAME_PREFIX = 4
"""The shortest beginning of a nickname that finds its team, in letters."""

_MAX_CANDIDATES = 100
"""Names that are compared letter by letter with a misspelt one: those that share the most pairs of letters with it."""

_LEAST_SHARED_PAIRS = 0.3
"""The smallest part of its pairs of letters that a misspelt name shares with the name that is meant."""


class Fit(enum.IntEnum):
    """How well a name fits what was typed; lower is better."""

    EXACT = 0
    NICKNAME = 1
    PREFIX = 2
    WORD_PREFIXES = 3
    INITIALS = 4
    SUBSTRING = 5


def measure_fit(typed: str, name: str) -> Fit | None:
    """Return how well a name fits what was typed; None if it does not."""
    return measure_words_fit(to_search_words(typed), to_search_words(name))


def measure_words_fit(typed: str, known: str) -> Fit | None:
    """Return how well a name fits what was typed, both as `to_search_words` makes them; None if it does not."""
    if not typed:
        return None
    if typed == known:
        return Fit.EXACT
    if known.startswith(typed):
        return Fit.PREFIX
    if all(any(word.startswith(prefix) for word in known.split()) for prefix in typed.split()):
        return Fit.WORD_PREFIXES
    # A single letter is in nearly every name.
    return Fit.SUBSTRING if len(typed) > 1 and typed in known else None


def measure_name_fit(typed: str, name: str, nicknames: Nicknames) -> Fit | None:
    """Return how well a name, or another name of the same team, fits what was typed; None if none does."""
    fit = measure_fit(typed, name)
    core, known = to_core_words(typed), to_core_words(name)
    if fit is Fit.EXACT or not core:
        return fit
    if core == known:
        return Fit.EXACT
    others = nicknames.list_names(name)
    if core in others:
        return Fit.NICKNAME
    fits: list[Fit | None] = [fit]
    # What cannot differ is not measured again.
    if known != to_search_words(name) or core != to_search_words(typed):
        fits.append(measure_fit(core, known))
    if len(core) >= _MIN_NICKNAME_PREFIX and any(other.startswith(core) for other in others):
        fits.append(Fit.WORD_PREFIXES)
    if core in list_initials(name):
        fits.append(Fit.INITIALS)
    return min((one for one in fits if one is not None), default=None)


T = TypeVar("T")


class NameIndex(Generic[T]):
    """Things with their names. Made once for a list of them, so that a search among 40,000 takes some ten milliseconds."""

    def __init__(self, named: Iterable[tuple[T, str, str]], nicknames: Nicknames) -> None:
        """`named`: each thing with its name and, if others share the name, the longer name that distinguishes it; else empty."""
        self._given, self._nicknames = named, nicknames

    def prepare(self) -> Steps[None]:
        """Make everything that a search needs and that its first one would have to make."""
        yield from NameIndex._texts.steps(self)
        yield from NameIndex._by_spelling.steps(self)
        yield from NameIndex._spellings.steps(self)

    @made_in_steps
    def _named(self) -> Steps[tuple[tuple[T, str, str], ...]]:
        named = []
        for one in self._given:
            named.append(one)
            yield
        return tuple(named)

    @made_in_steps
    def _texts(self) -> Steps[tuple[str, ...]]:
        """For each thing, everything that a person may type for it, in one text."""
        texts = []
        for _, name, longer in (yield from NameIndex._named.steps(self)):
            initials = sorted(list_initials(name))
            others = self._nicknames.list_names(name)
            texts.append("\n".join((to_search_words(name), to_search_words(longer), *others, *initials)))
            yield
        return tuple(texts)

    @made_in_steps
    def _by_spelling(self) -> Steps[Mapping[str, T]]:
        """The things by what a misspelt name is compared with: their names, nicknames, and the words of both."""
        names: dict[str, T] = {}
        nicknames: dict[str, T] = {}
        longer_names: dict[str, T] = {}
        for thing, name, longer in (yield from NameIndex._named.steps(self)):
            names[to_search_words(name)] = thing
            nicknames |= dict.fromkeys(self._nicknames.list_names(name), thing)
            if longer:
                longer_names[to_search_words(longer)] = thing
            yield
        found = nicknames | names
        # Single words too, so that "Arsenall" finds "Arsenal Women"; short ones, such as FC, would be similar to too much.
        words: dict[str, T] = {}
        for name, thing in found.items():
            words |= {word: thing for word in name.split() if len(word) > 3}
            yield
        return words | longer_names | found

    @made_in_steps
    def _spellings(self) -> Steps[_SimilarTexts]:
        texts = tuple((yield from NameIndex._by_spelling.steps(self)))
        by_pair: defaultdict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(texts):
            for pair in _split_into_pairs(text):
                by_pair[pair].append(number)
            yield
        return _SimilarTexts(texts, by_pair)

    def find_fitting(self, typed: str) -> tuple[tuple[Fit, T], ...]:
        """Return what fits what was typed, with how well, in the order in which it was given."""
        # Whatever fits has each of these words somewhere in one of its names. Looking for the longest leaves a few of
        # thousands, and only these are measured.
        word = max(to_core_words(typed).split(), key=len, default="")
        if not word:
            return ()
        found = []
        for (thing, name, longer), text in zip(self._named, self._texts, strict=True):
            if word not in text:
                continue
            fits = [measure_name_fit(typed, name, self._nicknames), measure_fit(typed, longer) if longer else None]
            if known := [fit for fit in fits if fit is not None]:
                found.append((min(known), thing))
        return tuple(found)

    def find_similar(self, typed: str) -> tuple[T, ...]:
        """Return the few things whose names are most similar to what was typed, the most similar first."""
        close = self._spellings.find(to_search_words(typed))
        return tuple(dict.fromkeys(self._by_spelling[text] for text in close))


class _SimilarTexts:
    """Finds the texts that are most like one, by the pairs of letters that they share.

    `difflib` alone compares letter by letter: a second for a misspelt name among 40,000 teams, while all chats wait.
    """

    def __init__(self, texts: Sequence[str], by_pair: Mapping[str, Sequence[int]]) -> None:
        """`by_pair`: for each pair of letters, the numbers of the texts that have it."""
        # A plain dictionary: a search must not add pairs that no text has.
        self._texts, self._by_pair = texts, dict(by_pair)

    def find(self, typed: str) -> list[str]:
        """Return the texts that differ from what was typed by a typing mistake or two, the most similar first."""
        pairs, shared = _split_into_pairs(typed), Counter[int]()
        for pair in pairs:
            shared.update(self._by_pair.get(pair, ()))
        least = max(1.0, _LEAST_SHARED_PAIRS * len(pairs))
        # Shared pairs in relation to the lengths: a long name has a few of any pairs.
        scored = ((count / (len(pairs) + len(self._texts[number])), number) for number, count in shared.items() if count >= least)
        candidates = [self._texts[number] for _, number in heapq.nlargest(_MAX_CANDIDATES, scored)]
        return difflib.get_close_matches(typed, candidates, n=MAX_SUGGESTIONS, cutoff=_LEAST_SIMILARITY)


def _split_into_pairs(text: str) -> set[str]:
    """Return the pairs of neighbouring letters, also of the first and of the last one with the space around the text."""
    spaced = f" {text} "
    return {one + other for one, other in itertools.pairwise(spaced)}
