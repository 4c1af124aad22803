"""Actions a second through many rules: Touchline beside rule engines and plain Python, the same rules and answers for all.

    python -m pip install -e .[bench]
    python -m benchmarks.rules            # --rules 10 100 1000 10000 --seconds 2

Every contestant is asked which rule is the first to fire for an action, and has to give the same answers as the plain loop.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.extras import require_modules
from bot.commands.check import check_config
from rules.engine.evaluate import evaluate
from rules.football.action import Action, Fixture, SendType, Side, Team
from rules.football.match import Match, Moment
from rules.football.minute import Minute, Period
from rules.loading.loader import load_rules
from tests.packets import KICKOFF

TYPES: dict[str, tuple[str, ...]] = {
    "Goal": ("Inside The Box", "Outside The Box", "Header", "Own Goal", "Penalty"),
    "Red Card": ("Straight Red", "Second Yellow"),
    "Penalty Awarded": ("Foul", "Handball"),
    "Penalty Missed": ("Saved",),
    "Goal Disallowed": ("Offside", "Foul"),
    "Yellow Card": (),
    "Substitution In": (),
    "Substitution Out": (),
    "Corner": (),
    "Shot On Target": (),
    "Shot Off Target": (),
    "Offside": (),
    "Foul": (),
    "Throw In": (),
    "Goal Kick": (),
    "Free Kick": (),
    "Video Check Underway": (),
    "Video Check Over": (),
    "Injury": (),
    "Save": (),
}
TEAMS = tuple(f"Team {number}" for number in range(200))
SENDS = (SendType.CONFIRMED, SendType.UPDATED)


class Wish(msgspec.Struct, frozen=True):
    """One rule, before it is written in anybody's language; empty and 0: not asked for."""

    name: str
    type: str
    sub: str
    team: str
    minute: int


class Event(msgspec.Struct, frozen=True):
    """One action, before it is put as anybody takes it."""

    type: str
    sub: str
    team: str
    minute: int
    send: SendType


First = Callable[[Any], str | None]
"""The name of the first rule that fires for an action; None where none does."""


def wishes(number: int) -> list[Wish]:
    """Rules as people write them: nearly all name a team, half a sub type where there is one, half a minute."""
    chance = random.Random(number)
    made = []
    for n in range(number):
        kind = chance.choice(list(TYPES))
        sub = chance.choice(TYPES[kind]) if TYPES[kind] and chance.random() < 0.5 else ""
        team = chance.choice(TEAMS) if chance.random() < 0.95 else ""
        made.append(Wish(f"r{n}", kind, sub, team, chance.choice((0, chance.randint(1, 90))) if team else chance.randint(80, 90)))
    return made


def events(number: int) -> list[Event]:
    """Actions of those types, in equal shares."""
    chance = random.Random(1)
    made = []
    for _ in range(number):
        kind = chance.choice(list(TYPES))
        sub = chance.choice((*TYPES[kind], ""))
        made.append(Event(kind, sub, chance.choice(TEAMS), chance.randint(1, 90), chance.choice((*SENDS, SendType.PENDING))))
    return made


def as_moment(event: Event) -> Moment:
    """The action in its match, as Touchline takes it."""
    number = TEAMS.index(event.team)
    home, away = Team(f"id-{number}", event.team), Team("id-other", "Others")
    match = Match(Fixture(f"f{number}", home, away, Team("c", "League"), KICKOFF), minute=Minute(event.minute), status="Live")
    period = Period.FIRST_HALF if event.minute <= 45 else Period.SECOND_HALF
    action = Action(
        f"f{number}", "a", event.type, event.sub, event.send, 1, KICKOFF, period, Minute(event.minute), Side.HOME, home
    )
    return Moment(match, action, match)


def as_dict(event: Event) -> dict[str, Any]:
    """The action as the engines take it."""
    return {"type": event.type, "sub": event.sub, "team": event.team, "minute": event.minute, "send": event.send.value}


