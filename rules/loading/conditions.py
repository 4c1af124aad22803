"""All conditions of `match:` in one table, each made from its node."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import yaml

from rules.engine.rule import Condition, IndexKey
from rules.football import match
from rules.football.action import Action, SendType, Side
from rules.football.catalogue import Catalogue
from rules.football.match import Moment
from rules.football.minute import Minute, Period
from rules.football.names import normalise
from rules.loading.document import mapping_items
from rules.loading.values import Range, Reader, describe_unknown, parse_boolean, read_range, suggest

ConditionReader = Callable[[Reader, yaml.Node, Catalogue], Condition | None]

RULE_SEND_TYPES = (SendType.PENDING, SendType.CONFIRMED, SendType.UPDATED)
"""The send types that rules are asked about: what is taken back is told without a rule."""

NOTHING = "nothing"


class ExpectedNames(msgspec.Struct, frozen=True):
    """A name, a list of names, or `{not: …}` of either."""

    names: tuple[str, ...]
    nodes: tuple[yaml.Node, ...]
    is_negated: bool = False

    def __str__(self) -> str:
        """As it was written, in one line."""
        return ("not " if self.is_negated else "") + ", ".join(self.names)


def read_names(reader: Reader, node: yaml.Node, what: str) -> ExpectedNames | None:
    """Read a name, a list of names, or `{not: …}` of either."""
    negated = isinstance(node, yaml.MappingNode)
    if negated:
        fields = reader.read_mapping(node, what, ("not",))
        if not fields:
            return None
        node = fields["not"]
    words = reader.read_strings(node, what)
    return ExpectedNames(tuple(word.strip() for word, _ in words), tuple(n for _, n in words), negated) if words else None


def _make_name_condition(
    key: str, asked: ExpectedNames, names: frozenset[str], values: Callable[[Moment], tuple[str, ...]]
) -> Condition:
    """Holds where one of the values, folded, is one of the names; the other way round where `not` was written."""
    negated = asked.is_negated

    def holds(moment: Moment) -> bool:
        return any(normalise(value) in names for value in values(moment) if value) is not negated

    among = None if negated else IndexKey(names, values)
    return Condition(key, str(asked), holds, lambda m: next(filter(None, values(m)), NOTHING), index_key=among)


def _check_choices(reader: Reader, asked: ExpectedNames, what: str, known: tuple[str, ...]) -> bool:
    wrong = [(n, at) for n, at in zip(asked.names, asked.nodes, strict=True) if normalise(n) not in {normalise(k) for k in known}]
    for name, node in wrong:
        reader.report_mistake(node, describe_unknown(what, name, known))
    return not wrong


def read_period_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """The part of the game in which it happened."""
    del catalogue
    asked = read_names(reader, node, "period")
    if asked is None or not _check_choices(reader, asked, "period", tuple(PERIOD_NAMES)):
        return None
    periods = frozenset(normalise(one.value) for name in asked.names for one in PERIOD_NAMES[normalise(name)])
    return _make_name_condition("period", asked, periods, lambda m: (m.action.period.value,))


PERIOD_NAMES: Mapping[str, tuple[Period, ...]] = {
    **{period.value: (period,) for period in Period},
    "extra time": (Period.EXTRA_FIRST, Period.EXTRA_SECOND),
    "before kickoff": (Period.BEFORE,),
    "penalty shootout": (Period.SHOOTOUT,),
}

_SUGGESTION_CUTOFF = 0.75


def canonical_pairs(asked: ExpectedNames, catalogue: Catalogue) -> frozenset[tuple[str, str]]:
    """The canonical pairs that names of action types mean, in lower case; an empty sub type means any."""
    found = (catalogue.resolve_names(name) for name in asked.names)
    return frozenset((action_type.casefold(), sub_type.casefold()) for action_type, sub_type in found)


def read_action_type_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """What happened. An alias asks for its pair: `Own Goal` is a Goal whose sub action type is Own Goal."""
    asked = read_names(reader, node, "action_type")
    if asked is None or not _check_known_names(reader, asked, "action type", catalogue.action_type_names, catalogue.has_type):
        return None
    wanted_pairs, negated = canonical_pairs(asked, catalogue), asked.is_negated

    def holds(moment: Moment) -> bool:
        told, sub = moment.action.type.casefold(), moment.action.sub_type.casefold()
        return ((told, "") in wanted_pairs or (told, sub) in wanted_pairs) is not negated

    return Condition("action_type", str(asked), holds, lambda m: _format_action_type(m.action))


def _format_action_type(action: Action) -> str:
    return f"{action.type} ({action.sub_type})" if action.sub_type else action.type


def _check_known_names(
    reader: Reader, asked: ExpectedNames, what: str, known: tuple[str, ...], knows: Callable[[str], bool]
) -> bool:
    """A name near a known one is a mistake; one like no other may come from a newer feed: a warning."""
    sound = True
    for name, node in zip(asked.names, asked.nodes, strict=True):
        if knows(name):
            continue
        if near := suggest(name, known, _SUGGESTION_CUTOFF):
            reader.report_mistake(node, f'unknown {what} "{name}", did you mean "{near}"?')
            sound = False
        else:
            reader.report_warning(node, f'the {what} "{name}" is not in the catalogue; the rule waits for the feed to send it')
    return sound


def read_sub_action_type_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """What kind of it. `not` holds also where the feed gives no sub type."""
    asked = read_names(reader, node, "sub_action_type")
    if asked is None or not _check_known_names(
        reader, asked, "sub action type", catalogue.sub_action_type_names, catalogue.has_sub_type
    ):
        return None
    canonical = frozenset(normalise(catalogue.resolve_names("", name)[1]) for name in asked.names)
    return _make_name_condition("sub_action_type", asked, canonical, lambda m: (m.action.sub_type,))


def read_send_types(reader: Reader, node: yaml.Node) -> frozenset[SendType] | None:
    """The send types asked for; a mistake where none of them ever reaches a rule."""
    asked = read_names(reader, node, "send_type")
    if asked is None:
        return None
    found = [_read_one_send_type(reader, name, at) for name, at in zip(asked.names, asked.nodes, strict=True)]
    if None in found:
        return None
    told = frozenset(RULE_SEND_TYPES) - frozenset(found) if asked.is_negated else frozenset(found) & frozenset(RULE_SEND_TYPES)
    if not told:
        reader.report_mistake(
            node, "no rule is asked about this: what is deleted or cancelled is told to everybody who heard of it"
        )
        return None
    return frozenset(send_type for send_type in told if send_type)


def _read_one_send_type(reader: Reader, name: str, node: yaml.Node) -> SendType | None:
    send_type = SendType.parse(name)
    if send_type is SendType.OTHER:
        reader.report_mistake(node, describe_unknown("send type", name, [told.value for told in RULE_SEND_TYPES]))
        return None
    if send_type not in RULE_SEND_TYPES:
        reader.report_warning(node, f'"{name}" needs no rule: what is taken back is told to everybody who heard of it')
    return send_type


def read_send_type_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """Where the revision stands."""
    del catalogue
    told = read_send_types(reader, node)
    if told is None:
        return None
    written = ", ".join(one.value for one in RULE_SEND_TYPES if one in told)
    return Condition("send_type", written, lambda m: m.action.send_type in told, lambda m: m.action.send_type.value)


def read_team_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """The team that acts; for a goal, the team that gets it."""
    del catalogue
    asked = read_names(reader, node, "team")
    return _make_name_condition("team", asked, _normalise_names(asked), _team_names) if asked else None


def _team_names(moment: Moment) -> tuple[str, ...]:
    told, side = moment.action.team, moment.action.side
    known = moment.after.fixture.team(side) if side else told
    if known is None:
        return ()
    return (known.name, known.id) if told is None or told is known else (known.name, told.name, known.id, told.id)


def _normalise_names(asked: ExpectedNames) -> frozenset[str]:
    return frozenset(map(normalise, asked.names))


def read_side_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """Home or away."""
    del catalogue
    asked = read_names(reader, node, "side")
    if asked is None or not _check_choices(reader, asked, "side", tuple(Side)):
        return None
    return _make_name_condition("side", asked, _normalise_names(asked), lambda m: (m.action.side or "",))


def read_player_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """Who did it, by id, by the whole name, or by its last words: `Messi` is also Lionel Messi."""
    del catalogue
    asked = read_names(reader, node, "player")
    return _make_name_condition("player", asked, _normalise_names(asked), _player_names) if asked else None


def _player_names(moment: Moment) -> tuple[str, ...]:
    told = moment.action.player
    if told is None:
        return ()
    words = told.name.split()
    return (*(" ".join(words[first:]) for first in range(len(words))), told.id)


def read_competition_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """The competition of the match, by name or id."""
    del catalogue
    asked = read_names(reader, node, "competition")
    return _make_name_condition("competition", asked, _normalise_names(asked), _competition_names) if asked else None


def _competition_names(moment: Moment) -> tuple[str, ...]:
    return (moment.after.fixture.competition.name, moment.after.fixture.competition.id)


def read_fixture_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """The match, by id or as `Arsenal v Chelsea`."""
    del catalogue
    asked = read_names(reader, node, "fixture")
    return _make_name_condition("fixture", asked, _normalise_names(asked), _fixture_names) if asked else None


def _fixture_names(moment: Moment) -> tuple[str, ...]:
    return (moment.after.fixture.title, moment.after.fixture.name, moment.after.fixture.id)


def read_minute_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """The minute in which it happened; never where there is none, as in a shootout."""
    del catalogue
    asked = read_range(reader, node, "minute", Minute.parse)
    if asked is None:
        return None
    return Condition("minute", str(asked), lambda m: asked.contains(m.action.minute), lambda m: str(m.action.minute or NOTHING))


SCORE_VALUES: Mapping[str, Callable[[Moment], int | None]] = {
    "home": lambda m: m.after.score.home,
    "away": lambda m: m.after.score.away,
    "own": lambda m: m.after.score.goals_of(m.action.side) if m.action.side else None,
    "other": lambda m: m.after.score.goals_of(m.action.side.other) if m.action.side else None,
    "total": lambda m: m.after.score.home + m.after.score.away,
    "margin": lambda m: abs(m.after.score.home - m.after.score.away),
}


def read_score_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """The official score after the action, a shootout apart."""
    del catalogue
    fields = reader.read_mapping(node, "score", tuple(SCORE_VALUES))
    if fields is not None and not fields and not mapping_items(node):
        reader.report_mistake(node, "score is empty")
    ranges = [(key, read_range(reader, at, f"score {key}", _parse_goals)) for key, at in (fields or {}).items()]
    asked: list[tuple[str, Range[int]]] = [(key, found) for key, found in ranges if found is not None]
    if not ranges or len(asked) < len(ranges):
        return None
    written = ", ".join(f"{key} {found}" for key, found in asked)
    return Condition("score", written, lambda m: all(found.contains(SCORE_VALUES[key](m)) for key, found in asked), _format_score)


def _format_score(moment: Moment) -> str:
    acting = f", {moment.action.side} acts" if moment.action.side else ""
    return f"{moment.after.score}{acting}"


def _parse_goals(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        raise ValueError(f'"{text}" is not a number of goals')
    return int(text)


def read_first_goal_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """The first goal of the match that stands."""
    del catalogue
    return _read_flag("first", reader, node, match.is_first_goal)


def read_hat_trick_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """A player's third goal of play that stands; own goals do not count."""
    del catalogue
    return _read_flag("hat_trick", reader, node, match.is_hat_trick)


def read_comeback_condition(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """A goal that puts its team in front after it was behind, or level after it was two behind."""
    del catalogue
    return _read_flag("comeback", reader, node, match.is_comeback)


def _read_flag(key: str, reader: Reader, node: yaml.Node, true: Callable[[Moment], bool]) -> Condition | None:
    asked = reader.read_parsed(node, key, parse_boolean)
    if asked is None:
        return None
    return Condition(key, str(asked).lower(), lambda m: true(m) is asked, lambda m: str(true(m)).lower())


CONDITIONS: dict[str, ConditionReader] = {
    "action_type": read_action_type_condition,
    "sub_action_type": read_sub_action_type_condition,
    "send_type": read_send_type_condition,
    "team": read_team_condition,
    "side": read_side_condition,
    "player": read_player_condition,
    "competition": read_competition_condition,
    "fixture": read_fixture_condition,
    "period": read_period_condition,
    "minute": read_minute_condition,
    "score": read_score_condition,
    "first": read_first_goal_condition,
    "hat_trick": read_hat_trick_condition,
    "comeback": read_comeback_condition,
}

GOAL_CONDITIONS = ("first", "hat_trick", "comeback")
"""The conditions that only a goal can meet."""
