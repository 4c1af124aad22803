"""Renders `/status`: chats, limits, processes and connections, in lines of plain text for a phone. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from bot.cluster.processes import ConnectionInfo, ProcessInfo
from bot.config.models import LimitSettings
from bot.feed.source import ConnectionStatus
from bot.outbox.depth import OutboxDepth
from bot.storage.chats import ChatCounts
from bot.telegram.limits.paid_messages import PaidBudget
from rules.football.match import Match


def render_chats(chats: ChatCounts) -> str:
    """Render how many chats follow something, and how many are suspended."""
    gone = f", {chats.suspended} more gone or blocked" if chats.suspended else ""
    return f"{chats.active} chats, {chats.following} of them follow something{gone}"


def render_status(lines: Sequence[str], connected: int, due: int, planned: int, depth: OutboxDepth) -> str:
    """Render the connections of a process that works alone, below a line with the totals."""
    due = max(connected, due)
    return "\n".join([f"{connected} of {due} due matches connected, {planned} planned, {_render_depth(depth)}", *lines])


def render_limits(limits: LimitSettings, allowed: Collection[str] | None, followed: int | None, held_back: int) -> str:
    """Render the limits in one line; `followed` is None in a process that follows no matches."""
    matches = "all matches" if limits.matches is None else f"{limits.matches} matches at a time"
    if limits.matches is not None and followed is not None:
        matches += f" ({followed} now, {held_back} wait)" if held_back else f" ({followed} now)"
    # Admins may always use the bot, so they stand beside the list and are not counted in it.
    users = "every chat" if allowed is None else f"{len(allowed)} chats and the admins"
    return f"limits: {users}, {limits.subscriptions_per_chat} subscriptions per chat, {matches}"


def render_paid_budget(budget: PaidBudget | None) -> str:
    """Render how many messages were paid for today, and how many may be."""
    if budget is None:
        return "no paid messages"
    of = "" if budget.limit is None else f" of {budget.limit:,}"
    spent = " (spent until 00:00 UTC)" if budget.is_spent else ""
    return f"{budget.use.used:,}{of} paid messages today{spent}"


_SPREAD_TIME = 5.0
"""Seconds in which news is spread to its chats, also when much comes at once."""


def _render_depth(depth: OutboxDepth) -> str:
    waiting = f"{depth.waiting} waiting to be sent"
    # While a sender spreads news, some of it always waits for a moment. Only what waits longer means that no sender does.
    if depth.oldest_news_seconds <= _SPREAD_TIME:
        return waiting
    alerts = "alert" if depth.unfinished_news == 1 else "alerts"
    unfinished = f"{depth.unfinished_news} {alerts} whose fan-out is not finished"
    return f"{waiting}, {unfinished}, the oldest for {depth.oldest_news_seconds:.0f} s"


def render_status_of_processes(processes: Mapping[str, ProcessInfo], depth: OutboxDepth) -> str:
    """Render the status of several processes, each with its roles and the lines of its connections."""
    # A process of 0.1 does not say how many are live: its connections are the best that is known.
    connected = sum(len(info.lines) if info.connected is None else info.connected for info in processes.values())
    # Each process counts the due matches of all, so they are not added up.
    due = max([connected, *(info.due for info in processes.values())])
    rendered = [f"{len(processes)} processes, {connected} of {due} due matches connected, {_render_depth(depth)}"]
    for name, info in sorted(processes.items()):
        rendered += ["", f"{name} ({', '.join(info.roles)})", *filter(None, (info.summary,)), *info.lines]
    return "\n".join(rendered)


def render_connection(status: ConnectionStatus, match: Match | None, now: dt.datetime) -> str:
    """Render a connection with its state, last frame, position, reconnects and lag, in one line."""
    title = match.fixture.title if match and match.fixture.title else status.fixture_id
    last_frame = (
        f"last frame {(now - status.last_frame_at).total_seconds():.0f} s ago" if status.last_frame_at else "no frame yet"
    )
    parts = [f"{title}: {status.state.value}", last_frame, f"position {status.position}", f"reconnects {status.reconnects}"]
    if status.lag_median is not None and status.lag_p99 is not None:
        parts.append(f"lag {_format_ms(status.lag_median)} median, {_format_ms(status.lag_p99)} p99")
    # Only if there is something to say: the line is read on a phone.
    if status.missing or status.unreadable:
        parts.append(f"{status.missing} {'packet' if status.missing == 1 else 'packets'} missing, {status.unreadable} unreadable")
    if status.connect_failure:
        parts.append(status.connect_failure)
    return ", ".join(parts)


def describe_connection(status: ConnectionStatus, match: Match | None, title: str) -> ConnectionInfo:
    """Return a connection as the console shows it. `title` is that of the list of fixtures, for a match without a packet."""
    return ConnectionInfo(
        status.fixture_id,
        # A match in play knows the names as its own packets spell them; the chats read the same ones.
        (match.fixture.title if match else "") or title or status.fixture_id,
        str(match.score) if match else "",
        describe_minute(match),
        status.state.value,
        status.last_frame_at.timestamp() if status.last_frame_at else None,
        status.reconnects,
        None if status.lag_median is None else round(status.lag_median * 1000),
    )


def describe_minute(match: Match | None) -> str:
    """Return `63'`, `FT` after the end, the period where there is no minute, or an empty text without a match."""
    if match is None:
        return ""
    # Before the minute: a match that has ended keeps its last one.
    if match.ended_by:
        return "FT"
    return f"{match.minute}'" if match.minute else match.period.value


def _format_ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
