"""Plays a scenario to one simulated chat, and returns the messages that it has in the end."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rules.engine.alert import Alert, Importance, State
from rules.engine.evaluate import evaluate
from rules.engine.rule import RuleSet
from rules.engine.text import visible_text
from rules.football.catalogue import Catalogue, load_catalogue
from rules.football.playback import play_packets
from rules.scenarios.builder import build_packets
from rules.scenarios.scenario import Scenario


class MessageLine(msgspec.Struct, frozen=True):
    """One message as the chat has it in the end. In an expectation an empty field matches anything."""

    minute: str = ""
    kind: str = ""
    rule: str = ""
    state: str = ""
    text: str = ""
    sound: str = ""
    """`loud` if the phone rang for it, with the message or with a reply about it; else `silent`."""

    def __str__(self) -> str:
        minute = f"{self.minute}' " if self.minute else ""
        rule, state = f" ({self.rule})" if self.rule else "", f" {self.state}" if self.state else ""
        words, sound = _join_lines(self.text), f" {self.sound}" if self.sound else ""
        return f"{minute}{self.kind}{rule}{state}{sound}{f': {words}' if words else ''}"

    def matches(self, message: MessageLine) -> bool:
        """Return True if a message is as this expectation says. The text may be a part of it, with or without markup."""
        is_same = all(getattr(self, key) in ("", getattr(message, key)) for key in ("minute", "kind", "rule", "state", "sound"))
        # With the markup as it stands, or as a reader sees it, in one line.
        return is_same and (self.text in message.text or _join_lines(self.text) in _join_lines(message.text))


def _join_lines(text: str) -> str:
    return " ".join(visible_text(text).split())


def play_scenario(scenario: Scenario, rules: RuleSet, catalogue: Catalogue | None = None) -> Iterator[MessageLine]:
    """Yield the messages that a chat which accepts every kind has in the end, in the order in which they were sent."""
    chat, catalogue = _SimulatedChat(), catalogue or load_catalogue()
    # Every packet, and every change of the listing that is news, in the order in which they happen.
    packets, fixtures = build_packets(scenario), {scenario.fixture.id: scenario.fixture}
    for moment in play_packets(packets, fixtures, scenario.relisted_fixtures, catalogue):
        for alert in evaluate(rules, moment, chat.notified_rules, catalogue):
            chat.receive(alert)
    return iter(chat.messages.values())


class _SimulatedChat:
    """One chat's messages, one for each action, revised as the outbox does it: see `bot/outbox/decide.py`."""

    def __init__(self) -> None:
        self.messages: dict[str, MessageLine] = {}
        self.notified_rules: dict[str, set[str]] = {}
        self._seen_revisions: set[tuple[str, int]] = set()
        self._subjects: dict[str, tuple[int, str, str]] = {}
        """By action, what its message is about: severity, action type, side."""

    def receive(self, alert: Alert) -> None:
        """Take an alert: the first one of each revision counts, and a retraction changes only a message that was sent."""
        action, revision = alert.key.action_id, (alert.key.action_id, alert.seq)
        if alert.rule:
            self.notified_rules.setdefault(action, set()).add(alert.rule)
        known = self.messages.get(action)
        # Nothing is sent of a disallowance whose goal the chat has: the goal's message is retracted instead. And what has no kind
        # only changes a message that was sent.
        if revision in self._seen_revisions or alert.disallows_action in self.messages or (known is None and not alert.kind):
            return
        self._seen_revisions.add(revision)
        # Several rules may fire for one revision. The first decides what this chat gets, as it accepts every kind.
        if known is None:
            self._subjects[action] = (alert.severity, alert.facts.action_type, alert.facts.side)
            self.messages[action] = MessageLine(
                alert.facts.minute, alert.kind, alert.rule, alert.state.value, alert.text, _name_sound(alert.importance, alert)
            )
        # A retraction strikes the text through that was sent, and an empty text keeps it.
        elif alert.state is State.RETRACTED or not alert.text:
            self.messages[action] = msgspec.structs.replace(known, state=alert.state.value)
        else:
            self.messages[action] = msgspec.structs.replace(
                known,
                minute=alert.facts.minute,
                kind=alert.kind,
                rule=alert.rule,
                state=alert.state.value,
                text=alert.text,
                sound=self._find_sound(known, alert),
            )

    def _find_sound(self, known: MessageLine, alert: Alert) -> str:
        """Return the sound of a message after a revision: an edit makes none, but the reply about other news may.

        A change to a higher severity is loud, whatever its rule says; see `bot/telegram/planning.py`.
        """
        action = alert.key.action_id
        before, after = self._subjects[action], (alert.severity, alert.facts.action_type, alert.facts.side)
        self._subjects[action] = after
        # What has no severity makes no reply, however it changes.
        if known.sound == "loud" or before == after or not (before[0] or after[0]):
            return known.sound
        is_upgraded = after[0] > before[0]
        return _name_sound(Importance.MAJOR if is_upgraded else alert.importance, alert)


def _name_sound(importance: Importance, alert: Alert) -> str:
    # What the feed collected offline is no live news.
    return "loud" if importance is Importance.MAJOR and not alert.is_delayed else "silent"
