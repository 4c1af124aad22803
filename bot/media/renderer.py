"""Draws pictures of matches in one background thread, and caches them. Works without Pillow until a picture is drawn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache, partial

import msgspec
import structlog

from bot.errors import UserMistake
from bot.i18n.language import use_language
from bot.installation import advise_install, is_installed
from bot.media.labels import MatchLabels, translate_labels
from bot.threads import DaemonThreads
from rules.football.match import Match
from rules.football.timeline import Stage, Timeline, build_timeline

log = structlog.get_logger()


_EXECUTOR = DaemonThreads(1, "pictures")
"""One thread: at half time many chats want pictures in the same second, and the CPU must be left to the alerts."""

_MAX_CACHED_PICTURES = 64

_PictureKey = tuple[Timeline, str]
"""What is shown, and the language."""


class PictureAttachment(msgspec.Struct, frozen=True):
    """What the picture of a message shows, and in which language. `is_spoiler`: it is hidden until it is tapped."""

    timeline: Timeline
    language: str
    is_spoiler: bool
    png: bytes = b""
    """The picture as PNG, once it is drawn; empty if it cannot be drawn."""
    caption: str = ""
    """What stands below it, as HTML, where that is not the whole text of the message."""


class PictureRenderer:
    """Draws the pictures of messages in the background, so that no other message waits for one. Keeps the latest 64."""

    def __init__(self) -> None:
        # Beside the cache of `render_picture`, because this one also remembers which pictures failed: without that, a sender
        # that asks again would draw a broken picture for ever.
        self._cache: dict[_PictureKey, bytes] = {}
        self._drawing: dict[_PictureKey, asyncio.Task[None]] = {}
        self._is_missing_logged = False

    def get_or_start(self, picture: PictureAttachment, on_ready: Callable[[], None]) -> bytes | None:
        """Return the picture as PNG, empty if it cannot be drawn. None while it is drawn; `on_ready` is called afterwards."""
        key = (picture.timeline, picture.language)
        # The message is sent without its picture: an installation without the extra is complete.
        if not is_available():
            if not self._is_missing_logged:
                self._is_missing_logged = True
                log.warning("pictures_not_installed", then="text is sent in their place", advice=advise_install("pictures"))
            return b""
        if key in self._cache:
            return self._cache[key]
        if key not in self._drawing:
            self._drawing[key] = asyncio.create_task(self._draw(key))
        # Each caller its own: several chats may wait for one picture.
        self._drawing[key].add_done_callback(lambda _: on_ready())
        return None

    async def wait_until_idle(self) -> bool:
        """Wait until nothing is being drawn. Return True if something was."""
        drawing = tuple(self._drawing.values())
        await asyncio.gather(*drawing)
        return bool(drawing)

    def close(self) -> None:
        """Cancel what is being drawn."""
        for task in self._drawing.values():
            task.cancel()

    async def _draw(self, key: _PictureKey) -> None:
        timeline, language = key
        # The language is a context variable, which the thread does not see: the labels are translated here.
        with use_language(language):
            labels = translate_labels()
        try:
            png = await _render_in_thread(timeline, dark=False, labels=labels)
        except Exception as error:
            # A message without its picture is better than none.
            log.error("picture_failed", reason=repr(error), exc_info=error)
            png = b""
        finally:
            del self._drawing[key]
        self._cache[key] = png
        # In the order in which they were drawn: an older minute of a match is not asked for again.
        for oldest in list(self._cache)[:-_MAX_CACHED_PICTURES]:
            del self._cache[oldest]


async def render_match(
    match: Match, stage: Stage | None = None, *, dark: bool = False, labels: MatchLabels | None = None
) -> bytes:
    """Draw a match as PNG in the background thread. `stage` as for `build_timeline`. Raises UserMistake like `render_picture`."""
    return await _render_in_thread(build_timeline(match, stage), dark=dark, labels=labels or translate_labels())


async def _render_in_thread(timeline: Timeline, *, dark: bool, labels: MatchLabels) -> bytes:
    draw = partial(render_picture, timeline, dark=dark, labels=labels)
    return await asyncio.get_running_loop().run_in_executor(_EXECUTOR, draw)


def render_picture(timeline: Timeline, *, dark: bool = False, labels: MatchLabels | None = None) -> bytes:
    """Draw a timeline as PNG. Raises UserMistake if the extra `pictures` is not installed."""
    require_pillow(have=is_available())
    return _render_cached(timeline, dark, labels or translate_labels())


@lru_cache(48)
def _render_cached(timeline: Timeline, dark: bool, labels: MatchLabels) -> bytes:
    # Imported here, because this module must import without the extra.
    from bot.media.picture import draw_picture

    return draw_picture(timeline, dark=dark, labels=labels)


def is_available() -> bool:
    """Return True if the extra `pictures` is installed."""
    # Without importing them: most processes never draw, and Pillow takes time and memory.
    return is_installed("pictures")


def require_pillow(*, have: bool) -> None:
    """Raise UserMistake if the extra `pictures` is not installed."""
    if not have:
        raise UserMistake(f"pictures need Pillow and what helps it: install them with {advise_install('pictures')}")
