"""No secret ever leaves through a log, whoever writes it and however it is wrapped."""

import asyncio
import errno
import io
import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.config.load import Config, load_config
from bot.config.reload import ConfigReloader
from bot.log_settings import LogSettings, read_log_levels
from bot.logs import SecretMasker, configure_logging, log_unhandled_exceptions
from tests.waiting import DEADLINE

TOKEN = "123456789:AAbotSecretTokenOfThisTest0123456789"
OTHER_TOKEN = "987654321:BBanotherTokenThatNobodyConfigured"
LIBRARIES = (
    *("telegram", "telegram.ext.ExtBot", "websockets.client", "aiohttp.client", "aiohttp.server", "asyncio", "httpx"),
    *("alembic.runtime.migration", "apscheduler.executors.default", "apscheduler.scheduler", "sqlalchemy.engine"),
)
LETTERS = "abcXYZ019_-:./+=%'\"\\ é"

Write = Callable[[str], None]


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    logging.captureWarnings(False)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def read_log_after(write: Write, text: str, *secrets: str, out: io.StringIO | None = None) -> str:
    """Return the log after `write` has written this text."""
    out = out or io.StringIO()
    configure_logging(secrets, stream=out)
    write(text)
    return out.getvalue()


def as_event(text: str) -> None:
    structlog.get_logger().info(text)


def as_value(text: str) -> None:
    structlog.get_logger().info("event", plain=text, inside={"deep": [text]}, data=text.encode(), path=("a", text))


def as_exception(text: str) -> None:
    try:
        raise RuntimeError(text) from ValueError(text)
    except RuntimeError:
        structlog.get_logger().exception("failed")


def as_given_exception(text: str) -> None:
    structlog.get_logger().error("failed", exc_info=RuntimeError(text), reason=repr(RuntimeError(text)))


def by_a_library(text: str) -> None:
    for name in LIBRARIES:
        logging.getLogger(name).warning("GET https://host/%s: %r", text, {"body": text})


def by_a_failing_library(text: str) -> None:
    for name in LIBRARIES:
        try:
            raise OSError(text)
        except OSError:
            logging.getLogger(name).exception("failed")
        logging.getLogger(name).error("failed", extra={"token": text}, stack_info=True)


