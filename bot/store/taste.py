"""What one subscription wants for itself, and how a chat hears a match that several of its subscriptions cover. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

if TYPE_CHECKING:
    from bot.store.model import Chat


class Taste(msgspec.Struct, frozen=True, omit_defaults=True):
    """The settings that a subscription has of its own; where it has none it is as its chat.

    `kinds` are exactly those that it hears; `ring` and `silent` outweigh the chat's; `waits` and `scorers` are as of a chat. None
    means: as the chat.
    """

    kinds: frozenset[str] | None = None
    ring: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    waits: bool | None = None
    scorers: bool | None = None

    @property
    def own(self) -> bool:
        """Tell whether anything is other than in the chat."""
        return self != AS_CHAT


AS_CHAT = Taste()

_TASTE = msgspec.json.Decoder(Taste)


def taste_text(taste: Taste) -> str:
    """A taste as the store keeps it; empty where it is as the chat."""
    return msgspec.json.encode(taste, order="deterministic").decode() if taste.own else ""


@lru_cache(maxsize=1024)
def read_taste(text: str) -> Taste:
    """A taste from the store."""
    return _TASTE.decode(text) if text else AS_CHAT


def with_taste(chat: Chat, taste: Taste) -> Chat:
    """The chat as one of its subscriptions hears."""
    return replace(
        chat,
        exactly=chat.exactly if taste.kinds is None else taste.kinds,
        ring=(chat.ring - taste.silent) | taste.ring,
        silent=(chat.silent - taste.ring) | taste.silent,
        waits=chat.waits if taste.waits is None else taste.waits,
        scorers=_scorers(chat, taste),
    )


def hearing(chat: Chat, tastes: Sequence[Taste]) -> Chat:
    """The chat as it hears a match that subscriptions with these tastes cover: what any of them hears, as loudly as any does."""
    if not any(taste.own for taste in tastes):
        return chat
    return replace(chat, ears=tuple(with_taste(chat, taste) for taste in tastes))


def _scorers(chat: Chat, taste: Taste) -> bool:
    """Kinds of its own are what a subscription hears, whatever the chat is kept to."""
    return (chat.scorers and taste.kinds is None) if taste.scorers is None else taste.scorers
