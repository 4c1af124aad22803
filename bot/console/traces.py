"""Traces an alert on its way: when each of its revisions arrived, was decided, and was in the chats. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

import msgspec

from bot.outbox.delivery import HistoryLine
from bot.storage.frames import StoredFrame
from bot.storage.schema import from_timestamp


class RevisionTrace(msgspec.Struct, frozen=True):
    """One revision of an alert on its way, in milliseconds since its frame arrived; None where a step is not known."""

    seq: int
    state: str = ""
    received_at: dt.datetime | None = None
    feed_ms: float | None = None
    """From the feed's own time to the frame."""
    decided_ms: float | None = None
    """Until the alert was stored."""
    first_ms: float | None = None
    """Until Telegram took it for the first chat."""
    last_ms: float | None = None
    """Until Telegram took it for the last chat, with what that one waited."""
    last_waited_ms: float = 0.0
    """How much of it was the chat's delay, its quiet hours, or Telegram's limits."""
    chats: int = 0
    reasons: tuple[str, ...] = ()
    frame: str = ""
    """What the feed sent, as JSON on several lines; empty where it was not kept."""


class _RevisionSums(msgspec.Struct):
    state: str
    chats: int = 0
    feed_ms: float | None = None
    decided_ms: float | None = None
    first_ms: float | None = None
    last_ms: float | None = None
    last_waited_ms: float = 0.0
    reasons: Counter[str] = msgspec.field(default_factory=Counter)


class TraceSums:
    """Adds up what the chats of one alert have seen, revision by revision."""

    def __init__(self) -> None:
        self._by_seq: dict[int, _RevisionSums] = {}

    def add(self, history: Sequence[HistoryLine]) -> None:
        """Add one chat's history."""
        seen: set[int] = set()
        for line in history:
            # A reply follows the edit that was counted.
            if line.reply_id or line.seq in seen:
                continue
            seen.add(line.seq)
            sums = self._by_seq.setdefault(line.seq, _RevisionSums(line.state.value))
            sums.chats += 1
            sums.reasons[line.reason] += 1
            latency = line.latency
            if latency is None:
                continue
            # These two are the same for all chats: one frame, one commit.
            sums.feed_ms, sums.decided_ms = latency.feed, latency.outbox
            if (total := latency.total) is not None:
                # `total` leaves intended waits out, and the page shows when the chat really had it.
                whole = total + latency.waited
                sums.first_ms = whole if sums.first_ms is None else min(sums.first_ms, whole)
                if sums.last_ms is None or whole > sums.last_ms:
                    sums.last_ms, sums.last_waited_ms = whole, latency.waited

    def make_traces(self, stored: Sequence[StoredFrame]) -> tuple[RevisionTrace, ...]:
        """Return a trace for each revision that some chat has seen, or whose frame was kept."""
        frames = {one.seq: one for one in stored}
        traces = []
        for seq in sorted({*self._by_seq, *frames}):
            frame, sums = frames.get(seq), self._by_seq.get(seq, _RevisionSums(""))
            traces.append(
                RevisionTrace(
                    seq,
                    sums.state,
                    from_timestamp(frame.received_at) if frame else None,
                    sums.feed_ms,
                    sums.decided_ms,
                    sums.first_ms,
                    sums.last_ms,
                    sums.last_waited_ms,
                    sums.chats,
                    tuple(reason for reason, _ in sums.reasons.most_common()),
                    format_frame(frame.frame) if frame else "",
                )
            )
        return tuple(traces)


def describe_trace(trace: RevisionTrace) -> tuple[str, ...]:
    """Return the steps of a revision in words, in their order; what is not known is left out."""
    steps = []
    if trace.received_at:
        # `%f` has microseconds, of which the last three digits say nothing.
        steps.append(f"frame arrived at {trace.received_at:%H:%M:%S.%f}"[:-3] + " UTC")
    if trace.feed_ms is not None:
        after = f"{format_milliseconds(trace.feed_ms)} after the feed's own time"
        # Behind the arrival where the frame was kept, and instead of it where it was not.
        steps = [f"{steps[0]}, {after}"] if steps else [f"frame arrived {after}"]
    if trace.decided_ms is not None:
        steps.append(f"decided after {format_milliseconds(trace.decided_ms)}")
    if trace.first_ms is not None and trace.last_ms is not None:
        # The first and the last of one chat are the same.
        if trace.chats == 1:
            steps.append(f"in the chat after {format_milliseconds(trace.last_ms)}{_describe_wait(trace)}")
        else:
            steps.append(f"in the first chat after {format_milliseconds(trace.first_ms)}")
            last = f"in the last of {trace.chats:,} chats after {format_milliseconds(trace.last_ms)}"
            steps.append(f"{last}{_describe_wait(trace)}")
    elif trace.chats:
        steps.append(f"in {trace.chats:,} chats, how fast is not known")
    return tuple(steps)


def _describe_wait(trace: RevisionTrace) -> str:
    if not trace.last_waited_ms:
        return ""
    return f", {format_milliseconds(trace.last_waited_ms)} of it for its delay, quiet hours or Telegram's limits"


def format_milliseconds(milliseconds: float) -> str:
    """Return `0.6 ms`, `52 ms`, `1.2 s` or `3 min`."""
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s" if milliseconds < 120_000 else f"{milliseconds / 60_000:,.0f} min"


def format_frame(frame: bytes) -> str:
    """Return a frame as JSON on several lines, or as it is if it is none."""
    text = frame.decode(errors="replace")
    try:
        return msgspec.json.format(text, indent=2)
    except msgspec.DecodeError:
        return text
