"""What action types and their aliases mean; the data is in `catalogue.yaml`.

Names are data because the feed's own table of action types could not be read, and its samples spell them in several ways
(feed documentation, sections 5 and 14).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

# The C reader is several times faster, and not in every installation of PyYAML.
_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_KEYS_BY_FIELD = {
    "canonical_pair": "is",
    "pairs_by_sub_type": "by_sub_type",
    "severity": "gravity",
    "changes_score": "scores",
    "is_remembered": "key",
    "may_repeat": "repeats",
    "belongs_to": "of",
}
"""What the file calls fields that have a longer name here. Operators write catalogues too, so its keys do not change."""


class ActionType(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename=_KEYS_BY_FIELD):
    """One entry of the catalogue; the top of `catalogue.yaml` explains its keys."""

    name: str
    aliases: tuple[str, ...] = ()
    canonical_pair: tuple[str, str] | None = None
    pairs_by_sub_type: Mapping[str, tuple[str, str]] = {}
    id: int | None = None
    severity: int = 0
    changes_score: bool = False
    disallows: tuple[str, ...] = ()
    is_remembered: bool = False
    may_repeat: bool = False
    belongs_to: tuple[str, ...] = ()
    """Of a sub action type: the action types that it comes with; empty where that is not known."""


class CatalogueFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole catalogue file."""

    action_types: tuple[ActionType, ...] = ()
    sub_action_types: tuple[ActionType, ...] = ()


class Catalogue:
    """Looks action types and sub action types up by name or alias. An unknown name is valid and keeps its own spelling."""

    def __init__(self, entries: CatalogueFile) -> None:
        self._types = _index_by_name(entries.action_types)
        self._sub_types = _index_by_name(entries.sub_action_types)
        self.action_type_names = tuple(entry.name for entry in entries.action_types if entry.canonical_pair is None)
        self.sub_action_type_names = tuple(entry.name for entry in entries.sub_action_types)
        self.all_type_names = _list_all_names(entries.action_types)
        """With aliases and with names that mean another pair, to find misspelt ones."""
        self.all_sub_type_names = _list_all_names(entries.sub_action_types)

    def resolve_names(self, action_type: str, sub_type: str = "") -> tuple[str, str]:
        """Return the canonical pair of names, which rules compare: (`Own Goal`, ``) becomes (`Goal`, `Own Goal`)."""
        entry = self._types.get(_make_key(action_type))
        sub = self._sub_types.get(_make_key(sub_type))
        # The sub type first: a pair of the catalogue is looked up by its canonical name, also where the feed sends an alias.
        sub_name = sub.name if sub else " ".join(sub_type.split())
        if entry is None:
            return " ".join(action_type.split()), sub_name
        # `Own Goal` means its pair whatever the sub type says: the pair has one of its own.
        return entry.canonical_pair or entry.pairs_by_sub_type.get(sub_name) or (entry.name, sub_name)

    def may_repeat(self, action_type: str) -> bool:
        """Return True if the feed may report the same thing by a second action. `action_type` is the feed's own spelling."""
        entry = self._types.get(_make_key(action_type))
        return entry is not None and entry.may_repeat

    def find_type(self, action_type: str) -> ActionType:
        """Return the entry of a canonical action type; for an unknown one an entry with no special meaning."""
        return self._types.get(_make_key(action_type)) or ActionType(action_type)

    def has_type(self, action_type: str) -> bool:
        """Return True if the catalogue has the action type or alias."""
        return _make_key(action_type) in self._types

    def has_sub_type(self, sub_type: str) -> bool:
        """Return True if the catalogue has the sub action type or alias."""
        return _make_key(sub_type) in self._sub_types

    def list_types_of(self, sub_type: str) -> tuple[str, ...]:
        """Return the action types that a sub action type comes with; empty where that is not known."""
        entry = self._sub_types.get(_make_key(sub_type))
        return entry.belongs_to if entry else ()

    def extend(self, text: str) -> Catalogue:
        """Return this catalogue with the entries of a YAML text added. Raises ValueError if the text is not a catalogue.

        An added entry replaces one of the same name.
        """
        more = parse_catalogue(text)
        # The index keeps the last entry of a name, so the added entries come after ours.
        types = (*{entry.name: entry for entry in self._types.values()}.values(), *more.action_types)
        sub_types = (*{entry.name: entry for entry in self._sub_types.values()}.values(), *more.sub_action_types)
        return Catalogue(CatalogueFile(types, sub_types))


def _list_all_names(entries: Iterable[ActionType]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for entry in entries for name in (entry.name, *entry.aliases)))


def _index_by_name(entries: Iterable[ActionType]) -> dict[str, ActionType]:
    """Return the entries by each of their names; of two entries with one name the last."""
    return {_make_key(name): entry for entry in entries for name in (entry.name, *entry.aliases)}


# The feed and the rules use few words again and again.
@lru_cache(maxsize=4096)
def _make_key(name: str) -> str:
    return " ".join(name.split()).casefold()


def parse_catalogue(text: str) -> CatalogueFile:
    """Read a catalogue file. Raises ValueError with one sentence if it is not one."""
    try:
        data: Any = yaml.load(text, Loader=_FAST_LOADER) or {}  # noqa: S506  # a safe loader
        return msgspec.convert(data, CatalogueFile)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ValueError(f"this is not a catalogue of action types: {error}") from error


# Both are read once: every packet and every rule is resolved by the catalogue, which never changes.
@cache
def load_catalogue() -> Catalogue:
    """Return the catalogue that ships with Touchline."""
    return Catalogue(load_catalogue_file())


@cache
def load_catalogue_file() -> CatalogueFile:
    """Return the entries of the catalogue that ships with Touchline, in their order."""
    return parse_catalogue(Path(__file__).with_name("catalogue.yaml").read_text(encoding="utf-8"))