def written(wish: Wish) -> str:
    """The rule in Touchline's YAML, with a text of its own."""
    asks = [f"action_type: {wish.type}"]
    asks += [f"sub_action_type: {wish.sub}"] if wish.sub else []
    asks += [f"team: {wish.team}"] if wish.team else []
    asks += [f"minute: {{from: {wish.minute}}}"] if wish.minute else []
    text = f'"⚽ <b>{{{{ match }}}}</b> {{{{ minute }}}} ({wish.name})"'
    return f"- {{name: {wish.name}, match: {{{', '.join(asks)}}}, alert: {{kind: goal, text: {text}}}}}\n"


def expression(wish: Wish, both: str) -> str:
    """The rule as an expression; `both` is the language's word for and."""
    parts = [f'type == "{wish.type}"']
    parts += [f'sub == "{wish.sub}"'] if wish.sub else []
    parts += [f'team == "{wish.team}"'] if wish.team else []
    parts += [f"minute >= {wish.minute}"] if wish.minute else []
    return f" {both} ".join([*parts, 'send in ["Confirmed", "Updated"]'])


def touchline(made: list[Wish]) -> First:
    """Which rule fires, as `evaluate` asks it."""
    rules = load_rules("".join(map(written, made)))

    def first(moment: Moment) -> str | None:
        fired = rules.find_matching(moment)
        return fired[0].name if fired else None

    return first


def touchline_alerts(made: list[Wish]) -> First:
    """The whole of `evaluate`, with the alert and its text."""
    rules = load_rules("".join(map(written, made)))

    def first(moment: Moment) -> str | None:
        alerts = evaluate(rules, moment)
        return alerts[0].rule if alerts else None

    return first


def in_a_loop(made: list[Wish]) -> First:
    """Python as one writes it by hand: every rule in turn."""

    def first(event: dict[str, Any]) -> str | None:
        for wish in made:
            if event["type"] == wish.type and _holds(wish, event):
                return wish.name
        return None

    return first


def _holds(wish: Wish, event: dict[str, Any]) -> bool:
    return (
        (not wish.sub or event["sub"] == wish.sub)
        and (not wish.team or event["team"] == wish.team)
        and event["minute"] >= wish.minute
        and event["send"] in ("Confirmed", "Updated")
    )


def indexed(made: list[Wish]) -> First:
    """The same by hand, with a dictionary by action type."""
    by_type: dict[str, list[Wish]] = defaultdict(list)
    for wish in made:
        by_type[wish.type].append(wish)

    def first(event: dict[str, Any]) -> str | None:
        for wish in by_type.get(event["type"], ()):
            if _holds(wish, event):
                return wish.name
        return None

    return first


def zen_expressions(made: list[Wish]) -> First:
    """zen-engine, one compiled expression a rule."""
    import zen

    asked = [(wish.name, zen.compile_expression(expression(wish, "and")).evaluate) for wish in made]
    return lambda event: next((name for name, ask in asked if ask(event)), None)


def zen_table(made: list[Wish]) -> First:
    """zen-engine, all rules in one decision table whose first hit counts."""
    import zen

    decision = zen.ZenEngine().create_decision(zen.ZenDecisionContent(json.dumps(_table(made))))
    return lambda event: decision.evaluate(event)["result"].get("rule")


def _table(made: list[Wish]) -> dict[str, Any]:
    rows = [
        {
            "_id": wish.name, "type": f'"{wish.type}"', "sub": f'"{wish.sub}"' if wish.sub else "",
            "team": f'"{wish.team}"' if wish.team else "", "minute": f">= {wish.minute}" if wish.minute else "",
            "send": '"Confirmed", "Updated"', "rule": f'"{wish.name}"',
        }
        for wish in made
    ]  # fmt: skip
    columns = [{"id": key, "name": key, "field": key} for key in ("type", "sub", "team", "minute", "send")]
    table = {"hitPolicy": "first", "inputs": columns, "outputs": [{"id": "rule", "name": "rule", "field": "rule"}], "rules": rows}
    nodes = [("in", "inputNode", None), ("table", "decisionTableNode", table), ("out", "outputNode", None)]
    placed = [{"id": i, "type": t, "name": i, "position": {"x": 0, "y": 0}} | ({"content": c} if c else {}) for i, t, c in nodes]
    edges = [("in", "table"), ("table", "out")]
    return {"nodes": placed, "edges": [{"id": a + b, "sourceId": a, "targetId": b, "type": "edge"} for a, b in edges]}


