"""The JSON Schema that editors use agrees with what is read."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.config.json_schema import build_schema, format_duration, format_schema
from bot.config.load import KEYS
from bot.config.models import ConfigSections
from rules.loading.loader import list_packs
from rules.loading.rule_keys import ALERT_KEYS, RULE_KEYS
from rules.loading.rule_keys import MATCH_KEYS as CONDITION_KEYS
from rules.loading.values import parse_duration

ROOT = Path(__file__).parents[3]
RULE = "rules: [{name: a, match: {%s}, alert: {kind: goal, text: x}}]"


class _Plain(yaml.SafeLoader):
    """Reads YAML as editors do."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith((":timestamp", ":bool"))]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Plain.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))


def mistakes(document: str) -> list[str]:
    made: dict[str, Any] = json.loads(format_schema(build_schema()))
    found = jsonschema.Draft7Validator(made).iter_errors(yaml.load(document, Loader=_Plain) or {})  # noqa: S506 - it is a safe one
    return [error.message for error in found]


def test_the_file_beside_the_documentation_is_what_is_printed() -> None:
    assert (ROOT / "docs" / "config.schema.json").read_text(encoding="utf-8") == format_schema(build_schema())


def test_the_printed_schema_is_a_valid_json_schema() -> None:
    jsonschema.Draft7Validator.check_schema(json.loads(format_schema(build_schema())))


def test_the_example_names_the_schema_and_agrees_with_it() -> None:
    example = (ROOT / "config.example.yaml").read_text(encoding="utf-8")

    assert example.startswith("# yaml-language-server: $schema=docs/config.schema.json\n")
    assert mistakes(example) == []


@pytest.mark.parametrize("name", list_packs())
def test_every_pack_agrees_with_the_schema(name: str) -> None:
    assert mistakes((ROOT / "rules" / "packs" / f"{name}.yaml").read_text(encoding="utf-8")) == []


def test_every_key_is_known_and_described() -> None:
    made = build_schema()
    parts = made["definitions"]

    assert set(made["properties"]) == set(KEYS)
    assert [set(parts[name]["properties"]) for name in ("rule", "alert", "match")] == [
        set(RULE_KEYS), set(ALERT_KEYS), set(CONDITION_KEYS),
    ]  # fmt: skip
    for part in (made, *parts.values()):
        assert [key for key, value in part.get("properties", {}).items() if not value.get("description")] == []


@pytest.mark.parametrize(
    "document",
    [
        "feed: {token: '${T}', stream_url: wss://a, stale_after: 30s}",
        "telegram: {admins: [1, '${ADMIN}'], messages_per_second: 30, allow_paid_broadcast: true, paid_messages_per_day: null}",
        "chats: [{chat: -100, topic: 7, subscribe: [all, {team: Arsenal}], kinds: [goal, drama]}]",
        "http: {listen: null}",
        "extends: [drama, quiet]\ninclude: rules.d/*.yaml",
        RULE % "action_type: {not: [Goal, own goal]}, minute: {from: 45+1}, score: {margin: {to: 1}}",
        RULE % "any: [{side: home}, {first: true, not: {minute: 90}}]",
    ],
)
def test_what_is_right_is_right_for_editors(document: str) -> None:
    assert mistakes(document) == []


@pytest.mark.parametrize(
    "document",
    [
        "feeed: {}",
        "feed: {stale_after: 30}",
        "telegram: {messages_per_second: 5000}",
        "chats: [{chat: 1, subscribe: [{tema: A}]}]",
        "extends: dramma",
        "rules: [{name: a}]",
        RULE % "actoin_type: Goal",
        RULE % "minute: {form: 1}",
        RULE % "minute: 80-",
        RULE % "action_type: Gaol",
        RULE % "action_type: {not: [Goal, Beach Ball]}",
        RULE % "side: hmoe",
        RULE % "not: {first: maybe}",
    ],
)
def test_what_is_wrong_is_wrong_for_editors(document: str) -> None:
    assert mistakes(document)


def test_every_section_is_described_by_its_model() -> None:
    assert all(field.description for field in ConfigSections.model_fields.values())


@pytest.mark.parametrize("text", ["25s", "15m", "1h30m", "14d", "0s"])
def test_a_default_is_written_as_people_write_it(text: str) -> None:
    assert format_duration(parse_duration(text)) == text
