"""Structured logs to standard error, with secrets masked in every line."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import select
import stat
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TextIO, cast
from urllib.parse import quote

from bot.log_settings import LEVELS, LIBRARIES, LogSettings


@contextmanager
def hide_optional_libraries() -> Iterator[None]:
    """Let libraries that are imported in the block take some others for missing, and do without.

    structlog draws tracebacks with rich, where ours are plain text, and looks for greenlet; httpx has a command line, and
    python-telegram-bot a job queue that needs APScheduler. That would be a fifth of a start.
    """
    names = ("apscheduler", "greenlet", "pygments", "rich")
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
        self.replace(secrets)

    def replace(self, secrets: Iterable[str]) -> None:
        """Mask these secrets, and no longer those before."""
        self._secrets: tuple[str, ...] = ()
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Mask these secrets too, from now on."""
        forms = {form for secret in secrets if len(secret) >= _MIN_SECRET_LENGTH for form in _list_encodings(secret)}
        # The longest first: one secret may be a part of another one.
        self._secrets = tuple(sorted({*self._secrets, *forms}, key=len, reverse=True))

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


class LoggerFilter:
    """Adds the name of the logger, which is the module that logs, and drops what is below that logger's level."""

    def __init__(self, level: int, levels: Mapping[str, int]) -> None:
        self._level = level
        # The longest name first: `feed.rest` says more than `feed`.
        self._levels = sorted(levels.items(), key=lambda item: len(item[0]), reverse=True)

    def __call__(self, _logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Pass an event on, as a processor of structlog."""
        name = _find_logging_module()
        least = next((least for logger, least in self._levels if f"{name}.".startswith(f"{logger}.")), self._level)
        # What is not in the table, such as `critical` and `exception`, is never too little.
        if LEVELS.get(method, logging.CRITICAL) < least:
            raise structlog.DropEvent
        event["logger"] = name
        return event


def _find_logging_module() -> str:
    """Return the module that logs, without `bot.`: `feed.connection`."""
    # This module is called by structlog, and structlog by the module that logs.
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name != __name__ and name.partition(".")[0] != "structlog":
            return name.removeprefix("bot.")
        frame = frame.f_back
    return ""


def _list_encodings(secret: str) -> Iterator[str]:
    """List how a secret may be written: as it is, in a URL, in JSON and as Python's repr."""
    yield from (secret, quote(secret), quote(secret, safe=""))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (repr(secret)[1:-1], repr(secret.encode())[2:-1])


_masker = SecretMasker()
"""The masker of the process's log."""


def mask_also(secrets: Iterable[str]) -> None:
    """Mask more secrets in the log, as those of a configuration that was read again. The others stay masked."""
    _masker.add(secrets)


_PIECE_LENGTH = 1_000
"""Characters that are written at once: a pipe that is ready takes 4,096 bytes without waiting, and a letter has four at most."""

_READER_PATIENCE = 0.2
"""Seconds for which a reader of the log that is behind is waited for, once."""


class _LossyStream(io.TextIOBase):
    """The stream of the log. A line that it cannot take is lost, and the work that logged it goes on.

    A full disk, or a reader of the log that is gone or does not read, must not cost a match.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream, self._poll = stream, _make_poll(stream)
        self._lost, self._is_cut_off = 0, False
        self.render_loss: Callable[[int], str] = str
        """Makes a line that says how many are missing. It cannot be logged: the logger has locked itself while it writes."""

    def write(self, text: str) -> int:
        if self._stream is not None:
            with suppress(OSError, ValueError):  # ValueError: the stream is closed, or has no such letter
                if self._poll is None:
                    self._stream.write(text)
                else:
                    self._write_pieces(self._stream, text)
        return len(text)

    def _write_pieces(self, stream: TextIO, text: str) -> None:
        """Write what the reader takes without waiting.

        A pager, a terminal after Ctrl-S or a logging service that hangs would hold up the whole process in a call of `write`.
        """
        for start in range(0, len(text), _PIECE_LENGTH):
            if not self._has_room():
                self._lost, self._is_cut_off = self._lost + 1, self._is_cut_off or start > 0
                return
            piece = text[start : start + _PIECE_LENGTH]
            if self._lost:
                line_end = "\n" if self._is_cut_off else ""
                piece = f"{line_end}{self.render_loss(self._lost)}\n{piece}"
                self._lost, self._is_cut_off = 0, False
            stream.write(piece)
            stream.flush()

    def _has_room(self) -> bool:
        # Not once more while the reader is known to be stuck: all lines together would hold up the process again.
        return self._poll is None or bool(self._poll.poll(0 if self._lost else _READER_PATIENCE * 1000))

    def flush(self) -> None:
        if self._stream is not None:
            with suppress(OSError, ValueError):
                self._stream.flush()

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()


def _make_poll(stream: TextIO | None) -> select.poll | None:
    """Return what tells whether a pipe, a socket or a terminal takes more at once; None for any other stream."""
    if stream is None:
        return None
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):  # it is closed, or has no descriptor
        return None
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)):
        return None
    poll = select.poll()
    poll.register(stream.fileno(), select.POLLOUT)
    return poll


def configure_logging(
    secrets: Iterable[str] = (),
    *,
    level: int = logging.INFO,
    verbose: bool = False,
    stream: TextIO | None = None,
    settings: LogSettings | None = None,
) -> None:
    """Send logs to standard error: Touchline's own, warnings and worse of its libraries, and Python's warnings.

    The lines are JSON, or coloured text if standard error is a terminal, unless `settings` say another format.
    """
    _masker.replace(secrets)
    out, settings = _LossyStream(stream or sys.stderr), settings or LogSettings()
    level = logging.DEBUG if verbose else level if settings.level is None else settings.level
    add_time = structlog.processors.TimeStamper(fmt="iso", utc=True)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        add_time,
        structlog.processors.format_exc_info,
        _masker,
    ]
    is_text = settings.format == "text" or (not settings.format and out.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer(colors=out.isatty()) if is_text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[LoggerFilter(level, settings.levels), *shared, renderer],
        # What no logger wants is dropped before anything is done for it.
        wrapper_class=structlog.make_filtering_bound_logger(min([level, *settings.levels.values()])),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, out)),
        cache_logger_on_first_use=False,
    )
    out.render_loss = lambda count: str(
        renderer(None, "warning", add_time(None, "warning", {"event": "log_lines_lost", "level": "warning", "count": count}))
    )
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.NOTSET)
    for name, least in settings.levels.items():
        logging.getLogger(name).setLevel(least)
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[_drop_internal_keys, renderer], foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared]
        )
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
