"""How values look to an editor: pieces of JSON Schema. Any value may also be `${VARIABLE}`."""

from __future__ import annotations

from typing import Any

from pydantic import WithJsonSchema

Shape = dict[str, Any]

VARIABLE: Shape = {"type": "string", "pattern": r"\$\{[A-Za-z_]\w*(:-.*)?\}"}
DURATION: Shape = {"type": "string", "pattern": r"^(?=\d)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"}
TEXT: Shape = {"type": "string"}
WHOLE: Shape = {"type": "integer"}
FLAG: Shape = {"type": "boolean"}
URL_OR_NULL: Shape = {"type": ["string", "null"]}
KINDS: Shape = {"type": "array", "items": {"type": "string", "pattern": r"^[A-Za-z0-9_]{1,32}$"}, "minItems": 1}
NAME: Shape = {"type": ["string", "integer"]}


def mapping(keys: dict[str, Shape], *, needs: tuple[str, ...] = (), **more: Any) -> Shape:
    """A mapping with these keys and no others."""
    needed = {"required": list(needs)} if needs else {}
    return {"type": "object", "properties": keys, **needed, "additionalProperties": False, **more}


SUBSCRIPTION: Shape = {
    "anyOf": [
        {"const": "all"},
        *(mapping({key: NAME, "kinds": KINDS}, needs=(key,)) for key in ("team", "competition", "match")),
    ],
}


def or_variable(shape: Shape) -> Shape:
    """The same, or a variable; a text may hold one in any case."""
    return shape if shape == TEXT else {"anyOf": [shape, VARIABLE]}


def shown(shape: Shape) -> WithJsonSchema:
    """What editors are told of one value."""
    return WithJsonSchema(or_variable(shape))


def one_or_several(shape: Shape) -> WithJsonSchema:
    """What editors are told of one value or a list of them."""
    return WithJsonSchema({"anyOf": [shape, {"type": "array", "items": shape, "minItems": 1}]})
