"""The dialogues of /mute, /unmute, /delay and /quiet: when a chat hears about things. Pure.

Button data: `q:1h` mutes, `w:30` delays, `z:23:00-07:00 hold` sets quiet hours, `z:off` ends them.
"""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from bot.chats import texts
from bot.chats.reply import Button, Reply, Settle, Turn, View
from bot.chats.times import clock_time, local, short_instant
from bot.store.model import covers
from bot.store.quiet import read_quiet
from rules.document import duration
from rules.minute import Period

LONGEST_DELAY = 300
_LONGEST_MUTE = dt.timedelta(days=365)
_A_MATCH = dt.timedelta(hours=2, minutes=30)
"""From kick-off to the end of nearly every match, extra time included."""
_MUTES = (("1 hour", "1h"), ("3 hours", "3h"), ("This match", "match"))
_DELAYS = ("0", "15", "30", "60", "120")
_QUIETS = (("23:00–07:00, silent", "23:00-07:00 silent"), ("23:00–07:00, hold", "23:00-07:00 hold"), ("Off", "off"))


def mute(view: View, words: tuple[str, ...]) -> Turn:
    """`/mute [1h | match]`: nothing at all until then."""
    wanted = " ".join(words).casefold()
    if not wanted:
        return Turn(Reply(texts.CHOOSE_MUTE, (tuple(Button(label, f"q:{data}") for label, data in _MUTES),)))
    until = _match_end(view) if wanted == "match" else _later(view.now, wanted)
    if until is None:
        return Turn(Reply(texts.NO_MATCH_NOW if wanted == "match" else texts.not_a_mute(wanted)))
    return Turn(Reply(texts.muted(when(view, until))), (Settle(replace(view.chat, muted_until=until)),))


def unmute(view: View, _: tuple[str, ...]) -> Turn:
    """`/unmute`: hear again from now on; what came meanwhile is not told later."""
    if view.chat.muted_until is None or view.chat.muted_until <= view.now:
        return Turn(Reply(texts.NOT_MUTED))
    return Turn(Reply(texts.UNMUTED), (Settle(replace(view.chat, muted_until=None)),))


def delay(view: View, words: tuple[str, ...]) -> Turn:
    """`/delay [0–300]`: seconds that everything comes later, so that no goal is heard of before it is seen."""
    if not words:
        row = tuple(Button(f"{seconds} s", f"w:{seconds}") for seconds in _DELAYS)
        return Turn(Reply(texts.choose_delay(view.chat.delay), (row,)))
    seconds = words[0].removesuffix("s")
    if len(words) > 1 or not (seconds.isascii() and seconds.isdecimal()) or int(seconds) > LONGEST_DELAY:
        return Turn(Reply(texts.NOT_A_DELAY))
    return Turn(Reply(texts.delayed(int(seconds))), (Settle(replace(view.chat, delay=int(seconds))),))


def quiet(view: View, words: tuple[str, ...]) -> Turn:
    """`/quiet [23:00-07:00 [silent | hold] | off]`: hours of every day, in the chat's time zone."""
    wanted = " ".join(words).casefold()
    if not wanted:
        rows = tuple((Button(label, f"z:{data}"),) for label, data in _QUIETS)
        return Turn(Reply(texts.choose_quiet(str(view.chat.quiet or ""), view.chat.timezone), rows))
    if wanted == "off":
        return Turn(Reply(texts.QUIET_OFF), (Settle(replace(view.chat, quiet=None)),))
    read = read_quiet(wanted)
    if read is None:
        return Turn(Reply(texts.NOT_QUIET))
    html = texts.quiet_now(str(read).split(" ")[0], view.chat.timezone, hold=read.hold)
    return Turn(Reply(html), (Settle(replace(view.chat, quiet=read)),))


def _later(now: dt.datetime, wanted: str) -> dt.datetime | None:
    try:
        span = duration(wanted)
    except ValueError:
        return None
    return now + span if dt.timedelta(0) < span <= _LONGEST_MUTE else None


def _match_end(view: View) -> dt.datetime | None:
    """When the matches in play that the chat follows will be over; None where there is none."""
    followed = (f for f in view.guide.fixtures if any(covers(subscription, f) for subscription in view.subscriptions))
    ends = [f.kickoff + _A_MATCH for f in followed if f.kickoff and _in_play(view, f.id)]
    return max((end for end in ends if end > view.now), default=None)


def _in_play(view: View, fixture_id: str) -> bool:
    match = view.scores.match(fixture_id)
    return match is not None and match.period is not Period.BEFORE and not match.completed


def when(view: View, until: dt.datetime) -> str:
    """The time, with the day where it is another."""
    zone = view.chat.timezone
    today = local(until, zone).date() == local(view.now, zone).date()
    return clock_time(until, zone) if today else short_instant(until, zone)
