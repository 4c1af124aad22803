"""Ties together what the pages show of a running bot, and what they may change of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.console.alerts import AlertReader
from bot.console.chats import ChatDesk
from bot.console.now import NowReader
from bot.console.rules import RulesDesk


@dataclass(frozen=True, slots=True)
class LiveConsole:
    """What the pages of a running bot read and change: one part for each page."""

    now: NowReader
    alerts: AlertReader
    chats: ChatDesk
    rules: RulesDesk
    list_recordings: Callable[[], Sequence[str]]
    """Returns the files of the last matches."""
