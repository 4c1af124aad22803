"""The English texts of /live, /timezone, /test, of hellos and of inline cards; what is put into one is escaped here."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chats.texts import escape

LIVE = "<b>In play now</b>"
LIVE_NONE = "No match among the known fixtures is in play. /today lists the matches of the day."
LIVE_TAP = "<i>Tap a match to follow it.</i>"
REFRESH = "🔄 Refresh"
PICK = "🔔 Follow …"
PICK_TODAY = "Tap the matches to follow."

ZONE_EXAMPLES = "Send a city or a country: <code>/timezone Madrid</code>."
SAMPLE_COMES = "🧪 A sample alert is on its way, as real ones come."
SAMPLE = (
    "🧪 <b>Sample</b>\n⚽ <b>Home United 1–0 Away City</b>\n23' A. Striker\n"
    "<i>Nothing has happened: this is how an alert comes.</i>"
)

LACKS_PIN = "I may not pin messages here; everything else works without it."


def zone_now(zone: str, time: str) -> str:
    return f"<b>Times of this chat</b>\nNow: {escape(zone)}, where it is {time}.\n{ZONE_EXAMPLES}"


def zone_set(zone: str, time: str) -> str:
    return f"🕑 The times of this chat are those of <b>{escape(zone)}</b> now, where it is {time}."


def zone_which(wanted: str) -> str:
    return f"Which one do you mean by “{escape(wanted)}”?"


def zone_near(wanted: str) -> str:
    return f"I know no place called “{escape(wanted)}”. Did you mean one of these?"


def zone_unknown(wanted: str) -> str:
    return f"I know no place called “{escape(wanted)}”. {ZONE_EXAMPLES}"


def sample_muted(until: str) -> str:
    return f"🔇 This chat is muted until {escape(until)}, so a sample would not come either. /unmute ends it."


def sample_held(until: str) -> str:
    return f"🌙 Quiet hours hold everything until {escape(until)}, so a sample would not come now. /quiet changes that."


def sample_comes(delay: int) -> str:
    return f"{SAMPLE_COMES[:-1]}: {delay} s later, as /delay says." if delay else SAMPLE_COMES


def may_not_post(title: str, lacks: Sequence[str]) -> str:
    return f"I am in <b>{escape(title)}</b>, but I lack the right to {escape(' and to '.join(lacks))} there."
