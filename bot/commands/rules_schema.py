"""The part of the JSON Schema that is about rules; its descriptions are those of the conditions themselves."""

from __future__ import annotations

import inspect
from typing import Any

from bot.shapes import DURATION, FLAG, TEXT, Shape, mapping, or_variable
from rules.action import Side
from rules.alert import KINDS, Importance
from rules.catalogue import shipped
from rules.conditions import CONDITIONS, PERIODS, SCORES, TOLD
from rules.load import packs
from rules.template import VARIABLES
from rules.wording import LANGUAGES

_MINUTE: Shape = {
    "anyOf": [{"type": "integer", "minimum": 0, "maximum": 999}, {"type": "string", "pattern": r"^\d{1,3}(\+\d{1,2})?'?$"}]
}
_GOALS: Shape = {"type": "integer", "minimum": 0, "maximum": 999}
_WORD: Shape = {"type": ["string", "number"]}
_SAID: list[Shape] = [_WORD, mapping(dict.fromkeys(LANGUAGES, TEXT), minProperties=1)]
"""One text, or one for each language."""
_HTML = "Telegram's HTML; {{ … }} is filled in: " + ", ".join(VARIABLES) + "."


def file_keys() -> dict[str, Shape]:
    """The keys that stand beside the sections."""
    pack = {"enum": list(packs())}
    return {
        "extends": _said(
            "The packs whose rules come after those of this file; one of the same name replaces the pack's.", _one_or_more(pack)
        ),
        "include": _said("More files of rules, such as rules.d/*.yaml, asked after those below.", _one_or_more(TEXT)),
        "texts": _said(
            "Texts that several rules use by their name.", {"type": "object", "additionalProperties": {"anyOf": _SAID}}
        ),
        "rules": _said("Asked from top to bottom; the first that fires ends the walk.", {"type": "array", "items": _ref("rule")}),
    }


def definitions() -> dict[str, Shape]:
    """What a rule is made of."""
    return {"rule": _rule(), "match": _match(), "alert": _alert()}


def _rule() -> Shape:
    keys = {
        "name": _said("Your own word for the rule, once in all files.", _WORD),
        "match": _said("What has to be so: every line must hold.", _ref("match")),
        "alert": _said("What is told.", _ref("alert")),
        "continue": _said("true: the rules below are asked too.", or_variable(FLAG), default=False),
    }
    return mapping(keys, needs=("name", "match", "alert"), description="When this happens, tell the chats that.")


def _match() -> Shape:
    shapes = {key: _SHAPES.get(key) or _names(_WORD) for key in CONDITIONS}
    keys = {key: _said(_described(key), shape) for key, shape in shapes.items()}
    group = _ref("match")
    groups = {"anyOf": [group, {"type": "array", "items": group, "minItems": 1}]}
    keys["any"] = _said("At least one of these groups holds.", groups)
    keys["all"] = _said("All of these groups hold.", groups)
    keys["not"] = _said("This group does not hold.", {"anyOf": [group]})
    return mapping(keys)


def _alert() -> Shape:
    keys = {
        "kind": _said("What a chat switches on and off with /alerts.", _known(KINDS) | {"pattern": "^[A-Za-z0-9_]{1,32}$"}),
        "importance": _said("major rings, minor is delivered silently.", {"enum": [*Importance]}, default="major"),
        "max_age": _said("Older than this when it could be sent, it is not news any more.", or_variable(DURATION), default="5m"),
        "text": _said(_HTML, {"anyOf": [*_SAID, mapping({"use": _said("One of `texts`.", _WORD)}, needs=("use",))]}),
    }
    return mapping(keys, needs=("kind", "text"))


def _described(key: str) -> str:
    return (inspect.getdoc(CONDITIONS[key]) or "").partition("\n")[0]


def _said(description: str, shape: Shape, **more: Any) -> Shape:
    """The shape with its description; a reference is wrapped, as words beside one are not read."""
    return {"description": description, **more, **({"allOf": [shape]} if "$ref" in shape else shape)}


def _ref(name: str) -> Shape:
    return {"$ref": f"#/definitions/{name}"}


def _known(words: tuple[str, ...]) -> Shape:
    """These are offered, others are taken."""
    return {"anyOf": [{"enum": list(words)}, TEXT]}


def _one_or_more(shape: Shape) -> Shape:
    return {"anyOf": [shape, {"type": "array", "items": shape, "minItems": 1}]}


def _names(shape: Shape) -> Shape:
    """A name, a list of names, or `{not: …}` of either."""
    names = _one_or_more(shape)
    return {"anyOf": [*names["anyOf"], mapping({"not": names}, needs=("not",))]}


def _range(shape: Shape) -> Shape:
    return {"anyOf": [shape, mapping({"from": shape, "to": shape}, minProperties=1)]}


_SHAPES: dict[str, Shape] = {
    "action_type": _names(_known(shipped().action_types)),
    "sub_action_type": _names(_known(shipped().sub_action_types)),
    "send_type": _names({"enum": [one.value for one in TOLD]}),
    "side": _names({"enum": [*Side]}),
    "period": _names({"enum": list(PERIODS)}),
    "minute": _range(_MINUTE),
    "score": mapping({key: _range(_GOALS) for key in SCORES}, minProperties=1),
    "first": FLAG,
    "hat_trick": FLAG,
    "comeback": FLAG,
}
