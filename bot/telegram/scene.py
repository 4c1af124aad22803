"""News that is a picture: drawn before its turn comes, then sent and edited as a photo with the words below it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bot.languages.speaking import speaking
from bot.pictures.maker import available, drawn
from bot.pictures.words import spoken_words
from bot.store.model import ChatRef
from bot.telegram.html import CAPTION, cut
from bot.telegram.messenger import Messenger, Speaker
from bot.telegram.step import Scene
from rules.timeline import Timeline

log = structlog.get_logger()

_KEPT = 64
_Key = tuple[Timeline, str]


class Easel:
    """Draws while messages leave: at half time a chat's other news does not wait for a picture. Keeps the latest few."""

    def __init__(self) -> None:
        self._drawn: dict[_Key, bytes] = {}
        self._drawing: dict[_Key, asyncio.Task[None]] = {}

    def png(self, scene: Scene, then: Callable[[], None]) -> bytes | None:
        """The picture, empty where none can be drawn; None while it is being drawn, and `then` is called once it is there."""
        key = (scene.timeline, scene.language)
        if not available():
            return b""
        if key in self._drawn:
            return self._drawn[key]
        if key not in self._drawing:
            self._drawing[key] = asyncio.create_task(self._draw(key))
        self._drawing[key].add_done_callback(lambda _: then())
        return None

    async def idle(self) -> bool:
        """Wait until nothing is drawn any more; tell whether something was."""
        drawing = tuple(self._drawing.values())
        await asyncio.gather(*drawing)
        return bool(drawing)

    def close(self) -> None:
        """Draw no more."""
        for task in self._drawing.values():
            task.cancel()

    async def _draw(self, key: _Key) -> None:
        timeline, language = key
        with speaking(language):
            words = spoken_words()
        try:
            png = await drawn(timeline, words=words)
        except Exception as error:
            log.error("picture_failed", reason=repr(error), exc_info=error)
            png = b""
        finally:
            del self._drawing[key]
        self._drawn[key] = png
        for oldest in list(self._drawn)[:-_KEPT]:
            del self._drawn[oldest]


def painted(messenger: Messenger, scene: Scene | None) -> Speaker:
    """What sends and edits news as it is to be shown: the messenger itself, or one that puts the picture above the words."""
    return Painted(messenger, scene) if scene and scene.png else messenger


class Painted:
    """Speaks in photos with a caption."""

    def __init__(self, messenger: Messenger, scene: Scene) -> None:
        self._messenger, self._png, self._veiled = messenger, scene.png, scene.veiled

    async def send(
        self, chat: ChatRef, html: str, *, silent: bool, reply_to: int | None = None, keyboard: bytes | None = None
    ) -> int:
        """Send the picture; its message's id."""
        del keyboard
        caption = cut(html, CAPTION)
        return await self._messenger.photo(chat, self._png, caption, silent=silent, reply_to=reply_to, veiled=self._veiled)

    async def edit(self, chat: ChatRef, message_id: int, html: str, *, keyboard: bytes | None = None) -> None:
        """Put the picture and its words in the place of those before."""
        del keyboard
        await self._messenger.repaint(chat, message_id, self._png, cut(html, CAPTION), veiled=self._veiled)
