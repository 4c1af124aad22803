"""Values -> rows and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bot.outbox.entry import Entry, News, Status
from bot.store.model import ChatRef
from rules.alert import Alert, AlertKey, State

_ALERTS = msgspec.json.Decoder(tuple[Alert, ...])
_BORN = msgspec.json.Decoder(dict[str, float])
_LINES = msgspec.json.Decoder(tuple[str, ...])

Row = Mapping[Any, Any]


def news_row(news: News) -> dict[str, Any]:
    """The columns that a revision sets."""
    return {
        "fixture_id": news.key.fixture_id,
        "action_id": news.key.action_id,
        "seq": news.seq,
        "state": news.state.value,
        "candidates": msgspec.json.encode(news.candidates).decode(),
        "born": msgspec.json.encode(news.born).decode(),
        "lines": msgspec.json.encode(news.lines).decode() if news.lines else "",
        "missed": news.missed,
        "summary": news.summary,
        "rank": news.rank,
    }


def news_of(row: Row) -> News:
    """A row of alerts as news."""
    return News(
        key_of(row),
        row["seq"],
        State(row["state"]),
        _ALERTS.decode(row["candidates"]),
        _BORN.decode(row["born"]),
        _LINES.decode(row["lines"]) if row["lines"] else (),
        row["missed"],
        row["summary"],
        row["rank"],
    )


def entry_row(entry: Entry) -> dict[str, Any]:
    """An entry as its row."""
    row = {name: getattr(entry, name) for name in Entry.__struct_fields__ if name not in ("key", "ref")}
    row |= {"status": entry.status.value, "state": entry.state.value, "reason": str(entry.reason)}
    return row | {
        "fixture_id": entry.key.fixture_id,
        "action_id": entry.key.action_id,
        "chat_id": entry.ref.chat_id,
        "topic": entry.ref.topic,
    }


def entry_of(row: Row) -> Entry:
    """A row of entries as an entry."""
    named = {name: row[name] for name in Entry.__struct_fields__ if name not in ("key", "ref")}
    named |= {"status": Status(row["status"]), "state": State(row["state"])}
    return Entry(key_of(row), ChatRef(row["chat_id"], row["topic"]), **named)


def key_of(row: Row) -> AlertKey:
    """The key of an alert's or an entry's row."""
    return AlertKey(row["fixture_id"], row["action_id"])
