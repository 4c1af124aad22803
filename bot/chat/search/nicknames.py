"""Other names of teams and competitions: nicknames, short forms, initials, and national teams in every language."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, cached_property, lru_cache
from pathlib import Path

import yaml

from bot.i18n.football import load_team_names
from rules.engine.text import LANGUAGES
from rules.football.names import normalise

NICKNAMES_FILE = Path(__file__).with_name("nicknames.yaml")

_CLUB_WORDS = frozenset(["fc", "cf", "afc", "ac", "sc", "fk", "sk", "cd", "ud", "bc", "bk", "if", "kv", "ssc", "the", "club"])
"""Words that people add to a club's name or leave out."""

_SMALL_WORDS = frozenset(["de", "da", "do", "del", "della", "of", "the", "and", "e", "et", "y", "und", "la", "le"])
"""Words that initials leave out: OM for Olympique de Marseille."""

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "ß": "ss"})

_MIN_INITIALS, _MAX_INITIALS = 2, 5

_MAX_CACHED_NAMES = 32_768
"""More than the names of a season: each search goes through all of them in order, and a smaller cache would drop each name
before the next search needs it."""


@lru_cache(maxsize=65_536)
def to_search_words(text: str) -> str:
    """Reduce a name to words of letters and digits: `Saint-Étienne` and `saint etienne` are the same."""
    return " ".join(re.sub(r"[^\w]+", " ", normalise(text)).split())


@lru_cache(maxsize=_MAX_CACHED_NAMES)
def to_core_words(text: str) -> str:
    """Reduce a name to search words without FC, AC and the like, unless nothing else is left."""
    words = to_search_words(text).split()
    return " ".join([word for word in words if word not in _CLUB_WORDS] or words)


@lru_cache(maxsize=_MAX_CACHED_NAMES)
def list_initials(name: str) -> frozenset[str]:
    """Return the initials by which a name may be known, with and without its small words: psg; om, odm."""
    words = to_search_words(name).split()
    choices = (words, [word for word in words if word not in _SMALL_WORDS], to_core_words(name).split())
    found = ("".join(word[0] for word in some) for some in choices)
    return frozenset(one for one in found if _MIN_INITIALS <= len(one) <= _MAX_INITIALS)


class Nicknames:
    """Groups of names that mean the same. Whichever of them the feed writes, all others find it."""

    def __init__(self, own: Mapping[str, Sequence[str]] | None = None) -> None:
        """`own` are an operator's, by a name of the feed; they come beside those that the program knows."""
        self._own = own or {}
        self._known: dict[str, tuple[str, ...]] = {}

    @cached_property
    def _groups(self) -> dict[str, set[str]]:
        """All names of a team or competition, by the core words of each. Read at the first search, so as not to delay a start."""
        first: dict[str, set[str]] = defaultdict(set)
        later: dict[str, list[set[str]]] = defaultdict(list)
        for group in (*load_shipped_groups(), *((name, *others) for name, others in self._own.items())):
            names = [to_core_words(name) for name in group]
            first[names[0]] |= set(names)
            for name in names[1:]:
                later[name].append(set(names))
        # The first name of a group is the team's own, and wins over the same nickname of others: Inter, not Internacional.
        # A nickname of several teams (La Roja) leads to none of them, since the feed would not use it as a name.
        return {name: found[0] for name, found in later.items() if len(found) == 1} | first

    def list_names(self, name: str) -> tuple[str, ...]:
        """Return the other names of what the feed calls by this name, in core words."""
        # Cached without a limit: it is called for every team at every search, and there are only as many names as teams.
        if name not in self._known:
            core = to_core_words(name)
            # A national team has a name in every language.
            translations = (load_team_names(language).get(name) for language in LANGUAGES)
            others = {to_core_words(one) for one in translations if one}
            # A keyboard without umlauts writes Koeln. Only for such names, or the cache of core words would be too small.
            if (without_umlauts := name.casefold().translate(_UMLAUTS)) != name.casefold():
                others.add(to_core_words(without_umlauts))
            self._known[name] = tuple(sorted((others | self._groups.get(core, set())) - {core}))
        return self._known[name]


@cache
def load_shipped_groups() -> tuple[tuple[str, ...], ...]:
    """Read the groups of names that come with the program."""
    # The loader written in C, where PyYAML has it: the file has 1,300 names, and somebody waits for an answer.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    groups = yaml.load(NICKNAMES_FILE.read_text(encoding="utf-8"), loader)  # noqa: S506  # safe, as its name says
    return tuple(tuple(str(name) for name in group) for group in groups)


@cache
def load_shipped_nicknames() -> Nicknames:
    """Return the nicknames that come with the program."""
    return Nicknames()
