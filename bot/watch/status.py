"""What `/status` says: every connection in a line, in plain words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from bot.feed.standing import Status
from rules.match import Match


def status_text(
    statuses: Sequence[Status], match: Callable[[str], Match | None], planned: int, waiting: int, now: dt.datetime
) -> str:
    """Connections with their state, last frame, position, reconnects and lag; what is planned; what waits to be told."""
    head = f"{len(statuses)} connected, {planned} planned, {waiting} waiting to be told"
    return "\n".join([head, *status_lines(statuses, match, now)])


def status_lines(statuses: Sequence[Status], match: Callable[[str], Match | None], now: dt.datetime) -> list[str]:
    """A line for each connection."""
    return [_line(status, match(status.fixture_id), now) for status in statuses]


def status_of_all(processes: Mapping[str, tuple[Sequence[str], Sequence[str]]], waiting: int) -> str:
    """The same for several processes; each has its roles and its lines."""
    connected = sum(len(lines) for _, lines in processes.values())
    told = [f"{len(processes)} processes, {connected} connected, {waiting} waiting to be told"]
    for name, (roles, lines) in sorted(processes.items()):
        told += ["", f"{name} ({', '.join(roles)})", *lines]
    return "\n".join(told)


def _line(status: Status, match: Match | None, now: dt.datetime) -> str:
    title = match.fixture.title if match and match.fixture.title else status.fixture_id
    heard = f"last frame {(now - status.last_frame).total_seconds():.0f} s ago" if status.last_frame else "no frame yet"
    parts = [f"{title}: {status.state.value}", heard, f"position {status.position}", f"reconnects {status.reconnects}"]
    if status.lag_median is not None and status.lag_p99 is not None:
        parts.append(f"lag {_ms(status.lag_median)} median, {_ms(status.lag_p99)} p99")
    if status.gaps or status.unreadable:
        parts.append(f"{status.gaps} never came, {status.unreadable} unreadable")
    return ", ".join(parts)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
