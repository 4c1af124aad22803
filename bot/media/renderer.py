"""Draws pictures in a thread, one at a time; the only cache of pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from importlib.util import find_spec

import msgspec
import structlog

from bot.errors import UserMistake
from bot.i18n.language import use_language
from bot.media.labels import MatchLabels, translate_labels
from rules.football.match import Match
from rules.football.timeline import Stage, Timeline, build_timeline

_EXECUTOR = ThreadPoolExecutor(1, "pictures")
"""At half time many chats want the same second; the machine has other things to do as well."""


def is_available() -> bool:
    """Tell whether the extra `pictures` is installed."""
    return all(find_spec(name) for name in ("PIL", "anyascii"))


def require_pillow(*, have: bool) -> None:
    """Raise UserMistake where the extra `pictures` is not there."""
    if not have:
        raise UserMistake("pictures need Pillow and what helps it: install them with pip install 'touchline[pictures]'")


def render_picture(timeline: Timeline, *, dark: bool = False, words: MatchLabels | None = None) -> bytes:
    """A time line as a PNG; raise UserMistake where the extra `pictures` is not installed."""
    require_pillow(have=is_available())
    return _render_cached(timeline, dark, words or translate_labels())


@lru_cache(48)
def _render_cached(timeline: Timeline, dark: bool, words: MatchLabels) -> bytes:
    """What one chat was shown the next is shown without drawing."""
    from bot.media.picture import draw_picture as draw

    return draw(timeline, dark=dark, words=words)


async def render_match(
    match: Match, stage: Stage | None = None, *, dark: bool = False, words: MatchLabels | None = None
) -> bytes:
    """A match as a PNG, as `drawn` makes it; `stage` as for `timeline_of`."""
    return await render_in_thread(build_timeline(match, stage), dark=dark, words=words)


async def render_in_thread(timeline: Timeline, *, dark: bool = False, words: MatchLabels | None = None) -> bytes:
    """A time line as a PNG, drawn while all else goes on. Raise UserMistake as `picture` does."""
    drawing = partial(render_picture, timeline, dark=dark, words=words or translate_labels())
    return await asyncio.get_running_loop().run_in_executor(_EXECUTOR, drawing)


log = structlog.get_logger()

_MAX_CACHED_PICTURES = 64

_PictureKey = tuple[Timeline, str]


class PictureRenderer:
    """Draws pictures for messages in the background, so that a chat's other news does not wait for one. Keeps the latest 64."""

    def __init__(self) -> None:
        self._cache: dict[_PictureKey, bytes] = {}
        self._drawing: dict[_PictureKey, asyncio.Task[None]] = {}

    def get_or_start(self, picture: PictureAttachment, on_ready: Callable[[], None]) -> bytes | None:
        """Return the picture as PNG, empty if none can be drawn. None while it is drawn; `on_ready` is called afterwards."""
        key = (picture.timeline, picture.language)
        if not is_available():
            return b""
        if key in self._cache:
            return self._cache[key]
        if key not in self._drawing:
            self._drawing[key] = asyncio.create_task(self._draw(key))
        self._drawing[key].add_done_callback(lambda _: on_ready())
        return None

    async def wait_until_idle(self) -> bool:
        """Wait until nothing is drawn any more. Return True if something was."""
        drawing = tuple(self._drawing.values())
        await asyncio.gather(*drawing)
        return bool(drawing)

    def close(self) -> None:
        """Cancel what is being drawn."""
        for task in self._drawing.values():
            task.cancel()

    async def _draw(self, key: _PictureKey) -> None:
        timeline, language = key
        with use_language(language):
            words = translate_labels()
        try:
            png = await render_in_thread(timeline, words=words)
        except Exception as error:
            log.error("picture_failed", reason=repr(error), exc_info=error)
            png = b""
        finally:
            del self._drawing[key]
        self._cache[key] = png
        for oldest in list(self._cache)[:-_MAX_CACHED_PICTURES]:
            del self._cache[oldest]


class PictureAttachment(msgspec.Struct, frozen=True):
    """What the picture of a message shows, and in which language. `is_spoiler`: it is hidden until it is tapped."""

    timeline: Timeline
    language: str
    is_spoiler: bool
    png: bytes = b""
    """The picture as PNG, once it is drawn; empty if none can be."""
