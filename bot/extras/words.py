"""What match cards say, in the language that is spoken."""

from __future__ import annotations

from bot.languages import football
from bot.languages.speaking import translated as _
from rules.minute import Period


def end_not_seen() -> str:
    """Of a match that is over without its end having been told."""
    return _("over – its end was not seen")


def awaiting() -> str:
    """Of what may still not count."""
    return _("awaiting confirmation")


def period(period: Period) -> str:
    """`Second half`, at the beginning of a line."""
    said = football.said(period.value)
    return said[:1].upper() + said[1:]


def kicks(score: str) -> str:
    """`6–5 pens`."""
    return football.kicks(score)
