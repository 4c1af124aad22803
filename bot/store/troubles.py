"""What admins were told of, so that every process and the next start know it. The bodies are JSON that only the watch reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import delete, select

from bot.store.engine import Database, upsert
from bot.store.schema import troubles

Decide = Callable[[Mapping[str, str]], Mapping[str, str | None]]
"""From all bodies by name to those that change; None erases."""


class Troubles:
    """The repository of what stands, by the name of the trouble."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def change(self, decide: Decide) -> None:
        """Let one process at a time look at all of it, and keep what it decides; raise StoreError."""
        async with self._db.transaction() as tx:
            await tx.lock("troubles")
            rows = await tx.fetch(select(troubles))
            changed = decide({row["name"]: row["body"] for row in rows})
            kept = [{"name": name, "body": body} for name, body in changed.items() if body is not None]
            if kept:
                await tx.execute(upsert(troubles), kept)
            if gone := [name for name, body in changed.items() if body is None]:
                await tx.execute(delete(troubles).where(troubles.c.name.in_(gone)))
