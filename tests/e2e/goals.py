"""A match with as many goals as a test needs, and what a chat that follows it has to show after each packet."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Mapping, Sequence

from bot.fake_telegram import Message
from bot.feed.simulator.script import Script, script_from_packets
from rules.football.action import Fixture
from tests.e2e.story import TAKEN_BACK
from tests.packets import FIXTURE, Story

RULES = """
rules:
  - name: full time
    match: {action_type: End Match}
    alert: {kind: full_time, text: "Full time {{ score }}"}
  - name: goals
    match: {action_type: Goal, send_type: [Pending, Confirmed, Updated]}
    alert: {kind: goal, max_age: 90m, text: "Goal {{ player }}"}
"""


NOTE = "↩️"
"""What the note about earlier copies begins with."""


class Match:
    """Goals of the home team, each first pending and then confirmed; some fall."""

    def __init__(self, falls: Sequence[bool], fixture: Fixture = FIXTURE) -> None:
        """`falls` tells of each goal whether it does."""
        story, score = Story(fixture), 0
        self.fixture = fixture
        self.steps: list[tuple[str, str]] = [("", "")]
        """For each packet the first line of its alert, and how that stands from then on."""
        story.add("Start Match", minute=1)
        for number, does_fall in enumerate(falls, 1):
            action, minute, player = f"g{number}", number * 6, f"Player {number}"
            story.goal(action, send="Pending", minute=minute, player=player, score=(score, 0))
            story.goal(action, minute=minute + 1, player=player, score=(score + 1, 0))
            if does_fall:
                story.goal(action, send="Deleted", minute=minute + 3, player=player, score=(score, 0))
            score += not does_fall
            self.steps += [(f"Goal {player}", send) for send in ("Pending", "Confirmed", *["Deleted"] * does_fall)]
        story.add("End Match", minute=90, status="Completed")
        self.steps.append((f"Full time {score}–0", "Completed"))
        self.script: Script = script_from_packets(fixture, story.packets)

    def packet(self, goal: int, send: str) -> int:
        """The number of the packet that brings a goal in this state; both count from 1."""
        return 1 + self.steps.index((f"Goal Player {goal}", send))

    @property
    def end(self) -> int:
        """The number of the packet that ends the match."""
        return len(self.steps)

    def find_problems(self, messages: Sequence[Message], sent: int, explained_since: float = -math.inf) -> list[str]:
        """Return what a chat should show after so many packets and does not, or shows and should not.

        Of an alert that came again the last copy counts: nobody knows of the others whether they arrived. Copies that were sent
        before `explained_since`, on the loop's clock, need no note.
        """
        stands = dict(self.steps[1:sent])
        alerts = {first_line(message): message for message in messages if is_alert(message)}
        fallen = {line for line, state in stands.items() if state == "Deleted"}
        wrong = [f"not sent: {line}" for line in stands.keys() - fallen - alerts.keys()]
        wrong += [f"never happened: {line}" for line in alerts.keys() - stands.keys()]
        wrong += [f"struck through: {line}" for line, message in alerts.items() if message.struck and line not in fallen]
        awaiting = {line for line, message in alerts.items() if "unconfirmed" in message.text}
        wrong += [f"awaits confirmation: {line}" for line in awaiting if stands.get(line) == "Confirmed"]
        standing = count_not_taken_back(messages, fallen)
        wrong += [f"{standing} goals that fell stand"] if standing else []
        return wrong + [f"not explained: {text}" for text in self._unexplained(messages, stands, explained_since)]

    def _unexplained(self, messages: Sequence[Message], stands: Mapping[str, str], since: float) -> list[str]:
        """Earlier copies that show what is not so any more, and that no later message names with a note."""
        latest = {first_line(message): message for message in messages if is_alert(message)}
        found = []
        for number, copy in enumerate(messages):
            line = first_line(copy)
            if not is_alert(copy) or copy.struck or latest[line] is copy or copy.at < since:
                continue
            is_outdated = stands.get(line) == "Deleted" or ("unconfirmed" in copy.text and stands.get(line) == "Confirmed")
            explained = (later.text for later in messages[number + 1 :] if NOTE in later.text)
            if is_outdated and not any(line in text for text in explained):
                found.append(copy.text)
        return found


class CheckedChats:
    """What chats show wrongly. A chat is looked through again only if something in it has changed.

    A test that waits asks for twenty chats a hundred times a second, and would leave no core to the processes that it waits for.
    """

    def __init__(self) -> None:
        self._found: dict[int, tuple[object, list[str]]] = {}

    def find_problems(
        self, chat: int, match: Match, messages: Sequence[Message], sent: int, explained_since: float = -math.inf
    ) -> list[str]:
        """Return what `Match.find_problems` finds in a chat."""
        state = sent, explained_since, [(message.id, len(message.versions)) for message in messages]
        known, found = self._found.get(chat, (None, []))
        if state != known:
            found = match.find_problems(messages, sent, explained_since)
            self._found[chat] = state, found
        return found


def first_line(message: Message) -> str:
    """Return the line that each alert of a match has for itself, in whichever state it is."""
    return message.text.splitlines()[0]


def is_alert(message: Message) -> bool:
    """Return True for alerts, False for what answers them or takes back one that cannot be reached."""
    return message.reply_to is None and not message.text.startswith(TAKEN_BACK)


def count_not_taken_back(messages: Sequence[Message], fallen: set[str]) -> int:
    """Return how many goals that fell stand in a chat as if nothing had been: neither struck in their message nor taken back.

    What takes back a message of which nobody knows whether it arrived answers none.
    """
    sent, struck = {first_line(m) for m in messages if is_alert(m)}, {first_line(m) for m in messages if m.struck}
    words = sum(m.reply_to is None and m.text.startswith(TAKEN_BACK) for m in messages)
    return max(0, len(sent & fallen - struck) - words)


def find_repeated(messages: Sequence[Message], kills: Sequence[float]) -> list[int]:
    """Return for each alert that came again the number of the kill that lost the answer to the copy before.

    `kills` are instants of the loop's clock, each after all that had left before the kill has arrived.
    """
    seen: dict[str, float] = {}
    found = []
    for message in filter(is_alert, messages):
        text = first_line(message)
        found += [bisect(kills, seen[text])] if text in seen else []
        seen[text] = message.at
    return found