def by_a_warning(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn(text, ResourceWarning, stacklevel=1)


def by_the_loop(text: str) -> None:
    """What asyncio says of a task whose exception nobody asked for."""
    loop = asyncio.new_event_loop()
    loop.call_exception_handler({"message": f"Task exception was never retrieved: {text}", "exception": OSError(text)})
    loop.close()


def by_python_itself(text: str) -> None:
    """What would be printed of an exception in a finalizer, and of one in a thread."""
    hooks = sys.unraisablehook, threading.excepthook
    log_unhandled_exceptions()
    sys.unraisablehook(SimpleNamespace(exc_value=OSError(text)))  # type: ignore[arg-type]
    threading.excepthook(SimpleNamespace(exc_value=OSError(text)))  # type: ignore[arg-type]
    sys.unraisablehook, threading.excepthook = hooks


OURS = (as_event, as_value, as_exception, as_given_exception)
OTHERS = (by_a_library, by_a_failing_library, by_a_warning, by_the_loop, by_python_itself)
WRITERS = st.sampled_from([*OURS, *OTHERS])
SECRETS = st.text(LETTERS, min_size=8, max_size=40).filter(lambda s: len(set(s) - {" "}) > 4)
TOKENS = st.builds("{}:{}".format, st.text("0189", min_size=6, max_size=12), st.text("ABYZabyz0189_-", min_size=20, max_size=40))
TEMPLATES = st.sampled_from(["{}", "https://api.telegram.org/bot{}/getMe", "x{}", "token={}&y=1", "1 {} 2", '"{}"', "bot%20{}"])
TOKEN_TEXTS = st.sampled_from(
    [
        '{{"authToken": "{}"}}',
        "{{'authToken': '{}'}}",
        '{{\\"authToken\\": \\"{}\\"}}',
        "authToken={}",
        'AUTHTOKEN : "{}"',
        "Bearer {}",
    ]
)


@given(SECRETS, WRITERS, TEMPLATES)
def test_a_configured_secret_is_never_written(secret: str, write: Write, template: str) -> None:
    assert secret not in read_log_after(write, template.format(secret), secret)


@given(TOKENS, WRITERS, TEMPLATES)
def test_what_looks_like_a_token_of_telegram_is_never_written(token: str, write: Write, template: str) -> None:
    assert token.split(":")[1] not in read_log_after(write, template.format(token))


@given(st.text("ABYZabyz0189_.!-", min_size=8, max_size=40), WRITERS, TOKEN_TEXTS)
def test_what_is_sent_to_the_feed_as_its_token_is_never_written(token: str, write: Write, template: str) -> None:
    assert token not in read_log_after(write, template.format(f"xq{token}"))


@pytest.mark.parametrize("out", [io.StringIO, Terminal])
def test_a_terminal_shows_no_secret_either(out: Callable[[], io.StringIO]) -> None:
    writers: list[Write] = [as_event, as_value, as_exception, by_a_library, by_a_failing_library]

    for write in writers:
        assert TOKEN[10:] not in read_log_after(write, f"https://api.telegram.org/bot{TOKEN}/getMe", out=out())


def test_a_token_in_an_address_is_masked_in_its_encoded_form_too() -> None:
    assert read_log_after(as_event, f"/bot{TOKEN.replace(':', '%3A')}/x", TOKEN).count("Secret") == 0
    assert read_log_after(as_event, f"/bot{OTHER_TOKEN.replace(':', '%3A')}/x").count("another") == 0


@pytest.mark.parametrize("write", [*OURS, *OTHERS])
def test_every_writer_writes_and_masks(write: Write) -> None:
    template = read_log_after(write, f"https://api.telegram.org/bot{TOKEN}/getMe", TOKEN)

    assert "***/getMe" in template and "Secret" not in template


def test_a_longer_secret_is_masked_before_a_shorter_one_in_it() -> None:
    assert SecretMasker(["feed", "feed-secret"]).mask("feed-secret and feed") == "*** and ***"


async def test_the_secrets_of_a_configuration_that_is_read_again_are_masked_beside_those_before(tmp_path: Path) -> None:
    async def apply(_: Config) -> None:
        # As soon as they are known: applying them may fail with an error that quotes them.
        structlog.get_logger().error("failed", reason="first-token second-token my-proxy-password")

    path, out = tmp_path / "config.yaml", io.StringIO()
    path.write_text("feed: {token: first-token}")
    config = load_config(path, {})
    configure_logging(config.secrets, stream=out)
    path.write_text("feed: {token: second-token, proxy: 'http://me:my-proxy-password@proxy:1'}")

    assert await ConfigReloader(config, {}, apply, print, lambda: None).reload()
    assert json.loads(out.getvalue().splitlines()[0])["reason"] == "*** *** ***"


def test_what_is_no_secret_stays_readable() -> None:
    logged = json.loads(read_log_after(as_event, "12:30 score 1:0, action 123456:kickoff, authors wrote", TOKEN))

    assert logged["event"] == "12:30 score 1:0, action 123456:kickoff, authors wrote"
    assert logged["level"] == "info"


def test_numbers_stay_numbers() -> None:
    out = io.StringIO()
    configure_logging([TOKEN], stream=out)
    structlog.get_logger().info("told", chat=-100123, wait=0.5, silent=True, reply=None)

    logged = json.loads(out.getvalue())
    assert (logged["chat"], logged["wait"], logged["silent"], logged["reply"]) == (-100123, 0.5, True, None)


def test_debug_is_written_only_when_asked_for() -> None:
    quiet, loud = io.StringIO(), io.StringIO()
    for out, verbose in ((quiet, False), (loud, True)):
        configure_logging(verbose=verbose, stream=out)
        structlog.get_logger().debug("frame")
        logging.getLogger("websockets.client").debug("> TEXT")

    assert (quiet.getvalue(), loud.getvalue().count("\n")) == ("", 1)


def test_the_chosen_format_is_written_to_a_terminal_and_to_a_file_alike() -> None:
    for out, form in ((Terminal(), "json"), (io.StringIO(), "text")):
        configure_logging(stream=out, settings=LogSettings(form))
        as_event("told")
        logging.getLogger("httpx").warning("by a library")

        lines = out.getvalue().splitlines()
        assert [line.startswith("{") for line in lines] == [form == "json"] * 2
        assert "\x1b" not in out.getvalue()


def test_every_line_names_the_module_that_wrote_it() -> None:
    template = json.loads(read_log_after(as_event, "told"))
    library = [json.loads(line) for line in read_log_after(by_a_library, "told").splitlines()]

    assert template["logger"] == __name__
    assert [line["logger"] for line in library] == list(LIBRARIES)


def test_each_logger_has_its_level_and_those_below_it_have_the_same() -> None:
    out = io.StringIO()
    configure_logging(stream=out, settings=read_log_levels("warning,feed=debug,feed.rest=error,httpx=info"))
    for name in ("bot.feed.connection", "bot.feed.rest", "bot.feedback", "bot.chat.replies"):
        scope = {"structlog": structlog, "__name__": name}
        for level in ("debug", "info", "warning", "error"):
            # In a namespace of its own, as a module is.
            eval(f"structlog.get_logger().{level}('{level}')", scope)  # noqa: S307
    for name in ("httpx", "telegram"):
        logging.getLogger(name).info("info")

    found = [(line["logger"], line["event"]) for line in map(json.loads, out.getvalue().splitlines())]
    assert found == [
        *(("feed.connection", level) for level in ("debug", "info", "warning", "error")),
        ("feed.rest", "error"),
        *(("feedback", level) for level in ("warning", "error")),
        *(("chat.replies", level) for level in ("warning", "error")),
        ("httpx", "info"),
    ]


def test_a_fault_is_written_whatever_the_level() -> None:
    out = io.StringIO()
    configure_logging(stream=out, settings=read_log_levels("error"))
    structlog.get_logger().critical("internal_error")

    assert json.loads(out.getvalue())["event"] == "internal_error"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("loud", "'loud' is none of debug, info, warning, error"), ("feeed=debug", "'feeed' is no logger; known: aiohttp, ")],
)
def test_an_unknown_level_or_logger_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_log_levels(text)


