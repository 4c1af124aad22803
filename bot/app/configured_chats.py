"""Stores the chats of the configuration, finds those that it names as @name at Telegram, and those that have a new id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

import structlog
from msgspec.structs import replace
from telegram import Bot
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.chat.permissions import is_present, missing_rights
from bot.config.load import Config
from bot.config.models import ConfiguredChat
from bot.retry import Backoff, retry_while_database_unavailable
from bot.storage.chats import ChatRepository
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import Chat, ChatRef, Subscription
from rules.engine.alert import SHIPPED_KINDS

log = structlog.get_logger()

_LOOK_AGAIN_AFTER = 600.0
"""Seconds after which a name with a problem is looked up again: somebody may have added the bot meanwhile."""


class ConfiguredChats:
    """The chats of the configuration in the database.

    Telegram knows which chat a name belongs to, and may be away at the start: a name that was found in an earlier run keeps its
    chat until Telegram says otherwise.
    """

    def __init__(
        self, subscriptions: SubscriptionRepository, chats: ChatRepository, bot: Bot, config: Callable[[], Config]
    ) -> None:
        self._subscriptions, self._chats, self._bot, self._config = subscriptions, chats, bot, config
        self.on_problem: Callable[[str], None] | None = None
        """Gets a sentence about a chat that cannot be used, once for as long as that holds."""
        self._found: dict[str, Chat] = {}
        """By @name in lower case, the chat that Telegram says it is."""
        self._problems: dict[str, str] = {}
        self._new_ids: dict[int, int] = {}
        """By their old ids the groups that became supergroups. The file may name them by these for ever."""
        self._reported_moves: set[str] = set()
        self._requested = asyncio.Event()
        self._requested.set()
        self._stored: tuple[object, ...] | None = None
        """What the chats in the database were made of; None if that is not certain."""
        self._lock = asyncio.Lock()

    async def store(self, config: Config) -> None:
        """Store the chats and what they follow. Those that left the file follow nothing any more, as names not found yet."""
        async with self._lock:
            self._stored = None  # a transaction whose answer is lost may have been committed
            await self._store(config)
            self._stored = _list_ingredients(config)

    async def store_if_changed(self, config: Config) -> None:
        """Store the chats of a configuration, unless the database already holds exactly these."""
        if self._stored != _list_ingredients(config):
            await self.store(config)

    async def _store(self, config: Config) -> None:
        # Found in an earlier run or by another process; what this process has found is newer.
        known = await self._chats.get_configured_by_name() | self._found
        stored = []
        for chat in config.chats:
            if isinstance(chat.chat, int):
                stored.append(make_configured_chat(chat, config))
            elif found := known.get(chat.chat.casefold()):
                # Without what the old row says of its settings: the file alone decides them.
                as_id, followed = make_configured_chat(chat.model_copy(update={"chat": found.ref.chat_id}), config)
                stored.append((replace(as_id, type=found.type, title=found.title, username=found.username), followed))
        self._new_ids |= await self._subscriptions.store_configured_chats(stored)

    def list_allowed_chats(self) -> Collection[str] | None:
        """Return who may use the bot, as ids and `@names`; None: everybody. A group that moved may use it under its new id."""
        allowed = self._config().telegram.allowed_chats
        if allowed is None:
            return None
        return (*allowed, *(str(new) for old, new in self._new_ids.items() if str(old) in allowed))

    def on_chat_migrated(self, old_chat_id: int, new_chat_id: int) -> None:
        """Note the new id of a group. Called in every process."""
        self._new_ids[old_chat_id] = new_chat_id

    def report_moves(self) -> None:
        """Tell the admins which new ids belong into the configuration, each once in the life of the process."""
        config = self._config()
        named = [("chats", str(chat.chat)) for chat in config.chats]
        named += [("telegram.allowed_chats", name) for name in config.telegram.allowed_chats or ()]
        for setting, name in named:
            for old, new in self._new_ids.items():
                news = f"the group {old} has become a supergroup; replace the number by {new}"
                sentence = f"{config.locate(setting)}: {setting}: {news}"
                if name != str(old) or sentence in self._reported_moves:
                    continue
                self._reported_moves.add(sentence)
                log.warning("configured_chat_moved", chat=old, to=new, setting=setting)
                if self.on_problem:
                    self.on_problem(sentence)

    def request_look(self) -> None:
        """Look the names up again: the configuration was read again."""
        self._requested.set()

    async def run(self) -> None:
        """Find the names at Telegram, and whether the bot may write there, until cancelled."""
        while True:
            self._requested.clear()
            self.report_moves()
            await self._find_all()
            try:
                async with asyncio.timeout(_LOOK_AGAIN_AFTER if self._problems else None):
                    await self._requested.wait()
            except TimeoutError:
                continue

    async def _find_all(self) -> None:
        config = self._config()
        names = list(dict.fromkeys(chat.chat for chat in config.chats if not isinstance(chat.chat, int)))
        problems: dict[str, str] = {}
        before = dict(self._found)
        for name in names:
            if problem := await self._find(name):
                problems[name] = problem
        # Stored again only then: most looks find what is stored.
        if self._found != before:
            await retry_while_database_unavailable(lambda: self.store(self._config()))
        for name, problem in problems.items():
            if self._problems.get(name) != problem:
                sentence = f"{config.locate('chats')}: chats: {problem}"
                log.warning("configured_chat_not_usable", chat=name, reason=sentence)
                if self.on_problem:
                    self.on_problem(sentence)
        self._problems = problems

    async def _find(self, name: str) -> str:
        """Find one name. Return a sentence about what is wrong with it; empty if nothing is."""
        backoff = Backoff(1.0, 60.0)
        while True:
            try:
                return await self._ask_telegram(name)
            except TelegramError as error:
                # Telegram is away or asks to wait: what it says of the name is not known yet, and no problem to report.
                log.info("configured_chat_not_looked_up", chat=name, reason=str(error))
                await asyncio.sleep(backoff.next())

    async def _ask_telegram(self, name: str) -> str:
        """Ask for the chat and the bot's rights there. Raises TelegramError if there is no answer."""
        try:
            found = await self._bot.get_chat(name)
        except (BadRequest, Forbidden) as error:
            return explain_unknown_name(name, str(error))
        self._found[name.casefold()] = Chat(
            ChatRef(found.id), found.type, found.title or "", username=(found.username or name).removeprefix("@")
        )
        try:
            member = await self._bot.get_chat_member(found.id, self._bot.id)
        except (BadRequest, Forbidden):
            # Telegram tells nothing of the members of a chat that the bot is not in.
            return f"{name}: the bot is not a member: add it"
        if not is_present(member):
            return f"{name}: the bot is not a member: add it"
        rights = missing_rights(member, found.type)
        return f"{name}: the bot may not {' and '.join(rights)} there: give it that right" if rights else ""


