"""Outgoing connections: proxies, the authorities that verify certificates, and why a connection was refused."""

from __future__ import annotations

import errno
import socket
import ssl
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import aiohttp

DIRECT_CONNECTION = "none"
"""The setting that connects directly, whatever the environment says."""

_SECURE_SCHEMES = {"https": "https", "wss": "https", "http": "http", "ws": "http"}
"""By the scheme of an address, the scheme by which the environment names its proxy: a websocket begins as an HTTP request."""

_CERTIFICATE_EXPIRED, _CERTIFICATE_NOT_YET_VALID, _HOSTNAME_MISMATCH, _ADDRESS_MISMATCH = 10, 9, 62, 64

_UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's codes for a certificate that is signed by itself, or by an authority that is not known here."""


class _Trust:
    """The authorities that this process trusts. Loaded once, because loading the system's takes some 20 ms."""

    def __init__(self) -> None:
        self.ca_file: str | None = None
        self.context: ssl.SSLContext | None = None


_trust = _Trust()


def trust_authority(ca_file: str | None) -> None:
    """From now on trust the authority in a PEM file beside those of the system; with None, those of the system alone.

    For the whole process: which authorities a machine trusts does not depend on who asks.
    """
    _trust.ca_file, _trust.context = ca_file, None  # made at its first use: some commands need none


def get_ssl_context() -> ssl.SSLContext:
    """Return the context that verifies every certificate of this process."""
    if _trust.context is None:
        if _trust.ca_file:
            _trust.context = ssl.create_default_context()
            _trust.context.load_verify_locations(cafile=_trust.ca_file)
        else:
            # aiohttp has read the system's authorities when it was imported: 2 MB that need not be read once more.
            connector = sys.modules.get("aiohttp.connector")
            _trust.context = getattr(connector, "_SSL_CONTEXT_VERIFIED", None) or ssl.create_default_context()
    return _trust.context


def explain_ca_file(path: str) -> str | None:
    """Return why a file cannot be used as an authority; None if it can."""
    try:
        ssl.create_default_context().load_verify_locations(cafile=path)
    except ssl.SSLError:
        return "it has no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


def find_proxy(url: str, setting: str | None) -> str | None:
    """Return the proxy for an address: that of the setting, else of the environment; None to connect directly.

    The environment's are HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, except for the hosts in NO_PROXY.
    """
    # Imported here, for an HTTP client of Python's own comes with it: `check`, which only names the settings, does without.
    from urllib.request import getproxies, proxy_bypass

    if setting:
        return None if setting == DIRECT_CONNECTION else setting
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(_SECURE_SCHEMES.get(parts.scheme, parts.scheme)) or proxies.get("all")
    # Other kinds, such as socks5://, are ignored: neither of our libraries supports them without an extra.
    if not proxy or not proxy.startswith(("http://", "https://")) or proxy_bypass(parts.hostname or ""):
        return None
    return proxy


def explain_environment_proxy() -> str | None:
    """Return what is wrong with a proxy of the environment, None if nothing is.

    The address is not repeated: it may hold a password.
    """
    from urllib.request import getproxies

    for scheme, proxy in getproxies().items():
        if scheme == "no" or not proxy.startswith(("http://", "https://")):
            continue
        try:
            parts = urlsplit(proxy)
            # The name is encoded as it will be, since one with an empty part can never be found.
            is_address = (
                bool((parts.hostname or "").encode("idna")) and (parts.port is None or parts.port > 0) and parts.path in ("", "/")
            )
        except ValueError:
            is_address = False
        if not is_address:
            name = f"{scheme.upper()}_PROXY"
            return f"{name} in the environment is no address of a proxy: write http://HOST:PORT, and %2F for a / in a password"
    return None


class AnswerTooLarge(Exception):
    """The body of an answer is larger than anything that is worth reading."""


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return the body of an answer, unpacked. Raise AnswerTooLarge beyond `limit` bytes.

    The library reads on to the end: a few megabytes that unpack to gigabytes would end the process.
    """
    content, body = response.content, bytearray()
    # Nearly always: a small answer is there as a whole once its headers are.
    if content.is_eof() and content.total_bytes <= limit:
        return content.read_nowait()
    async for part in content.iter_any():
        body += part
        if len(body) > limit:
            response.close()
            raise AnswerTooLarge
    return bytes(body)


def open_http_session(timeout: float = 300.0) -> aiohttp.ClientSession:
    """Return an HTTP session that verifies certificates by this process's authorities. `timeout` is in seconds."""
    # Imported here: commands that use no network need not load it.
    import aiohttp

    connector = aiohttp.TCPConnector(ssl=get_ssl_context())
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=timeout))


def explain_connection_error(error: BaseException) -> str | None:
    """Return why there is no connection, as the end of a sentence; None for an error that is not known here."""
    # The nearest cause that says why: the outermost error only says that a connection failed.
    for cause in _walk_causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            if not hasattr(cause, "verify_code"):
                # aiohttp's own subclass, which wraps OpenSSL's error with the reason.
                continue
            return f"its certificate is refused: {_explain_certificate(cause)}"
        if isinstance(cause, ssl.SSLError):
            # OpenSSL's errors have a reason; those that Python code raises do not.
            return f"the TLS handshake failed: {getattr(cause, 'reason', None) or type(cause).__name__}"
        # Compared by name, so that neither aiohttp nor websockets is imported here.
        if type(cause).__name__ == "ClientHttpProxyError":
            return f"the proxy answers with status {getattr(cause, 'status', 'unknown')}"
        if type(cause).__name__ == "InvalidProxyStatus":
            response = getattr(cause, "response", None)
            return f"the proxy answers with status {getattr(response, 'status_code', 'unknown')}"
        if type(cause).__name__ in ("ClientProxyConnectionError", "ProxyError"):
            return "the proxy cannot be reached"
        if reason := _explain_system_error(cause):
            return reason
    return None


def _explain_system_error(error: BaseException) -> str | None:
    if isinstance(error, socket.gaierror):  # its numbers are of another list
        return "DNS lookup failed"
    if isinstance(error, OSError) and error.errno in _NETWORK_ERRORS:
        return _NETWORK_ERRORS[error.errno]
    return _NO_ANSWER if isinstance(error, TimeoutError) else None


_NO_ANSWER = "it did not answer in time"

_NETWORK_ERRORS = {
    errno.ECONNREFUSED: "connection refused: nothing listens on that port",
    errno.ETIMEDOUT: _NO_ANSWER,
    errno.ENETUNREACH: "no route to host",
    errno.EHOSTUNREACH: "no route to host",
    errno.EMFILE: "this process may open no more connections (ulimit -n)",
    errno.ENFILE: "this machine may open no more connections",
}


def _walk_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes: libraries wrap the one that has the reason."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = [getattr(cause, name, None) for name in ("certificate_error", "os_error")]
        waiting += [one for one in inner if isinstance(one, BaseException)]
        waiting += [cause.__cause__, cause.__context__]


def _explain_certificate(error: ssl.SSLCertVerificationError) -> str:
    message = (error.verify_message or str(error)).rstrip(".")
    if error.verify_code == _CERTIFICATE_EXPIRED:
        return "it has expired (or this machine's clock is wrong)"
    if error.verify_code == _CERTIFICATE_NOT_YET_VALID:
        return "it is not valid yet (or this machine's clock is wrong)"
    if error.verify_code in (_HOSTNAME_MISMATCH, _ADDRESS_MISMATCH):
        return f"it is for another name ({message})"
    if error.verify_code in _UNKNOWN_ISSUER:
        return f"its issuer is not known here ({message}); a company's own authority is named at tls.ca_file"
    return message
