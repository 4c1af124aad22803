"""What may stand under `match:`: one small function a condition, all in one table; each makes a `Condition` of its YAML."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import yaml

from rules import history
from rules.action import Action, SendType, Side
from rules.catalogue import Catalogue
from rules.document import flag, nearest, pairs, unknown
from rules.fold import fold
from rules.match import Moment
from rules.minute import Minute, Period
from rules.ranges import Range, read_range
from rules.reader import Reader
from rules.rule import Among, Condition

Make = Callable[[Reader, yaml.Node, Catalogue], Condition | None]

TOLD = (SendType.PENDING, SendType.CONFIRMED, SendType.UPDATED)
"""The send types that rules are asked about: what is taken back is told without a rule."""

PERIODS: Mapping[str, tuple[Period, ...]] = {
    **{period.value: (period,) for period in Period},
    "extra time": (Period.EXTRA_FIRST, Period.EXTRA_SECOND),
    "before kickoff": (Period.BEFORE,),
    "penalty shootout": (Period.SHOOTOUT,),
}
_NEAR = 0.75
NOTHING = "nothing"


class Wanted(msgspec.Struct, frozen=True):
    """A name, a list of names, or `{not: …}` of either."""

    names: tuple[str, ...]
    nodes: tuple[yaml.Node, ...]
    negated: bool = False

    @property
    def written(self) -> str:
        """As it was written, in one line."""
        return ("not " if self.negated else "") + ", ".join(self.names)


def wanted(reader: Reader, node: yaml.Node, what: str) -> Wanted | None:
    """Read a name, a list of names, or `{not: …}` of either."""
    negated = isinstance(node, yaml.MappingNode)
    if negated:
        fields = reader.fields(node, what, ("not",))
        if not fields:
            return None
        node = fields["not"]
    words = reader.texts(node, what)
    return Wanted(tuple(word.strip() for word, _ in words), tuple(n for _, n in words), negated) if words else None


def _among(key: str, asked: Wanted, names: frozenset[str], values: Callable[[Moment], tuple[str, ...]]) -> Condition:
    """Holds where one of the values, folded, is one of the names; the other way round where `not` was written."""
    negated = asked.negated

    def holds(moment: Moment) -> bool:
        return any(fold(value) in names for value in values(moment) if value) is not negated

    among = None if negated else Among(names, values)
    return Condition(key, asked.written, holds, lambda m: next(filter(None, values(m)), NOTHING), among=among)


def pairs_of(asked: Wanted, names: Catalogue) -> frozenset[tuple[str, str]]:
    """The canonical pairs that names of action types mean, in lower case; an empty sub type means any."""
    found = (names.canonical(name) for name in asked.names)
    return frozenset((action_type.casefold(), sub_type.casefold()) for action_type, sub_type in found)


def action_type(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """What happened. An alias asks for its pair: `Own Goal` is a Goal whose sub action type is Own Goal."""
    asked = wanted(reader, node, "action_type")
    if asked is None or not _known(reader, asked, "action type", names.action_types, names.knows):
        return None
    wanted_pairs, negated = pairs_of(asked, names), asked.negated

    def holds(moment: Moment) -> bool:
        told, sub = moment.action.type.casefold(), moment.action.sub_type.casefold()
        return ((told, "") in wanted_pairs or (told, sub) in wanted_pairs) is not negated

    return Condition("action_type", asked.written, holds, lambda m: _typed(m.action))


def _typed(action: Action) -> str:
    return f"{action.type} ({action.sub_type})" if action.sub_type else action.type


def _known(reader: Reader, asked: Wanted, what: str, known: tuple[str, ...], knows: Callable[[str], bool]) -> bool:
    """A name near a known one is a mistake; one like no other may come from a newer feed: a warning."""
    sound = True
    for name, node in zip(asked.names, asked.nodes, strict=True):
        if knows(name):
            continue
        if near := nearest(name, known, _NEAR):
            reader.mistake(node, f'unknown {what} "{name}", did you mean "{near}"?')
            sound = False
        else:
            reader.warn(node, f'the {what} "{name}" is not in the catalogue; the rule waits for the feed to send it')
    return sound


def sub_action_type(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """What kind of it. `not` holds also where the feed gives no sub type."""
    asked = wanted(reader, node, "sub_action_type")
    if asked is None or not _known(reader, asked, "sub action type", names.sub_action_types, names.knows_sub):
        return None
    canonical = frozenset(fold(names.canonical("", name)[1]) for name in asked.names)
    return _among("sub_action_type", asked, canonical, lambda m: (m.action.sub_type,))


def send_types(reader: Reader, node: yaml.Node) -> frozenset[SendType] | None:
    """The send types asked for; a mistake where none of them ever reaches a rule."""
    asked = wanted(reader, node, "send_type")
    if asked is None:
        return None
    found = [_send_type(reader, name, at) for name, at in zip(asked.names, asked.nodes, strict=True)]
    if None in found:
        return None
    told = frozenset(TOLD) - frozenset(found) if asked.negated else frozenset(found) & frozenset(TOLD)
    if not told:
        reader.mistake(node, "no rule is asked about this: what is deleted or cancelled is told to everybody who heard of it")
        return None
    return frozenset(send_type for send_type in told if send_type)


def _send_type(reader: Reader, name: str, node: yaml.Node) -> SendType | None:
    send_type = SendType.of(name)
    if send_type is SendType.OTHER:
        reader.mistake(node, unknown("send type", name, [told.value for told in TOLD]))
        return None
    if send_type not in TOLD:
        reader.warn(node, f'"{name}" needs no rule: what is taken back is told to everybody who heard of it')
    return send_type


def send_type(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """Where the revision stands."""
    del names
    told = send_types(reader, node)
    if told is None:
        return None
    written = ", ".join(one.value for one in TOLD if one in told)
    return Condition("send_type", written, lambda m: m.action.send_type in told, lambda m: m.action.send_type.value)


def team(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """The team that acts; for a goal, the team that gets it."""
    del names
    asked = wanted(reader, node, "team")
    return _among("team", asked, _folded(asked), _acting) if asked else None


def _acting(moment: Moment) -> tuple[str, ...]:
    told, side = moment.action.team, moment.action.side
    known = moment.after.fixture.team(side) if side else told
    if known is None:
        return ()
    return (known.name, known.id) if told is None or told is known else (known.name, told.name, known.id, told.id)


def _folded(asked: Wanted) -> frozenset[str]:
    return frozenset(map(fold, asked.names))


def side(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """Home or away."""
    del names
    asked = wanted(reader, node, "side")
    if asked is None or not _choices(reader, asked, "side", tuple(Side)):
        return None
    return _among("side", asked, _folded(asked), lambda m: (m.action.side or "",))


def _choices(reader: Reader, asked: Wanted, what: str, known: tuple[str, ...]) -> bool:
    wrong = [(n, at) for n, at in zip(asked.names, asked.nodes, strict=True) if fold(n) not in {fold(k) for k in known}]
    for name, node in wrong:
        reader.mistake(node, unknown(what, name, known))
    return not wrong


def player(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """Who did it, by id, by the whole name, or by its last words: `Messi` is also Lionel Messi."""
    del names
    asked = wanted(reader, node, "player")
    return _among("player", asked, _folded(asked), _player) if asked else None


def _player(moment: Moment) -> tuple[str, ...]:
    told = moment.action.player
    if told is None:
        return ()
    words = told.name.split()
    return (*(" ".join(words[first:]) for first in range(len(words))), told.id)


def competition(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """The competition of the match, by name or id."""
    del names
    asked = wanted(reader, node, "competition")
    return _among("competition", asked, _folded(asked), _competition) if asked else None


def _competition(moment: Moment) -> tuple[str, ...]:
    return (moment.after.fixture.competition.name, moment.after.fixture.competition.id)


def fixture(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """The match, by id or as `Arsenal v Chelsea`."""
    del names
    asked = wanted(reader, node, "fixture")
    return _among("fixture", asked, _folded(asked), _fixture) if asked else None


def _fixture(moment: Moment) -> tuple[str, ...]:
    return (moment.after.fixture.title, moment.after.fixture.name, moment.after.fixture.id)


def period(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """The part of the game in which it happened."""
    del names
    asked = wanted(reader, node, "period")
    if asked is None or not _choices(reader, asked, "period", tuple(PERIODS)):
        return None
    periods = frozenset(fold(one.value) for name in asked.names for one in PERIODS[fold(name)])
    return _among("period", asked, periods, lambda m: (m.action.period.value,))


def minute(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """The minute in which it happened; never where there is none, as in a shootout."""
    del names
    asked = read_range(reader, node, "minute", Minute.parse)
    if asked is None:
        return None
    return Condition("minute", asked.written, lambda m: asked.holds(m.action.minute), lambda m: str(m.action.minute or NOTHING))


SCORES: Mapping[str, Callable[[Moment], int | None]] = {
    "home": lambda m: m.after.score.home,
    "away": lambda m: m.after.score.away,
    "own": lambda m: m.after.score.of(m.action.side) if m.action.side else None,
    "other": lambda m: m.after.score.of(m.action.side.other) if m.action.side else None,
    "total": lambda m: m.after.score.home + m.after.score.away,
    "margin": lambda m: abs(m.after.score.home - m.after.score.away),
}


def score(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """The official score after the action, a shootout apart."""
    del names
    fields = reader.fields(node, "score", tuple(SCORES))
    if fields is not None and not fields and not pairs(node):
        reader.mistake(node, "score is empty")
    ranges = [(key, read_range(reader, at, f"score {key}", _goals)) for key, at in (fields or {}).items()]
    asked: list[tuple[str, Range[int]]] = [(key, found) for key, found in ranges if found is not None]
    if not ranges or len(asked) < len(ranges):
        return None
    written = ", ".join(f"{key} {found.written}" for key, found in asked)
    return Condition("score", written, lambda m: all(found.holds(SCORES[key](m)) for key, found in asked), _score_seen)


def _score_seen(moment: Moment) -> str:
    acting = f", {moment.action.side} acts" if moment.action.side else ""
    return f"{moment.after.score}{acting}"


def _goals(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        raise ValueError(f'"{text}" is not a number of goals')
    return int(text)


def first(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """The first goal of the match that stands."""
    del names
    return _flag("first", reader, node, history.is_first_goal)


def hat_trick(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """A player's third goal of play that stands; own goals do not count."""
    del names
    return _flag("hat_trick", reader, node, history.is_hat_trick)


def comeback(reader: Reader, node: yaml.Node, names: Catalogue) -> Condition | None:
    """A goal that puts its team in front after it was behind, or level after it was two behind."""
    del names
    return _flag("comeback", reader, node, history.is_comeback)


def _flag(key: str, reader: Reader, node: yaml.Node, true: Callable[[Moment], bool]) -> Condition | None:
    asked = reader.parsed(node, key, flag)
    if asked is None:
        return None
    return Condition(key, str(asked).lower(), lambda m: true(m) is asked, lambda m: str(true(m)).lower())


CONDITIONS: dict[str, Make] = {
    "action_type": action_type,
    "sub_action_type": sub_action_type,
    "send_type": send_type,
    "team": team,
    "side": side,
    "player": player,
    "competition": competition,
    "fixture": fixture,
    "period": period,
    "minute": minute,
    "score": score,
    "first": first,
    "hat_trick": hat_trick,
    "comeback": comeback,
}

ABOUT_GOALS = ("first", "hat_trick", "comeback")
"""The conditions that only a goal can meet."""
