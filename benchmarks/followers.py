"""A database in which many chats follow one match, and the goal that they hear of."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

from bot.storage.chat_rows import chat_to_row
from bot.storage.database import Database
from bot.subscribers import AlertFilter, Chat, ChatRef
from rules.engine.alert import Alert, AlertKey, Facts, State
from rules.football.action import Fixture, Team

FIXTURE = Fixture("f1", Team("t1", "Argentina"), Team("t2", "Saudi Arabia"), Team("c1", "World Cup"))


async def followed(path: Path, chats: int) -> None:
    """Make the database; the rows are written past the repositories, which take one chat at a time."""
    database = await Database.open(f"sqlite:///{path}")
    await database.close()
    row = chat_to_row(Chat(ChatRef(0), filter=AlertFilter(all_kinds=True)))
    names = [name for name in row if name != "chat_id"]
    marks = ", ".join("?" * (len(names) + 1))
    rest = [row[name] for name in names]
    with sqlite3.connect(path) as connection:
        connection.executemany(
            f"insert into chats (chat_id, {', '.join(names)}) values ({marks})",  # noqa: S608  # our own columns
            ((number, *rest) for number in range(1, chats + 1)),
        )
        connection.executemany(
            "insert into subscriptions (chat_id, topic, scope, key, name) values (?, 0, 'team', 't1', 'Argentina')",
            ((number,) for number in range(1, chats + 1)),
        )
    connection.close()


def goal(now: dt.datetime) -> Alert:
    """Major news of the match, made now."""
    facts = Facts(match="Argentina 1–0 Saudi Arabia", action_type="Goal", minute="10", player="Lionel Messi")
    named = {"rule": "goals", "kind": "goal", "severity": 2, "max_age": 3600.0}
    text = "⚽ <b>Argentina 1–0 Saudi Arabia</b>\n10' Lionel Messi"
    return Alert(AlertKey(FIXTURE.id, "g1"), 1, State.CONFIRMED, now, FIXTURE, facts, text=text, **named)  # type: ignore[arg-type]
