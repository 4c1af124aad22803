"""The values of `config.yaml` that are no addresses: each with the reader of what a person wrote, and with its JSON Schema.

The readers are given the text of the file, since all scalars are read as text: YAML would make 750 of `12:30` and False of `NO`.
A default, which pydantic validates with the same function, has its type already.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    SecretStr,
    WithJsonSchema,
)

from bot.i18n.language import CHOICES
from bot.subscribers import NO_OVERRIDES, CardForm, Scope, Subscription, SubscriptionOverrides, make_name_key
from rules.loading import values

JsonSchema = dict[str, Any]

VARIABLE_SCHEMA: JsonSchema = {"type": "string", "pattern": r"\$\{[A-Za-z_]\w*(:-.*)?\}"}

# Every part may be missing, but not all of them: the pattern looks ahead for one digit.
DURATION_SCHEMA: JsonSchema = {"type": "string", "pattern": r"^(?=\d)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"}

TEXT_SCHEMA: JsonSchema = {"type": "string"}

INTEGER_SCHEMA: JsonSchema = {"type": "integer"}

BOOLEAN_SCHEMA: JsonSchema = {"type": "boolean"}

URL_OR_NULL_SCHEMA: JsonSchema = {"type": ["string", "null"]}

_KIND_PATTERN = r"^[A-Za-z0-9_]{1,32}$"

KINDS_SCHEMA: JsonSchema = {"type": "array", "items": {"type": "string", "pattern": _KIND_PATTERN}, "minItems": 1}

NAME_SCHEMA: JsonSchema = {"type": ["string", "integer"]}


def mapping_schema(keys: dict[str, JsonSchema], *, needs: tuple[str, ...] = (), **more: Any) -> JsonSchema:
    """Build the schema of a mapping with these keys and no others."""
    needed = {"required": list(needs)} if needs else {}
    return {"type": "object", "properties": keys, **needed, "additionalProperties": False, **more}


def allow_variable(shape: JsonSchema) -> JsonSchema:
    """Return a schema that also allows a variable in place of the value. A text needs none: it may contain one anyway."""
    return shape if shape == TEXT_SCHEMA else {"anyOf": [shape, VARIABLE_SCHEMA]}


def with_schema(shape: JsonSchema) -> WithJsonSchema:
    """Annotate a value with its JSON Schema."""
    # pydantic would describe the type in Python, such as a duration in ISO 8601, and not what the file may say.
    return WithJsonSchema(allow_variable(shape))


def with_list_schema(shape: JsonSchema) -> WithJsonSchema:
    """Annotate with the JSON Schema of one value or a list of them."""
    return WithJsonSchema({"anyOf": [shape, {"type": "array", "items": shape, "minItems": 1}]})


def _require_scalar(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{what} is expected here")
    return value.strip()


def read_list(value: Any) -> Any:
    """Read a list; a single value counts as a list of one. Raises ValueError if it is empty, which is never meant."""
    items = value if isinstance(value, (list, tuple)) else [value]
    if not items:
        raise ValueError("the list is empty")
    return tuple(items)


def read_string(value: Any) -> str:
    """Read one text, without the spaces around it. Raises ValueError for a list or a mapping."""
    return _require_scalar(value, "one text")


Text = Annotated[str, BeforeValidator(read_string), with_schema(TEXT_SCHEMA)]

NameList = Annotated[tuple[Text, ...], BeforeValidator(read_list), with_list_schema(TEXT_SCHEMA)]
"""One name or several."""


def _read_integer(value: Any) -> Any:
    return value if isinstance(value, int) else values.parse_integer(_require_scalar(value, "a whole number"))


Integer = Annotated[int, BeforeValidator(_read_integer), with_schema(INTEGER_SCHEMA)]


def _read_optional_integer(value: Any) -> Any:
    return None if value is None else _read_integer(value)


def _make_count_schema(minimum: int) -> JsonSchema:
    """Build the schema of a whole number or null."""
    return {"anyOf": [{"type": "integer", "minimum": minimum}, {"type": "null"}]}


OptionalCount = Annotated[
    Annotated[int, Field(ge=1)] | None, BeforeValidator(_read_optional_integer), with_schema(_make_count_schema(1))
]

OptionalBudget = Annotated[
    Annotated[int, Field(ge=0)] | None, BeforeValidator(_read_optional_integer), with_schema(_make_count_schema(0))
]


def _read_boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else values.parse_boolean(_require_scalar(value, "true or false"))


Boolean = Annotated[bool, BeforeValidator(_read_boolean), with_schema(BOOLEAN_SCHEMA)]


def _read_duration(value: Any) -> Any:
    return value if isinstance(value, dt.timedelta) else values.parse_duration(_require_scalar(value, "a duration such as 15m"))


Duration = Annotated[dt.timedelta, BeforeValidator(_read_duration), with_schema(DURATION_SCHEMA)]


def at_least(limit: str) -> AfterValidator:
    """Annotate a duration with the shortest one that is allowed, such as `11s`."""

    def check(value: dt.timedelta) -> dt.timedelta:
        if value < values.parse_duration(limit):
            raise ValueError(f"must be at least {limit}")
        return value

    return AfterValidator(check)


def _read_secret(value: Any) -> SecretStr:
    return value if isinstance(value, SecretStr) else SecretStr("" if value is None else read_string(value))


Secret = Annotated[SecretStr, BeforeValidator(_read_secret), with_schema(TEXT_SCHEMA)]


def _check_secret_token(value: SecretStr) -> SecretStr:
    # The characters that Telegram allows for the `secret_token` of a webhook.
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
        raise ValueError("1 to 256 letters, digits, _ and - are expected here")
    return value


WebhookSecret = Annotated[Secret, AfterValidator(_check_secret_token)]


def _read_language(value: Any) -> str:
    typed = _require_scalar(value, "the code of a language such as es")
    # Some codes have capitals, such as pt-PT, and people type them in any case.
    codes = {code.casefold(): code for code in CHOICES}
    if typed.casefold() not in codes:
        raise ValueError(values.describe_unknown("language", typed, tuple(CHOICES)))
    return codes[typed.casefold()]


LanguageCode = Annotated[
    str, BeforeValidator(_read_language, json_schema_input_type=str), WithJsonSchema({"enum": list(CHOICES)})
]

CARD_FORMS = {"text": CardForm.TEXT, "picture": CardForm.PICTURE, "table": CardForm.RICH}
"""What a match card is, as chats call it. A table is stored by another word."""


def _read_card_form(value: Any) -> CardForm:
    typed = _require_scalar(value, "text, picture or table")
    if typed.casefold() not in CARD_FORMS:
        raise ValueError(values.describe_unknown("match card", typed, tuple(CARD_FORMS)))
    return CARD_FORMS[typed.casefold()]


MatchCards = Annotated[
    CardForm, BeforeValidator(_read_card_form, json_schema_input_type=str), WithJsonSchema({"enum": list(CARD_FORMS)})
]

_CHAT_NAME = r"@[A-Za-z]\w{3,31}"


def _read_chat_name(value: Any) -> int | str:
    """Read the id of a chat, or the @name of a channel or a public group."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if re.fullmatch(_CHAT_NAME, text, re.ASCII):
        return text
    if found := re.fullmatch(r"(?:https?://)?(?:t\.me/)?([A-Za-z]\w{3,31})/?", text, re.ASCII):
        raise ValueError(f'"{text}" is no chat: write its number, or "@{found[1]}" if it is a public channel or group')
    if text.startswith("@"):
        raise ValueError(f'"{text}" is no name that Telegram gives: it has 4 to 32 letters, digits and underscores after the @')
    return int(_read_integer(value))


