"""Names in the template of a text that nothing has, and comparisons that cannot mean what they say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from jinja2 import TemplateSyntaxError, nodes

from rules.engine.alert import Facts
from rules.engine.text import PYTHON_LIMITS, TEXT_ENVIRONMENT, TEXT_VARIABLES
from rules.football.action import Side
from rules.football.catalogue import load_catalogue
from rules.football.minute import Period
from rules.loading.template_syntax import BLOCK_WORDS, TemplateFinding
from rules.loading.values import describe_unknown, suggest

_NO_FACTS = msgspec.structs.asdict(Facts())

# By the exact type: True is an int in Python, and a flag is compared otherwise than a number.
_NUMBERS = frozenset(name for name, value in _NO_FACTS.items() if type(value) is int)

_BOOLEANS = frozenset(name for name, value in _NO_FACTS.items() if type(value) is bool)

_TEXTS = frozenset(name for name, value in _NO_FACTS.items() if type(value) is str)

_NUMBER_CURES = {
    "minute": "minute is a text such as 45+2: compare minute_number, which is 45, and added, which is 2",
    **dict.fromkeys(
        ("score", "goal_score", "score_before", "winner_score", "shootout", "match"),
        "a score is a text such as 1–0: compare home_score and away_score, which are numbers",
    ),
}
"""What to compare in place of a text that looks like a number."""

_OTHER_WORDS = {
    **dict.fromkeys(("scorer", "name", "player_name", "who", "goalscorer"), "player"),
    **dict.fromkeys(("home_team", "hometeam", "team_home"), "home"),
    **dict.fromkeys(("away_team", "awayteam", "team_away"), "away"),
    **dict.fromkeys(("league", "tournament", "cup"), "competition"),
    **dict.fromkeys(("time", "clock"), "minute"),
    **dict.fromkeys(("stadium", "ground"), "venue"),
    **dict.fromkeys(("result", "goals"), "score"),
    **dict.fromkeys(("type", "event", "action"), "action_type"),
    **dict.fromkeys(("half",), "period"),
    **dict.fromkeys(("status", "send_type", "confirmed"), "pending"),
    **dict.fromkeys(("fixture", "game"), "match"),
}
"""Other words that people write for the variables."""


class _Name(NamedTuple):
    """A word of a template with its place, and whether it stands where a filter or a test does."""

    offset: int
    line: int
    word: str
    is_filter: bool
    is_test: bool


def _list_names(source: str) -> Iterator[_Name]:
    """Yield the names in a template that can be read: variables, filters and tests, not attributes."""
    offset, before = 0, ""
    for line, kind, value in TEXT_ENVIRONMENT.lex(source):
        # A token knows its line alone. Tokens come in the order of the text, so the next place with its letters is its own.
        place = source.find(value, offset) if value else offset
        if kind == "name":
            if before != ".":
                yield _Name(place, line, value, before == "|", before in ("is", "is not"))
            # `is not defined`: the test stands after both words.
            before = "is not" if value == "not" and before == "is" else value
        elif kind not in ("whitespace", "data", "comment"):
            before = value
        offset = place + len(value)


def find_wrong_names(source: str) -> list[TemplateFinding]:
    """Return the unknown names of a template, and comparisons that cannot mean what they say."""
    if "{" not in source:
        return []
    try:
        tree = TEXT_ENVIRONMENT.parse(source)
        used = list(tree.find_all(nodes.Name))
        # What `{% set %}` and `{% for %}` make is known too, and `loop` is Jinja's own within a loop.
        stored = {name.name for name in used if name.ctx != "load"}
        unknown = {name.name for name in used} - stored - {*TEXT_VARIABLES, "loop"}
    except (TemplateSyntaxError, *PYTHON_LIMITS):
        return []  # its mistake of form is reported already
    findings: list[TemplateFinding] = []
    compared = {name.name for one in tree.find_all(nodes.Compare) for name in one.find_all(nodes.Name)}
    filters = {node.name for node in tree.find_all(nodes.Filter)} - TEXT_ENVIRONMENT.filters.keys()
    tests = {node.name for node in tree.find_all(nodes.Test)} - TEXT_ENVIRONMENT.tests.keys()
    suspicious = list(_find_suspicious(tree))
    # Jinja's tree has no columns, so the words are looked up in the text: only where there is something to report.
    names = list(_list_names(source)) if unknown or filters or tests or suspicious else []
    for name in names:
        if name.is_filter and name.word in filters:
            sentence = f"the text uses an {describe_unknown('filter', name.word, _COMMON_FILTERS)}"
            findings.append(TemplateFinding(name.offset, sentence))
        elif name.is_test and name.word in tests:
            known = ("defined", "none", "number", "string", "in")
            findings.append(TemplateFinding(name.offset, f"the text uses an {describe_unknown('test', name.word, known)}"))
        elif name.word in unknown and not name.is_filter:
            findings.append(
                TemplateFinding(name.offset, _describe_unknown_variable(name.word, is_compared=name.word in compared))
            )
    for one in suspicious:
        places = [name.offset for name in names if name.word == one.word and not name.is_filter]
        # The line is that of the whole comparison, which may begin above the word.
        on_line = [name.offset for name in names if name.word == one.word and name.line == one.line]
        findings.append(TemplateFinding((on_line or places or [-1])[0], one.sentence, one.is_warning))
    return findings


_COMMON_FILTERS = (
    "upper", "lower", "title", "capitalize", "trim", "replace", "default", "length", "join", "first", "last", "int", "round",
    "truncate", "safe", "escape", "e", "list", "sort", "format", "abs", "string", "wordcount", "reverse", "float", "max", "min",
    "sum", "unique",
)  # fmt: skip
"""The filters that a misspelt one is compared with, and that are listed where none is near: those that texts need, not all of
Jinja's."""


