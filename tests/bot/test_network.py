"""Proxies and certificates, with a real proxy and real certificates on loopback."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidProxyStatus

from bot.clock import SystemClock
from bot.commands.common import read_environment_secrets
from bot.config.models import FeedSettings
from bot.errors import FeedUnreachable, TelegramUnreachable
from bot.feed.connection import FeedConnection
from bot.feed.rest import RestClient
from bot.feed.websocket import open_connection
from bot.monitoring.conditions import describe_feed_down
from bot.monitoring.status import render_connection
from bot.network import (
    explain_ca_file,
    explain_connection_error,
    explain_environment_proxy,
    find_proxy,
    open_http_session,
    trust_authority,
)
from bot.subscribers import ChatRef
from bot.telegram.http import ApiHealth
from bot.telegram.messenger import BotMessenger, build_bot
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.proxy import FakeProxy
from tests.tasks import cancel_tasks
from tests.waiting import until

CERTIFICATES = Path(__file__).parents[1] / "certificates"
AUTHORITY = str(CERTIFICATES / "authority.pem")
WRONG = {
    "expired": "it has expired",
    "future": "it is not valid yet",
    "other_name": "it is for another name",
    "valid": "its issuer is not known here",  # where nobody has named the authority
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    yield
    trust_authority(None)


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://api.telegram.org", "http://secure:1"),
        ("wss://stream.example", "http://secure:1"),
        ("http://rest.example", "http://plain:1"),
        ("ws://stream.example", "http://plain:1"),
        ("https://inside.example", None),
        ("wss://inside.example:8443/path", None),
    ],
)
def test_the_environment_names_the_proxy_of_every_kind_of_address(
    url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://secure:1")
    monkeypatch.setenv("HTTP_PROXY", "http://plain:1")
    monkeypatch.setenv("NO_PROXY", "inside.example,127.0.0.1")

    assert find_proxy(url, None) == proxy
    assert find_proxy(url, "http://own:1") == "http://own:1"
    assert find_proxy(url, "none") is None


def test_a_proxy_of_another_kind_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://socks:1")

    assert find_proxy("https://api.telegram.org", None) is None


def context(certificate: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
    return made


@asynccontextmanager
async def rest_server(certificate: str) -> AsyncIterator[str]:
    """The feed's REST side behind TLS; it knows no fixtures."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"content": [], "last": True})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context(certificate)).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def read_fixtures(url: str, proxy: str | None = None) -> int:
    settings = FeedSettings(token=SecretStr("t"), api_url=(url,), proxy=SecretStr(proxy) if proxy else None)
    clock = SystemClock()
    async with open_http_session() as http:
        today = clock.now().date()
        return len(await RestClient(lambda: settings, http, clock).fetch_fixtures(today, today))


@asynccontextmanager
async def stream_server(certificate: str) -> AsyncIterator[str]:
    """A websocket behind TLS that says hello."""

    async def hello(connection: ServerConnection) -> None:
        await connection.send("hello")

    async with serve(hello, "127.0.0.1", 0, ssl=context(certificate)) as server:
        yield f"wss://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def read_stream(url: str, proxy: str | None = None) -> str | bytes:
    socket = await open_connection(url, proxy)
    try:
        return await socket.recv()
    finally:
        await socket.close()