ChatName = Annotated[
    int | str,
    PlainValidator(_read_chat_name),
    with_schema({"anyOf": [INTEGER_SCHEMA, {"type": "string", "pattern": f"^{_CHAT_NAME}$"}]}),
]

_ALLOWED_CHATS_SCHEMA: JsonSchema = {
    "anyOf": [{"const": "all"}, {"type": "array", "items": {"type": ["integer", "string"]}, "minItems": 1}, {"type": "null"}]
}


def _read_allowed_chats(value: Any) -> tuple[str, ...] | None:
    """Read `all`, or ids and @names; names in lower case."""
    if value is None or value == "all":
        return None
    names = [str(name).strip() for name in read_list(value)]
    wrong = [name for name in names if not re.fullmatch(r"-?\d{1,18}|@\w{4,32}", name, re.ASCII)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is no chat: write all, or a list of ids and names such as [-1001234567890, '@my_group']")
    # Telegram's names are the same in any letter case.
    return tuple(name.casefold() for name in names)


AllowedChats = Annotated[tuple[str, ...] | None, BeforeValidator(_read_allowed_chats), with_schema(_ALLOWED_CHATS_SCHEMA)]

KindName = Annotated[str, BeforeValidator(read_string), Field(pattern=_KIND_PATTERN)]

NAME_OR_ID_SCHEMA: JsonSchema = {"anyOf": [NAME_SCHEMA, mapping_schema({"id": NAME_SCHEMA}, needs=("id",))]}

SUBSCRIPTION_SCHEMA: JsonSchema = {
    "anyOf": [
        {"const": "all"},
        *(
            mapping_schema({key: NAME_OR_ID_SCHEMA, "kinds": KINDS_SCHEMA}, needs=(key,))
            for key in ("team", "competition", "match")
        ),
    ],
}

_SUBSCRIPTION_EXPECTED = 'a subscription is all, {team: NAME}, {competition: NAME} or {match: "A v B"}'

_FEED_ID_PATTERN = re.compile(r"\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def read_subscription(value: Any) -> Subscription:
    """Read one entry of `subscribe:`; raise ValueError with a sentence."""
    if isinstance(value, Subscription):
        return value
    if value == "all":
        return Subscription(Scope.ALL)
    if not isinstance(value, dict):
        raise ValueError(_SUBSCRIPTION_EXPECTED)
    overrides = SubscriptionOverrides(_read_kinds(value["kinds"])) if "kinds" in value else NO_OVERRIDES
    # One thing an entry: of two, nobody could say which one `kinds` is for.
    followed = [(key, name) for key, name in value.items() if key != "kinds"]
    if len(followed) != 1:
        raise ValueError(_SUBSCRIPTION_EXPECTED)
    scope, name = followed[0]
    if (
        isinstance(name, dict)
        and list(name) == ["id"]
        and isinstance(name["id"], str)
        and scope in ("team", "competition", "match")
    ):
        # An id of any shape. Without `id:` only what looks like one of the feed's ids counts as one.
        return Subscription(Scope(scope), name["id"].strip(), name["id"].strip(), overrides)
    if scope not in ("team", "competition", "match") or not isinstance(name, str) or not name.strip():
        raise ValueError(_SUBSCRIPTION_EXPECTED)
    name = " ".join(name.split())
    # By id or by name: an operator may write either. The name of a match has two teams in it, so anything else must be an id.
    is_id = " v " not in name if scope == Scope.MATCH else bool(_FEED_ID_PATTERN.fullmatch(name))
    return Subscription(Scope(scope), name if is_id else make_name_key(name), name, overrides)


def _read_kinds(value: Any) -> frozenset[str]:
    kinds = read_list(value)
    if not all(isinstance(kind, str) and re.fullmatch(_KIND_PATTERN, kind) for kind in kinds):
        raise ValueError("kinds of a subscription are names such as [goal, red_card]")
    return frozenset(kinds)


SubscriptionEntry = Annotated[Subscription, PlainValidator(read_subscription), with_schema(SUBSCRIPTION_SCHEMA)]

SubscriptionList = Annotated[
    tuple[SubscriptionEntry, ...], BeforeValidator(read_list), with_list_schema(allow_variable(SUBSCRIPTION_SCHEMA))
]
