"""The sections of the configuration beside its rules, as pydantic models. Scalars arrive as the text that was written."""

from __future__ import annotations

import datetime as dt
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

from bot import shapes
from bot.languages.speaking import ENGLISH, LANGUAGES
from bot.store import address
from bot.store.model import Scope, Subscription, named
from bot.store.taste import AS_CHAT, Taste
from rules import document

STREAM_URLS = ("wss://dde-streams.data.srarena.io", "wss://dde-streams.data.imgarena.com")
API_URLS = ("https://dde-api.data.srarena.io", "https://dde-api.data.imgarena.com")
"""The new hosts, then those that are going away (feed documentation, section 0)."""

_ID = re.compile(r"\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_KIND = re.compile(r"[A-Za-z0-9_]{1,32}")
_SUBSCRIBE = 'a subscription is all, {team: NAME}, {competition: NAME} or {match: "A v B"}'


def _scalar(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{what} is expected here")
    return value.strip()


def _duration(value: Any) -> Any:
    return value if isinstance(value, dt.timedelta) else document.duration(_scalar(value, "a duration such as 15m"))


def _at_least(limit: str) -> AfterValidator:
    def checked(value: dt.timedelta) -> dt.timedelta:
        if value < document.duration(limit):
            raise ValueError(f"must be at least {limit}")
        return value

    return AfterValidator(checked)


def _whole(value: Any) -> Any:
    return value if isinstance(value, int) else document.whole(_scalar(value, "a whole number"))


def _flag(value: Any) -> Any:
    return value if isinstance(value, bool) else document.flag(_scalar(value, "true or false"))


def _text(value: Any) -> str:
    return _scalar(value, "one text")


def _url(*schemes: str) -> Any:
    def checked(value: Any) -> str:
        url = _text(value).rstrip("/")
        if not _is_url(url, schemes):
            raise ValueError(f"an address that begins with {' or '.join(f'{s}://' for s in schemes)} is expected here")
        return url

    return checked


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in schemes and bool(url.hostname) and url.port != 0 and not re.search(r"\s", text)
    except ValueError:
        return False


def _several(value: Any) -> Any:
    """One value is a list of one."""
    values = value if isinstance(value, (list, tuple)) else [value]
    if not values:
        raise ValueError("the list is empty")
    return tuple(values)


def _database(value: Any) -> str:
    """The value may hold a password and is never repeated."""
    url = _text(value)
    if not url.startswith(("sqlite://", "postgresql://", "postgres://")):
        raise ValueError("a database is sqlite:///FILE or postgresql://USER@HOST/NAME")
    address.parsed(url)
    return url


def _listen(value: Any) -> str | None:
    if value is None:
        return None
    host, _, port = _text(value).rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("HOST:PORT is expected here, such as 127.0.0.1:8080, or null for none")
    return f"{host}:{int(port)}"


def _address(value: Any) -> str:
    """Of what is always listened on."""
    try:
        listen = _listen(value)
    except ValueError:
        listen = None
    if listen is None:
        raise ValueError("HOST:PORT is expected here, such as 127.0.0.1:8443")
    return listen


def _proof(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
        raise ValueError("1 to 256 letters, digits, _ and - are expected here")
    return value


def _secret(value: Any) -> SecretStr:
    return value if isinstance(value, SecretStr) else SecretStr("" if value is None else _text(value))


def _hidden_url(value: Any) -> SecretStr | None:
    """An address that is a secret, and never repeated; nothing written in a variable is as good as null."""
    url = value.get_secret_value() if isinstance(value, SecretStr) else "" if value is None else _text(value)
    if url and not _is_url(url, ("http", "https")):
        raise ValueError("an address that begins with http:// or https:// is expected here, or null for none")
    return SecretStr(url) if url else None


def subscription(value: Any) -> Subscription:
    """Read one entry of `subscribe:`; raise ValueError with a sentence."""
    if isinstance(value, Subscription):
        return value
    if value == "all":
        return Subscription(Scope.ALL)
    if not isinstance(value, dict):
        raise ValueError(_SUBSCRIBE)
    taste = Taste(_kinds(value["kinds"])) if "kinds" in value else AS_CHAT
    followed = [(key, name) for key, name in value.items() if key != "kinds"]
    if len(followed) != 1:
        raise ValueError(_SUBSCRIBE)
    scope, name = followed[0]
    if scope not in ("team", "competition", "match") or not isinstance(name, str) or not name.strip():
        raise ValueError(_SUBSCRIBE)
    return _followed(Scope(scope), " ".join(name.split()), taste)


def _kinds(value: Any) -> frozenset[str]:
    kinds = _several(value)
    if not all(isinstance(kind, str) and _KIND.fullmatch(kind) for kind in kinds):
        raise ValueError("kinds of a subscription are names such as [goal, red_card]")
    return frozenset(kinds)


def _followed(scope: Scope, name: str, taste: Taste) -> Subscription:
    is_id = " v " not in name if scope is Scope.MATCH else bool(_ID.fullmatch(name))
    return Subscription(scope, name if is_id else named(name), name, taste)


Duration = Annotated[dt.timedelta, BeforeValidator(_duration), shapes.shown(shapes.DURATION)]
Whole = Annotated[int, BeforeValidator(_whole), shapes.shown(shapes.WHOLE)]
Flag = Annotated[bool, BeforeValidator(_flag), shapes.shown(shapes.FLAG)]
Words = Annotated[str, BeforeValidator(_text), shapes.shown(shapes.TEXT)]
Secret = Annotated[SecretStr, BeforeValidator(_secret), shapes.shown(shapes.TEXT)]
StreamUrl = Annotated[str, BeforeValidator(_url("wss", "ws"))]
ApiUrl = Annotated[str, BeforeValidator(_url("https", "http"))]
Followed = Annotated[Subscription, PlainValidator(subscription), shapes.shown(shapes.SUBSCRIPTION)]
Kind = Annotated[str, BeforeValidator(_text), Field(pattern=r"^[A-Za-z0-9_]{1,32}$")]


class Section(BaseModel):
    """A mapping whose keys are all known; its values do not change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class Feed(Section):
    """Where the feed is, and how to be let in."""

    token: Secret = SecretStr("")
    """The token that the vendor gave you; better ${FEED_TOKEN} than the token itself."""
    token_file: Words | None = None
    """A file that holds the token, in place of `token`."""
    stream_url: Annotated[tuple[StreamUrl, ...], BeforeValidator(_several), shapes.one_or_several(shapes.TEXT)] = STREAM_URLS
    """Where matches are streamed: one address or several; the next is tried where the first cannot be had."""
    api_url: Annotated[tuple[ApiUrl, ...], BeforeValidator(_several), shapes.one_or_several(shapes.TEXT)] = API_URLS
    """Where fixtures are looked up: one address or several."""
    stale_after: Annotated[Duration, _at_least("11s")] = dt.timedelta(seconds=25)
    """No frame for so long: reconnect. 11s at least: the feed is heard every ten seconds (feed documentation, section 2.3)."""


class Webhook(Section):
    """Where Telegram brings updates, in place of fetching them: so several processes can answer people at once."""

    url: Annotated[str, BeforeValidator(_url("https"))]
    """The address that Telegram calls; a proxy there takes HTTPS and hands the calls on to `listen`."""
    listen: Annotated[str, BeforeValidator(_address)]
    """HOST:PORT to listen on, such as 127.0.0.1:8443."""
    secret_token: Annotated[Secret, AfterValidator(_proof)]
    """1 to 256 letters, digits, _ and -: by it Telegram's calls are known; better ${WEBHOOK_SECRET} than itself."""


class Telegram(Section):
    """The bot at Telegram, and who may command it."""

    token: Secret = SecretStr("")
    """The bot's token, from @BotFather; better ${TELEGRAM_BOT_TOKEN} than the token itself."""
    token_file: Words | None = None
    """A file that holds the token, in place of `token`."""
    api_url: ApiUrl = "https://api.telegram.org"
    """The Bot API: Telegram's own, or a server of yours."""
    admins: tuple[Whole, ...] = ()
    """The ids of the users who may see /status and change rules."""
    messages_per_second: Annotated[Whole, Field(ge=1, le=1000)] = 30
    """How many messages are sent in a second at most; more than 30 need `allow_paid_broadcast: true`."""
    allow_paid_broadcast: Flag = False
    """Pay Telegram for more than 30 messages a second."""
    webhook: Webhook | None = None
    """Where Telegram brings updates; left out: they are fetched, by one process at a time."""

    @model_validator(mode="after")
    def _paid_for(self) -> Telegram:
        if self.messages_per_second > 30 and not self.allow_paid_broadcast:
            raise ValueError("more than 30 messages a second need allow_paid_broadcast: true")
        return self


class Schedule(Section):
    """When fixtures are looked up and connected."""

    connect_before_kickoff: Duration = dt.timedelta(minutes=15)
    """How long before its kick-off a match is connected."""
    refresh_fixtures_every: Annotated[Duration, _at_least("1s")] = dt.timedelta(minutes=10)
    """How often the list of fixtures is asked for."""


class Storage(Section):
    """Where chats and alerts are kept, and for how long."""

    url: Annotated[str, BeforeValidator(_database)] = "sqlite:///touchline.db"
    """The database: sqlite:///FILE or postgresql://USER@HOST/NAME."""
    keep: Annotated[Duration, _at_least("1d")] = dt.timedelta(days=14)
    """How long alerts are kept; those of older matches are forgotten."""
    last_matches: Annotated[Whole, Field(ge=0, le=50)] = 5
    """Of so many last matches a recording is kept, to show what changed rules would have told; 0: of none."""
    last_matches_folder: Words = "last-matches"
    """The folder of these recordings."""


class Http(Section):
    """Where health and metrics are served, and who is told that all is well."""

    listen: Annotated[str | None, BeforeValidator(_listen)] = "127.0.0.1:8080"
    """HOST:PORT for /healthz, /readyz and /metrics; null for none."""
    dead_man_url: Annotated[SecretStr | None, BeforeValidator(_hidden_url), shapes.shown(shapes.URL_OR_NULL)] = None
    """An address that is called while all is well, of a service that raises an alarm when the calls stop; null for none."""
    dead_man_every: Annotated[Duration, _at_least("10s")] = dt.timedelta(minutes=1)
    """How often it is called."""


def _language(value: Any) -> str:
    code = _scalar(value, "the code of a language such as es").casefold()
    if code not in LANGUAGES:
        raise ValueError(document.unknown("language", code, tuple(LANGUAGES)))
    return code


Language = Annotated[str, BeforeValidator(_language, json_schema_input_type=str), WithJsonSchema({"enum": list(LANGUAGES)})]


class FixedChat(Section):
    """A chat whose subscriptions stand in the file."""

    chat: Whole
    """The chat's id; groups and channels have negative ones."""
    topic: Annotated[Whole, Field(ge=0)] = 0
    """The topic of a forum; 0 for the chat itself."""
    subscribe: tuple[Followed, ...]
    """What it follows: all, or teams, competitions and matches."""
    kinds: tuple[Kind, ...] | None = None
    """Which kinds of alert it gets; left out: all."""
    language: Language = ENGLISH
    """In which language it is spoken to: en, es, de, fr, pt or it."""
    spoilers: Flag = False
    """Hide what happened until it is tapped."""
    bursts: Flag = False
    """Tell news of several matches within seconds in one message."""


class Settings(Section):
    """The whole file without its rules."""

    feed: Feed = Feed()
    """Where the feed is, and how to be let in."""
    telegram: Telegram = Telegram()
    """The bot at Telegram, and who may command it."""
    schedule: Schedule = Schedule()
    """When fixtures are looked up and connected."""
    storage: Storage = Storage()
    """Where chats and alerts are kept, and for how long."""
    http: Http = Http()
    """Where health and metrics are served, and who is told that all is well."""
    chats: tuple[FixedChat, ...] = ()
    """Chats that follow something without being asked."""
    catalogue: Words | None = None
    """A file with more names of action types, in the shape of the shipped rules/catalogue.yaml."""
