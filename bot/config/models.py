"""The sections of `config.yaml` as strict models. The docstrings of fields are their descriptions in the JSON Schema."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    WithJsonSchema,
    model_validator,
)

from bot.i18n.language import CHOICES, ENGLISH
from bot.network import DIRECT_CONNECTION
from bot.subscribers import NO_OVERRIDES, Scope, Subscription, SubscriptionOverrides, make_name_key
from rules.loading import values

STREAM_URLS = ("wss://dde-streams.data.srarena.io", "wss://dde-streams.data.imgarena.com")

API_URLS = ("https://dde-api.data.srarena.io", "https://dde-api.data.imgarena.com")
"""The new hosts first, then those that will be switched off (feed documentation, section 0)."""

_FEED_ID_PATTERN = re.compile(r"\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)

PLAIN_SQLITE_URL = re.compile(r"sqlite:///([\w./-]+)", re.ASCII)
"""A file whose name has no character with a special meaning in a URL."""

_KIND_PATTERN = re.compile(r"[A-Za-z0-9_]{1,32}")

_SUBSCRIPTION_EXPECTED = 'a subscription is all, {team: NAME}, {competition: NAME} or {match: "A v B"}'


def _require_scalar(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{what} is expected here")
    return value.strip()


# The readers below are given the text of the file, since all scalars are read as text: YAML would make 750 of `12:30` and False
# of `NO`. A default, which pydantic validates with the same function, has its type already.
def _read_duration(value: Any) -> Any:
    return value if isinstance(value, dt.timedelta) else values.parse_duration(_require_scalar(value, "a duration such as 15m"))


def _require_at_least(limit: str) -> AfterValidator:
    def check(value: dt.timedelta) -> dt.timedelta:
        if value < values.parse_duration(limit):
            raise ValueError(f"must be at least {limit}")
        return value

    return AfterValidator(check)


def _read_integer(value: Any) -> Any:
    return value if isinstance(value, int) else values.parse_integer(_require_scalar(value, "a whole number"))


def _read_boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else values.parse_boolean(_require_scalar(value, "true or false"))


def _read_text(value: Any) -> str:
    return _require_scalar(value, "one text")


def _make_url_reader(*schemes: str, is_bare: bool = False) -> Any:
    """Return the reader of an address with one of these schemes; `is_bare`: it names a server, and perhaps a path."""

    def check(value: Any) -> str:
        url = _read_text(value).rstrip("/")
        if not _is_url(url, schemes):
            raise ValueError(f"an address that begins with {' or '.join(f'{s}://' for s in schemes)} is expected here")
        parts = urlsplit(url)
        if is_bare and (parts.username is not None or parts.query or parts.fragment):
            raise ValueError("only the address of the server is expected here: no user, no password, nothing after ? or #")
        return url

    return check


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in schemes and bool(url.hostname) and url.port != 0 and not re.search(r"\s", text)
    except ValueError:
        return False


def _read_list(value: Any) -> Any:
    """Read a list; a single value counts as a list of one. Raises ValueError if it is empty, which is never meant."""
    values = value if isinstance(value, (list, tuple)) else [value]
    if not values:
        raise ValueError("the list is empty")
    return tuple(values)


def _read_database_url(value: Any) -> str:
    """Read a database URL. It may contain a password, so no error repeats it."""
    url = _read_text(value)
    # `postgres://` is what many hosting services write.
    if not url.startswith(("sqlite://", "postgresql://", "postgres://")):
        raise ValueError("a database is sqlite:///FILE or postgresql://USER@HOST/NAME")
    if re.match(r"sqlite://[^/]", url):
        # SQLAlchemy takes the name for that of a host and opens a database in memory, which forgets everything.
        raise ValueError(
            "a file needs three slashes: sqlite:///touchline.db, or four for a whole path: sqlite:////data/touchline.db"
        )
    if not PLAIN_SQLITE_URL.fullmatch(url):
        from bot.storage.database import (
            parse_database_url,
        )  # imports SQLAlchemy, which takes longer than all else that `check` does

        parse_database_url(url)
    return url


def _read_optional_address(value: Any) -> str | None:
    if value is None:
        return None
    host, _, port = _read_text(value).rpartition(":")  # the last colon: an IPv6 address has more of them
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("HOST:PORT is expected here, such as 127.0.0.1:8080, or null for none")
    return f"{host}:{int(port)}"


def _read_address(value: Any) -> str:
    """Read HOST:PORT where null is not allowed."""
    try:
        listen = _read_optional_address(value)
    except ValueError:
        listen = None  # its sentence offers null, which is not allowed here
    if listen is None:
        raise ValueError("HOST:PORT is expected here, such as 127.0.0.1:8443")
    return listen


def _check_secret_token(value: SecretStr) -> SecretStr:
    # The characters that Telegram allows for the `secret_token` of a webhook.
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
        raise ValueError("1 to 256 letters, digits, _ and - are expected here")
    return value


def _read_secret(value: Any) -> SecretStr:
    return value if isinstance(value, SecretStr) else SecretStr("" if value is None else _read_text(value))


def _read_secret_url(value: Any) -> SecretStr | None:
    """Read a secret address, which no error repeats; an empty variable counts as null."""
    url = value.get_secret_value() if isinstance(value, SecretStr) else "" if value is None else _read_text(value)
    if url and not _is_url(url, ("http", "https")):
        raise ValueError("an address that begins with http:// or https:// is expected here, or null for none")
    return SecretStr(url) if url else None


def read_subscription(value: Any) -> Subscription:
    """Read one entry of `subscribe:`; raise ValueError with a sentence."""
    if isinstance(value, Subscription):
        return value
    if value == "all":
        return Subscription(Scope.ALL)
    if not isinstance(value, dict):
        raise ValueError(_SUBSCRIPTION_EXPECTED)
    overrides = SubscriptionOverrides(_read_kinds(value["kinds"])) if "kinds" in value else NO_OVERRIDES
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
        # An id of any shape: without `id:` only what looks like one of the feed's counts as an id.
        return Subscription(Scope(scope), name["id"].strip(), name["id"].strip(), overrides)
    if scope not in ("team", "competition", "match") or not isinstance(name, str) or not name.strip():
        raise ValueError(_SUBSCRIPTION_EXPECTED)
    return _make_subscription(Scope(scope), " ".join(name.split()), overrides)


def _read_kinds(value: Any) -> frozenset[str]:
    kinds = _read_list(value)
    if not all(isinstance(kind, str) and _KIND_PATTERN.fullmatch(kind) for kind in kinds):
        raise ValueError("kinds of a subscription are names such as [goal, red_card]")
    return frozenset(kinds)


def _make_subscription(scope: Scope, name: str, overrides: SubscriptionOverrides) -> Subscription:
    # By id or by name: an operator may write either. A match's name has two teams in it, and anything else must be an id.
    is_id = " v " not in name if scope is Scope.MATCH else bool(_FEED_ID_PATTERN.fullmatch(name))
    return Subscription(scope, name if is_id else make_name_key(name), name, overrides)


JsonSchema = dict[str, Any]

VARIABLE_SCHEMA: JsonSchema = {"type": "string", "pattern": r"\$\{[A-Za-z_]\w*(:-.*)?\}"}

DURATION_SCHEMA: JsonSchema = {"type": "string", "pattern": r"^(?=\d)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"}

TEXT_SCHEMA: JsonSchema = {"type": "string"}


def allow_variable(shape: JsonSchema) -> JsonSchema:
    """Allow a variable in place of the value; a text may contain one anyway."""
    return shape if shape == TEXT_SCHEMA else {"anyOf": [shape, VARIABLE_SCHEMA]}


def with_schema(shape: JsonSchema) -> WithJsonSchema:
    """Annotate a value with its JSON Schema."""
    return WithJsonSchema(allow_variable(shape))


Duration = Annotated[dt.timedelta, BeforeValidator(_read_duration), with_schema(DURATION_SCHEMA)]

INTEGER_SCHEMA: JsonSchema = {"type": "integer"}

Integer = Annotated[int, BeforeValidator(_read_integer), with_schema(INTEGER_SCHEMA)]

URL_OR_NULL_SCHEMA: JsonSchema = {"type": ["string", "null"]}

BOOLEAN_SCHEMA: JsonSchema = {"type": "boolean"}

Boolean = Annotated[bool, BeforeValidator(_read_boolean), with_schema(BOOLEAN_SCHEMA)]

Text = Annotated[str, BeforeValidator(_read_text), with_schema(TEXT_SCHEMA)]

Secret = Annotated[SecretStr, BeforeValidator(_read_secret), with_schema(TEXT_SCHEMA)]


def _read_bot_api_url(value: Any) -> str:
    url: str = _make_url_reader("https", "http", is_bare=True)(value)
    # The token follows it, so a person who copies the address from an example of a call copies too much.
    if re.search(r"/bot([^/]*:[^/]*)?(/|$)", urlsplit(url).path):
        raise ValueError("only the server is expected here, such as https://api.telegram.org: Touchline adds /bot and the token")
    return url


def _read_page_url(value: Any) -> str | None:
    """Read the address of a page that people open; an empty variable counts as null."""
    if value is None or value == "":
        return None
    url: str = _make_url_reader("https", "http")(value)
    if len(url) > 200:
        raise ValueError("the address is too long: the bot's description has room for 200 characters of it")
    return url


def _read_feed_api_url(value: Any) -> str:
    url: str = _make_url_reader("https", "http", is_bare=True)(value)
    if re.search(r"/(soccer|fixtures)(/|$)", urlsplit(url).path):
        raise ValueError("only the server is expected here: Touchline adds /soccer/fixtures")
    return url


def _read_proxy(value: Any) -> SecretStr | None:
    """Read the address of a proxy, which may have a user and a password, or `none`; an empty variable counts as null."""
    if value is None or isinstance(value, SecretStr) or value == "":
        return value or None
    text = _read_text(value)
    url: str = text if text == DIRECT_CONNECTION else _make_url_reader("http", "https")(value)
    return SecretStr(url)


StreamUrl = Annotated[str, BeforeValidator(_make_url_reader("wss", "ws", is_bare=True))]

Proxy = Annotated[SecretStr | None, BeforeValidator(_read_proxy), with_schema(URL_OR_NULL_SCHEMA)]

FeedApiUrl = Annotated[str, BeforeValidator(_read_feed_api_url)]

BotApiUrl = Annotated[str, BeforeValidator(_read_bot_api_url)]

KINDS_SCHEMA: JsonSchema = {"type": "array", "items": {"type": "string", "pattern": r"^[A-Za-z0-9_]{1,32}$"}, "minItems": 1}

NAME_SCHEMA: JsonSchema = {"type": ["string", "integer"]}


def mapping_schema(keys: dict[str, JsonSchema], *, needs: tuple[str, ...] = (), **more: Any) -> JsonSchema:
    """Build the schema of a mapping with these keys and no others."""
    needed = {"required": list(needs)} if needs else {}
    return {"type": "object", "properties": keys, **needed, "additionalProperties": False, **more}


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

SubscriptionEntry = Annotated[Subscription, PlainValidator(read_subscription), with_schema(SUBSCRIPTION_SCHEMA)]

KindName = Annotated[str, BeforeValidator(_read_text), Field(pattern=r"^[A-Za-z0-9_]{1,32}$")]


class Section(BaseModel):
    """A mapping whose keys are all known; its values do not change."""

    # `hide_input_in_errors`, because an invalid value may be a secret. Class and field names are keys of the JSON Schema that
    # editors use: a changed name is a change of docs/config.schema.json.
    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


def with_list_schema(shape: JsonSchema) -> WithJsonSchema:
    """Annotate with the JSON Schema of one value or a list of them."""
    return WithJsonSchema({"anyOf": [shape, {"type": "array", "items": shape, "minItems": 1}]})


NameList = Annotated[tuple[Text, ...], BeforeValidator(_read_list), with_list_schema(TEXT_SCHEMA)]
"""One name or several."""


class FeedSettings(Section):
    """The feed: its addresses and your token."""

    token: Secret = SecretStr("")
    """The token that the vendor gave you; write ${FEED_TOKEN} rather than the token itself."""
    token_file: Text | None = None
    """A file that holds the token, in place of `token`."""
    stream_url: Annotated[tuple[StreamUrl, ...], BeforeValidator(_read_list), with_list_schema(TEXT_SCHEMA)] = STREAM_URLS
    """Where matches are streamed: one address or several; the next is used if the first cannot be reached."""
    api_url: Annotated[tuple[FeedApiUrl, ...], BeforeValidator(_read_list), with_list_schema(TEXT_SCHEMA)] = API_URLS
    """Where fixtures are looked up: one address or several."""
    stale_after: Annotated[Duration, _require_at_least("11s")] = dt.timedelta(seconds=25)
    """Reconnect after this time without a frame; at least 11s, as heartbeats come every ten (feed documentation, section 2.3)."""
    proxy: Proxy = None
    """An HTTP proxy for the feed, http://USER:PASSWORD@HOST:PORT, or none; null: HTTPS_PROXY, HTTP_PROXY and NO_PROXY decide."""


