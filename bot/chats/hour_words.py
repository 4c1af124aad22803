"""What the bot says of silence, delays and quiet hours; what is put into a text is escaped here."""

from __future__ import annotations

from bot.chats.texts import escape
from bot.languages.speaking import translated as _


def choose_mute() -> str:
    return _("<b>Silence for how long?</b>\nOr send <code>/mute 45m</code>. What comes meanwhile is not told later.")


def this_match() -> str:
    return _("This match")


def no_match_now() -> str:
    return _("No match that this chat follows is being played. <code>/mute 2h</code> works at any time.")


def unmuted() -> str:
    return _("This chat hears again.")


def not_muted() -> str:
    return _("This chat is not muted. /mute changes that.")


def not_a_delay() -> str:
    return _("A delay is a whole number of seconds from 0 to 300, such as <code>/delay 30</code>.")


def not_quiet() -> str:
    return _(
        "Quiet hours are such as <code>/quiet 23:00-07:00</code>, with <code>silent</code> or <code>hold</code> after it, "
        "or <code>/quiet off</code>."
    )


def quiet_off() -> str:
    return _("This chat has no quiet hours any more.")


def not_a_mute(wanted: str) -> str:
    text = _("“{time}” is no time that I understand. Try <code>/mute 1h</code> or <code>/mute match</code>.")
    return text.format(time=escape(wanted))


def longest_mute() -> str:
    return _("That is too long: the longest is <code>/mute 365d</code>, and /unmute ends it.")


def muted(until: str) -> str:
    text = _("🔇 This chat is muted until {time}. /unmute ends it; what comes meanwhile is not told later.")
    return text.format(time=escape(until))


def choose_delay(now: int) -> str:
    text = _("<b>How much later shall everything come?</b>\nNow: {seconds} s. Up to 300 s, such as <code>/delay 45</code>.")
    return text.format(seconds=now)


def delayed(seconds: int) -> str:
    if not seconds:
        return _("Everything comes at once now.")
    return _("Everything comes {seconds} s later now, corrections too.").format(seconds=seconds)


def choose_quiet(now: str, timezone: str) -> str:
    text = _(
        "<b>Quiet hours</b>\nNow: {hours}, in {timezone} time. "
        "<code>/quiet 23:00-07:00 silent</code> lets nothing ring, <code>hold</code> tells it in one message when they end."
    )
    return text.format(hours=escape(now) or _("none"), timezone=escape(timezone))


def quiet_offers() -> tuple[tuple[str, str], ...]:
    """Labels of what is offered as quiet hours, with their words."""
    silent, hold = _("{hours}, silent"), _("{hours}, hold")
    hours = "23:00–07:00"
    return (silent.format(hours=hours), "23:00-07:00 silent"), (hold.format(hours=hours), "23:00-07:00 hold"), (_("Off"), "off")


def quiet_now(span: str, timezone: str, *, hold: bool) -> str:
    if hold:
        text = _(
            "🌙 Quiet hours are {hours} ({timezone}): news is told in one message for each match when they end. "
            "/quiet off ends them."
        )
    else:
        text = _("🌙 Quiet hours are {hours} ({timezone}): nothing rings. /quiet off ends them.")
    return text.format(hours=escape(span), timezone=escape(timezone))
