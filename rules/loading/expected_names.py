"""Names under `match:`: how a rule writes them, which are unknown, and the condition that compares a moment with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
import yaml

from rules.engine.cases import IS_FALSE, IS_TRUE, Cases, Names, complement_values
from rules.engine.rule import Condition, IndexKey
from rules.football.match import Moment
from rules.football.names import normalise
from rules.loading.foreign_syntax import warn_of_name
from rules.loading.values import Reader, describe_unknown, find_misspelt, suggest

NOTHING = "nothing"
"""What an explanation shows where the moment has no value to compare."""


class ExpectedNames(msgspec.Struct, frozen=True):
    """A name, a list of names, or `{not: …}` of either."""

    names: tuple[str, ...]
    nodes: tuple[yaml.Node, ...]
    is_negated: bool = False

    def items(self) -> Iterator[tuple[str, yaml.Node]]:
        """Yield each name with its node."""
        return zip(self.names, self.nodes, strict=True)

    def __str__(self) -> str:
        """Return the names in one line, after `not` if they are excluded; a name and an id look the same."""
        return ("not " if self.is_negated else "") + ", ".join(self.names)


NAMED_BY_ID = frozenset({"team", "player", "competition", "fixture"})
"""The conditions on things to which the feed gives an id, so that two of one name can be distinguished."""

NAMED_BY_FIXTURES = NAMED_BY_ID - {"player"}
"""The conditions whose names the feed's list of fixtures has."""


def read_names(reader: Reader, node: yaml.Node, what: str) -> ExpectedNames | None:
    """Read a name, a list of names, `{id: …}` of either for what has an id, or `{not: …}` of any of these."""
    keys: tuple[str, ...] = ("not", "id") if what in NAMED_BY_ID else ("not",)
    needed = "a name or an id" if what in NAMED_BY_ID else "a name"
    is_negated = False
    # Inwards, through `not` and `id`. Whether a word is a name or an id makes no difference later: both are compared with both.
    while isinstance(node, yaml.MappingNode):
        fields = reader.read_mapping(node, what, keys)
        if not fields:
            # A mapping with unknown keys alone has its mistake already.
            if not node.value:
                reader.report_mistake(node, f"{what} needs {needed}")
            return None
        if len(fields) > 1:
            reader.report_mistake(node, f"{what} has either an id or not: write {{not: {{id: …}}}}")
            return None
        key, node = next(iter(fields.items()))
        is_negated = is_negated or key == "not"
        # Neither stands inside itself, and `not` stands outside.
        keys = ("id",) if key == "not" and what in NAMED_BY_ID else ()
        if isinstance(node, yaml.MappingNode) and not keys:
            reader.report_mistake(node, f"{what}: {needed} is expected here")
            return None
    words = reader.read_strings(node, what)
    return ExpectedNames(tuple(word.strip() for word, _ in words), tuple(n for _, n in words), is_negated) if words else None


class KnownNames(NamedTuple):
    """The names that a condition may have, as far as they are known."""

    what: str
    """What they are names of, such as `action type`."""
    names: Sequence[str]
    is_known: Callable[[str], bool]
    """Also True for a name that is written otherwise: in another letter case, or as an alias."""
    describe_other: Callable[[str], str] = lambda _: ""
    """Says what else a name is, and the cure; empty where it is nothing else."""
    other_words: Mapping[str, str] = {}
    """Other words that people write, normalised, with the name that is meant."""


def check_known_names(reader: Reader, asked: ExpectedNames, known: KnownNames) -> bool:
    """Return False if a name is misspelt, after reporting it."""
    # The feed's own table of names could not be read, and types come and go (feed documentation, sections 5.3 and 5.4). So
    # one wrong letter is a mistake, but any other name may come from a newer feed: a warning.
    is_valid = True
    for name, node in asked.items():
        if known.is_known(name):
            continue
        if misspelt := find_misspelt(name, known.names):
            reader.report_mistake(node, f'unknown {known.what} "{name}", did you mean "{misspelt}"?')
            is_valid = False
            continue
        # The shape of a name is judged by the key of its condition, which has underscores.
        if warn_of_name(reader, node, known.what.replace(" ", "_"), name):
            continue
        # Before what else a name is: `action_type: yellow` means the card, though some sub action type is called so too.
        near = known.other_words.get(normalise(name), "")
        if not near and (other := known.describe_other(name)):
            reader.report_warning(node, other)
            continue
        near = near or suggest(name, known.names)
        hint = f', which has "{near}"' if near else ""
        sentence = f'the {known.what} "{name}" is not in the catalogue{hint}; the rule never fires unless the feed sends it'
        reader.report_warning(node, sentence)
    return is_valid


def check_choices(reader: Reader, asked: ExpectedNames, what: str, known: tuple[str, ...]) -> bool:
    """Return False if a name is not one of the few that are possible, after reporting it."""
    possible = {normalise(name) for name in known}
    wrong = [(name, at) for name, at in asked.items() if normalise(name) not in possible]
    for name, node in wrong:
        reader.report_mistake(node, describe_unknown(what, name, known))
    return not wrong


def make_name_condition(
    key: str, asked: ExpectedNames, names: frozenset[str], read_values: Callable[[Moment], tuple[str, ...]]
) -> Condition:
    """Make a condition that holds if one of the values, normalised, is one of the names; or none of them, after `not`."""
    is_negated = asked.is_negated

    def holds(moment: Moment) -> bool:
        return any(normalise(value) in names for value in read_values(moment) if value) is not is_negated

    def describe(moment: Moment) -> str:
        return next(filter(None, read_values(moment)), NOTHING)

    # A negated condition holds for nearly every value, so the index cannot find it by one.
    index_key = None if is_negated else IndexKey(names, read_values)
    return Condition(key, str(asked), holds, describe, index_key=index_key, cases=_list_name_cases(key, names, is_negated))


_SINGLE_VALUES = frozenset({"sub_action_type", "side", "period", "coverage"})
"""The conditions that compare one value. The others compare several: a team has a name and an id."""


def _list_name_cases(key: str, names: frozenset[str], is_negated: bool) -> Cases:
    """Return the cases in which one of the names is there, or after `not` none of them."""
    if key in _SINGLE_VALUES:
        whole = Names(names)
        return ({key: complement_values(key, whole) if is_negated else whole},)
    # Where several values are compared, each name is a question of its own: a moment may answer two of them with yes.
    if is_negated:
        return ({f"{key}={name}": IS_FALSE for name in names},)
    return tuple({f"{key}={name}": IS_TRUE} for name in sorted(names))
