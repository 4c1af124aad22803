"""What the bot says of /live, /timezone, /test, of hellos and of inline cards; what is put into a text is escaped here."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chats.texts import escape
from bot.languages.grammar import listed
from bot.languages.speaking import counted as ngettext
from bot.languages.speaking import translated as _


def live() -> str:
    return _("<b>In play now</b>")


def live_none() -> str:
    return _("No match among the known fixtures is in play. /today lists the matches of the day.")


def live_tap() -> str:
    return _("<i>Tap a match to follow it.</i>")


def refresh() -> str:
    return _("🔄 Refresh")


def pick() -> str:
    return _("🔔 Follow …")


def mute_some() -> str:
    return _("🔕 Mute …")


def pick_today() -> str:
    return _("Tap the matches to follow.")


def zone_examples() -> str:
    return _("Send a city or a country: <code>/timezone Madrid</code>.")


def sample() -> str:
    return _(
        "🧪 <b>Sample</b>\n⚽ <b>Home United 1–0 Away City</b>\n23' A. Striker\n"
        "<i>Nothing has happened: this is how an alert comes.</i>"
    )


def lacks_pin() -> str:
    return _("I may not pin messages here; everything else works without it.")


def zone_now(zone: str, time: str) -> str:
    text = _("<b>Times of this chat</b>\nNow: {zone}, where it is {time}.")
    return f"{text.format(zone=escape(zone), time=time)}\n{zone_examples()}"


def zone_set(zone: str, time: str) -> str:
    text = _("🕑 The times of this chat are those of <b>{zone}</b> now, where it is {time}.")
    return text.format(zone=escape(zone), time=time)


def zone_which(wanted: str) -> str:
    return _("Which one do you mean by “{name}”?").format(name=escape(wanted))


def zone_near(wanted: str) -> str:
    return _("I know no place called “{name}”. Did you mean one of these?").format(name=escape(wanted))


def zone_unknown(wanted: str) -> str:
    text = _("I know no place called “{name}”. Send a city or a country: <code>/timezone Madrid</code>.")
    return text.format(name=escape(wanted))


def sample_muted(until: str) -> str:
    text = _("🔇 This chat is muted until {time}, so a sample would not come either. /unmute ends it.")
    return text.format(time=escape(until))


def sample_held(until: str) -> str:
    text = _("🌙 Quiet hours hold everything until {time}, so a sample would not come now. /quiet changes that.")
    return text.format(time=escape(until))


def sample_comes(delay: int = 0) -> str:
    if not delay:
        return _("🧪 A sample alert is on its way, as real ones come.")
    text = ngettext(
        "🧪 A sample alert is on its way, as real ones come: {count} second later, as /delay says.",
        "🧪 A sample alert is on its way, as real ones come: {count} seconds later, as /delay says.",
        delay,
    )
    return text.format(count=delay)


def may_not_post(title: str, lacks: Sequence[str]) -> str:
    text = _("I am in <b>{name}</b>, but I lack the right to {rights} there.")
    return text.format(name=escape(title), rights=escape(listed([_(right) for right in lacks])))
