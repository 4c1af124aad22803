"""The JSON Schema of `config.yaml`, for editors: the sections from their models, the rules from the words of the language."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from pydantic import BaseModel

from bot.commands.rules_schema import definitions, file_keys
from bot.settings import Feed, FixedChat, Http, Schedule, Settings, Storage, Telegram
from rules.alert import EXTRAS, KINDS

_MODELS: tuple[type[BaseModel], ...] = (Settings, Feed, Telegram, Schedule, Storage, Http, FixedChat)
_BOUNDS = {"ge": "minimum", "le": "maximum"}


def schema() -> dict[str, Any]:
    """The whole file's schema."""
    whole = Settings.model_json_schema()
    parts = whole.pop("$defs")
    for model in _MODELS:
        _tidy(whole if model is Settings else parts[model.__name__], model)
    parts["FixedChat"]["properties"]["kinds"]["anyOf"][0]["items"] = {"anyOf": [{"enum": [*KINDS, *EXTRAS]}, {"type": "string"}]}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Touchline",
        "description": "The configuration of Touchline, a Telegram bot for live football.",
        "type": "object",
        "additionalProperties": False,
        "properties": whole["properties"] | file_keys(),
        "definitions": parts | definitions(),
    }


def text(made: dict[str, Any]) -> str:
    """As it is printed and kept in docs/config.schema.json."""
    return json.dumps(made, indent=2, ensure_ascii=False).replace("#/$defs/", "#/definitions/") + "\n"


def _tidy(shape: dict[str, Any], model: type[BaseModel]) -> None:
    """Keys have no titles, defaults stand as one writes them, bounds where an editor looks for them."""
    shape.pop("title", None)
    for name, field in model.model_fields.items():
        value = shape["properties"][name]
        value.pop("title", None)
        if "$ref" in value:  # words beside a reference are not read
            value |= {"description": field.description, "allOf": [{"$ref": value.pop("$ref")}]}
        if isinstance(field.default, dt.timedelta):
            value["default"] = written(field.default)
        elif isinstance(field.default, BaseModel) or value.get("default") in ("", None, []):
            value.pop("default", None)
        for bound in field.metadata:
            value |= {_BOUNDS[key]: getattr(bound, key) for key in _BOUNDS if hasattr(bound, key)}


def written(time: dt.timedelta) -> str:
    """`15m`, `1h30m`, `14d`."""
    seconds = int(time.total_seconds())
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"
