"""All conditions of `match:` in one table, each made from its YAML node.

To add a condition, write a function that reads its node and returns a `Condition`; add it, and its description, at the end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping

import msgspec
import yaml

from rules.engine.cases import IS_FALSE, IS_TRUE, Case, Cases, Names, Numbers, complement_cases
from rules.engine.rule import Condition, NameReference
from rules.football.action import SendType, Side
from rules.football.catalogue import Catalogue
from rules.football.match import Moment
from rules.football.match_facts import is_comeback, is_first_goal, is_hat_trick
from rules.football.minute import LAST_MINUTE, Minute, Period
from rules.football.names import normalise
from rules.football.statuses import COVERAGE_LEVELS
from rules.loading.document import location_of, mapping_items
from rules.loading.expected_names import (
    NAMED_BY_FIXTURES,
    NOTHING,
    ExpectedNames,
    KnownNames,
    check_choices,
    check_known_names,
    make_name_condition,
    read_names,
)
from rules.loading.foreign_syntax import warn_of_name
from rules.loading.ranges import LAST_ADDED, Range, RangeReader, next_integer, next_minute
from rules.loading.values import Reader, describe_unknown, parse_boolean

ConditionReader = Callable[[Reader, yaml.Node, Catalogue], Condition | None]
"""Makes a condition of the node under its key; reports what is wrong with it, and then returns None."""

RULE_SEND_TYPES = (SendType.PENDING, SendType.CONFIRMED, SendType.UPDATED)
"""The send types that rules are evaluated for. Deleted and Cancelled retract a message whatever the rules say."""

PERIOD_NAMES: Mapping[str, tuple[Period, ...]] = {
    **{period.value: (period,) for period in Period},
    "extra time": (Period.EXTRA_FIRST, Period.EXTRA_SECOND),
    "before kickoff": (Period.BEFORE,),
    "penalty shootout": (Period.SHOOTOUT,),
}
"""The names that `period:` takes, with the periods that each means."""

SCORE_VALUES: Mapping[str, Callable[[Moment], int | None]] = {
    "home": lambda m: m.score.home,
    "away": lambda m: m.score.away,
    "own": lambda m: m.score.goals_of(m.action.side) if m.action.side else None,
    "other": lambda m: m.score.goals_of(m.action.side.other) if m.action.side else None,
    "total": lambda m: m.score.home + m.score.away,
    "margin": lambda m: abs(m.score.home - m.score.away),
}
"""The keys of `score:`, with what each compares; None where the action has no side. A shootout does not count."""

GOAL_CONDITIONS = ("first", "hat_trick", "comeback")
"""The conditions that only a goal can meet."""


def resolve_pairs(asked: ExpectedNames, catalogue: Catalogue) -> frozenset[tuple[str, str]]:
    """Return the canonical pairs that names of action types mean, in lower case; an empty sub type means any."""
    # By the catalogue as for packets: a rule that says `Own Goal` finds the action, whichever of its names the feed sends.
    pairs = (catalogue.resolve_names(name) for name in asked.names)
    return frozenset((action_type.casefold(), sub_type.casefold()) for action_type, sub_type in pairs)


def read_send_types(reader: Reader, node: yaml.Node) -> frozenset[SendType] | None:
    """Read the send types of a rule; a mistake if no rule is ever evaluated for any of them."""
    asked = read_names(reader, node, "send_type")
    if asked is None:
        return None
    found = {name: SendType.parse(name) for name in asked.names}
    # All of them before the first mistake ends it, so that each wrong word is reported.
    for name, at in asked.items():
        if found[name] is SendType.OTHER:
            reader.report_mistake(at, describe_unknown("send type", name, [one.value for one in RULE_SEND_TYPES]))
        elif found[name] not in RULE_SEND_TYPES:
            reader.report_warning(
                at, f'"{name}" needs no rule: what is taken back is retracted in every chat that has the message'
            )
    if SendType.OTHER in found.values():
        return None
    # `{not: Pending}` means the other two for which rules are evaluated, and never a retraction.
    possible = frozenset(RULE_SEND_TYPES)
    chosen = possible.difference(found.values()) if asked.is_negated else possible.intersection(found.values())
    if not chosen:
        sentence = "no rule fires for this: what is deleted or cancelled is retracted in every chat that has the message"
        reader.report_mistake(node, sentence)
        return None
    return chosen


def _read_action_type(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """Make the condition on what happened. An alias means its pair: `Own Goal` is a Goal whose sub type is Own Goal."""
    asked = read_names(reader, node, "action_type")
    known = KnownNames(
        "action type",
        catalogue.all_type_names,
        catalogue.has_type,
        lambda name: _describe_sub_type(name, catalogue),
        _OTHER_TYPE_WORDS,
    )
    if asked is None or not check_known_names(reader, asked, known):
        return None
    for name, at in asked.items():
        pair = catalogue.resolve_names(name)
        if catalogue.may_repeat(name) and normalise(pair[0]) != normalise(name):
            # An operator who asks for `Penalty Scored` may expect an action that is not a goal, and gets every penalty goal.
            reader.report_warning(at, f'"{name}" is a {pair[0]} with the sub action type {pair[1]}, however the feed sends it')
    # Resolved when the rule is read, not for each packet: this condition runs most often of all.
    pairs, is_negated = resolve_pairs(asked, catalogue), asked.is_negated

    def holds(moment: Moment) -> bool:
        action_type, sub_type = moment.action.type.casefold(), moment.action.sub_type.casefold()
        return ((action_type, "") in pairs or (action_type, sub_type) in pairs) is not is_negated

    def describe(moment: Moment) -> str:
        return f"{moment.action.type} ({moment.action.sub_type})" if moment.action.sub_type else moment.action.type

    return Condition("action_type", str(asked), holds, describe, cases=_list_type_cases(pairs, is_negated=is_negated))


def _list_type_cases(pairs: Iterable[tuple[str, str]], *, is_negated: bool) -> Cases | None:
    """Return the cases of some pairs of action type and sub type, or of all others. None if these are too many."""
    # A type with any sub type contains all its pairs: `[Goal, Own Goal]` is `Goal`.
    whole = frozenset(action_type for action_type, sub_type in pairs if not sub_type)
    cases: list[Case] = [{"action_type": Names(whole)}] if whole else []
    for action_type, sub_type in sorted(pairs):
        if sub_type and action_type not in whole:
            cases.append({"action_type": Names(frozenset({action_type})), "sub_action_type": Names(frozenset({sub_type}))})
    return complement_cases(tuple(cases)) if is_negated else tuple(cases)


def _read_sub_action_type(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """Make the condition on the sub type. `not` holds also where the feed gives none, as it often does while pending."""
    asked = read_names(reader, node, "sub_action_type")
    known = KnownNames("sub action type", catalogue.all_sub_type_names, catalogue.has_sub_type)
    if asked is None or not check_known_names(reader, asked, known):
        return None
    canonical = frozenset(normalise(catalogue.resolve_names("", name)[1]) for name in asked.names)
    return make_name_condition("sub_action_type", asked, canonical, lambda m: (m.action.sub_type,))


def _describe_sub_type(name: str, catalogue: Catalogue) -> str:
    """Return what to write for a sub action type where an action type is expected; empty for any other name."""
    if not catalogue.has_sub_type(name):
        return ""
    owners = catalogue.list_types_of(name)
    with_type = f"action_type: {owners[0]} and " if owners else ""
    return f'"{name}" is a sub action type: write {with_type}sub_action_type: {name}'


_OTHER_TYPE_WORDS = {
    **dict.fromkeys(("full time", "ft", "final whistle", "match end", "end of match"), "End Match"),
    **dict.fromkeys(("half time", "ht", "halftime", "period end"), "End Period"),
    **dict.fromkeys(("kickoff match", "match start", "start", "match kick-off", "match kickoff"), "Start Match"),
    **dict.fromkeys(("var", "var check", "video review", "var review"), "Video Check Underway"),
    **dict.fromkeys(("sub", "substitutions", "change"), "Substitution In"),
    **dict.fromkeys(("yellow", "booking", "yellow cards"), "Yellow Card"),
    **dict.fromkeys(("red", "sending off", "sent off", "red cards"), "Red Card"),
    **dict.fromkeys(("line up", "lineup", "line-up", "team news", "squad"), "Lineups"),
    **dict.fromkeys(("score", "scored", "tor", "but"), "Goal"),
}
"""Other words that people write for action types. They are no aliases, because the feed never sends them."""


def _read_send_type(reader: Reader, node: yaml.Node, _: Catalogue) -> Condition | None:
    chosen = read_send_types(reader, node)
    if chosen is None:
        return None
    expected = ", ".join(one.value for one in RULE_SEND_TYPES if one in chosen)
    return Condition(
        "send_type",
        expected,
        lambda m: m.action.send_type in chosen,
        lambda m: m.action.send_type.value,
        cases=({"send_type": Names(frozenset(normalise(one.value) for one in chosen))},),
    )


def _make_name_reader(key: str, read_values: Callable[[Moment], tuple[str, ...]]) -> ConditionReader:
    """Return the reader of a condition that holds if one of the moment's values is one of the names."""

    def read(reader: Reader, node: yaml.Node, _: Catalogue) -> Condition | None:
        asked = read_names(reader, node, key)
        if asked is None:
            return None
        # A name that is warned of for its shape is no name, and not worth a second warning.
        named = [(name, at) for name, at in asked.items() if not warn_of_name(reader, at, key, name)]
        condition = make_name_condition(key, asked, frozenset(map(normalise, asked.names)), read_values)
        if key not in NAMED_BY_FIXTURES:
            return condition
        names = tuple(NameReference(key, name, location_of(at)) for name, at in named)
        return msgspec.structs.replace(condition, names=names)

    return read


