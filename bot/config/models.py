"""The sections of `config.yaml` as strict models. The docstrings of fields are their descriptions in the JSON Schema."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

from bot.config.addresses import (
    Address,
    BotApiUrl,
    DatabaseUrl,
    FeedApiUrls,
    HttpsUrl,
    OptionalAddress,
    OptionalPageUrl,
    OptionalSecretUrl,
    Proxy,
    StreamUrls,
    is_loopback,
)
from bot.config.values import (
    AllowedChats,
    Boolean,
    ChatName,
    Duration,
    Integer,
    KindName,
    LanguageCode,
    MatchCards,
    NameList,
    OptionalBudget,
    OptionalCount,
    Secret,
    SubscriptionList,
    Text,
    WebhookSecret,
    at_least,
)
from bot.i18n.language import ENGLISH
from bot.subscribers import CardForm

STREAM_URLS = ("wss://dde-streams.data.srarena.io", "wss://dde-streams.data.imgarena.com")

API_URLS = ("https://dde-api.data.srarena.io", "https://dde-api.data.imgarena.com")
"""The new hosts first, then those that will be switched off (feed documentation, section 0)."""


class Section(BaseModel):
    """A mapping whose keys are all known; its values do not change."""

    # `hide_input_in_errors`, because an invalid value may be a secret. Class and field names are keys of the JSON Schema that
    # editors use: a changed name is a change of docs/config.schema.json.
    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class FeedSettings(Section):
    """The feed: its addresses and your token."""

    token: Secret = SecretStr("")
    """The token that the vendor gave you; write ${FEED_TOKEN} rather than the token itself."""
    token_file: Text | None = None
    """A file that holds the token, in place of `token`."""
    stream_url: StreamUrls = STREAM_URLS
    """Where matches are streamed: one address or several; the next is used if the first cannot be reached."""
    api_url: FeedApiUrls = API_URLS
    """Where fixtures are looked up: one address or several."""
    # Two missed heartbeats, and a moment for the line.
    stale_after: Annotated[Duration, at_least("11s")] = dt.timedelta(seconds=25)
    """Reconnect after this time without a frame; at least 11s, as heartbeats come every ten (feed documentation, section 2.3)."""
    proxy: Proxy = None
    """An HTTP proxy for the feed, http://USER:PASSWORD@HOST:PORT, or none; null: HTTPS_PROXY, HTTP_PROXY and NO_PROXY decide."""


class WebhookSettings(Section):
    """Telegram sends updates here instead of being asked for them, so that several processes can answer people."""

    url: HttpsUrl
    """The address that Telegram calls; a proxy there accepts HTTPS and forwards to `listen`."""
    listen: Address
    """HOST:PORT to listen on, such as 127.0.0.1:8443."""
    secret_token: WebhookSecret
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
    allowed_chats: AllowedChats = None
    """Who may use the bot: all, or a list of chats by id or @name. Admins always may, in any chat."""
    # 1,000 is the most that Telegram sends of paid messages.
    messages_per_second: Annotated[Integer, Field(ge=1, le=1000)] = 30
    """The most messages to send in a second; more than 30 need `allow_paid_broadcast: true`."""
    allow_paid_broadcast: Boolean = False
    """Pay Telegram for what leaves beyond 30 messages a second."""
    paid_messages_per_day: OptionalBudget = None
    """The most messages to pay for in a day of UTC, 0.1 Stars each; then 30 a second leave, free of charge. Null: no limit."""
    webhook: WebhookSettings | None = None
    """Receive updates by webhook; left out: one process at a time asks Telegram for them."""
    match_cards: MatchCards = CardForm.TEXT
    """What match cards are in chats that have not chosen: text, picture or table."""
    privacy_url: OptionalPageUrl = None
    """Your page about privacy, named by the bot's description and /privacy; null for none."""
    nicknames: dict[Text, NameList] = {}
    """Other names by which people may follow a team or competition, by the feed's name, beside those that the bot knows."""

    @model_validator(mode="after")
    def _check_paid_rate(self) -> TelegramSettings:
        # Telegram sends 30 messages a second free of charge. With a higher rate and no payment it would refuse the rest (429).
        if self.messages_per_second > 30 and not self.allow_paid_broadcast:
            raise ValueError("more than 30 messages a second need allow_paid_broadcast: true")
        return self


