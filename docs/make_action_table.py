"""Makes the tables of action types and sub action types in docs/feed.md: `python -m docs.make_action_table`.

What each does by default is read from the catalogue and from the rules of the shipped packs; which sub action types change a
message is found by sending each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec

from bot.i18n.football import load_wordings
from bot.telegram.render import render_body
from rules.engine.alert import DEFAULT_KINDS, Importance
from rules.engine.evaluate import evaluate, translate_alert
from rules.engine.rule import Rule, RuleSet
from rules.football.action import Packet, Player, SendType, Side
from rules.football.advance import advance
from rules.football.catalogue import ActionType, load_catalogue, load_catalogue_file
from rules.football.match import Match
from rules.loading.loader import load_pack
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import parse_scenario

PAGE = Path(__file__).parent / "feed.md"

BEGIN, END = (
    "<!-- the tables of action types: python -m docs.make_action_table -->",
    "<!-- the end of the tables of action types -->",
)

PACKS = ("default", "everything")
"""The pack that is used unless a configuration says otherwise, and the one that adds the play itself."""

_MATCH = """
match: Arsenal v Chelsea
competition: Premier League
events:
  - 12' goal Saka (Arsenal)
  - 20' yellow card Rice (Arsenal)
"""

_PLAYED_SECONDS = 30 * 60

_EFFECTS = {
    "Team Colours": "the colours of pictures",
    "Lineups": "names, numbers, formation and captain for `/timeline` and texts",
    "Status Updated": "its statuses become the actions of the last group below",
    "Substitution Out": "the player who goes, in the message of the Substitution In that it belongs to",
}
"""What an action type does without a rule, where the catalogue does not say it."""

_NEVER_SENT = "No such type"
"""A sub action type of which nothing is known: a message that differs with it shows any in its own words."""


class ActionRow(msgspec.Struct, frozen=True):
    """What one action type does by one rule; with an empty `rule`, what one does that no shipped rule names."""

    action_type: str
    also: tuple[str, ...] = ()
    """Other names that the feed may give it."""
    rule: str = ""
    pack: str = ""
    period: str = ""
    """The condition of the rule on the period; empty for any."""
    kind: str = ""
    is_loud: bool = False
    is_on_at_first: bool = False
    since: str = ""
    besides: tuple[str, ...] = ()


def list_action_rows() -> list[ActionRow]:
    """Return a row for each action type and each shipped rule for it, in the order of the catalogue."""
    return [row for entry in load_catalogue_file().action_types if not entry.canonical_pair for row in _list_rows_of(entry)]


def _list_rows_of(entry: ActionType) -> Iterator[ActionRow]:
    row = ActionRow(entry.name, _list_other_names(entry), besides=tuple(_describe_effects(entry)))
    found = [
        (pack, rule)
        for pack in PACKS
        for rule in load_pack(pack).rules
        if rule.action_types is not None and rule.may_match_type(entry.name)
    ]
    # The larger pack has the rules of the smaller one, too.
    rules = {rule.name: (pack, rule) for pack, rule in reversed(found)}
    if not rules:
        yield row
    for pack, rule in sorted(rules.values(), key=lambda one: found.index(one)):
        yield msgspec.structs.replace(
            row,
            rule=rule.name,
            pack=pack,
            period=next((condition.expected for condition in rule.conditions if condition.key == "period"), ""),
            kind=rule.alert.kind,
            is_loud=rule.alert.importance is Importance.MAJOR,
            is_on_at_first=rule.alert.kind in DEFAULT_KINDS,
            since=describe_beginning(rule, entry),
        )
        row = msgspec.structs.replace(row, also=(), besides=())


def describe_beginning(rule: Rule, entry: ActionType) -> str:
    """Return from which revision of an action on the rule makes its alert."""
    if SendType.PENDING not in rule.send_types:
        return "when confirmed"
    # Only what may become graver or milder is first sent as pending (feed documentation, section 4.1).
    return "at once, ⏳ until it is confirmed" if entry.severity else "at once"


def _list_other_names(entry: ActionType) -> tuple[str, ...]:
    pairs = [
        f"{other.name} ({other.canonical_pair[1]})"
        for other in load_catalogue_file().action_types
        if other.canonical_pair and other.canonical_pair[0] == entry.name
    ]
    return (*entry.aliases, *pairs)


def _describe_effects(entry: ActionType) -> Iterator[str]:
    """Yield what an action type does whatever the rules say."""
    if entry.name in _EFFECTS:
        yield _EFFECTS[entry.name]
    if entry.changes_score:
        yield "changes the score"
    if entry.disallows:
        yield f"takes back the {', '.join(entry.disallows).lower()} before it"
    for sub_type, pair in entry.pairs_by_sub_type.items():
        yield f"with {sub_type} it is {pair[0]}{f' ({pair[1]})' if pair[1] else ''}"
    if entry.severity and not entry.changes_score:
        yield "[rings again](delivery.md#what-a-change-is-told-as) if it becomes graver or milder"


class SubTypeRow(msgspec.Struct, frozen=True):
    """A sub action type: what it comes with, and the action types whose message it changes."""

    name: str
    also: tuple[str, ...]
    comes_with: tuple[str, ...]
    changes: tuple[str, ...]


def list_sub_type_rows() -> list[SubTypeRow]:
    """Return a row for each sub action type, in the order of the catalogue."""
    named = [name for name in list_told_types() if name not in list_quoting_types()]
    return [
        SubTypeRow(entry.name, entry.aliases, entry.belongs_to, tuple(_find_changed(entry, named)))
        for entry in load_catalogue_file().sub_action_types
    ]


@cache
def list_told_types() -> tuple[str, ...]:
    """Return the action types for which a shipped rule makes an alert."""
    return tuple(dict.fromkeys(row.action_type for row in list_action_rows() if row.rule))


@cache
def list_quoting_types() -> tuple[str, ...]:
    """Return the action types whose message shows whatever sub action type comes with them."""
    return tuple(name for name in list_told_types() if send_action(name, _NEVER_SENT) != send_action(name))


def _find_changed(entry: ActionType, action_types: Sequence[str]) -> Iterator[str]:
    """Yield the action types whose message differs with the sub action type from that without it."""
    for action_type in action_types:
        if entry.belongs_to and action_type not in entry.belongs_to:
            continue
        # A message depends on a sub action type by its name, or it would show any: sending all would take seconds.
        if not any(entry.name in rule.alert.text.source for rule in _join_packs().rules if rule.may_match_type(action_type)):
            continue
        resolved = load_catalogue().resolve_names(action_type, entry.name)
        if resolved[0] != action_type:
            continue  # that it then is another action is said beside the action type
        if send_action(action_type, entry.name) != send_action(action_type):
            yield action_type


@cache
def _play_match() -> tuple[Match, Packet]:
    """Return a match in its 30th minute with the last packet, and a goal and a card that may be taken back."""
    scenario = parse_scenario(_MATCH)
    match, last = Match(scenario.fixture), build_packets(scenario)[0]
    for packet in build_packets(scenario):
        if packet.period_id <= 1 and packet.clock < _PLAYED_SECONDS:
            match, last = advance(match, packet).after, packet
    return match, last


@cache
def send_action(action_type: str, sub_type: str = "", send_type: SendType = SendType.CONFIRMED) -> tuple[str, str, str]:
    """Return the rule, the kind and the message of the first alert of an action in the 30th minute; empty if there is none."""
    match, last = _play_match()
    team = match.fixture.team(Side.HOME)
    packet = msgspec.structs.replace(
        last, action_id="new", seq=(last.seq or 0) + 1, type=action_type, sub_type=sub_type, send_type=send_type, related=()
    )
    packet = msgspec.structs.replace(packet, team=team, team_side=Side.HOME, player=Player("p", "Saka"), metadata={})
    rules = _join_packs()
    for made in evaluate(rules, advance(match, packet)):
        alert = translate_alert(made, rules, load_wordings())
        return alert.rule, alert.kind, render_body(alert)
    return "", "", ""


@cache
def _join_packs() -> RuleSet:
    return load_pack(PACKS[-1])


def format_tables() -> str:
    """Return both tables as Markdown."""
    lines = [
        "| action type | other names | what the shipped rules make of it | kind | sound | told | besides |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in list_action_rows():
        pack = "" if row.pack in ("", PACKS[0]) else f" (pack `{row.pack}`)"
        rule = f"{row.rule}{_describe_period(row.period)}{pack}" if row.rule else "–"
        kind = f"**{row.kind}**" if row.is_on_at_first else row.kind
        sound = ("loud" if row.is_loud else "silent") if row.rule else ""
        cells = (row.action_type, ", ".join(row.also), rule, kind, sound, row.since, "; ".join(row.besides))
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        f"Any sub action type but Other is shown in the message of {', '.join(list_quoting_types())}. Beside that:",
        "",
        "| sub action type | other names | comes with | changes the message of |",
        "| --- | --- | --- | --- |",
    ]
    for sub in list_sub_type_rows():
        shown = (sub.name, ", ".join(sub.also), ", ".join(sub.comes_with) or "not known", ", ".join(sub.changes) or "–")
        lines.append(f"| {' | '.join(shown)} |")
    return "\n".join(lines)


def _describe_period(expected: str) -> str:
    if not expected:
        return ""
    words = expected.removeprefix("not ").replace(", ", " or ")
    return f", not in the {words}" if words != expected else f", of the {words}"


def insert_tables(page: str) -> str:
    """Return the page with the tables of today."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{format_tables()}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(insert_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