_ALLOWED_CHATS_SCHEMA: JsonSchema = {
    "anyOf": [{"const": "all"}, {"type": "array", "items": {"type": ["integer", "string"]}, "minItems": 1}, {"type": "null"}]
}


def _read_allowed_chats(value: Any) -> tuple[str, ...] | None:
    """Read `all`, or ids and @names; names in lower case."""
    if value is None or value == "all":
        return None
    names = [str(name).strip() for name in _read_list(value)]
    wrong = [name for name in names if not re.fullmatch(r"-?\d{1,18}|@\w{4,32}", name, re.ASCII)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is no chat: write all, or a list of ids and names such as [-1001234567890, '@my_group']")
    return tuple(name.casefold() for name in names)


class WebhookSettings(Section):
    """Telegram sends updates here instead of being asked for them, so that several processes can answer people."""

    url: Annotated[str, BeforeValidator(_make_url_reader("https"))]
    """The address that Telegram calls; a proxy there accepts HTTPS and forwards to `listen`."""
    listen: Annotated[str, BeforeValidator(_read_address)]
    """HOST:PORT to listen on, such as 127.0.0.1:8443."""
    secret_token: Annotated[Secret, AfterValidator(_check_secret_token)]
    """1 to 256 letters, digits, _ and -, which prove that a call is Telegram's; best written as ${WEBHOOK_SECRET}."""


class TelegramSettings(Section):
    """The bot at Telegram, and its admins."""

    token: Secret = SecretStr("")
    """The bot's token, from @BotFather; write ${TELEGRAM_BOT_TOKEN} rather than the token itself."""
    token_file: Text | None = None
    """A file that holds the token, in place of `token`."""
    api_url: BotApiUrl = "https://api.telegram.org"
    """The Bot API: Telegram's own, or a server of yours."""
    proxy: Proxy = None
    """An HTTP proxy for Telegram, http://USER:PASSWORD@HOST:PORT, or none; null: HTTPS_PROXY, HTTP_PROXY and NO_PROXY decide."""
    admins: tuple[Integer, ...] = ()
    """The ids of the users who may see /status and change rules."""
    allowed_chats: Annotated[tuple[str, ...] | None, BeforeValidator(_read_allowed_chats), with_schema(_ALLOWED_CHATS_SCHEMA)] = (
        None
    )
    """Who may use the bot: all, or a list of chats by id or @name. Admins always may, in any chat."""
    messages_per_second: Annotated[Integer, Field(ge=1, le=1000)] = 30
    """The most messages to send in a second; more than 30 need `allow_paid_broadcast: true`."""
    allow_paid_broadcast: Boolean = False
    """Pay Telegram for more than 30 messages a second."""
    webhook: WebhookSettings | None = None
    """Receive updates by webhook; left out: one process at a time asks Telegram for them."""
    privacy_url: Annotated[str | None, BeforeValidator(_read_page_url), with_schema(URL_OR_NULL_SCHEMA)] = None
    """Your page about privacy, named by the bot's description and /privacy; null for none."""
    nicknames: dict[Text, NameList] = {}
    """Other names by which people may follow a team or competition, by the feed's name, beside those that the bot knows."""

    @model_validator(mode="after")
    def _check_paid_rate(self) -> TelegramSettings:
        if self.messages_per_second > 30 and not self.allow_paid_broadcast:
            raise ValueError("more than 30 messages a second need allow_paid_broadcast: true")
        return self


class ScheduleSettings(Section):
    """When fixtures are fetched and connected."""

    connect_before_kickoff: Duration = dt.timedelta(minutes=15)
    """How long before its kick-off a match is connected."""
    refresh_fixtures_every: Annotated[Duration, _require_at_least("1s")] = dt.timedelta(minutes=10)
    """How often the list of fixtures is fetched."""


class StorageSettings(Section):
    """Where chats and alerts are stored, and for how long."""

    url: Annotated[str, BeforeValidator(_read_database_url)] = "sqlite:///touchline.db"
    """The database: sqlite:///FILE or postgresql://USER@HOST/NAME."""
    keep: Annotated[Duration, _require_at_least("1d")] = dt.timedelta(days=14)
    """How long alerts are kept; older ones are deleted."""
    keep_suspended: Annotated[Duration, _require_at_least("1d")] = dt.timedelta(days=180)
    """How long a chat is kept that Telegram says is gone or has blocked the bot; then all that is stored of it is deleted."""
    last_matches: Annotated[Integer, Field(ge=0, le=50)] = 5
    """How many of the last matches to keep a recording of, to show what changed rules would have sent; 0 for none."""
    last_matches_folder: Text = "last-matches"
    """The folder of these recordings."""


class ConsoleSettings(Section):
    """The console: a page in the browser that shows what the bot does, and where rules are tried."""

    listen: Annotated[str, BeforeValidator(_read_address)] = "127.0.0.1:8081"
    """HOST:PORT to listen on. It speaks plain HTTP: beyond this machine put a proxy with HTTPS in front."""
    password: Secret = SecretStr("")
    """What the page asks for; best written as ${CONSOLE_PASSWORD}. Needed unless it listens on this machine alone."""

    @model_validator(mode="after")
    def _require_password(self) -> ConsoleSettings:
        if not self.password.get_secret_value() and not is_loopback(self.listen.rpartition(":")[0]):
            raise ValueError(f"{self.listen} can be reached by others: write a password, or listen on 127.0.0.1")
        return self


class HttpSettings(Section):
    """Where health and metrics are served, and a dead man's switch."""

    listen: Annotated[str | None, BeforeValidator(_read_optional_address)] = "127.0.0.1:8080"
    """HOST:PORT for /healthz, /readyz and /metrics; null for none."""
    dead_man_url: Annotated[SecretStr | None, BeforeValidator(_read_secret_url), with_schema(URL_OR_NULL_SCHEMA)] = None
    """An address that is called while all is well, of a service that raises an alarm when the calls stop; null for none."""
    dead_man_every: Annotated[Duration, _require_at_least("10s")] = dt.timedelta(minutes=1)
    """How often it is called."""
    console: ConsoleSettings | None = None
    """A page in the browser, which needs the extra `console`; left out: none."""


def is_loopback(host: str) -> bool:
    """Return True for an address that only this machine can reach."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _read_language(value: Any) -> str:
    typed = _require_scalar(value, "the code of a language such as es")
    codes = {code.casefold(): code for code in CHOICES}
    if typed.casefold() not in codes:
        raise ValueError(values.describe_unknown("language", typed, tuple(CHOICES)))
    return codes[typed.casefold()]


LanguageCode = Annotated[
    str, BeforeValidator(_read_language, json_schema_input_type=str), WithJsonSchema({"enum": list(CHOICES)})
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


class ConfiguredChat(Section):
    """A chat whose subscriptions are in the file."""

    chat: ChatName
    """The chat's id (groups and channels have negative ones), or the @name of a channel or public group, in quotes."""
    topic: Annotated[Integer, Field(ge=0)] = 0
    """The topic of a forum; 0 for the chat itself."""
    subscribe: Annotated[
        tuple[SubscriptionEntry, ...], BeforeValidator(_read_list), with_list_schema(allow_variable(SUBSCRIPTION_SCHEMA))
    ]
    """What it follows: all, or teams, competitions and matches."""
    kinds: tuple[KindName, ...] | None = None
    """Which kinds of alert it gets; left out: all."""
    language: LanguageCode = ENGLISH
    """The language of its messages: en, es, de, fr, pt or it."""
    spoilers: Boolean = False
    """Hide what happened until it is tapped."""
    bursts: Boolean = False
    """Send alerts of several matches within seconds as one message."""


_INTEGER_OR_NULL_SCHEMA: JsonSchema = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}