class ScheduleSettings(Section):
    """When fixtures are fetched and connected."""

    connect_before_kickoff: Duration = dt.timedelta(minutes=15)
    """How long before its kick-off a match is connected."""
    refresh_fixtures_every: Annotated[Duration, at_least("1s")] = dt.timedelta(minutes=10)
    """How often the list of fixtures is fetched."""


class StorageSettings(Section):
    """Where chats and alerts are stored, and for how long."""

    url: DatabaseUrl = "sqlite:///touchline.db"
    """The database: sqlite:///FILE or postgresql://USER@HOST/NAME."""
    keep: Annotated[Duration, at_least("1d")] = dt.timedelta(days=14)
    """How long alerts are kept; older ones are deleted."""
    keep_suspended: Annotated[Duration, at_least("1d")] = dt.timedelta(days=180)
    """How long a chat is kept that Telegram says is gone or has blocked the bot; then all that is stored of it is deleted."""
    last_matches: Annotated[Integer, Field(ge=0, le=50)] = 5
    """How many of the last matches to keep a recording of, to show what changed rules would have sent; 0 for none."""
    last_matches_folder: Text = "last-matches"
    """The folder of these recordings."""


class ConsoleSettings(Section):
    """The console: a page in the browser that shows what the bot does, and where rules are tried."""

    listen: Address = "127.0.0.1:8081"
    """HOST:PORT to listen on. It speaks plain HTTP: beyond this machine put a proxy with HTTPS in front."""
    password: Secret = SecretStr("")
    """What the page asks for; best written as ${CONSOLE_PASSWORD}. Needed unless it listens on this machine alone."""

    @model_validator(mode="after")
    def _require_password(self) -> ConsoleSettings:
        # The console shows chats and tries rules, and its port is open to the whole network as soon as it is not on loopback.
        if not self.password.get_secret_value() and not is_loopback(self.listen.rpartition(":")[0]):
            raise ValueError(f"{self.listen} can be reached by others: write a password, or listen on 127.0.0.1")
        return self


class HttpSettings(Section):
    """Where health and metrics are served, and a dead man's switch."""

    listen: OptionalAddress = "127.0.0.1:8080"
    """HOST:PORT for /healthz, /readyz and /metrics; null for none."""
    dead_man_url: OptionalSecretUrl = None
    """An address that is called while all is well, of a service that raises an alarm when the calls stop; null for none."""
    dead_man_every: Annotated[Duration, at_least("10s")] = dt.timedelta(minutes=1)
    """How often it is called."""
    console: ConsoleSettings | None = None
    """A page in the browser, which needs the extra `console`; left out: none."""


class ConfiguredChat(Section):
    """A chat whose subscriptions are in the file."""

    chat: ChatName
    """The chat's id (groups and channels have negative ones), or the @name of a channel or public group, in quotes."""
    topic: Annotated[Integer, Field(ge=0)] = 0
    """The topic of a forum; 0 for the chat itself."""
    subscribe: SubscriptionList
    """What it follows: all, or teams, competitions and matches."""
    kinds: tuple[KindName, ...] | None = None
    """Which kinds of alert it gets; left out: all."""
    language: LanguageCode = ENGLISH
    """The language of its messages: en, es, de, fr, pt or it."""
    card: MatchCards | None = None
    """What its match cards are: text, picture or table; left out: as `telegram.match_cards` says."""
    spoilers: Boolean = False
    """Hide what happened until it is tapped."""
    bursts: Boolean = False
    """Send alerts of several matches within seconds as one message."""


class LimitSettings(Section):
    """What the bot may be used for at most."""

    subscriptions_per_chat: Annotated[Integer, Field(ge=1, le=100_000)] = 200
    """How many teams, competitions and matches one chat may follow."""
    matches: OptionalCount = None
    """How many matches are connected at the same time, those of followed teams and competitions first; null: no limit."""


class TlsSettings(Section):
    """How the certificates of the feed and of Telegram are verified."""

    ca_file: Text | None = None
    """A PEM file with a company's own authority; it is trusted beside those of the system."""


class ConfigSections(Section):
    """The whole file without its rules."""

    # Each section has its default, so that a file needs to say only what differs: tokens, and what somebody follows.

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
