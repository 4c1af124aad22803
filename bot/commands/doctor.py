"""The command `doctor`: asks everything that a bot needs before its first match, and says go or no-go."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import click
import msgspec

from bot.app.configured_chats import explain_unknown_name
from bot.clock import Clock, SystemClock
from bot.commands.common import config_option
from bot.commands.machine import list_addresses, try_to_listen
from bot.config.load import Config, load_config
from bot.config.models import ConfiguredChat
from bot.errors import ConfigInvalid, FeedError, StorageError, explain_bind_error
from bot.feed.rest import RestClient
from bot.installation import advise_install
from bot.network import explain_connection_error, find_proxy, open_http_session, trust_authority
from bot.storage.database import read_storage_url
from bot.storage.database_file import find_database_file

_REQUEST_TIMEOUT = 10.0

_CLOCK_TOLERANCE = 5.0
"""Seconds by which the clock may be wrong: Telegram gives its time in whole seconds."""

_CLOCK_LIMIT = 60.0
"""Seconds from which a wrong clock is no-go: kick-offs and the age of alerts are counted by it."""

_DISK_LOW, _DISK_FULL = 1_000_000_000, 100_000_000
"""Free bytes below which the disk is a warning, and no-go."""

_FIXTURE_DAYS = 7
"""How many days ahead the fixtures of the feed are counted."""


class Outcome(enum.Enum):
    """What a check found, and its sign."""

    GO = "✓"
    WARNING = "!"
    NO_GO = "✗"


class CheckResult(msgspec.Struct, frozen=True):
    """One line: what was asked, and what came of it."""

    outcome: Outcome
    subject: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.outcome.value} {self.subject}: {self.sentence}"


@click.command()
@config_option
@click.pass_context
def doctor_command(ctx: click.Context, config_path: Path) -> None:
    """Ask everything that the bot needs before a match: go or no-go, a line each; exit 1 for no-go."""
    try:
        config = load_config(config_path, os.environ)
    except ConfigInvalid as error:
        # Nothing else can be asked: which database, which token and which ports are in the file.
        click.echo(CheckResult(Outcome.NO_GO, "configuration", f"{error.mistakes[0]} (`touchline check` shows all mistakes)"))
        ctx.exit(1)
    click.echo(CheckResult(Outcome.GO, "configuration", f"{config_path}, {len(config.rules.rules)} rules"))
    failed = asyncio.run(_print_results(config))
    click.secho(f"no-go: {failed} to mend" if failed else "go", bold=True)
    ctx.exit(bool(failed))


async def _print_results(config: Config) -> int:
    """Print each result as it comes; return how many are no-go."""
    failed = 0
    # Each at once and not all at the end: an address that does not answer takes ten seconds, and a person waits.
    async for result in examine(config, SystemClock()):
        click.secho(str(result), fg={Outcome.WARNING: "yellow", Outcome.NO_GO: "red"}.get(result.outcome))
        failed += result.outcome is Outcome.NO_GO
    return failed


async def examine(config: Config, clock: Clock) -> AsyncIterator[CheckResult]:
    """Yield a result for each thing that the bot needs. Nothing is changed, and no message is sent."""
    trust_authority(config.tls.ca_file)
    async with open_http_session(_REQUEST_TIMEOUT) as http:
        telegram = _TelegramProbe(config, http)
        async for result in _examine_telegram(config, telegram, clock):
            yield result
        yield await _examine_feed(config, http, clock)
    yield await _examine_database(config.storage.url)
    yield _examine_disk(config)
    for result in _examine_ports(config):
        yield result


class _Refused(Exception):
    """Telegram's answer, or the network's; `str()` is a sentence without the token."""


class _TelegramProbe:
    """Asks the Bot API, without the library, whose errors and retries are for a running bot."""

    def __init__(self, config: Config, http: aiohttp.ClientSession) -> None:
        self._settings, self._http = config.telegram, http
        self.date: dt.datetime | None = None
        """What time the last answer says that it is."""

    async def call(self, method: str, **params: Any) -> Any:
        """Return the result of a method. Raises _Refused."""
        host = urlsplit(self._settings.api_url).hostname
        url = f"{self._settings.api_url.rstrip('/')}/bot{self._settings.token.get_secret_value()}/{method}"
        try:
            setting = self._settings.proxy
            proxy = find_proxy(url, setting.get_secret_value() if setting else None)
            async with self._http.post(url, json=params, proxy=proxy) as answer:
                self.date = parsedate_to_datetime(answer.headers["Date"]) if "Date" in answer.headers else None
                # Whatever type it says: a proxy's page is told apart below, by what is in it.
                body = await answer.json(content_type=None)
        # Not the error's own words: aiohttp's name the address, which holds the token.
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = explain_connection_error(error)
            raise _Refused(f"{host} cannot be reached" + (f": {why}" if why else "")) from None
        except ValueError:
            raise _Refused(f"what answers at {host} is not Telegram") from None
        if not isinstance(body, dict) or not body.get("ok"):
            raise _Refused(str(body.get("description", "refused")) if isinstance(body, dict) else "refused")
        return body.get("result")


async def _examine_telegram(config: Config, telegram: _TelegramProbe, clock: Clock) -> AsyncIterator[CheckResult]:
    """Examine the token and the rights of the bot, the clock, the webhook, and the chats of the configuration."""
    if not config.telegram.token.get_secret_value():
        yield CheckResult(Outcome.NO_GO, "bot", "telegram.token is missing: @BotFather gives it")
        return
    try:
        me = await telegram.call("getMe")
    except _Refused as refusal:
        # "Not Found" is how the Bot API answers where the address has no token in it, or one of another shape.
        is_refused = str(refusal) in ("Unauthorized", "Not Found")
        sentence = "Telegram refuses telegram.token: put the one that @BotFather gave" if is_refused else str(refusal)
        # Everything else about Telegram needs the token.
        yield CheckResult(Outcome.NO_GO, "bot", sentence)
        return
    yield CheckResult(Outcome.GO, "bot", f"@{me.get('username')}")
    if not me.get("can_join_groups", True):
        yield CheckResult(Outcome.WARNING, "bot", "it cannot be added to groups: /setjoingroups at @BotFather allows it")
    if not me.get("supports_inline_queries", True):
        yield CheckResult(Outcome.WARNING, "bot", "inline cards are off: /setinline at @BotFather turns them on")
    yield _examine_clock(telegram.date, clock.now())
    yield await _examine_webhook(config, telegram)
    if not config.telegram.admins:
        yield CheckResult(Outcome.WARNING, "admins", "telegram.admins is empty: nobody is told when something is wrong")
    for user_id in config.telegram.admins:
        yield await _examine_admin(user_id, telegram)
    for chat in config.chats:
        yield await _examine_chat(chat, int(me["id"]), telegram)


def _examine_clock(theirs: dt.datetime | None, ours: dt.datetime) -> CheckResult:
    if theirs is None:
        return CheckResult(Outcome.WARNING, "clock", "the Bot API does not say what time it is")
    behind = (theirs - ours).total_seconds()
    if abs(behind) <= _CLOCK_TOLERANCE:
        return CheckResult(Outcome.GO, "clock", "as Telegram's")
    outcome = Outcome.NO_GO if abs(behind) > _CLOCK_LIMIT else Outcome.WARNING
    where = "behind" if behind > 0 else "ahead of"
    return CheckResult(outcome, "clock", f"{abs(behind):.0f} s {where} Telegram's: let NTP set it")


async def _examine_webhook(config: Config, telegram: _TelegramProbe) -> CheckResult:
    try:
        info = await telegram.call("getWebhookInfo")
    except _Refused as refusal:
        return CheckResult(Outcome.NO_GO, "webhook", str(refusal))
    # Only the host of an address is shown: the path of a webhook is often a secret.
    url, error = str(info.get("url") or ""), info.get("last_error_message")
    wanted = config.telegram.webhook.url if config.telegram.webhook else ""
    host = urlsplit(url).hostname
    if url and not wanted:
        return CheckResult(Outcome.WARNING, "webhook", f"one is set for {host}: `touchline run` removes it")
    if url and url != wanted:
        return CheckResult(Outcome.WARNING, "webhook", f"it is set for {host}: `touchline run` sets it anew")
    if error:
        return CheckResult(Outcome.WARNING, "webhook", f"Telegram's last try failed: {error}")
    waiting = f", {info['pending_update_count']} updates wait" if info.get("pending_update_count") else ""
    return CheckResult(Outcome.GO, "webhook", ("set" if url else "none, updates are asked for") + waiting)


async def _examine_admin(user_id: int, telegram: _TelegramProbe) -> CheckResult:
    try:
        await telegram.call("getChat", chat_id=user_id)
    except _Refused as refusal:
        return CheckResult(Outcome.WARNING, f"admin {user_id}", f"{refusal}: they have to write to the bot first")
    return CheckResult(Outcome.GO, f"admin {user_id}", "can be reached")


async def _examine_chat(chat: ConfiguredChat, bot_id: int, telegram: _TelegramProbe) -> CheckResult:
    """Examine one of `chats:`: whether the bot is in it and may write."""
    subject = f"chat {chat.chat}"
    try:
        found = await telegram.call("getChat", chat_id=chat.chat)
    except _Refused as refusal:
        # A name fails for other reasons than an id, and with the sentence that the log and the admins get too.
        if isinstance(chat.chat, str):
            return CheckResult(
                Outcome.NO_GO, subject, explain_unknown_name(chat.chat, str(refusal)).removeprefix(f"{chat.chat}: ")
            )
        return CheckResult(Outcome.NO_GO, subject, f"{refusal}: add the bot to it, or correct the id")
    try:
        # A private chat that can be seen has written to the bot. It has no members to ask for.
        if found.get("type") == "private":
            return CheckResult(Outcome.GO, subject, str(found.get("first_name") or "a private chat"))
        member = await telegram.call("getChatMember", chat_id=found["id"], user_id=bot_id)
    except _Refused as refusal:
        return CheckResult(Outcome.NO_GO, subject, f"{refusal}: add the bot to it, or correct the id")
    title = str(found.get("title") or "")
    if member.get("status") in ("left", "kicked"):
        return CheckResult(Outcome.NO_GO, subject, f"{title}: the bot is not a member")
    if found.get("type") == "channel" and not member.get("can_post_messages"):
        return CheckResult(Outcome.NO_GO, subject, f"{title}: the bot is no administrator who may post messages")
    if member.get("status") == "restricted" and not member.get("can_send_messages"):
        return CheckResult(Outcome.NO_GO, subject, f"{title}: the bot may not write")
    return CheckResult(Outcome.GO, subject, title)


async def _examine_feed(config: Config, http: aiohttp.ClientSession, clock: Clock) -> CheckResult:
    if not config.feed.token.get_secret_value():
        return CheckResult(Outcome.NO_GO, "feed", "feed.token is missing")
    today = clock.now().date()
    try:
        found = await RestClient(lambda: config.feed, http, clock).fetch_fixtures(today, today + dt.timedelta(days=_FIXTURE_DAYS))
    except FeedError as error:
        return CheckResult(Outcome.NO_GO, "feed", f"the fixtures cannot be read: {error}")
    if not found:
        return CheckResult(Outcome.WARNING, "feed", f"it lists no fixture for the next {_FIXTURE_DAYS} days")
    coming = [fixture for fixture in found if fixture.kickoff and fixture.kickoff > clock.now()]
    first = min(coming, key=lambda fixture: fixture.kickoff or clock.now(), default=None)
    next_match = f"; next: {first.title}, {first.kickoff:%d %B %H:%M} UTC" if first else ""
    return CheckResult(Outcome.GO, "feed", f"{len(found)} fixtures in {_FIXTURE_DAYS} days{next_match}")


async def _examine_database(url: str) -> CheckResult:
    """Examine the database without opening it as `run` does, which would migrate it."""
    try:
        parsed = read_storage_url(url)
        file = find_database_file(parsed)
    except StorageError as error:
        return CheckResult(Outcome.NO_GO, "database", str(error))
    if parsed.get_backend_name() == "postgresql":
        return await _examine_postgres(parsed.render_as_string(hide_password=False), str(parsed.host or "PostgreSQL"))
    if file is None:
        return CheckResult(Outcome.WARNING, "database", "in memory: chats are forgotten when the bot stops")
    if not file.parent.is_dir() or not os.access(file.parent, os.W_OK):
        return CheckResult(Outcome.NO_GO, "database", f"the folder of {file} does not exist or cannot be written")
    if not file.exists():
        return CheckResult(Outcome.GO, "database", f"{file} will be made at the start")
    if not os.access(file, os.W_OK):
        return CheckResult(Outcome.NO_GO, "database", f"{file} cannot be written by this user")
    try:
        # Read-only, and past the driver: the bot may run on it, and its lock is not ours to take.
        connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
        try:
            (count,) = connection.execute("SELECT count(*) FROM chats").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        return CheckResult(Outcome.NO_GO, "database", f"{file} cannot be read: {error}")
    return CheckResult(Outcome.GO, "database", f"{file}, {count} chats, {file.stat().st_size / 1e6:.1f} MB")


async def _examine_postgres(url: str, host: str) -> CheckResult:
    try:
        import asyncpg  # only where it is used: it comes with an extra
    except ImportError:
        sentence = f"PostgreSQL needs asyncpg: install it with {advise_install('postgres')}"
        return CheckResult(Outcome.NO_GO, "database", sentence)
    try:
        connection = await asyncpg.connect(url, timeout=_REQUEST_TIMEOUT)
        try:
            is_replica = await connection.fetchval("SELECT pg_is_in_recovery()")
        finally:
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        return CheckResult(Outcome.NO_GO, "database", f"{host}: {str(error).splitlines()[0] if str(error) else 'no answer'}")
    if is_replica:
        return CheckResult(Outcome.NO_GO, "database", f"{host} is a replica that cannot be written")
    return CheckResult(Outcome.GO, "database", f"PostgreSQL at {host}")


def _examine_disk(config: Config) -> CheckResult:
    try:
        file = find_database_file(read_storage_url(config.storage.url))
    except StorageError:
        file = None
    # With PostgreSQL the recordings of the last matches are all that is written here, below the working directory.
    folder = file.parent if file and file.parent.is_dir() else Path.cwd()
    free = shutil.disk_usage(folder).free
    outcome = Outcome.NO_GO if free < _DISK_FULL else Outcome.WARNING if free < _DISK_LOW else Outcome.GO
    return CheckResult(outcome, "disk", f"{free / 1e9:.1f} GB free at {folder.resolve()}")


def _examine_ports(config: Config) -> list[CheckResult]:
    """Try to listen on every address of the configuration, for a moment."""
    results = []
    for key, address in list_addresses(config).items():
        try:
            try_to_listen(address)
        except (OSError, UnicodeError) as error:
            why = explain_bind_error(error)
            results.append(CheckResult(Outcome.NO_GO, f"port {key}", f"{address}: {why} (or a bot runs on this machine already)"))
        else:
            results.append(CheckResult(Outcome.GO, f"port {key}", f"{address} is free"))
    return results