def _list_team_names(moment: Moment) -> tuple[str, ...]:
    """Return the names and ids of the acting team; for a goal, of the team that gets it."""
    team, side = moment.action.team, moment.action.side
    known = moment.after.fixture.team(side) if side else team
    if known is None:
        return ()
    # The fixture and the packet may spell the team in two ways: either may stand in a rule.
    own = (known.name, known.id, known.qualified_name)
    return own if team is None or team is known else (*own, team.name, team.id)


def _list_competition_names(moment: Moment) -> tuple[str, ...]:
    """Return the names by which a rule may mean the competition, the one with its country among them, and its id."""
    competition = moment.after.fixture.competition
    return (competition.name, competition.id, competition.qualified_name)


def _list_player_names(moment: Moment) -> tuple[str, ...]:
    """Return the player's whole name, each shorter end of it, and the id: `Messi` means Lionel Messi too."""
    player = moment.action.player
    if player is None:
        return ()
    # The feed may send `Lionel Messi` or `Messi`, and a rule should not depend on which. Beginnings are left out: a rule that
    # names `Lionel` means one man, and there are others.
    words = player.name.split()
    return (*(" ".join(words[first:]) for first in range(len(words))), player.id)


def _read_side(reader: Reader, node: yaml.Node, _: Catalogue) -> Condition | None:
    asked = read_names(reader, node, "side")
    if asked is None or not check_choices(reader, asked, "side", tuple(Side)):
        return None
    return make_name_condition("side", asked, frozenset(map(normalise, asked.names)), lambda m: (m.action.side or "",))