def _describe_unknown_variable(word: str, *, is_compared: bool) -> str:
    if word in BLOCK_WORDS:
        return f"{word} stands in {{% {word} %}}, not in {{{{ … }}}}"
    # `{% if team == Arsenal %}`: no variable begins with a capital, so this is a name without its quotes. A near word is a typo.
    if is_compared and word[0].isupper() and not suggest(word, TEXT_VARIABLES, 0.75):
        return f'there is no value {word}: a name is compared in quotes, "{word}"'
    if meant := _OTHER_WORDS.get(word.casefold(), ""):
        return f'the text uses an unknown variable "{word}": it is called {meant}'
    return f"the text uses an {describe_unknown('variable', word, TEXT_VARIABLES)}"


class _Suspicion(NamedTuple):
    """What cannot mean what it says, in a template that can be read."""

    line: int
    word: str
    """The variable that it is about; empty where it is about none, and so about the whole text."""
    sentence: str
    is_warning: bool = True
    """False for what fails when the text is rendered, or is never meant."""


def _find_suspicious(tree: nodes.Template) -> Iterator[_Suspicion]:
    """Yield odd comparisons, filters that lose the value, parts and calls that no value has, and lists that are sent as such."""
    for compared in tree.find_all(nodes.Compare):
        left: nodes.Node = compared.expr
        for operand in compared.ops:
            for one, other in ((left, operand.expr), (operand.expr, left)):
                yield from _find_odd_comparison(one, other, operand.op, compared.lineno)
            left = operand.expr
    for found in tree.find_all(nodes.Filter):
        if found.name in ("int", "float") and isinstance(found.node, nodes.Name) and found.node.name in _NUMBER_CURES:
            name = found.node.name
            sentence = f"{name} | {found.name} is 0 where it is not a number alone: {_NUMBER_CURES[name]}"
            yield _Suspicion(found.lineno, name, sentence)
    yield from _find_unknown_parts(tree)
    yield from _find_misused_values(tree)
    for child in (child for output in tree.find_all(nodes.Output) for child in output.nodes):
        if isinstance(child, nodes.Const) and child.value in TEXT_VARIABLES:
            yield _Suspicion(child.lineno, "", f"this sends the word {child.value}: remove the quotes to send the value")
        if _is_list(child):
            yield _Suspicion(child.lineno, "", "this sends a list with its brackets and quotes: add | join(', ')")


def _find_unknown_parts(tree: nodes.Template) -> Iterator[_Suspicion]:
    """Yield what is written as a part of a value, such as `player.name`; `match.split(' ')` is a call."""
    # By identity: Jinja's nodes are equal if their words are, wherever they stand.
    called = {id(call.node) for call in tree.find_all(nodes.Call)}
    for part in tree.find_all(nodes.Getattr):
        if isinstance(part.node, nodes.Name) and part.node.name in TEXT_VARIABLES and id(part) not in called:
            name = part.node.name
            cure = f"{name} | {part.attr}" if part.attr in TEXT_ENVIRONMENT.filters else name
            yield _Suspicion(part.lineno, name, f"{name} has no part {part.attr}: write {{{{ {cure} }}}}", is_warning=False)


