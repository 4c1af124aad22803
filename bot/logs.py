"""Structured logs to standard error, with secrets masked in every line."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO
from urllib.parse import quote


@contextmanager
def hide_optional_libraries() -> Iterator[None]:
    """Let libraries that are imported in the block take some others for missing, and do without.

    structlog draws tracebacks with rich, where ours are plain text, and looks for greenlet; httpx has a command line. That would
    be a fifth of a start.
    """
    names = ("greenlet", "pygments", "rich")
    hidden = {name: sys.modules.get(name) for name in names}
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type]  # None says that a module is not there
    try:
        yield
    finally:
        for name, module in hidden.items():
            del sys.modules[name]
            if module is not None:
                sys.modules[name] = module


with hide_optional_libraries():
    import structlog

_TELEGRAM_TOKEN = re.compile(r"(\d{6}(?::|%3[Aa]))[A-Za-z0-9_-]{20,}")

_FEED_TOKEN = re.compile(r"""(?i)(bearer\s+|authToken[\s\\"']*[:=][\s\\"']*)[^\s\\"',}]+""")

_MASK = "***"

_MIN_SECRET_LENGTH = 4
"""A shorter secret would mask parts of ordinary words."""


class SecretMasker:
    """Masks secrets in text: those it is given, and whatever looks like a token of Telegram or of the feed."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= _MIN_SECRET_LENGTH for form in _list_encodings(secret)}
        # The longest first: one secret may be a part of another one.
        self._secrets = tuple(sorted(forms, key=len, reverse=True))

    def mask(self, text: str) -> str:
        """Return the text with its secrets masked."""
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return _FEED_TOKEN.sub(rf"\1{_MASK}", _TELEGRAM_TOKEN.sub(rf"\1{_MASK}", text))

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Mask every value of a log event, as a processor of structlog. What is not plain data becomes text first."""
        return {key: self._mask_value(value) for key, value in event.items()}

    def _mask_value(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.mask(value if isinstance(value, str) else str(value))


def _list_encodings(secret: str) -> Iterator[str]:
    """List how a secret may be written: as it is, in a URL, in JSON and as Python's repr."""
    yield from (secret, quote(secret), quote(secret, safe=""))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (repr(secret)[1:-1], repr(secret.encode())[2:-1])


def configure_logging(
    secrets: Iterable[str] = (), *, level: int = logging.INFO, verbose: bool = False, stream: TextIO | None = None
) -> None:
    """Send logs to standard error: Touchline's own, warnings and worse of its libraries, and Python's warnings.

    The lines are JSON, or coloured text if standard error is a terminal.
    """
    out = stream or sys.stderr
    level = logging.DEBUG if verbose else level
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        SecretMasker(secrets),
    ]
    renderer: Any = structlog.dev.ConsoleRenderer(colors=True) if out.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[_drop_internal_keys, renderer], foreign_pre_chain=shared)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # httpx logs the URL of each request at INFO, and a URL of Telegram's contains the bot's token.
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)


def log_unhandled_exceptions() -> None:
    """Log exceptions in finalizers and in threads. Python would print them by itself, with secrets."""
    sys.unraisablehook = lambda stray: _log_unhandled_exception(stray.exc_value)
    threading.excepthook = lambda stray: _log_unhandled_exception(stray.exc_value)


def _log_unhandled_exception(error: BaseException | None) -> None:
    structlog.get_logger().error("unhandled_exception", reason=repr(error), exc_info=error)


def _drop_internal_keys(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop what structlog's bridge from the standard library adds for its own use."""
    return {key: value for key, value in event.items() if not key.startswith("_")}
