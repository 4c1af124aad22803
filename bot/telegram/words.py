"""Every word that the bot itself adds to alerts; the alerts' own texts come from the rules."""

from __future__ import annotations

from bot.outbox.summary import JOINED, QUIET
from rules.alert import Alert
from rules.template import escape

PENDING = "⏳ <i>awaiting confirmation</i>"
RESTORED = "✅ <i>stands after all</i>"

_TAKEN_BACK = {
    "goal": "Goal disallowed",
    "own_goal": "Own goal disallowed",
    "yellow_card": "Yellow card taken back",
    "red_card": "Red card taken back",
    "penalty": "Penalty taken back",
    "substitution": "Substitution taken back",
    "Goal": "Goal disallowed",
    "Yellow Card": "Yellow card taken back",
    "Red Card": "Red card taken back",
    "Penalty Awarded": "Penalty taken back",
    "Penalty Missed": "The missed penalty does not count",
    "Substitution In": "Substitution taken back",
}
_STANDS = {
    "goal": "The goal stands after all",
    "own_goal": "The own goal stands after all",
    "yellow_card": "The yellow card stands after all",
    "red_card": "The red card stands after all",
    "penalty": "The penalty stands after all",
    "Goal": "The goal stands after all",
    "Yellow Card": "The yellow card stands after all",
    "Red Card": "The red card stands after all",
    "Penalty Awarded": "The penalty stands after all",
}
_SUMMARIES = {JOINED: "Earlier in this match", QUIET: "While it was quiet"}
_SIGNS = {
    "Goal": "⚽",
    "Yellow Card": "🟨",
    "Red Card": "🟥",
    "Penalty Awarded": "❗",
    "Penalty Missed": "❌",
    "Substitution In": "🔁",
}


def taken_back(alert: Alert, kind: str) -> str:
    """`❌ Goal disallowed (offside) · Tottenham Hotspur 0–0 Leicester City`; `kind` is what the chat was told."""
    reason = f" ({escape(_lowered(alert.facts.reason))})" if alert.facts.reason else ""
    default = "Taken back" if alert.follow_up else f"{alert.facts.action_type} taken back"
    return f"❌ <b>{escape(_word(_TAKEN_BACK, alert, kind, default))}</b>{reason}{_score(alert)}"


def stands(alert: Alert) -> str:
    """`✅ The goal stands after all · Tottenham Hotspur 1–0 Leicester City`."""
    return f"✅ <b>{escape(_word(_STANDS, alert, alert.kind, 'It stands after all'))}</b>{_score(alert)}"


def summary_title(alert: Alert) -> str:
    """The first line of a summary of old news."""
    words = _SUMMARIES.get(alert.facts.reason, "While the connection was down")
    return f"📋 <b>{words}</b>{_score(alert)}"


def summary_line(alert: Alert) -> str:
    """`12' ⚽ Kane (Tottenham Hotspur)`, or the first line of the alert's own text."""
    facts = alert.facts
    minute = f"{escape(facts.minute)}' " if facts.minute else ""
    if facts.player:
        what = _SIGNS.get(facts.action_type, escape(facts.action_type))
        return f"{minute}{what} {escape(facts.player)}" + (f" ({escape(facts.team)})" if facts.team else "")
    return minute + (alert.text.split("\n")[0] or escape(facts.action_type))


def _word(words: dict[str, str], alert: Alert, kind: str, default: str) -> str:
    """By the kind that was told; an operator's own kind by the type of the action, unless that has changed."""
    return words.get(kind) or (words.get(alert.facts.action_type, default) if not alert.follow_up else default)


def _score(alert: Alert) -> str:
    return f" · {escape(alert.facts.match)}" if alert.facts.match else ""


def _lowered(reason: str) -> str:
    """`Offside` goes on in lower case; `VAR` stays."""
    return reason if reason[:2].isupper() else reason[:1].lower() + reason[1:]