def _read_period(reader: Reader, node: yaml.Node, _: Catalogue) -> Condition | None:
    asked = read_names(reader, node, "period")
    if asked is None or not check_choices(reader, asked, "period", tuple(PERIOD_NAMES)):
        return None
    periods = frozenset(normalise(one.value) for name in asked.names for one in PERIOD_NAMES[normalise(name)])
    return make_name_condition("period", asked, periods, lambda m: (m.action.period.value,))


def _read_minute(reader: Reader, node: yaml.Node, _: Catalogue) -> Condition | None:
    """Make the condition on the minute. It never holds where there is none, as in a shootout."""
    asked = MINUTE_RANGES.read(reader, node, "minute")
    if asked is None:
        return None
    # A note: 90+3 lies after 90, so that a range up to the last minute of a half leaves out its added time, which few expect.
    if asked.high is not None and asked.low != asked.high and not asked.high.added and asked.high.base in LAST_MINUTE.values():
        end = asked.high.base
        reader.report_note(node, f"this ends before {end}+1: added time is in it with to: {end}+{LAST_ADDED}, or without an end")
    low = asked.low.base * _ADDED_MINUTES + asked.low.added if asked.low else -math.inf
    high = asked.high.base * _ADDED_MINUTES + asked.high.added if asked.high else math.inf
    return Condition(
        "minute",
        str(asked),
        lambda m: asked.contains(m.action.minute),
        lambda m: str(m.action.minute or NOTHING),
        cases=({"minute": Numbers(((low, high),))},),
    )