def _list_ingredients(config: Config) -> tuple[object, ...]:
    """Return all of a configuration that its stored chats are made of."""
    # A chat of the file has exactly the kinds that it names, which are switched on and off among those of the rules.
    return config.chats, config.rules.list_kinds()


def explain_unknown_name(name: str, answer: str) -> str:
    """Return the sentence about a @name that Telegram does not find."""
    if "not found" not in answer.lower():
        return f"{name}: Telegram says: {answer}"
    return f"{name}: Telegram knows no channel or public group of this name: correct it, or write the chat's number"


def make_configured_chat(chat: ConfiguredChat, config: Config) -> tuple[Chat, tuple[Subscription, ...]]:
    """Return a chat of the configuration as it is stored, and its subscriptions. It has to be named by its id."""
    if not isinstance(chat.chat, int):
        raise TypeError(f"{chat.chat} is not an id")
    # Telegram gives people positive ids, and groups and channels negative ones.
    chat_type = "private" if chat.chat > 0 else "supergroup"
    stored = Chat(ChatRef(chat.chat, chat.topic), chat_type, language=chat.language, language_chosen=True, is_configured=True)
    stored = replace(stored, spoilers=chat.spoilers, digests=chat.bursts, card_form=chat.card or config.telegram.match_cards)
    if chat.kinds is None:
        return replace(stored, filter=replace(stored.filter, all_kinds=True)), chat.subscribe
    # Kinds of an operator's own rules are on by default, so all others have to be switched off one by one.
    on = frozenset(chat.kinds)
    off = frozenset({*SHIPPED_KINDS, *config.rules.list_kinds()}) - on
    return replace(stored, filter=replace(stored.filter, kinds_on=on, kinds_off=off)), chat.subscribe
