"""Builds the JSON Schemas of `config.yaml`, rules, tests and scenarios, by which editors complete and check them."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from bot.config.models import (
    ConfigSections,
    ConfiguredChat,
    FeedSettings,
    HttpSettings,
    ScheduleSettings,
    StorageSettings,
    TelegramSettings,
    TlsSettings,
)
from bot.config.values import BOOLEAN_SCHEMA, DURATION_SCHEMA, TEXT_SCHEMA, JsonSchema, allow_variable, mapping_schema
from rules.engine.alert import LIVE_MESSAGE_KINDS, SHIPPED_KINDS, Importance
from rules.engine.text import LANGUAGE_CODES, TEXT_VARIABLES
from rules.football.action import Side
from rules.football.catalogue import load_catalogue
from rules.football.statuses import COVERAGE_LEVELS
from rules.loading.conditions import CONDITION_DESCRIPTIONS, CONDITIONS, PERIOD_NAMES, RULE_SEND_TYPES, SCORE_VALUES
from rules.loading.expected_names import NAMED_BY_ID
from rules.loading.loader import list_packs
from rules.scenarios.parser import SCENARIO_KEYS
from rules.scenarios.scenario import SCENARIO_KINDS

_SECTION_MODELS: tuple[type[BaseModel], ...] = (
    ConfigSections,
    FeedSettings,
    TelegramSettings,
    ScheduleSettings,
    StorageSettings,
    HttpSettings,
    TlsSettings,
    ConfiguredChat,
)

_BOUND_KEYWORDS = {"ge": "minimum", "le": "maximum"}


def build_schema() -> dict[str, Any]:
    """Build the schema of the whole file."""
    # pydantic gives the sections and their types. What it does not know is added: the rules, and how the file writes durations
    # and variables.
    whole = ConfigSections.model_json_schema()
    parts = whole.pop("$defs")
    for model in _SECTION_MODELS:
        _simplify_properties(whole if model is ConfigSections else parts[model.__name__], model)
    # Suggested and not required: an operator's own rules may have other kinds, and the schema knows no rules.
    parts["ConfiguredChat"]["properties"]["kinds"]["anyOf"][0]["items"] = {
        "anyOf": [{"enum": [*SHIPPED_KINDS, *LIVE_MESSAGE_KINDS]}, {"type": "string"}]
    }
    return {
        # Draft 7, because the YAML plugins of common editors do not know a later one.
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Touchline",
        "description": "The configuration of Touchline, a Telegram bot for live football.",
        "type": "object",
        "additionalProperties": False,
        "patternProperties": _EXTRA_KEYS,
        "properties": whole["properties"] | build_file_schema(),
        "definitions": parts | build_rule_schemas(),
    }


_EXTRA_KEYS: JsonSchema = {"^x-": {"description": "Whatever you like: a place for anchors (&name) that aliases (*name) use."}}
"""The keys that `leave_out_extras` leaves out."""


def build_rules_file_schema() -> dict[str, Any]:
    """Build the schema of a file that `include:` names: rules and texts, without the sections of a configuration."""
    whole = _build_whole("Rules of Touchline", build_file_schema(), build_rule_schemas(), patterns=_EXTRA_KEYS)
    # A file of rules may also be the list alone.
    return whole | {"type": ["object", "array"], "items": _make_reference("rule")}


def build_scenario_schema() -> dict[str, Any]:
    """Build the schema of a scenario."""
    return _build_whole("A match for Touchline, in a few lines", _build_scenario_keys(), {}, needs=("match",))


def build_tests_schema() -> dict[str, Any]:
    """Build the schema of a file of rule tests."""
    kinds = _add_description("Only these kinds; every alert if left out.", _allow_list(_suggest_words(SHIPPED_KINDS)))
    expected = {
        "anyOf": [
            {"type": "string", "pattern": _EXPECTATION_PATTERN},
            # `88' goal: Saka` is a mapping to YAML.
            {"type": "object", "minProperties": 1, "maxProperties": 1, "patternProperties": {_EXPECTATION_PATTERN: {}},
             "additionalProperties": False},
        ]
    }  # fmt: skip
    test = mapping_schema(
        _build_scenario_keys()
        | {
            "name": _add_description("What the test is called.", _WORD_SCHEMA),
            "kinds": kinds,
            "expect": _add_description(
                "The messages as a chat has them in the end: 88' goal (NAME OF THE RULE) retracted loud: words of its text. "
                "[] for none.",
                {"type": "array", "items": expected},
            ),
        },
        needs=("match", "expect"),
    )
    keys = {
        "rules": _add_description("The configuration whose rules are tested, relative to this file.", TEXT_SCHEMA),
        "pack": _add_description("Or a pack that ships.", {"enum": list(list_packs())}),
        "kinds": kinds,
        "tests": {"type": "array", "items": test},
    }
    return _build_whole("Tests of rules for Touchline", keys, {}, needs=("tests",))


_EXPECTATION_PATTERN = r"^\s*(\d[\d+]*' )?\w+( \(.+\))?(,? (pending|confirmed|retracted))?(,? (loud|silent))?(: .*)?\s*$"


def _build_scenario_keys() -> dict[str, JsonSchema]:
    # The longest first: a pattern takes the first word that fits, which may be the beginning of a longer one.
    words = "|".join(sorted(SCENARIO_KINDS, key=len, reverse=True))
    shapes = {
        "match": _add_description("HOME v AWAY.", {"type": "string", "pattern": r"\S v \S"}),
        "competition": _add_description("The name of the competition.", _WORD_SCHEMA),
        "kickoff": _add_description("Such as 2026-08-15T14:00:00Z.", TEXT_SCHEMA),
        "venue": _add_description("The name of the ground.", _WORD_SCHEMA),
        "events": _add_description(
            "In the order of the match: 88' goal NAME (TEAM), DETAILS.",
            {"type": "array", "items": {"type": "string", "pattern": rf"^\s*\d[\d+]*'\s+(?:{words})\b"}},
        ),
        "listings": _add_description(
            "What changes in the list of fixtures before the match, in order: 11:40 kick-off 15:30, or 11:40 venue NAME (UTC).",
            {
                "type": "array",
                "items": {"type": "string", "pattern": r"^\s*\d[-\d:T+Z.]*\s+([Kk]ick-?off\s+\d\S*|venue\s+\S.*)$"},
            },
        ),
        "lineups": _add_description(
            "A line for each team: Arsenal (4-3-3) 22 Raya, 8 Ødegaard (c); 53 Nwaneri.", {"type": "array", "items": TEXT_SCHEMA}
        ),
        "shootout": _add_description(
            "Kicks in order: NAME (TEAM) scored, or saved, or missed.",
            {"type": "array", "items": {"type": "string", "pattern": r"\) (scored|saved|missed)\s*$"}},
        ),
    }
    # From the list of keys: a new one is in the schema by itself.
    return {key: shapes.get(key, {}) for key in SCENARIO_KEYS}


def _build_whole(
    title: str,
    keys: dict[str, JsonSchema],
    definitions: dict[str, JsonSchema],
    *,
    needs: tuple[str, ...] = (),
    patterns: JsonSchema | None = None,
) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "properties": keys,
        "definitions": definitions,
    }
    return whole | ({"required": list(needs)} if needs else {}) | ({"patternProperties": patterns} if patterns else {})


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "config": build_schema,
    "rules": build_rules_file_schema,
    "tests": build_tests_schema,
    "scenarios": build_scenario_schema,
}
"""By the name of a kind of file, what builds its schema."""


def format_schema(made: dict[str, Any]) -> str:
    """Format the schema as it is printed and stored in docs/config.schema.json, where draft 7 has another key for definitions."""
    return json.dumps(made, indent=2, ensure_ascii=False).replace("#/$defs/", "#/definitions/") + "\n"


def _simplify_properties(shape: dict[str, Any], model: type[BaseModel]) -> None:
    """Drop titles, write defaults as in the file, and put bounds where editors look for them."""
    shape.pop("title", None)
    for name, field in model.model_fields.items():
        value = shape["properties"][name]
        value.pop("title", None)
        if "$ref" in value:  # draft 7 ignores keywords beside a reference
            value |= {"description": field.description, "allOf": [{"$ref": value.pop("$ref")}]}
        if isinstance(field.default, dt.timedelta):
            value["default"] = format_duration(field.default)  # pydantic would write ISO 8601: PT15M
        # A section's own keys show their defaults; of an empty default there is nothing to show.
        elif isinstance(field.default, BaseModel) or value.get("default") in ("", None, []):
            value.pop("default", None)
        # pydantic puts bounds into a type that `with_schema` replaces.
        for bound in field.metadata:
            value |= {_BOUND_KEYWORDS[key]: getattr(bound, key) for key in _BOUND_KEYWORDS if hasattr(bound, key)}


def format_duration(time: dt.timedelta) -> str:
    """Format a duration such as `15m`, `1h30m` or `14d`."""
    seconds = int(time.total_seconds())
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


_MINUTE_SCHEMA: JsonSchema = {
    "anyOf": [{"type": "integer", "minimum": 0, "maximum": 999}, {"type": "string", "pattern": r"^\d{1,3}(\+\d{1,2})?'?$"}]
}

_GOALS_SCHEMA: JsonSchema = {"type": "integer", "minimum": 0, "maximum": 999}

_WORD_SCHEMA: JsonSchema = {"type": ["string", "number"]}

_TEXT_SCHEMAS: list[JsonSchema] = [_WORD_SCHEMA, mapping_schema(dict.fromkeys(LANGUAGE_CODES, TEXT_SCHEMA), minProperties=1)]
"""One text, or one for each language."""

_TEXT_DESCRIPTION = "Telegram's HTML; {{ … }} is filled in: " + ", ".join(TEXT_VARIABLES) + "."


def build_file_schema() -> dict[str, JsonSchema]:
    """Build the schemas of the keys beside the sections."""
    pack = {"enum": list(list_packs())}
    return {
        "extends": _add_description(
            "The packs whose rules come after those of this file. A rule of the same name replaces the pack's.", _allow_list(pack)
        ),
        "include": _add_description(
            "More files of rules, such as rules.d/*.yaml; they come after the rules of this file.", _allow_list(TEXT_SCHEMA)
        ),
        "texts": _add_description(
            "Texts that several rules use by their name.", {"type": "object", "additionalProperties": {"anyOf": _TEXT_SCHEMAS}}
        ),
        "rules": _add_description(
            "Evaluated from top to bottom, until one fires.", {"type": "array", "items": _make_reference("rule")}
        ),
    }


def build_rule_schemas() -> dict[str, JsonSchema]:
    """Build the schemas of the parts of a rule."""
    return {
        "rule": _build_rule_schema(),
        "match": _build_match_schema(),
        "alert": _build_alert_schema(),
        _ACTION_TYPE_NAME: _build_action_type_name(),
    }


def _build_rule_schema() -> JsonSchema:
    keys = {
        "name": _add_description("The name of the rule, unique in all files.", _WORD_SCHEMA),
        "match": _add_description("The conditions: every line must hold.", _make_reference("match")),
        "alert": _add_description("What is sent.", _make_reference("alert")),
        "continue": _add_description(
            "true: the rules below are evaluated too when this one fires.", allow_variable(BOOLEAN_SCHEMA), default=False
        ),
    }
    return mapping_schema(keys, needs=("name", "match", "alert"), description="When this happens, send that to the chats.")


def _build_match_schema() -> JsonSchema:
    # From the table of conditions: a new one is in the schema by itself, as a name or a list of names unless `_CONDITION_SCHEMAS`
    # has it.
    shapes = {key: _CONDITION_SCHEMAS.get(key) or _allow_names(_WORD_SCHEMA, has_id=key in NAMED_BY_ID) for key in CONDITIONS}
    keys = {key: _add_description(CONDITION_DESCRIPTIONS[key], shape) for key, shape in shapes.items()}
    group = _make_reference("match")
    groups = {"anyOf": [group, {"type": "array", "items": group, "minItems": 1}]}
    keys["any"] = _add_description("At least one of these groups holds.", groups)
    keys["all"] = _add_description("All of these groups hold.", groups)
    keys["not"] = _add_description("This group does not hold.", {"anyOf": [group]})
    return mapping_schema(keys)


def _build_alert_schema() -> JsonSchema:
    keys = {
        "kind": _add_description(
            "What a chat switches on and off with /alerts.", _suggest_words(SHIPPED_KINDS) | {"pattern": "^[A-Za-z0-9_]{1,32}$"}
        ),
        "importance": _add_description("major is sent with sound, minor silently.", {"enum": [*Importance]}, default="major"),
        "max_age": _add_description(
            "An alert that is older than this when it could be sent is not sent.", allow_variable(DURATION_SCHEMA), default="5m"
        ),
        "text": _add_description(
            _TEXT_DESCRIPTION,
            {
                "anyOf": [
                    *_TEXT_SCHEMAS,
                    mapping_schema({"use": _add_description("One of `texts`.", _WORD_SCHEMA)}, needs=("use",)),
                ]
            },
        ),
    }
    return mapping_schema(keys, needs=("kind", "text"))


def _add_description(description: str, shape: JsonSchema, **more: Any) -> JsonSchema:
    """Add a description to a schema; a reference is wrapped, as draft 7 ignores keywords beside it."""
    return {"description": description, **more, **({"allOf": [shape]} if "$ref" in shape else shape)}


def _make_reference(name: str) -> JsonSchema:
    return {"$ref": f"#/definitions/{name}"}


def _suggest_words(words: tuple[str, ...]) -> JsonSchema:
    """Suggest these words, and allow others."""
    return {"anyOf": [{"enum": list(words)}, TEXT_SCHEMA]}


def _allow_list(shape: JsonSchema) -> JsonSchema:
    return {"anyOf": [shape, {"type": "array", "items": shape, "minItems": 1}]}


def _allow_names(shape: JsonSchema, *, has_id: bool = False) -> JsonSchema:
    """Allow a name, a list of names, `{id: …}` of either where it has one, or `{not: …}` of any of these."""
    names = _allow_list(shape)
    if has_id:
        names = {"anyOf": [*names["anyOf"], mapping_schema({"id": names}, needs=("id",))]}
    return {"anyOf": [*names["anyOf"], mapping_schema({"not": names}, needs=("not",))]}


_ACTION_TYPE_NAME = "actionTypeName"


def _build_action_type_name() -> JsonSchema:
    """Return the schema of one action type: names of the catalogue and their aliases, in any letter case.

    `touchline check` warns of any other name, since a newer feed may send it; an editor can only mark it.
    """
    catalogue = load_catalogue()
    # JavaScript's patterns, which editors use, have no way to ignore letter case.
    spellings = "|".join(
        "".join(f"[{letter.upper()}{letter.lower()}]" if letter.isalpha() else re.escape(letter) for letter in name)
        for name in catalogue.all_type_names
    )
    return {
        "anyOf": [
            {"enum": list(catalogue.action_type_names)},
            {
                "type": "string",
                "pattern": rf"^\s*({spellings})\s*$",
                "patternErrorMessage": "no action type that Touchline knows: the rule waits for a feed that sends it",
            },
        ]
    }


# Looser than `RangeReader`: an editor that marks what `touchline check` accepts does more harm than one that misses a mistake.
_RANGE_PATTERN = r"^\s*(([<>]=?|=|≥|≤|[a-z ]+)\s*)?\d[\d+' ]*((-|–|\.\.|to)\s*\d[\d+' ]*)?\+?\s*$"


def _allow_range(shape: JsonSchema) -> JsonSchema:
    """Allow a number, a range as people write it, or `{from, to}`, whose ends have a shape."""
    # One schema with several types and no `anyOf`: of that, editors say nothing but that no alternative fits.
    ends = mapping_schema({"from": shape, "to": shape}, minProperties=1)
    return ends | {
        "type": ["integer", "string", "object"],
        "minimum": 0,
        "maximum": 999,
        "pattern": _RANGE_PATTERN,
        "patternErrorMessage": "a range is written 80-90, >80, <= 1, 90+, or {from: 80, to: 90}",
    }


_CONDITION_SCHEMAS: dict[str, JsonSchema] = {
    "action_type": _allow_names({"$ref": f"#/definitions/{_ACTION_TYPE_NAME}"}),
    "sub_action_type": _allow_names(_suggest_words(load_catalogue().sub_action_type_names)),
    "send_type": _allow_names({"enum": [one.value for one in RULE_SEND_TYPES]}),
    "side": _allow_names({"enum": [*Side]}),
    "period": _allow_names({"enum": list(PERIOD_NAMES)}),
    "minute": _allow_range(_MINUTE_SCHEMA),
    "score": mapping_schema({key: _allow_range(_GOALS_SCHEMA) for key in SCORE_VALUES}, minProperties=1),
    "first": BOOLEAN_SCHEMA,
    "hat_trick": BOOLEAN_SCHEMA,
    "comeback": BOOLEAN_SCHEMA,
    "coverage": _allow_names(_suggest_words(COVERAGE_LEVELS)),
    "delayed": BOOLEAN_SCHEMA,
}