_ADDED_MINUTES = 1000
"""How minutes are numbered where they are compared with each other: 45+2 is 45,002, between 45 and 46."""


def _read_score(reader: Reader, node: yaml.Node, _: Catalogue) -> Condition | None:
    """Make the condition on the score: for a goal the one that it makes, else the official one; without a shootout."""
    # A score as it is printed: the sentence says it in the form that is read.
    if isinstance(node, yaml.ScalarNode) and (found := re.fullmatch(r"\s*(\d+)\s*[-–:]\s*(\d+)\s*", node.value)):
        reader.report_mistake(node, f"score: write {{home: {found[1]}, away: {found[2]}}}")
        return None
    fields = reader.read_mapping(node, "score", tuple(SCORE_VALUES), _OTHER_SCORES)
    if fields is not None and not fields and not mapping_items(node):
        reader.report_mistake(node, "score is empty")
    # A key with a mistake is reported, and the rule is left out: without it the condition would hold for more than was meant.
    ranges = [(key, GOAL_RANGES.read(reader, at, f"score {key}")) for key, at in (fields or {}).items()]
    asked: list[tuple[str, Range[int]]] = [(key, found) for key, found in ranges if found is not None]
    if not ranges or len(asked) < len(ranges):
        return None

    def holds(moment: Moment) -> bool:
        return all(found.contains(SCORE_VALUES[key](moment)) for key, found in asked)

    def describe(moment: Moment) -> str:
        acting = f", {moment.action.side} acts" if moment.action.side else ""
        return f"{moment.score}{acting}"

    spans = {
        key: (-math.inf if part.low is None else part.low, math.inf if part.high is None else part.high) for key, part in asked
    }
    cases: Cases = ({f"score.{key}": Numbers((span,)) for key, span in spans.items()},)
    return Condition("score", ", ".join(f"{key} {found}" for key, found in asked), holds, describe, cases=cases)


def _parse_goals(text: str) -> int:
    # isdigit() alone is true for digits of other scripts too, and int() would read them.
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        raise ValueError(f'"{text}" is not a number of goals')
    return int(text)


_OTHER_SCORES = {
    "difference": "the difference is called margin",
    "diff": "the difference is called margin",
    "goals": "all goals of the match are called total",
    "sum": "all goals of the match are called total",
    "team": "the goals of the team that acts are called own",
    "opponent": "the goals of the other team are called other",
    **dict.fromkeys(("from", "to"), "a range belongs to one of home, away, own, other, total and margin: {margin: {to: 1}}"),
}
"""Other words that people write for the parts of a score."""

GOAL_RANGES = RangeReader(_parse_goals, next_integer)