class FullDisk(io.StringIO):
    """A stream on a full disk."""

    is_full = True

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


@pytest.mark.parametrize("write", [as_event, as_value, logging.getLogger("aiohttp.server").warning])
def test_a_log_that_cannot_be_written_costs_nothing_but_its_lines(write: Write) -> None:
    out = FullDisk()
    assert read_log_after(write, "lost", out=out) == ""

    out.is_full = False
    write("kept")
    assert "kept" in out.getvalue() and "lost" not in out.getvalue()

    out.close()
    write("lost, too")


def test_a_reader_of_the_log_that_does_not_read_holds_nothing_up_and_is_told_how_much_it_missed() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with os.fdopen(reader, "rb") as read, os.fdopen(writer, "w") as out:
        configure_logging(stream=out)

        def write_all() -> None:
            for number in range(300):  # more than a pipe holds
                as_event(f"line {number} {'x' * 1500}")

        writing = threading.Thread(target=write_all, daemon=True)
        writing.start()
        writing.join(DEADLINE)
        assert not writing.is_alive()
        kept = (read.read() or b"").decode().splitlines()
        as_event("there is room again")
        after = (read.read() or b"").decode().splitlines()

    whole = sum(line.startswith("{") and line.endswith("}") for line in kept)
    lost = json.loads(after[-2])
    assert (lost["event"], lost["count"]) == ("log_lines_lost", 300 - whole) and whole < 300
    assert json.loads(after[-1])["event"] == "there is room again"
