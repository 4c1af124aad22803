"""The dialogues of /mute, /delay and /quiet: when a chat hears about things. Pure.

Button data: `q:1h` mutes, `w:30` delays, `z:23:00-07:00 hold` sets quiet hours, `z:off` ends them.
"""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from bot.chats import hour_words
from bot.chats.reply import Button, Reply, Row, Settle, Turn, View
from bot.chats.times import clock_time, local, short_instant
from bot.languages.grammar import hours
from bot.store.quiet import read_quiet
from rules.document import duration

LONGEST_DELAY = 300
_LONGEST_MUTE = dt.timedelta(days=365)
_DELAYS = ("0", "15", "30", "60", "120")


def mute(view: View, words: tuple[str, ...]) -> Turn:
    """`/mute [1h]`: nothing at all until then; `/mute match` is another dialogue."""
    wanted = " ".join(words).casefold()
    if not wanted:
        return Turn(Reply(hour_words.choose_mute(), (_mutes(),)))
    span = _span(wanted)
    if span is None:
        return Turn(Reply(hour_words.not_a_mute(wanted)))
    if span > _LONGEST_MUTE:
        return Turn(Reply(hour_words.longest_mute()))
    until = view.now + span
    return Turn(Reply(hour_words.muted(when(view, until))), (Settle(replace(view.chat, muted_until=until)),))


def delay(view: View, words: tuple[str, ...]) -> Turn:
    """`/delay [0–300]`: seconds that everything comes later, so that no goal is heard of before it is seen."""
    if not words:
        row = tuple(Button(f"{seconds} s", f"w:{seconds}") for seconds in _DELAYS)
        return Turn(Reply(hour_words.choose_delay(view.chat.delay), (row,)))
    seconds = words[0].removesuffix("s")
    if len(words) > 1 or not (seconds.isascii() and seconds.isdecimal()) or int(seconds) > LONGEST_DELAY:
        return Turn(Reply(hour_words.not_a_delay()))
    return Turn(Reply(hour_words.delayed(int(seconds))), (Settle(replace(view.chat, delay=int(seconds))),))


def quiet(view: View, words: tuple[str, ...]) -> Turn:
    """`/quiet [23:00-07:00 [silent | hold] | off]`: hours of every day, in the chat's time zone."""
    wanted = " ".join(words).casefold()
    if not wanted:
        rows = tuple((Button(label, f"z:{data}"),) for label, data in hour_words.quiet_offers())
        return Turn(Reply(hour_words.choose_quiet(str(view.chat.quiet or ""), view.chat.timezone), rows))
    if wanted == "off":
        return Turn(Reply(hour_words.quiet_off()), (Settle(replace(view.chat, quiet=None)),))
    read = read_quiet(wanted)
    if read is None:
        return Turn(Reply(hour_words.not_quiet()))
    html = hour_words.quiet_now(str(read).split(" ")[0], view.chat.timezone, hold=read.hold)
    return Turn(Reply(html), (Settle(replace(view.chat, quiet=read)),))


def _mutes() -> Row:
    named = (hours(1), "1h"), (hours(3), "3h"), (hour_words.this_match(), "match")
    return tuple(Button(label, f"q:{data}") for label, data in named)


def _span(wanted: str) -> dt.timedelta | None:
    try:
        return duration(wanted) or None
    except ValueError:
        return None


def when(view: View, until: dt.datetime) -> str:
    """The time, with the day where it is another."""
    zone = view.chat.timezone
    today = local(until, zone).date() == local(view.now, zone).date()
    return clock_time(until, zone) if today else short_instant(until, zone)
