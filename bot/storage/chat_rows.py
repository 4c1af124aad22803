"""A chat as a row of the database, and back: the only place that knows both names of each setting.

The columns keep the names of the first release, because two versions may run on one database during an upgrade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Boolean

from bot.quiet_hours import parse_quiet_hours
from bot.storage.damage import UNREADABLE
from bot.storage.schema import chats, from_timestamp, to_timestamp
from bot.subscribers import AlertFilter, CardForm, Chat, ChatRef, MatchMute, Mentions, MuteOffer, Subscription
from rules.engine.alert import LIVE_MESSAGE_KINDS


def chat_to_row(chat: Chat) -> dict[str, object]:
    """Return the row of a chat."""
    alert_filter = chat.filter
    return {
        "chat_id": chat.ref.chat_id,
        "topic": chat.ref.topic,
        "kind": chat.type,
        "title": chat.title,
        "active": chat.is_active,
        # Written by `ChatRepository.suspend` and `resume`: `update_chat` leaves alone what a change has not touched.
        "suspended_why": "",
        "all_kinds": alert_filter.all_kinds,
        "kinds_on": join_words(alert_filter.kinds_on),
        "kinds_off": join_words(alert_filter.kinds_off),
        "ring": join_words(alert_filter.loud),
        "silent": join_words(alert_filter.silent),
        "waits": alert_filter.confirmed_only,
        "scorers": alert_filter.scorers_only,
        # For the index on chats that want cards or pictures: they are few, and are looked for at every change of a match.
        "extras": any(alert_filter.accepts(kind) for kind in LIVE_MESSAGE_KINDS),
        "language": chat.language,
        "language_chosen": chat.language_chosen,
        "timezone": chat.timezone,
        "delay": chat.delay,
        "muted_until": to_timestamp(chat.muted_until) if chat.muted_until else None,
        "muted_matches": format_muted_matches(chat.muted_matches, chat.match_mutes),
        "buttons": chat.mute_button,
        "mute_offers": format_mute_offers(chat.mute_offers),
        "spoilers": chat.spoilers,
        "bursts": chat.digests,
        "burst_at": chat.digest_window_at,
        "tasted": chat.has_overrides,
        "quiet": str(chat.quiet_hours) if chat.quiet_hours else "",
        "fixed": chat.is_configured,
        "unfollowed": format_subscriptions(chat.unfollowed),
        "username": chat.username,
        "channel": chat.managed_channel,
        "channel_until": to_timestamp(chat.managed_until) if chat.managed_until else None,
        "pins": chat.pins_cards,
        "mentions": chat.mentions,
        "mentioned": format_mentions(chat.mentioned),
        "card_form": chat.card_form.value,
    }


def row_to_chat(row: Mapping[Any, Any]) -> Chat:
    """Return the chat of a row."""
    return Chat(
        ChatRef(row["chat_id"], row["topic"]),
        row["kind"],
        row["title"],
        row["active"],
        AlertFilter(
            all_kinds=row["all_kinds"],
            kinds_on=split_words(row["kinds_on"]),
            kinds_off=split_words(row["kinds_off"]),
            loud=split_words(row["ring"]),
            silent=split_words(row["silent"]),
            confirmed_only=row["waits"],
            scorers_only=row["scorers"],
        ),
        language=row["language"],
        language_chosen=row["language_chosen"],
        timezone=row["timezone"],
        delay=row["delay"],
        muted_until=from_timestamp(row["muted_until"]) if row["muted_until"] is not None else None,
        muted_matches=parse_muted_matches(row["muted_matches"])[0],
        match_mutes=parse_muted_matches(row["muted_matches"])[1],
        mute_button=row["buttons"],
        mute_offers=parse_mute_offers(row["mute_offers"]),
        spoilers=row["spoilers"],
        digests=row["bursts"],
        digest_window_at=row["burst_at"],
        has_overrides=row["tasted"],
        quiet_hours=parse_quiet_hours(row["quiet"]) if row["quiet"] else None,
        is_configured=row["fixed"],
        unfollowed=parse_subscriptions(row["unfollowed"]),
        username=row["username"],
        managed_channel=row["channel"],
        managed_until=from_timestamp(row["channel_until"]) if row["channel_until"] is not None else None,
        pins_cards=row["pins"],
        mentions=row["mentions"],
        mentioned=parse_mentions(row["mentioned"]),
        # A form that a newer version has stored is not known here: its chats get text meanwhile.
        card_form=CardForm(row["card_form"]) if row["card_form"] in _CARD_FORMS else CardForm.TEXT,
    )


def row_to_readable_chat(row: Mapping[Any, Any]) -> Chat:
    """Return the chat of a row that `row_to_chat` cannot read: its settings that cannot be read are those of a new chat.

    A newer version may have stored them in another form. The others, such as a mute, must not depend on them.
    """
    new = chat_to_row(Chat(ChatRef(row["chat_id"], row["topic"])))
    return row_to_chat({name: row[name] if _is_readable(new | {name: row[name]}) else new[name] for name in new})


def _is_readable(row: Mapping[Any, Any]) -> bool:
    try:
        row_to_chat(row)
    except UNREADABLE:
        return False
    return True


_CARD_FORMS = frozenset(CardForm)

_CHAT_COLUMNS = tuple(column.name for column in chats.columns)

_BOOLEAN_COLUMNS = tuple(column.name for column in chats.columns if isinstance(column.type, Boolean))

_OWN_COLUMNS = ("chat_id", "topic", "title", "username", "burst_at")
"""The columns in which nearly every chat differs from all others."""

_get_own = itemgetter(*(_CHAT_COLUMNS.index(name) for name in _OWN_COLUMNS))

_SHARED_COLUMNS = tuple(name for name in _CHAT_COLUMNS if name not in _OWN_COLUMNS)

_get_shared = itemgetter(*(_CHAT_COLUMNS.index(name) for name in _SHARED_COLUMNS))


def values_to_chat(values: Sequence[Any]) -> Chat:
    """Return the chat of a prepared query's values, in the order of the table's columns."""
    chat_id, topic, title, username, window_at = _get_own(values)
    settings = _read_settings(_get_shared(values))
    return replace(settings, ref=ChatRef(chat_id, topic), title=title, username=username, digest_window_at=window_at)


def values_to_readable_chat(values: Sequence[Any]) -> Chat:
    """Return the chat of values that `values_to_chat` cannot read; see `row_to_readable_chat`."""
    row = dict(zip(_CHAT_COLUMNS, values, strict=True))
    return row_to_readable_chat(row | {name: row[name] == 1 for name in _BOOLEAN_COLUMNS})


# A fan-out reads thousands of chats, and nearly all have the same few settings.
@lru_cache(maxsize=256)
def _read_settings(values: tuple[Any, ...]) -> Chat:
    """Return a chat with the settings of `_SHARED_COLUMNS`, and with nothing that is its own."""
    row: dict[str, Any] = dict.fromkeys(_OWN_COLUMNS) | dict(zip(_SHARED_COLUMNS, values, strict=True))
    for name in _BOOLEAN_COLUMNS:
        row[name] = row[name] == 1  # SQLite has no booleans: its driver returns 0 and 1
    return row_to_chat(row)


def format_mute_offers(offers: Sequence[MuteOffer]) -> str:
    """Format offers as they are stored: `fixture|action|kind,kind`, separated by blanks."""
    return " ".join(f"{offer.fixture_id}|{offer.action_id}|{','.join(offer.kinds)}" for offer in offers)


# Cached like the parsers below: they run for every chat of a page, and most chats have the same few texts.
@lru_cache(maxsize=256)
def parse_mute_offers(text: str) -> tuple[MuteOffer, ...]:
    """Read stored offers; a word that is none is left out."""
    parts = [word.split("|") for word in text.split()]
    return tuple(MuteOffer(one[0], one[1], tuple(filter(None, one[2].split(",")))) for one in parts if len(one) == 3)


def format_muted_matches(muted_matches: frozenset[str], match_mutes: Sequence[MatchMute]) -> str:
    """Format muted matches as they are stored: `fixture`, or `fixture|seconds since 1970` for a while, separated by blanks."""
    # In the column of the first release, whose program takes the second form for a match that it does not know.
    return join_words(muted_matches | {f"{one.fixture_id}|{to_timestamp(one.until):.0f}" for one in match_mutes})


@lru_cache(maxsize=256)
def parse_muted_matches(text: str) -> tuple[frozenset[str], tuple[MatchMute, ...]]:
    """Read stored muted matches: those until they are over, and those for a while. A word that is neither is left out."""
    words = [word.split("|") for word in text.split()]
    timed = [MatchMute(one[0], from_timestamp(float(one[1]))) for one in words if len(one) == 2 and one[1].isdecimal()]
    return frozenset(one[0] for one in words if len(one) == 1), tuple(timed)


def join_words(words: frozenset[str]) -> str:
    """Return words that have no blank in them, such as kinds and fixture ids, as they are stored."""
    return " ".join(sorted(words))


# A fan-out reads thousands of chats, and nearly all have the same few sets.
@lru_cache(maxsize=256)
def split_words(text: str) -> frozenset[str]:
    """Read what `join_words` wrote."""
    return frozenset(text.split())


_SUBSCRIPTIONS_DECODER = msgspec.json.Decoder(tuple[Subscription, ...])


def format_subscriptions(subscriptions: Sequence[Subscription]) -> str:
    """Format what a chat followed as it is stored with the chat: JSON; empty if it is nothing."""
    return msgspec.json.encode(subscriptions).decode() if subscriptions else ""


@lru_cache(256)
def parse_subscriptions(text: str) -> tuple[Subscription, ...]:
    """Read what `format_subscriptions` wrote. What cannot be read counts as nothing."""
    # A newer version may have stored it in another form. The chat's alerts must not depend on it.
    try:
        return _SUBSCRIPTIONS_DECODER.decode(text) if text else ()
    except msgspec.DecodeError:
        return ()


_MENTIONS_DECODER = msgspec.json.Decoder(tuple[Mentions, ...])


def format_mentions(mentioned: Sequence[Mentions]) -> str:
    """Format who asked to be mentioned as it is stored with the chat: JSON; empty if nobody has."""
    return msgspec.json.encode(mentioned).decode() if mentioned else ""


@lru_cache(256)
def parse_mentions(text: str) -> tuple[Mentions, ...]:
    """Read what `format_mentions` wrote. What cannot be read counts as nobody."""
    try:
        return _MENTIONS_DECODER.decode(text) if text else ()
    except msgspec.DecodeError:
        return ()