def _find_misused_values(tree: nodes.Template) -> Iterator[_Suspicion]:
    """Yield what is called, taken apart or added up although it is a text or a number."""
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in TEXT_VARIABLES:
            name = call.node.name
            yield _Suspicion(call.lineno, name, f"{name} is a value, it is not called: write {{{{ {name} }}}}", is_warning=False)
    for part in tree.find_all(nodes.Getitem):
        is_number = isinstance(part.arg, nodes.Const) and isinstance(part.arg.value, int)
        if isinstance(part.node, nodes.Name) and part.node.name in TEXT_VARIABLES and is_number:
            name = part.node.name
            yield _Suspicion(part.lineno, name, f"{name} is one value and no list: write {{{{ {name} }}}}", is_warning=False)
    for added in tree.find_all((nodes.Add, nodes.Sub)):
        sides = (added.left, added.right)
        texts = [one.name for one in sides if isinstance(one, nodes.Name) and one.name in _TEXTS]
        has_text = bool(texts) or any(isinstance(one, nodes.Const) and isinstance(one.value, str) for one in sides)
        has_number = any(
            (isinstance(one, nodes.Name) and one.name in _NUMBERS) or (isinstance(one, nodes.Const) and type(one.value) is int)
            for one in sides
        )
        if has_text and has_number:
            name = next((one.name for one in sides if isinstance(one, nodes.Name)), "")
            cure = next(
                (_NUMBER_CURES[text] for text in texts if text in _NUMBER_CURES), "texts are joined with ~ and not with +"
            )
            yield _Suspicion(added.lineno, name, cure, is_warning=False)


def _is_list(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Filter):
        return node.name in ("list", "sort", "unique", "map", "select", "reject", "batch", "slice")
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        return node.node.attr in ("split", "splitlines", "partition", "rsplit")
    return isinstance(node, (nodes.List, nodes.Tuple, nodes.Dict))


_FIXED_VALUES = {
    "side": tuple(Side),
    "period": tuple(period.value for period in Period if period is not Period.BEFORE),
    "action_type": load_catalogue().action_type_names,
    "sub_action_type": load_catalogue().sub_action_type_names,
}
"""The values of the variables that have few, spelt as comparisons need them: letter by letter."""


def _find_odd_comparison(one: nodes.Node, other: nodes.Node, operator: str, line: int) -> Iterator[_Suspicion]:
    if not isinstance(one, nodes.Name) or one.name not in TEXT_VARIABLES:
        return
    values = other.items if isinstance(other, (nodes.List, nodes.Tuple)) else [other]
    for value in (value.value for value in values if isinstance(value, nodes.Const)):
        # `pending == true` is right, and True is an int in Python.
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number and one.name not in _NUMBERS and one.name not in _BOOLEANS:
            cure = _NUMBER_CURES.get(one.name, f"{one.name} is a text: compare it with a text in quotes")
            # Equal is never so, and less is an error when the alert is made.
            yield _Suspicion(line, one.name, cure, is_warning=operator in ("eq", "ne", "in", "notin"))
        elif isinstance(value, str) and one.name in _NUMBERS:
            yield _Suspicion(line, one.name, f"{one.name} is a number: compare it with one, without quotes")
        elif isinstance(value, str) and one.name in _BOOLEANS:
            sentence = f"{one.name} is true or false: write {{% if {one.name} %}} or {{% if not {one.name} %}}"
            yield _Suspicion(line, one.name, sentence)
        elif isinstance(value, str) and value and operator in ("eq", "ne", "in", "notin"):
            yield from _find_misspelt_value(one.name, value, line)


def _find_misspelt_value(name: str, value: str, line: int) -> Iterator[_Suspicion]:
    # A text that is compared with an alias never finds it: rules and texts see the canonical names alone.
    known = _FIXED_VALUES.get(name, ())
    if not known or value in known:
        return
    if name == "action_type" and load_catalogue().has_type(value):
        action_type, sub_type = load_catalogue().resolve_names(value)
        second = f" with the sub_action_type {sub_type}" if sub_type else ""
        yield _Suspicion(line, name, f'action_type is never "{value}": it is {action_type}{second}')
    elif near := suggest(value, known, 0.75):
        yield _Suspicion(line, name, f'{name} is never "{value}": did you mean "{near}"?')