MINUTE_RANGES = RangeReader(Minute.parse, next_minute)


def _make_flag_reader(key: str, is_true: Callable[[Moment], bool]) -> ConditionReader:
    """Return the reader of a condition that is written `true` or `false`."""

    def read(reader: Reader, node: yaml.Node, _: Catalogue) -> Condition | None:
        asked = reader.read_parsed(node, key, parse_boolean)
        if asked is None:
            return None
        case: Case = {key: IS_TRUE if asked else IS_FALSE}
        # What holds only for goals excludes all other action types, which the comparison of rules has to know.
        if asked and key in GOAL_CONDITIONS:
            case = {**case, "action_type": Names(frozenset({"goal"}))}
        return Condition(key, str(asked).lower(), lambda m: is_true(m) is asked, lambda m: str(is_true(m)).lower(), cases=(case,))

    return read


def _read_coverage(reader: Reader, node: yaml.Node, _: Catalogue) -> Condition | None:
    """Make the condition on how the feed covers the match. It never holds, and `not` does, where the feed does not say."""
    asked = read_names(reader, node, "coverage")
    levels = {normalise(level) for level in COVERAGE_LEVELS}
    known = KnownNames("coverage level", COVERAGE_LEVELS, lambda name: normalise(name) in levels)
    if asked is None or not check_known_names(reader, asked, known):
        return None
    return make_name_condition("coverage", asked, frozenset(map(normalise, asked.names)), lambda m: (m.after.coverage_level,))


CONDITIONS: dict[str, ConditionReader] = {
    "action_type": _read_action_type,
    "sub_action_type": _read_sub_action_type,
    "send_type": _read_send_type,
    "team": _make_name_reader("team", _list_team_names),
    "side": _read_side,
    "player": _make_name_reader("player", _list_player_names),
    "competition": _make_name_reader("competition", _list_competition_names),
    "fixture": _make_name_reader("fixture", lambda m: (m.after.fixture.title, m.after.fixture.name, m.after.fixture.id)),
    "period": _read_period,
    "minute": _read_minute,
    "score": _read_score,
    "first": _make_flag_reader("first", is_first_goal),
    "hat_trick": _make_flag_reader("hat_trick", is_hat_trick),
    "comeback": _make_flag_reader("comeback", is_comeback),
    "coverage": _read_coverage,
    "delayed": _make_flag_reader("delayed", lambda m: m.action.is_delayed),
}
"""The conditions by their key, in the order in which documentation and schema list them."""

CONDITION_DESCRIPTIONS: Mapping[str, str] = {
    "action_type": "What happened. An alias means its pair: `Own Goal` is a Goal whose sub action type is Own Goal.",
    "sub_action_type": "What kind of it. `not` holds also where the feed gives no sub type.",
    "send_type": "Where the revision stands.",
    "team": "The team that acts; for a goal, the team that gets it. By name, as `Arsenal (Women)`, or by id: `{id: …}`.",
    "side": "Home or away.",
    "player": "Who did it, by id, by the whole name, or by its last words: `Messi` is also Lionel Messi.",
    "competition": "The competition of the match, by name, as `Premier League (England)`, or by id: `{id: …}`.",
    "fixture": "The match, by id or as `Arsenal v Chelsea`.",
    "period": "The part of the game in which it happened.",
    "minute": "The minute in which it happened; never where there is none, as in a shootout.",
    "score": "The score after the action, a shootout apart; for a goal the score that it makes, pending or not.",
    "first": "The first goal of the match that stands.",
    "hat_trick": "A player's third goal of play that stands; own goals do not count.",
    "comeback": "A goal that puts its team in front after it was behind, or level after it was two behind.",
    "coverage": "How the feed covers the match: `No Coverage`, `In Venue`, `Low Latency Stream`, `Standard Stream` or `Video`.",
    "delayed": "What the feed collected offline and sent late: no live news. Such an alert is silent and marked.",
}
