"""The texts of how alerts come: buttons under them, spoilers."""

from __future__ import annotations

from bot.languages.speaking import translated as _


def choose() -> str:
    return _("<b>How do alerts come to this chat?</b>\nTap to switch on and off.")


def manner() -> str:
    return _("⚙ How they come …")


def buttons() -> str:
    return _("Buttons under alerts")


def spoilers() -> str:
    return _("Hide scores behind spoilers")


def bursts() -> str:
    return _("Group news of several matches")


def bursts_why() -> str:
    return _("Several matches had news within seconds, and this chat wants that in one message.")


def spoilers_on() -> str:
    return _("🙈 What happened is hidden here from now on; a tap on it shows it. <code>/spoilers off</code> ends that.")


def spoilers_off() -> str:
    return _("Nothing is hidden here any more.")


def spoilers_now(*, on: bool) -> str:
    if on:
        return _("🙈 Scores are hidden here until they are tapped.")
    return _("Scores are not hidden here. <code>/spoilers on</code> hides them until they are tapped.")


def switch_on() -> str:
    return _("🙈 Hide scores")


def switch_off() -> str:
    return _("Show scores")


def buttons_on() -> str:
    return _("There is a button under each alert from now on.")


def buttons_off() -> str:
    return _("Alerts come without a button from now on. <code>/mute buttons on</code> brings it back.")
