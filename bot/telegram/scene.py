"""News that is a picture: drawn when it leaves, and sent and edited as a photo with the words below it."""

from __future__ import annotations

import structlog

from bot.errors import TextRefused
from bot.languages.speaking import speaking
from bot.pictures.maker import available, drawn
from bot.pictures.words import spoken_words
from bot.store.model import ChatRef
from bot.telegram.html import CAPTION, cut
from bot.telegram.messenger import Messenger, Speaker
from bot.telegram.step import Scene

log = structlog.get_logger()


async def painted(messenger: Messenger, scene: Scene | None) -> Speaker:
    """What sends and edits news as it is to be shown: the messenger itself, or one that puts the picture above the words.

    A process that cannot draw sends the words alone. Raise TextRefused where the picture cannot be drawn.
    """
    if scene is None or not available():
        return messenger
    with speaking(scene.language):
        words = spoken_words()
    try:
        png = await drawn(scene.timeline, words=words)
    except Exception as error:
        log.error("picture_failed", reason=repr(error), exc_info=error)
        raise TextRefused("the picture cannot be drawn") from error
    return Painted(messenger, png, veiled=scene.veiled)


class Painted:
    """Speaks in photos with a caption."""

    def __init__(self, messenger: Messenger, png: bytes, *, veiled: bool) -> None:
        self._messenger, self._png, self._veiled = messenger, png, veiled

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
