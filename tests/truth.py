"""Compares what a chat was sent with what really happened in a recorded match."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

RULES = """
rules:
  - name: full time
    match: {action_type: End Match}
    alert: {kind: full_time, text: "{{ match }}"}
  - name: shootout goals
    match: {action_type: Goal, period: shootout, send_type: [Pending, Confirmed, Updated]}
    alert: {kind: shootout_scored, text: "{{ player }}"}
  - name: own goals
    match: {action_type: Goal, sub_action_type: Own Goal, send_type: [Pending, Confirmed, Updated]}
    alert: {kind: own_goal, text: "{{ match }}\\n{{ minute }}' {{ player }} (own goal)"}
  - name: penalties
    match: {action_type: Goal, sub_action_type: Penalty, send_type: [Pending, Confirmed, Updated]}
    alert: {kind: penalty_goal, text: "{{ match }}\\n{{ minute }}' {{ player }} (penalty)"}
  - name: goals
    match: {action_type: Goal, send_type: [Pending, Confirmed, Updated]}
    alert: {kind: goal, text: "{{ match }}\\n{{ minute }}' {{ player }}"}
  - name: second yellows
    match: {action_type: Red Card, sub_action_type: Second Yellow}
    alert: {kind: second_yellow, text: "{{ minute }}' {{ player }}"}
  - name: reds
    match: {action_type: Red Card}
    alert: {kind: red_card, text: "{{ minute }}' {{ player }}"}
  - name: yellows
    match: {action_type: Yellow Card, send_type: [Pending, Confirmed, Updated]}
    alert: {kind: yellow_card, importance: minor, text: "{{ minute }}' {{ player }}"}
  - name: missed in the shootout
    match: {action_type: Penalty Missed, period: shootout}
    alert: {kind: shootout_missed, text: "{{ player }}"}
  - name: missed
    match: {action_type: Penalty Missed}
    alert: {kind: penalty_missed, text: "{{ minute }}' {{ player }}"}
"""
"""Rules for everything that a truth file speaks of, a kind for each of its kinds."""


def find_disagreements(rows: list[dict[str, Any]], truth: dict[str, Any]) -> list[str]:
    """Every disagreement between the rows of `replay --json` and the truth, a sentence each."""
    by_action: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_action[row["action_id"]].append(row)
    found: list[str] = []
    for incident in truth["incidents"]:
        found += _compare_incident(by_action.pop(incident["action_id"], []), incident)
    ends = [action for action, revisions in by_action.items() if revisions[0]["kind"] == "full_time"]
    found += _compare_full_time([by_action.pop(action) for action in ends], truth)
    return found + [f"never happened: {revisions[0]}" for revisions in by_action.values()]


def _compare_incident(rows: list[dict[str, Any]], incident: dict[str, Any]) -> list[str]:
    if not incident["standing"]:
        return [f"not retracted: {rows[-1]}"] if rows and rows[-1]["state"] != "retracted" else []
    if not rows:
        return [f"not sent: {incident}"]
    last = rows[-1]
    sent = [last["kind"], last["state"], last["minute"], last["player"]]
    true = [incident["kind"], "confirmed", incident["minute"], incident["player"]]
    wrong = [f"sent {sent}, true is {true}"] if sent != true else []
    times = sum(row["op"] == "send" for row in rows)
    return wrong + ([f"sent {times} times: {incident}"] if times != 1 else [])


def _compare_full_time(ends: list[list[dict[str, Any]]], truth: dict[str, Any]) -> list[str]:
    if len(ends) != 1:
        return [f"{len(ends)} full times"]
    score, final = (ends[0][-1]["home"], ends[0][-1]["away"]), truth["final"]
    return [] if score == (final["home"], final["away"]) else [f"full time {score}, true is {final}"]
