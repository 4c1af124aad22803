"""The values of `config.yaml` that are no addresses: each with the reader of what a person wrote, and with its JSON Schema.

The readers are given the text of the file, since all scalars are read as text: YAML would make 750 of `12:30` and False of `NO`.
Defaults are not read: they have their types already.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Annotated, Any

from bot.config.sections import Check, JsonSchema, OneOrMore, SecretStr, Value
from bot.i18n.language import CHOICES
from bot.subscribers import NO_OVERRIDES, CardForm, Scope, Subscription, SubscriptionOverrides, make_name_key
from rules.loading import values

VARIABLE_SCHEMA: JsonSchema = {"type": "string", "pattern": r"\$\{[A-Za-z_]\w*(:-.*)?\}"}

# Every part may be missing, but not all of them: the pattern looks ahead for one digit.
DURATION_SCHEMA: JsonSchema = {"type": "string", "pattern": r"^(?=\d)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"}

TEXT_SCHEMA: JsonSchema = {"type": "string"}

INTEGER_SCHEMA: JsonSchema = {"type": "integer"}

BOOLEAN_SCHEMA: JsonSchema = {"type": "boolean"}

TEXT_OR_NULL_SCHEMA: JsonSchema = {"type": ["string", "null"]}

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


def make_value(read: Callable[[Any], Any], shape: JsonSchema) -> Value:
    """Annotate a value with its reader and JSON Schema, in place of which the file may have a variable."""
    return Value(read, allow_variable(shape))


def one_or_more(shape: JsonSchema) -> OneOrMore:
    """Annotate a tuple that may be written as one value; `shape` is the JSON Schema of each."""
    return OneOrMore({"anyOf": [shape, {"type": "array", "items": shape, "minItems": 1}]})


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


Text = Annotated[str, make_value(read_string, TEXT_SCHEMA)]

NameList = Annotated[tuple[Text, ...], one_or_more(TEXT_SCHEMA)]
"""One name or several."""


def _read_integer(value: Any) -> int:
    return values.parse_integer(_require_scalar(value, "a whole number"))


Integer = Annotated[int, make_value(_read_integer, INTEGER_SCHEMA)]


def between(minimum: int, maximum: int | None = None) -> Check:
    """Annotate a whole number with the least and the greatest that is allowed."""

    def check(value: int) -> None:
        if value < minimum:
            raise ValueError(f"must be at least {minimum}")
        if maximum is not None and value > maximum:
            raise ValueError(f"must be at most {maximum}")

    return Check(check, {"minimum": minimum} | ({} if maximum is None else {"maximum": maximum}))


def _make_count(minimum: int) -> Value:
    """Annotate a whole number from this one on, or null."""

    def read(value: Any) -> int | None:
        if value is None:
            return None
        number = _read_integer(value)
        if number < minimum:
            raise ValueError(f"must be at least {minimum}")
        return number

    return make_value(read, {"anyOf": [{"type": "integer", "minimum": minimum}, {"type": "null"}]})


OptionalCount = Annotated[int | None, _make_count(1)]

OptionalBudget = Annotated[int | None, _make_count(0)]


def _read_boolean(value: Any) -> bool:
    return values.parse_boolean(_require_scalar(value, "true or false"))


Boolean = Annotated[bool, make_value(_read_boolean, BOOLEAN_SCHEMA)]


def _read_duration(value: Any) -> dt.timedelta:
    return values.parse_duration(_require_scalar(value, "a duration such as 15m"))


Duration = Annotated[dt.timedelta, make_value(_read_duration, DURATION_SCHEMA)]


def at_least(limit: str) -> Check:
    """Annotate a duration with the shortest one that is allowed, such as `11s`."""

    def check(value: dt.timedelta) -> None:
        if value < values.parse_duration(limit):
            raise ValueError(f"must be at least {limit}")

    return Check(check)


def _read_secret(value: Any) -> SecretStr:
    return SecretStr("" if value is None else read_string(value))


Secret = Annotated[SecretStr, make_value(_read_secret, TEXT_SCHEMA)]


def _check_secret_token(value: SecretStr) -> None:
    # The characters that Telegram allows for the `secret_token` of a webhook.
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
        raise ValueError("1 to 256 letters, digits, _ and - are expected here")


WebhookSecret = Annotated[Secret, Check(_check_secret_token)]


def _read_language(value: Any) -> str:
    typed = _require_scalar(value, "the code of a language such as es")
    # Some codes have capitals, such as pt-PT, and people type them in any case.
    codes = {code.casefold(): code for code in CHOICES}
    if typed.casefold() not in codes:
        raise ValueError(values.describe_unknown("language", typed, tuple(CHOICES)))
    return codes[typed.casefold()]


LanguageCode = Annotated[str, Value(_read_language, {"enum": list(CHOICES)})]

CARD_FORMS = {"text": CardForm.TEXT, "picture": CardForm.PICTURE, "table": CardForm.RICH}
"""What a match card is, as chats call it. A table is stored by another word."""


def _read_card_form(value: Any) -> CardForm:
    typed = _require_scalar(value, "text, picture or table")
    if typed.casefold() not in CARD_FORMS:
        raise ValueError(values.describe_unknown("match card", typed, tuple(CARD_FORMS)))
    return CARD_FORMS[typed.casefold()]


MatchCards = Annotated[CardForm, Value(_read_card_form, {"enum": list(CARD_FORMS)})]

_CHAT_NAME = r"@[A-Za-z]\w{3,31}"


def _read_chat_name(value: Any) -> int | str:
    """Read the id of a chat, or the @name of a channel or a public group."""
    text = value.strip() if isinstance(value, str) else ""
    if re.fullmatch(_CHAT_NAME, text, re.ASCII):
        return text
    if found := re.fullmatch(r"(?:https?://)?(?:t\.me/)?([A-Za-z]\w{3,31})/?", text, re.ASCII):
        raise ValueError(f'"{text}" is no chat: write its number, or "@{found[1]}" if it is a public channel or group')
    if text.startswith("@"):
        raise ValueError(f'"{text}" is no name that Telegram gives: it has 4 to 32 letters, digits and underscores after the @')
    return _read_integer(value)


ChatName = Annotated[
    int | str,
    make_value(_read_chat_name, {"anyOf": [INTEGER_SCHEMA, {"type": "string", "pattern": f"^{_CHAT_NAME}$"}]}),
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


AllowedChats = Annotated[tuple[str, ...] | None, make_value(_read_allowed_chats, _ALLOWED_CHATS_SCHEMA)]


def _read_kind(value: Any) -> str:
    name = read_string(value)
    if not re.fullmatch(_KIND_PATTERN, name):
        raise ValueError("only letters, digits and underscores are allowed, 32 at most")
    return name


KindName = Annotated[str, Value(_read_kind, {"type": "string", "pattern": _KIND_PATTERN})]

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


SubscriptionEntry = Annotated[Subscription, make_value(read_subscription, SUBSCRIPTION_SCHEMA)]

SubscriptionList = Annotated[tuple[SubscriptionEntry, ...], one_or_more(allow_variable(SUBSCRIPTION_SCHEMA))]