def rule_engine_rules(made: list[Wish]) -> First:
    """rule-engine, one rule a rule."""
    import rule_engine

    asked = [(wish.name, rule_engine.Rule(expression(wish, "and")).matches) for wish in made]
    return lambda event: next((name for name, ask in asked if ask(event)), None)


def cel_programs(made: list[Wish]) -> First:
    """common-expression-language, one compiled program a rule."""
    import cel

    asked = [(wish.name, cel.compile(expression(wish, "&&")).execute) for wish in made]
    return lambda event: next((name for name, ask in asked if ask(event)), None)


CONTESTANTS: dict[str, tuple[Callable[[list[Wish]], First], Callable[[Event], Any]]] = {
    "Touchline": (touchline, as_moment),
    "Touchline, alerts and texts made": (touchline_alerts, as_moment),
    "Python, indexed by hand": (indexed, as_dict),
    "Python, a loop": (in_a_loop, as_dict),
    "zen-engine, decision table": (zen_table, as_dict),
    "zen-engine, expressions": (zen_expressions, as_dict),
    "rule-engine": (rule_engine_rules, as_dict),
    "common-expression-language": (cel_programs, as_dict),
}


def measured(first: First, actions: list[Any], seconds: float) -> tuple[float, list[str | None]]:
    """Actions a second, from the very first on, over about so many seconds; and the answers to those asked."""
    answers: list[str | None] = []
    started = time.perf_counter()
    asked = 0
    while True:
        for action in actions:
            answer = first(action)
            asked += 1
            if len(answers) < len(actions):
                answers.append(answer)
            if asked % 64 == 0 and time.perf_counter() - started > seconds:
                return asked / (time.perf_counter() - started), answers


def checked(number: int) -> float:
    """Seconds that `touchline check` takes over so many rules."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text("rules:\n" + "".join("  " + written(wish) for wish in wishes(number)), encoding="utf-8")
        started = time.perf_counter()
        _, code = check_config(path, {})
        _require(code == 0, "the rules have a mistake")
        return time.perf_counter() - started


def rows(sizes: list[int], seconds: float, told: list[Event]) -> Iterator[tuple[str, list[float]]]:
    """Each contestant's actions a second for each number of rules; answers that differ end it."""
    for name, (contestant, put) in CONTESTANTS.items():
        actions = list(map(put, told))
        speeds = []
        for size in sizes:
            made = wishes(size)
            speed, answers = measured(contestant(made), actions, seconds)
            expected = list(map(in_a_loop(made), map(as_dict, told[: len(answers)])))
            _require(answers == expected, f"{name} answers otherwise")
            speeds.append(speed)
        yield name, speeds


def _require(so: bool, otherwise: str) -> None:
    if not so:
        raise SystemExit(otherwise)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, nargs="+", default=[10, 100, 1000, 10000], help="how many rules")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each is measured")
    asked = parser.parse_args()
    require_modules("cel", "rule_engine", "zen")
    check_takes = checked(1000)
    print("| actions a second through |" + "".join(f" {size:,} rules |" for size in asked.rules))
    print("| --- |" + " ---: |" * len(asked.rules))
    for name, speeds in rows(asked.rules, asked.seconds, events(20_000)):
        print(f"| {name} |" + "".join(f" {speed:,.0f} |" for speed in speeds), flush=True)
    print(f"\n`touchline check` of 1,000 rules: {check_takes:.2f} s")


if __name__ == "__main__":
    main()