async def test_the_feed_is_read_through_the_environments_proxy_with_a_companys_own_authority(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trust_authority(AUTHORITY)
    async with FakeProxy() as proxy, rest_server("valid") as rest, stream_server("valid") as stream:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = await read_fixtures(rest), await read_stream(stream)

    assert found == (0, "hello")
    assert proxy.asked == [("CONNECT", rest.removeprefix("https://")), ("CONNECT", stream.removeprefix("wss://"))]


async def test_feed_proxy_is_used_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    trust_authority(AUTHORITY)
    async with FakeProxy() as proxy, rest_server("valid") as rest, stream_server("valid") as stream:
        own = proxy.url.replace("//", "//user:secret@")
        found = await read_fixtures(rest, own), await read_stream(stream, own)

    assert found == (0, "hello") and len(proxy.asked) == 2
    assert ["Proxy-Authorization: Basic" in headers for headers in proxy.headers] == [True, True]


async def test_none_connects_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    trust_authority(AUTHORITY)
    async with rest_server("valid") as rest, stream_server("valid") as stream:
        assert (await read_fixtures(rest, "none"), await read_stream(stream, "none")) == (0, "hello")


async def test_telegram_is_asked_through_its_own_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with FakeBotApi() as api, FakeProxy() as proxy:
        async with build_bot(api.token, api.url, proxy=proxy.url) as bot:
            await BotMessenger(bot).send(ChatRef(1), "goal", silent=False)
        shown = [message.text for message in api.chat(1).messages]

    assert shown == ["goal"] and {host for _, host in proxy.asked} == {api.url.removeprefix("http://")}


async def test_a_proxy_that_opens_no_tunnel_is_named_and_nothing_was_sent() -> None:
    health = ApiHealth(SystemClock())
    async with FakeProxy(status=407) as proxy:
        bot = build_bot("1:test", "https://api.telegram.example", health=health, proxy=proxy.url)
        await bot.request.initialize()
        with pytest.raises(TelegramUnreachable) as refused:
            await BotMessenger(bot).send(ChatRef(1), "goal", silent=False)
        await bot.request.shutdown()
        with pytest.raises(FeedUnreachable, match="the proxy answers with status 407"):
            await read_fixtures("https://feed.example", proxy.url)
        with pytest.raises(InvalidProxyStatus) as stream:
            await read_stream("wss://feed.example", proxy.url)

    assert not refused.value.maybe_sent and "the proxy answers with status 407" in health.failure
    assert explain_connection_error(stream.value) == "the proxy answers with status 407"


@pytest.mark.parametrize("certificate", WRONG)
async def test_a_certificate_that_does_not_verify_is_named_with_its_reason(certificate: str) -> None:
    trust_authority(None if certificate == "valid" else AUTHORITY)
    health = ApiHealth(SystemClock())
    async with rest_server(certificate) as rest, stream_server(certificate) as stream:
        with pytest.raises(FeedUnreachable, match=WRONG[certificate]):
            await read_fixtures(rest)
        with pytest.raises(ssl.SSLCertVerificationError) as refused:
            await read_stream(stream)
        bot = build_bot("1:test", rest, health=health)
        await bot.request.initialize()
        with pytest.raises(TelegramUnreachable):
            await BotMessenger(bot).send(ChatRef(1), "goal", silent=False)
        await bot.request.shutdown()

    assert WRONG[certificate] in str(explain_connection_error(refused.value))
    assert WRONG[certificate] in health.failure and "1:test" not in health.failure


def test_a_file_that_is_no_authority_is_explained(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")

    assert explain_ca_file(AUTHORITY) is None
    assert "BEGIN CERTIFICATE" in str(explain_ca_file(str(tmp_path / "empty.pem")))
    assert explain_ca_file(str(tmp_path / "missing.pem")) == "No such file or directory"


@pytest.mark.parametrize(
    ("name", "proxy", "is_wrong"),
    [
        ("HTTPS_PROXY", "http://user:pass/word@proxy:3128", True),
        ("https_proxy", "http://user:password@proxy:1x", True),
        ("ALL_PROXY", "http://:3128", True),
        ("https_proxy", "http://proxy..example:3128", True),
        ("HTTP_PROXY", "http://user:password@proxy:3128/", False),
        ("HTTPS_PROXY", "socks5://proxy:1", False),
        ("NO_PROXY", "http://nonsense:x", False),
    ],
)
def test_a_proxy_of_the_environment_that_is_no_address_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, name: str, proxy: str, is_wrong: bool
) -> None:
    for other in list(os.environ):
        if other.upper().endswith("_PROXY"):
            monkeypatch.delenv(other)
    monkeypatch.setenv(name, proxy)

    sentence = explain_environment_proxy()

    assert (sentence is not None) is is_wrong
    assert "pass" not in (sentence or "").replace("password", "") and "user" not in (sentence or "")
    assert name.upper() in (sentence or name.upper())


def test_the_password_of_a_proxy_of_the_environment_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://me:hidden@word@proxy:3128")

    assert "hidden@word" in read_environment_secrets()


async def test_admins_and_status_are_told_why_the_feed_cannot_be_connected() -> None:
    async with rest_server("valid") as rest, stream_server("expired") as stream:
        trust_authority(AUTHORITY)
        settings = FeedSettings(token=SecretStr("t"), api_url=(rest,), stream_url=(stream,))
        connection = FeedConnection("f1", lambda: settings, SystemClock(), ignore)
        running = asyncio.create_task(connection.run())
        await until(lambda: connection.status().connect_failure)
        status = connection.status()
        await cancel_tasks(running)

    line = render_connection(status, None, SystemClock().now())
    sentence = describe_feed_down(["Arsenal v Chelsea"], 1, status.connect_failure)
    assert all("its certificate is refused: it has expired" in text for text in (line, sentence))


async def ignore(*_: object) -> None:
    """Nothing is received here."""


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "DNS lookup failed"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "connection refused: nothing listens on that port"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no route to host"),
        (OSError(errno.EMFILE, "Too many open files"), "this process may open no more connections (ulimit -n)"),
        (TimeoutError(), "it did not answer in time"),
        (OSError("something else"), None),
    ],
)
def test_a_connection_that_fails_is_explained_also_where_a_library_wraps_the_reason(error: OSError, reason: str | None) -> None:
    wrapped = RuntimeError("the library's own")
    wrapped.__cause__ = error

    assert explain_connection_error(error) == explain_connection_error(wrapped) == reason
