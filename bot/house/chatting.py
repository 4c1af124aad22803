"""The chat's room: answers people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from telegram import Update
from telegram.error import TelegramError
from telegram.ext import Application, ApplicationBuilder, CallbackContext

from bot.chats.commands import build_handlers, handle_error, register
from bot.chats.deps import Deps, Directory
from bot.chats.place_words import sample as sample_text
from bot.chats.rules_desk import rules_handlers
from bot.chats.speak import give_up
from bot.chats.tongue import spoken_to
from bot.chats.updates import Updates
from bot.chats.webhook import Webhook, forget
from bot.errors import StoreError
from bot.house.common import Common, Work
from bot.house.leased import leased
from bot.languages.speaking import in_every_language
from bot.outbox.sample import sample_alert
from bot.pictures.maker import available, picture_of
from bot.rulebook.preview import preview
from bot.store.model import ChatRef

log = structlog.get_logger()


class Chatting:
    """Hears what people say, and says what there is to say."""

    def __init__(self, common: Common, directory: Directory, status: Callable[[], Awaitable[str]]) -> None:
        """`directory` knows fixtures and matches; `status` is what `/status` says."""
        self._common = common
        common.watch.spokesman = True
        application = ApplicationBuilder().bot(common.bot).updater(None).job_queue(None).concurrent_updates(64)
        self._application: Application[Any, Any, Any, Any, Any, Any] = application.build()
        self._application.add_handlers(self._handlers(directory, status))
        self._application.add_error_handler(handle_error)
        self._failed: dict[int, StoreError] = {}
        if common.current.config.telegram.webhook is not None:
            self._application.add_error_handler(self._note_failure)

    def works(self) -> tuple[Work, ...]:
        """Answer for ever."""
        return self._answer(), self._introduce()

    def _handlers(self, directory: Directory, status: Callable[[], Awaitable[str]]) -> list[Any]:
        """Everything that people can say; the rules desk first, since the others take every button."""
        common = self._common
        admins, draw = common.current.admins, picture_of if available() else None
        deps = Deps(
            common.chats, directory, common.kinds, common.clock, admins, status, common.outbox.why, draw, self._give_sample
        )
        desk = rules_handlers(common.book, admins, preview, common.last_matches.recordings)
        return [*spoken_to(desk, common.chats), *build_handlers(deps)]

    async def _answer(self) -> None:
        async with self._application:
            await self._application.start()
            try:
                await self._hear()
            finally:
                give_up()
                await self._application.stop()

    async def _hear(self) -> None:
        """Behind a webhook every process hears; else one fetches for all, and the others stand by."""
        common, webhook = self._common, self._common.current.config.telegram.webhook
        if webhook is not None:
            await Webhook(common.bot, webhook, self._deal).run()
            return
        await leased(common.leasing, "chat", self._fetch)

    async def _deal(self, update: Update) -> None:
        """Deal with an update; raise StoreError where the database was in the way."""
        await self._application.process_update(update)
        if error := self._failed.pop(update.update_id, None):
            raise error

    async def _note_failure(self, update: object, context: CallbackContext[Any, Any, Any, Any]) -> None:
        """Of a brought update, one that has to come again."""
        if isinstance(update, Update) and isinstance(context.error, StoreError):
            self._failed[update.update_id] = context.error

    async def _fetch(self) -> None:
        await forget(self._common.bot)
        signals = self._common.watch.signals
        try:
            await Updates(self._common.bot, self._application.update_queue.put, signals.begin, signals.updates_taken).run()
        finally:
            signals.updates_taken()  # whoever takes them now tells of what is in the way

    async def _introduce(self) -> None:
        """Tell Telegram the commands; without them the bot works all the same."""
        try:
            await register(self._common.bot)
        except TelegramError as error:
            log.warning("commands_not_registered", reason=str(error))

    async def _give_sample(self, ref: ChatRef, name: str, delay: int) -> None:
        """Send one chat a sample alert by the way of real ones."""
        alert = sample_alert(ref, name, in_every_language(sample_text), self._common.clock.now())
        await self._common.outbox.give(ref, alert, delay)
