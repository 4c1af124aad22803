"""`/quiet` and `/delay`."""

from __future__ import annotations

from bot.chat.dialogue import Button, ChatContext, DialogueResult, Screen, set_settings
from bot.chat.routing import Command, Feature
from bot.chat.texts import escape_text
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import parse_quiet_hours

# Streams lag by a minute or two. A longer delay is a slip of the finger, and the chat would seem dead.
MAX_DELAY = 300

_DELAY_OPTIONS = ("0", "15", "30", "60", "120")

_HOURS_OPTION = "23:00-07:00"


def set_delay(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/delay [0–300]`: send everything so many seconds later, for people who watch a delayed stream."""
    if not args:
        buttons = tuple(Button(f"{seconds} s", f"w:{seconds}") for seconds in _DELAY_OPTIONS)
        html = _("<b>How much later shall everything come?</b>\nNow: {seconds} s. Up to 300 s, such as <code>/delay 45</code>.")
        return DialogueResult(Screen(html.format(seconds=context.chat.delay), (buttons,)))
    digits = args[0].removesuffix("s")
    # str.isdecimal takes the digits of every script, and int() too: only 0 to 9 are meant.
    if len(args) > 1 or not (digits.isascii() and digits.isdecimal()) or int(digits) > MAX_DELAY:
        return DialogueResult(Screen(_("A delay is a whole number of seconds from 0 to 300, such as <code>/delay 30</code>.")))
    delay = int(digits)
    if delay:
        html = _("Everything comes {seconds} s later now, corrections too.").format(seconds=delay)
    else:
        html = _("Everything comes at once now.")
    return DialogueResult(Screen(html), (set_settings(delay=delay),))


def set_quiet_hours(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/quiet [23:00-07:00 [silent | hold] | off]`: set the quiet hours of every day, in the chat's time zone."""
    typed, chat = " ".join(args).casefold(), context.chat
    if not typed:
        return DialogueResult(_offer_quiet_hours(context))
    if typed == "off":
        html = _("This chat has no quiet hours any more.")
        return DialogueResult(Screen(html), (set_settings(quiet_hours=None),))
    quiet_hours = parse_quiet_hours(typed)
    if quiet_hours is None:
        html = _(
            "Quiet hours are such as <code>/quiet 23:00-07:00</code>, with <code>silent</code> or <code>hold</code> after it, "
            "or <code>/quiet off</code>."
        )
        return DialogueResult(Screen(html))
    if quiet_hours.holds_alerts:
        html = _(
            "🌙 Quiet hours are {hours} ({timezone}): news is told in one message for each match when they end. "
            "/quiet off ends them."
        )
    else:
        html = _("🌙 Quiet hours are {hours} ({timezone}): nothing rings. /quiet off ends them.")
    # Without the word after the span: the sentence around it says that.
    hours = str(quiet_hours).split(" ")[0]
    html = html.format(hours=escape_text(hours), timezone=escape_text(chat.timezone))
    return DialogueResult(Screen(html), (set_settings(quiet_hours=quiet_hours),))


def _offer_quiet_hours(context: ChatContext) -> Screen:
    shown = _HOURS_OPTION.replace("-", "–")
    buttons = (
        Button(_("{hours}, silent").format(hours=shown), f"z:{_HOURS_OPTION} silent"),
        Button(_("{hours}, hold").format(hours=shown), f"z:{_HOURS_OPTION} hold"),
        Button(_("Off"), "z:off"),
    )
    html = _(
        "<b>Quiet hours</b>\nNow: {hours}, in {timezone} time. "
        "<code>/quiet 23:00-07:00 silent</code> lets nothing ring, <code>hold</code> tells it in one message when they end."
    )
    current = escape_text(str(context.chat.quiet_hours or "")) or _("none")
    html = html.format(hours=current, timezone=escape_text(context.chat.timezone))
    return Screen(html, tuple((button,) for button in buttons))


FEATURE = Feature(
    commands={
        "delay": Command(set_delay, N_("Everything some seconds later: no spoilers"), changes_settings=True),
        "quiet": Command(set_quiet_hours, N_("Quiet hours of every day"), changes_settings=True),
    },
    buttons={
        "w": lambda context, words: set_delay(context, tuple(words.split())),
        "z": lambda context, words: set_quiet_hours(context, tuple(words.split())),
    },
)
