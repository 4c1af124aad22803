"""Every word that the bot itself adds to alerts; the alerts' own texts come from the rules."""

from __future__ import annotations

from bot.languages.football import said, scoreline
from bot.languages.speaking import marked as N_
from bot.languages.speaking import spoken
from bot.languages.speaking import translated as _
from bot.outbox.summary import JOINED, QUIET
from rules.alert import Alert
from rules.bidi import isolated
from rules.template import escape

_TAKEN_BACK = {
    "goal": N_("Goal disallowed"),
    "own_goal": N_("Own goal disallowed"),
    "yellow_card": N_("Yellow card taken back"),
    "red_card": N_("Red card taken back"),
    "penalty": N_("Penalty taken back"),
    "substitution": N_("Substitution taken back"),
    "Goal": N_("Goal disallowed"),
    "Yellow Card": N_("Yellow card taken back"),
    "Red Card": N_("Red card taken back"),
    "Penalty Awarded": N_("Penalty taken back"),
    "Penalty Missed": N_("The missed penalty does not count"),
    "Substitution In": N_("Substitution taken back"),
}
_STANDS = {
    "goal": N_("The goal stands after all"),
    "own_goal": N_("The own goal stands after all"),
    "yellow_card": N_("The yellow card stands after all"),
    "red_card": N_("The red card stands after all"),
    "penalty": N_("The penalty stands after all"),
    "Goal": N_("The goal stands after all"),
    "Yellow Card": N_("The yellow card stands after all"),
    "Red Card": N_("The red card stands after all"),
    "Penalty Awarded": N_("The penalty stands after all"),
}
_SUMMARIES = {JOINED: N_("Earlier in this match"), QUIET: N_("While it was quiet")}
_SIGNS = {
    "Goal": "⚽",
    "Yellow Card": "🟨",
    "Red Card": "🟥",
    "Penalty Awarded": "❗",
    "Penalty Missed": "❌",
    "Substitution In": "🔁",
}


def pending() -> str:
    """The mark of what may still be taken back."""
    return f"⏳ <i>{_('awaiting confirmation')}</i>"


def restored() -> str:
    """The mark of what was taken back and counts again."""
    return f"✅ <i>{_('stands after all')}</i>"


def taken_back(alert: Alert, kind: str) -> str:
    """`❌ Goal disallowed (offside) · Tottenham Hotspur 0–0 Leicester City`; `kind` is what the chat was told."""
    reason = f" ({escape(said(_lowered(alert.facts.reason)))})" if alert.facts.reason else ""
    nameless = alert.follow_up or not alert.facts.action_type
    default = _("Taken back") if nameless else _("{action} taken back").format(action=said(alert.facts.action_type))
    return f"❌ <b>{escape(_word(_TAKEN_BACK, alert, kind, default))}</b>{reason}{_score(alert)}"


def stands(alert: Alert) -> str:
    """`✅ The goal stands after all · Tottenham Hotspur 1–0 Leicester City`."""
    return f"✅ <b>{escape(_word(_STANDS, alert, alert.kind, _('It stands after all')))}</b>{_score(alert)}"


def summary_title(alert: Alert) -> str:
    """The first line of a summary of old news."""
    known = _SUMMARIES.get(alert.facts.reason)
    return f"📋 <b>{_(known) if known else _('While the connection was down')}</b>{_score(alert)}"


def summary_line(alert: Alert) -> str:
    """`12' ⚽ Kane (Tottenham Hotspur)`, or the first line of the alert's own text."""
    facts = alert.facts
    minute = f"{escape(facts.minute)}' " if facts.minute else ""
    if facts.player:
        what = _SIGNS.get(facts.action_type, escape(said(facts.action_type)))
        return f"{minute}{what} {_name(facts.player)}" + (f" ({_name(facts.team)})" if facts.team else "")
    text = alert.texts.get(spoken(), alert.text).split("\n")[0].removesuffix(f" {minute}".rstrip())
    return minute + (text or escape(said(facts.action_type)))


def burst_title() -> str:
    """The first line of a message with news of several matches."""
    return f"🔔 <b>{_('Just now')}</b>"


def burst_line(alert: Alert) -> str:
    """`12' ⚽ Kane (Tottenham Hotspur) · Tottenham Hotspur 1–0 Leicester City`."""
    return f"{summary_line(alert)}{_score(alert)}"


def _word(words: dict[str, str], alert: Alert, kind: str, default: str) -> str:
    """By the kind that was told; an operator's own kind by the type of the action, unless that has changed."""
    known = words.get(kind) or ("" if alert.follow_up else words.get(alert.facts.action_type))
    return _(known) if known else default


def _score(alert: Alert) -> str:
    return f" · {escape(scoreline(alert.facts))}" if alert.facts.match else ""


def _lowered(reason: str) -> str:
    """`Offside` goes on in lower case; `VAR` stays."""
    return reason if reason[:2].isupper() else reason[:1].lower() + reason[1:]


def _name(name: str) -> str:
    return escape(isolated(name))
