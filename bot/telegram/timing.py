"""When a message might have left, for the way of its alert: what was meant to be is told apart from what was slow. Pure."""

from __future__ import annotations

from bot.outbox.entry import Job
from bot.outbox.way import Marks
from rules.alert import Alert


def marks_of(job: Job, alert: Alert, now: float, shut: float) -> Marks:
    """The instants of what leaves now, in seconds since 1970; `shut` is when the limits last kept it from leaving."""
    due = _due(job)
    return Marks(alert.at.timestamp(), alert.received, job.news.put_at, due, now - due if due < shut <= now else 0.0)


def _due(job: Job) -> float:
    """A reply and a summary have instants of their own; other news is due when it is known, after the chat's delay."""
    if job.news.lines or job.entry.reply is not None or not job.news.put_at:
        return job.entry.due_at
    return job.news.put_at + job.chat.delay
