"""`/quiet` and `/delay`."""

from __future__ import annotations

from msgspec.structs import replace

from bot.chat.dialogue import Button, ChatContext, DialogueResult, Screen, UpdateChat
from bot.chat.routing import Command, Feature
from bot.chat.texts import escape_text
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import parse_quiet_hours

MAX_DELAY = 300

_DELAY_OPTIONS = ("0", "15", "30", "60", "120")


def set_delay(context: ChatContext, words: tuple[str, ...]) -> DialogueResult:
    """`/delay [0–300]`: seconds that everything comes later, so that no goal is heard of before it is seen."""
    if not words:
        row = tuple(Button(f"{seconds} s", f"w:{seconds}") for seconds in _DELAY_OPTIONS)
        return DialogueResult(Screen(choose_delay_text(context.chat.delay), (row,)))
    seconds = words[0].removesuffix("s")
    if len(words) > 1 or not (seconds.isascii() and seconds.isdecimal()) or int(seconds) > MAX_DELAY:
        return DialogueResult(Screen(not_a_delay_text()))
    return DialogueResult(Screen(delay_set_text(int(seconds))), (UpdateChat(replace(context.chat, delay=int(seconds))),))


def set_quiet_hours(context: ChatContext, words: tuple[str, ...]) -> DialogueResult:
    """`/quiet [23:00-07:00 [silent | hold] | off]`: hours of every day, in the chat's time zone."""
    wanted = " ".join(words).casefold()
    if not wanted:
        rows = tuple((Button(label, f"z:{data}"),) for label, data in quiet_hours_options())
        return DialogueResult(Screen(choose_quiet_hours_text(str(context.chat.quiet_hours or ""), context.chat.timezone), rows))
    if wanted == "off":
        return DialogueResult(Screen(quiet_hours_off_text()), (UpdateChat(replace(context.chat, quiet_hours=None)),))
    read = parse_quiet_hours(wanted)
    if read is None:
        return DialogueResult(Screen(not_quiet_hours_text()))
    html = quiet_hours_set_text(str(read).split(" ")[0], context.chat.timezone, hold=read.holds_alerts)
    return DialogueResult(Screen(html), (UpdateChat(replace(context.chat, quiet_hours=read)),))


def not_a_delay_text() -> str:
    return _("A delay is a whole number of seconds from 0 to 300, such as <code>/delay 30</code>.")


def not_quiet_hours_text() -> str:
    return _(
        "Quiet hours are such as <code>/quiet 23:00-07:00</code>, with <code>silent</code> or <code>hold</code> after it, "
        "or <code>/quiet off</code>."
    )


def quiet_hours_off_text() -> str:
    return _("This chat has no quiet hours any more.")


def choose_delay_text(now: int) -> str:
    text = _("<b>How much later shall everything come?</b>\nNow: {seconds} s. Up to 300 s, such as <code>/delay 45</code>.")
    return text.format(seconds=now)


def delay_set_text(seconds: int) -> str:
    if not seconds:
        return _("Everything comes at once now.")
    return _("Everything comes {seconds} s later now, corrections too.").format(seconds=seconds)


def choose_quiet_hours_text(now: str, timezone: str) -> str:
    text = _(
        "<b>Quiet hours</b>\nNow: {hours}, in {timezone} time. "
        "<code>/quiet 23:00-07:00 silent</code> lets nothing ring, <code>hold</code> tells it in one message when they end."
    )
    return text.format(hours=escape_text(now) or _("none"), timezone=escape_text(timezone))


def quiet_hours_options() -> tuple[tuple[str, str], ...]:
    """Labels of what is offered as quiet hours, with their words."""
    silent, hold = _("{hours}, silent"), _("{hours}, hold")
    hours = "23:00–07:00"
    return (silent.format(hours=hours), "23:00-07:00 silent"), (hold.format(hours=hours), "23:00-07:00 hold"), (_("Off"), "off")


def quiet_hours_set_text(span: str, timezone: str, *, hold: bool) -> str:
    if hold:
        text = _(
            "🌙 Quiet hours are {hours} ({timezone}): news is told in one message for each match when they end. "
            "/quiet off ends them."
        )
    else:
        text = _("🌙 Quiet hours are {hours} ({timezone}): nothing rings. /quiet off ends them.")
    return text.format(hours=escape_text(span), timezone=escape_text(timezone))


FEATURE = Feature(
    commands={
        "delay": Command(set_delay, N_("Everything some seconds later: no spoilers"), changes_settings=True),
        "quiet": Command(set_quiet_hours, N_("Quiet hours of every day"), changes_settings=True),
    },
    buttons={
        "w": lambda context, rest: set_delay(context, tuple(rest.split())),
        "z": lambda context, rest: set_quiet_hours(context, tuple(rest.split())),
    },
)