def _read_optional_integer(value: Any) -> Any:
    return None if value is None else _read_integer(value)


class LimitSettings(Section):
    """What the bot may be used for at most."""

    subscriptions_per_chat: Annotated[Integer, Field(ge=1, le=100_000)] = 200
    """How many teams, competitions and matches one chat may follow."""
    matches: Annotated[
        Annotated[int, Field(ge=1)] | None, BeforeValidator(_read_optional_integer), with_schema(_INTEGER_OR_NULL_SCHEMA)
    ] = None
    """How many matches are connected at the same time, those of followed teams and competitions first; null: no limit."""


class TlsSettings(Section):
    """How the certificates of the feed and of Telegram are verified."""

    ca_file: Text | None = None
    """A PEM file with a company's own authority; it is trusted beside those of the system."""


class ConfigSections(Section):
    """The whole file without its rules."""

    feed: FeedSettings = FeedSettings()
    """The feed: its addresses and your token."""
    telegram: TelegramSettings = TelegramSettings()
    """The bot at Telegram, and its admins."""
    schedule: ScheduleSettings = ScheduleSettings()
    """When fixtures are fetched and connected."""
    storage: StorageSettings = StorageSettings()
    """Where chats and alerts are stored, and for how long."""
    http: HttpSettings = HttpSettings()
    """Where health and metrics are served, and a dead man's switch."""
    limits: LimitSettings = LimitSettings()
    """What the bot may be used for at most."""
    tls: TlsSettings = TlsSettings()
    """How the certificates of the feed and of Telegram are verified."""
    chats: tuple[ConfiguredChat, ...] = ()
    """Chats that follow something from the start, without a command in the chat."""
    catalogue: Text | None = None
    """A file with more names of action types, in the shape of the shipped rules/football/catalogue.yaml."""
