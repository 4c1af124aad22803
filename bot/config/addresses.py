"""The addresses of `config.yaml`: servers, pages, proxies, databases and HOST:PORT, each with its reader and JSON Schema."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr

from bot.config.values import TEXT_SCHEMA, URL_OR_NULL_SCHEMA, read_list, read_string, with_list_schema, with_schema


def is_host(host: str) -> bool:
    """Return True unless a part of a host's name is empty or too long, which no name server can be asked for."""
    try:
        host.strip("[]").encode("idna")
    except UnicodeError:
        return False
    return True


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        url = urlsplit(text)
        # The port is read here and not before: `urlsplit` looks at it only when it is asked for, and raises ValueError.
        is_named = bool(url.hostname) and is_host(url.hostname or "")
        return url.scheme in schemes and is_named and url.port != 0 and not re.search(r"\s", text)
    except ValueError:
        return False


def _make_url_reader(*schemes: str, is_bare: bool = False) -> Any:
    """Return the reader of an address with one of these schemes; `is_bare`: it names a server, and perhaps a path."""

    def check(value: Any) -> str:
        # Paths are added after it, so that a slash at the end would stand there twice.
        url = read_string(value).rstrip("/")
        if not _is_url(url, schemes):
            raise ValueError(f"an address that begins with {' or '.join(f'{s}://' for s in schemes)} is expected here")
        parts = urlsplit(url)
        if is_bare and (parts.username is not None or parts.query or parts.fragment):
            raise ValueError("only the address of the server is expected here: no user, no password, nothing after ? or #")
        return url

    return check


HttpsUrl = Annotated[str, BeforeValidator(_make_url_reader("https"))]

StreamUrl = Annotated[str, BeforeValidator(_make_url_reader("wss", "ws", is_bare=True))]

StreamUrls = Annotated[tuple[StreamUrl, ...], BeforeValidator(read_list), with_list_schema(TEXT_SCHEMA)]


def _make_api_reader(added_path: str, refusal: str) -> Any:
    """Return the reader of the address of an API; `refusal` is the sentence for one with the path that Touchline adds itself."""

    def check(value: Any) -> str:
        url: str = _make_url_reader("https", "http", is_bare=True)(value)
        # A person who copies the address from an example of a call copies too much.
        if re.search(added_path, urlsplit(url).path):
            raise ValueError(refusal)
        return url

    return check


FeedApiUrl = Annotated[
    str,
    BeforeValidator(
        _make_api_reader(r"/(soccer|fixtures)(/|$)", "only the server is expected here: Touchline adds /soccer/fixtures")
    ),
]

FeedApiUrls = Annotated[tuple[FeedApiUrl, ...], BeforeValidator(read_list), with_list_schema(TEXT_SCHEMA)]

BotApiUrl = Annotated[
    str,
    BeforeValidator(
        _make_api_reader(
            r"/bot([^/]*:[^/]*)?(/|$)",
            "only the server is expected here, such as https://api.telegram.org: Touchline adds /bot and the token",
        )
    ),
]


def _read_page_url(value: Any) -> str | None:
    """Read the address of a page that people open; an empty variable counts as null."""
    if value is None or value == "":
        return None
    url: str = _make_url_reader("https", "http")(value)
    # Telegram allows 512 characters for the description, and the sentences around the address take the rest.
    if len(url) > 200:
        raise ValueError("the address is too long: the bot's description has room for 200 characters of it")
    return url


OptionalPageUrl = Annotated[str | None, BeforeValidator(_read_page_url), with_schema(URL_OR_NULL_SCHEMA)]


def _read_secret_url(value: Any) -> SecretStr | None:
    """Read a secret address, which no error repeats; an empty variable counts as null."""
    url = value.get_secret_value() if isinstance(value, SecretStr) else "" if value is None else read_string(value)
    if url and not _is_url(url, ("http", "https")):
        raise ValueError("an address that begins with http:// or https:// is expected here, or null for none")
    return SecretStr(url) if url else None


OptionalSecretUrl = Annotated[SecretStr | None, BeforeValidator(_read_secret_url), with_schema(URL_OR_NULL_SCHEMA)]


def _read_proxy(value: Any) -> SecretStr | None:
    """Read the address of a proxy, which may have a user and a password, or `none`; an empty variable counts as null."""
    if value is None or isinstance(value, SecretStr) or value == "":
        return value or None
    text = read_string(value)
    from bot.network import DIRECT_CONNECTION  # it needs OpenSSL, and most files name no proxy

    url: str = text if text == DIRECT_CONNECTION else _make_url_reader("http", "https")(value)
    return SecretStr(url)


Proxy = Annotated[SecretStr | None, BeforeValidator(_read_proxy), with_schema(URL_OR_NULL_SCHEMA)]

PLAIN_SQLITE_URL = re.compile(r"sqlite:///([\w./-]+)", re.ASCII)
"""A file whose name has no character with a special meaning in a URL."""


def _read_database_url(value: Any) -> str:
    """Read a database URL. It may contain a password, so no error repeats it."""
    url = read_string(value)
    # `postgres://` is what many hosting services write.
    if not url.startswith(("sqlite://", "postgresql://", "postgres://")):
        raise ValueError("a database is sqlite:///FILE or postgresql://USER@HOST/NAME")
    if re.match(r"sqlite://[^/]", url):
        # SQLAlchemy takes the name for that of a host and opens a database in memory, which forgets everything.
        raise ValueError(
            "a file needs three slashes: sqlite:///touchline.db, or four for a whole path: sqlite:////data/touchline.db"
        )
    if not PLAIN_SQLITE_URL.fullmatch(url):
        # Imported here, since SQLAlchemy takes longer to import than all else that `check` does.
        from bot.storage.database import parse_database_url

        parse_database_url(url)
    return url


DatabaseUrl = Annotated[str, BeforeValidator(_read_database_url)]


def _read_optional_address(value: Any) -> str | None:
    if value is None:
        return None
    host, _, port = read_string(value).rpartition(":")  # the last colon: an IPv6 address has more of them
    if not host or not is_host(host) or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("HOST:PORT is expected here, such as 127.0.0.1:8080, or null for none")
    return f"{host}:{int(port)}"


OptionalAddress = Annotated[str | None, BeforeValidator(_read_optional_address)]


def _read_address(value: Any) -> str:
    """Read HOST:PORT where null is not allowed."""
    try:
        listen = _read_optional_address(value)
    except ValueError:
        listen = None  # its own sentence offers null, which is not allowed here
    if listen is None:
        raise ValueError("HOST:PORT is expected here, such as 127.0.0.1:8443")
    return listen


Address = Annotated[str, BeforeValidator(_read_address)]
"""HOST:PORT."""


def is_loopback(host: str) -> bool:
    """Return True for an address that only this machine can reach."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        # A name is not looked up: what it resolves to may change, and a name server may be away.
        return host == "localhost"
