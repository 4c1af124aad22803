"""When a message might have left, for the way of its alert: what was meant to be is told apart from what was slow. Pure."""

from __future__ import annotations

from bot.outbox.entry import Job
from bot.outbox.way import Marks
from rules.alert import Alert


def marks_of(job: Job, alert: Alert, now: float, shut: float) -> Marks:
    """The instants of what leaves now, in seconds since 1970; `shut` is when the limits last kept it from leaving."""
    put, (due, meant) = job.news.put_at, _due(job)
    return Marks(alert.at.timestamp(), alert.received, put, due, meant, now - due if due < shut <= now else 0.0)


def _due(job: Job) -> tuple[float, float]:
    """When it was to leave, and how many seconds until then were meant.

    News is due when it is known, after the chat's delay; a summary when it is, a reply when its edit is done.
    """
    put, due = job.news.put_at, job.entry.due_at
    if job.entry.reply is not None or not put:
        return due, 0.0
    return (max(put, due), max(0.0, due - put)) if job.news.lines else (put + job.chat.delay, float(job.chat.delay))
