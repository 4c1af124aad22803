"""What action types and their aliases mean; data in `catalogue.yaml`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import yaml

_KEYS_BY_FIELD = {"canonical_pair": "is", "severity": "gravity", "changes_score": "scores", "is_remembered": "key"}
"""What the file calls fields that have a longer name here. Operators write catalogues too, so its keys do not change."""


class ActionType(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename=_KEYS_BY_FIELD):
    """One entry of the catalogue; its keys are explained at the top of `catalogue.yaml`."""

    name: str
    aliases: tuple[str, ...] = ()
    canonical_pair: tuple[str, str] | None = None
    id: int | None = None
    severity: int = 0
    changes_score: bool = False
    disallows: tuple[str, ...] = ()
    is_remembered: bool = False


class CatalogueFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    action_types: tuple[ActionType, ...] = ()
    sub_action_types: tuple[ActionType, ...] = ()


def _catalogue_key(name: str) -> str:
    return " ".join(name.split()).casefold()


def _index_by_name(entries: Iterable[ActionType]) -> dict[str, ActionType]:
    return {_catalogue_key(name): entry for entry in entries for name in (entry.name, *entry.aliases)}


class Catalogue:
    """Answers what a name means. A name it does not know is as good as any other: it keeps its own spelling."""

    def __init__(self, entries: CatalogueFile) -> None:
        self._types = _index_by_name(entries.action_types)
        self._sub_types = _index_by_name(entries.sub_action_types)
        self.action_type_names = tuple(entry.name for entry in entries.action_types if entry.canonical_pair is None)
        self.sub_action_type_names = tuple(entry.name for entry in entries.sub_action_types)

    def resolve_names(self, action_type: str, sub_type: str = "") -> tuple[str, str]:
        """The pair that rules see: (`Own Goal`, ``) is (`Goal`, `Own Goal`)."""
        entry = self._types.get(_catalogue_key(action_type))
        sub = self._sub_types.get(_catalogue_key(sub_type))
        sub_name = sub.name if sub else " ".join(sub_type.split())
        if entry is None:
            return " ".join(action_type.split()), sub_name
        return entry.canonical_pair or (entry.name, sub_name)

    def find_type(self, action_type: str) -> ActionType:
        """What a canonical action type means; for an unknown one, an entry that means nothing in particular."""
        return self._types.get(_catalogue_key(action_type)) or ActionType(action_type)

    def has_type(self, action_type: str) -> bool:
        """Tell whether the action type, or the alias, is in the catalogue."""
        return _catalogue_key(action_type) in self._types

    def has_sub_type(self, sub_type: str) -> bool:
        """Tell whether the sub action type, or the alias, is in the catalogue."""
        return _catalogue_key(sub_type) in self._sub_types

    def extend(self, text: str) -> Catalogue:
        """This catalogue with the entries of another YAML text before its own; raise ValueError where it is not of that shape."""
        more = parse_catalogue(text)
        own = self._to_file()
        return Catalogue(CatalogueFile(own.action_types + more.action_types, own.sub_action_types + more.sub_action_types))

    def _to_file(self) -> CatalogueFile:
        return CatalogueFile(tuple(dict.fromkeys(self._types.values())), tuple(dict.fromkeys(self._sub_types.values())))


def parse_catalogue(text: str) -> CatalogueFile:
    """Read a catalogue file; raise ValueError with one sentence where it is not one."""
    try:
        data: Any = yaml.safe_load(text) or {}
        return msgspec.convert(data, CatalogueFile)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ValueError(f"this is not a catalogue of action types: {error}") from error


@cache
def load_catalogue() -> Catalogue:
    """The catalogue that ships with Touchline."""
    return Catalogue(parse_catalogue(files("rules").joinpath("football", "catalogue.yaml").read_text(encoding="utf-8")))
