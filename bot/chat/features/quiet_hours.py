"""`/quiet` and `/delay`."""

from __future__ import annotations

from bot.chat.dialogue import Button, ButtonRow, ChatContext, DialogueResult, Screen, make_button, make_closing_row, set_settings
from bot.chat.features.timezone import make_zone_guesses, zone_label
from bot.chat.parsing.durations import parse_end, parse_length
from bot.chat.parsing.plain_words import ALERT_WORDS, DEFAULT_QUIET_HOURS, EVERY_WORDS, parse_hours, parse_on_off
from bot.chat.routing import Command, Feature
from bot.chat.texts import escape_text
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.quiet_hours import QuietHours
from bot.subscribers import MAX_DELAY
from rules.football.names import normalise

_MAX_TYPED_DATA = 40
"""The most bytes of typed words in a button's data: Telegram allows 64, and 16 are reserved for the id of a channel."""

_DELAY_OPTIONS = (0, 15, 30, 60, 120)


def set_delay(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/delay [0–300 | 1m | off]`: send everything so much later, for people who watch a delayed stream."""
    if not args:
        return DialogueResult(show_delay(context))
    # "delay the alerts by half a minute": which alerts are delayed needs no word.
    typed = " ".join(word for word in args if normalise(word) not in ALERT_WORDS | EVERY_WORDS)
    length = parse_length(typed, "s")
    # What cannot be read counts as too long: both are answered with what a delay may be.
    delay = 0 if parse_on_off(typed) is False else int(length.total_seconds()) if length is not None else MAX_DELAY + 1
    if delay > MAX_DELAY:
        html = _("A delay is a number of seconds from 0 to 300, such as <code>/delay 30</code>, or <code>/delay off</code>.")
        return DialogueResult(Screen(html, show_delay(context).buttons))
    if delay:
        html = _("⏱ Alerts are delayed by {seconds} s, corrections too.").format(seconds=delay)
    else:
        html = _("⏱ Delay off: alerts come instantly.")
    undo = _make_undo(f"w:{context.chat.delay}") if delay != context.chat.delay else ()
    buttons = ((*undo, Button(_("⏱ Other delay"), "ws:")), make_closing_row())
    return DialogueResult(Screen(html, buttons), (set_settings(delay=delay),))


def show_delay(context: ChatContext) -> Screen:
    """Show the delay, and others as buttons."""
    current = context.chat.delay
    buttons = tuple(
        Button(("✅ " if seconds == current else "") + (f"{seconds} s" if seconds else _("Off")), f"w:{seconds}")
        for seconds in _DELAY_OPTIONS
    )
    html = _("<b>⏱ Delay alerts by</b>\nNow: {delay}. Up to 300 s, such as <code>/delay 45</code>.")
    return Screen(html.format(delay=format_delay(context)), (buttons, make_closing_row()))


def format_delay(context: ChatContext) -> str:
    """Return the delay of the chat as it is shown: `30 s`, or off."""
    return f"{context.chat.delay} s" if context.chat.delay else _("off")


def set_quiet_hours(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/quiet [23:00-07:00 [silent | hold] | on | off]`: set the quiet hours of every day, in the chat's time zone."""
    typed, chat = " ".join(args), context.chat
    if not typed:
        return DialogueResult(show_quiet_hours(context))
    undo = _make_undo(f"z:{chat.quiet_hours or 'off'}")
    if parse_on_off(typed) is False:
        first = (*(undo if chat.quiet_hours else ()), Button(_("🌙 Other hours"), "zs:"))
        screen = Screen(_("🌙 Quiet hours are off."), (first, make_closing_row()))
        return DialogueResult(screen, (set_settings(quiet_hours=None),))
    quiet_hours = parse_hours(typed)
    if quiet_hours is None and (parse_length(typed) or parse_end(typed, context.now, chat.timezone)):
        # "tonight", "2 hours": no hours of every day.
        once = make_button(f"🔇 {typed}", f"q:{typed}") if len(typed.encode()) <= _MAX_TYPED_DATA else Button(_("🔇 Mute"), "qs:")
        html = _("Quiet hours are the same every day. Mute alerts just this once?")
        return DialogueResult(Screen(html, ((once,), (Button(_("🌙 Other hours"), "zs:"),), make_closing_row())))
    if quiet_hours is None:
        html = _("I don't understand “{words}”. Example: <code>/quiet 23-7</code>, or <code>/quiet off</code>.")
        return DialogueResult(Screen(html.format(words=escape_text(typed)), show_quiet_hours(context).buttons))
    if quiet_hours.holds_alerts:
        html = _("🌙 Quiet hours: {hours} ({timezone}). Alerts wait and come in one summary when they end.")
    else:
        html = _("🌙 Quiet hours: {hours} ({timezone}). Alerts come without sound.")
    html = html.format(hours=format_hours_of_day(quiet_hours), timezone=escape_text(zone_label(chat.timezone)))
    rows: tuple[ButtonRow, ...] = ((*undo, _make_zone_button(context)), make_closing_row())
    if not chat.has_timezone:
        # Here it matters first: 23:00 in UTC may be the middle of the evening.
        html = f"{html}\n{_('Where are you? Tap the city that shows your time.')}"
        rows = (*make_zone_guesses(context), *rows)
    return DialogueResult(Screen(html, rows), (set_settings(quiet_hours=quiet_hours),))


def show_quiet_hours(context: ChatContext) -> Screen:
    """Show the quiet hours and the time zone that they are in, and others as buttons."""
    hours = format_hours_of_day(DEFAULT_QUIET_HOURS)
    current, silent = context.chat.quiet_hours, str(DEFAULT_QUIET_HOURS)
    held = str(QuietHours(DEFAULT_QUIET_HOURS.start, DEFAULT_QUIET_HOURS.end, holds_alerts=True))
    options = (
        (_("{hours} · no sound").format(hours=hours), silent),
        (_("{hours} · one summary").format(hours=hours), held),
        (_("Off"), "off"),
    )
    buttons = tuple(
        (Button(f"✅ {label}" if words == str(current or "off") else label, f"z:{words}"),) for label, words in options
    )
    html = _("<b>🌙 Quiet hours</b>\nNow: {hours}. Time zone: {timezone}.\nExample: <code>/quiet 23-7</code>.")
    html = html.format(hours=render_quiet_hours(context), timezone=escape_text(zone_label(context.chat.timezone)))
    return Screen(html, (*buttons, (_make_zone_button(context),), make_closing_row()))


def render_quiet_hours(context: ChatContext) -> str:
    """Return the quiet hours of the chat as they are shown, or off."""
    quiet_hours = context.chat.quiet_hours
    if quiet_hours is None:
        return _("off")
    text = _("{hours} · one summary") if quiet_hours.holds_alerts else _("{hours} · no sound")
    return escape_text(text.format(hours=format_hours_of_day(quiet_hours)))


def format_hours_of_day(quiet_hours: QuietHours) -> str:
    """Return `23:00–07:00`."""
    return str(quiet_hours).split(" ")[0].replace("-", "–")


def _make_zone_button(context: ChatContext) -> Button:
    return Button(f"🕑 {zone_label(context.chat.timezone)}", "os:")


def _make_undo(data: str) -> tuple[Button, ...]:
    return (Button(_("↩ Undo"), data),)


FEATURE = Feature(
    commands={
        "delay": Command(set_delay, N_("Match your stream's delay"), changes_settings=True),
        "quiet": Command(set_quiet_hours, N_("Daily quiet hours"), changes_settings=True),
    },
    buttons={
        "w": lambda context, words: set_delay(context, tuple(words.split())),
        "z": lambda context, words: set_quiet_hours(context, tuple(words.split())),
    },
    screens={
        "ws": lambda context, _: show_delay(context),
        "zs": lambda context, _: show_quiet_hours(context),
    },
)
