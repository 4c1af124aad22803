"""Rules from Telegram: an admin sends a file or `/rules`, in the private chat with the bot. Thin handlers around the dialogue."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Sequence
from pathlib import Path
from typing import Any

import structlog
from telegram import Document, Message, Update
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, ContextTypes, MessageHandler, filters

from bot.chats import rules_dialogue as dialogue
from bot.chats import rules_words as words
from bot.chats.heard import Heard, heard
from bot.chats.reply import Reply
from bot.chats.rules_dialogue import Proposal, Proposals
from bot.chats.speak import acknowledge, redraw, send
from bot.rulebook.book import Outdated, Rulebook
from bot.rulebook.tried import Question, Tried
from bot.store.history import How, Ruling
from rules.compare import compare_rules
from rules.load import RulesInvalid

Context = ContextTypes.DEFAULT_TYPE
Preview = Callable[[Question], Awaitable[Tried]]

LARGEST = 256 * 1024
"""Bytes of a file that is looked at."""
_LONGEST_NAME = 80

log = structlog.get_logger()


class OfAdmin(filters.MessageFilter):
    """A message that an admin wrote in private."""

    def __init__(self, admins: Container[int]) -> None:
        super().__init__()
        self._admins = admins

    def filter(self, message: Message) -> bool:
        """Tell whether it is one."""
        user = message.from_user
        return message.chat.type == ChatType.PRIVATE and user is not None and user.id in self._admins


class RulesDesk:
    """Hears the admins, tries what they send, applies what they choose."""

    def __init__(self, book: Rulebook, admins: Container[int], preview: Preview, matches: Callable[[], Sequence[Path]]) -> None:
        """`matches` names the recordings of the last matches, to try rules on."""
        self._book, self._admins, self._preview, self._matches = book, admins, preview, matches
        self._proposals = Proposals()

    def handlers(self) -> list[BaseHandler[Update, Context, None]]:
        """To be added before all others: those take every button. What comes from anybody else is left to them."""
        ours = filters.UpdateType.MESSAGE & OfAdmin(self._admins)
        return [
            CommandHandler("rules", self.show, ours),
            MessageHandler(ours & filters.Document.ALL, self.sent),
            CallbackQueryHandler(self.pressed, pattern=r"^r:"),
        ]

    async def show(self, update: Update, context: Context) -> None:
        """`/rules`: what is in effect."""
        if place := heard(update):
            await send(context.bot, place, self._overview())

    def _overview(self, page: int = 0) -> Reply:
        return dialogue.overview(self._book.standing, self._book.config.path.name, page)

    async def sent(self, update: Update, context: Context) -> None:
        """A file: read it, try it, show what it would change."""
        place, message = heard(update), update.effective_message
        if place and message and message.document:
            await send(context.bot, place, await self._answer(message.document))

    async def _answer(self, document: Document) -> Reply:
        name = " ".join((document.file_name or "").split())[-_LONGEST_NAME:]
        if not name.lower().endswith((".yaml", ".yml")):
            return Reply(words.not_yaml())
        if (document.file_size or 0) > LARGEST:
            return Reply(words.too_big(LARGEST))
        try:
            content = bytes(await (await document.get_file()).download_as_bytearray())
        except TelegramError as error:
            log.warning("rules_file_not_fetched", reason=str(error))
            return Reply(words.not_fetched())
        return await self._read(name, content)

    async def _read(self, name: str, content: bytes) -> Reply:
        if len(content) > LARGEST:
            return Reply(words.too_big(LARGEST))
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return Reply(words.not_text())
        return await self._proposed(text or "\n", name, How.SENT)

    async def _proposed(self, text: str, name: str, how: How) -> Reply:
        """Try rules against those in effect, and offer to apply them. An empty text stands for the files' rules."""
        standing = self._book.standing
        before = standing.ruling.text if standing.ruling else ""
        recordings = tuple(map(str, self._matches()))
        tried = await self._preview(Question(str(self._book.config.path), text, name, before, recordings))
        if tried.checked.mistakes:
            return Reply(words.mistakes(name, tried.checked.mistakes))
        try:
            difference = compare_rules(standing.rules, self._book.rules_of(text, name))
        except RulesInvalid as error:
            return Reply(words.mistakes(name, error.mistakes))
        proposal = Proposal(text, name, how, standing.fingerprint)
        self._proposals.add(proposal)
        return dialogue.proposed(proposal, difference, tried)

    async def pressed(self, update: Update, context: Context) -> None:
        """A button of ours."""
        query, place = update.callback_query, heard(update)
        if query is None:
            return
        if place is None or not self._may(place):
            await acknowledge(query, words.stale() if place is None else words.not_yours())
            return
        if (query.data or "").startswith("r:g:"):
            await acknowledge(query, words.trying())
        user = (query.from_user.id, query.from_user.full_name)
        reply = await self._turn(query.data or "", user)
        if not (query.data or "").startswith("r:g:"):
            await acknowledge(query, reply if isinstance(reply, str) else "")
        if isinstance(reply, Reply):
            await redraw(query, reply)

    def _may(self, place: Heard) -> bool:
        return place.kind == ChatType.PRIVATE and place.user_id in self._admins

    async def _turn(self, data: str, user: tuple[int, str]) -> Reply | str:
        """The new screen, or the sentence that says why there is none."""
        _, what, rest = (*data.split(":", 2), "", "")[:3]
        if what == "h":
            return dialogue.history(await self._book.history.recent())
        if what == "p" and rest.isdecimal():
            return self._overview(int(rest))
        if what in ("g", "u") and rest.isdecimal():
            return await (self._look(int(rest)) if what == "g" else self._undo(int(rest), user))
        proposal = self._proposals.take(rest) if what in ("a", "x") else None
        if proposal is None:
            return words.stale()
        return await self._applied(proposal, user) if what == "a" else Reply(words.dropped())

    async def _look(self, ruling_id: int) -> Reply:
        """What going back to a ruling would change."""
        ruling = await self._book.history.get(ruling_id)
        return await self._proposed(ruling.text, ruling.name, How.ROLLED_BACK) if ruling else Reply(words.stale())

    async def _undo(self, ruling_id: int, user: tuple[int, str]) -> Reply | str:
        """Put into effect what was before the ruling that is in effect."""
        rulings = await self._book.history.recent(2)
        if not rulings or rulings[0].id != ruling_id:
            return words.stale()
        before = rulings[1] if len(rulings) > 1 else None
        text, name = (before.text, before.name) if before else ("", self._book.config.path.name)
        return await self._applied(Proposal(text, name, How.ROLLED_BACK, self._book.standing.fingerprint), user)

    async def _applied(self, proposal: Proposal, user: tuple[int, str]) -> Reply | str:
        try:
            ruling: Ruling = await self._book.apply(proposal.text, proposal.name, proposal.how, proposal.seen, user)
        except Outdated:
            return words.outdated()
        except RulesInvalid as error:
            return Reply(words.mistakes(proposal.name, error.mistakes))
        return dialogue.applied(ruling, len(self._book.standing.rules.rules))


def rules_handlers(book: Rulebook, admins: Container[int], preview: Preview, matches: Callable[[], Sequence[Path]]) -> list[Any]:
    """The handlers to add to the application before those of `build_handlers`."""
    return list(RulesDesk(book, admins, preview, matches).handlers())
