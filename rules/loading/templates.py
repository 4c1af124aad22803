"""Finds what is wrong in the template of a text: every mistake at its own place, in a person's words.

Jinja reports the first mistake and its line. Here each `{{ … }}` is looked at by itself, names and filters are looked up, and the
template is rendered with and without values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec
from jinja2 import TemplateSyntaxError, nodes

from rules.engine.alert import Facts
from rules.engine.text import TEXT_ENVIRONMENT, TEXT_VARIABLES, AlertText, TextError
from rules.football.action import Side
from rules.football.catalogue import load_catalogue
from rules.football.minute import Period
from rules.loading.values import describe_unknown, suggest


class TemplateFinding(NamedTuple):
    """One sentence about one place of a template."""

    offset: int
    """Letters before the place; -1 for the whole text."""
    sentence: str
    is_warning: bool = False


class Rendered(NamedTuple):
    """A template with all values."""

    text: str
    findings: tuple[TemplateFinding, ...]


_NO_FACTS = msgspec.structs.asdict(Facts())

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

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)

_NOT_ALIKE = re.compile(r"\{[{%]-|-[%}]\}|\{#|\{%[-+]?\s*(?:raw|set|filter|call|macro|block|autoescape)\b|\+%\}")
"""Syntax for which the text between the tags changes how the template is read, so that no letter can stand for it."""

_FIRST_SENTINEL, _MAX_PARTS = 0xE000, 500
"""The first of the private-use letters that each stand for the text between two tags, and how many parts may have one."""


def examine_template(source: str, sample: Facts) -> Rendered:
    """Return a text with the values of the sample, and what is wrong with its template; the text is empty after a mistake."""
    parts = _split(source)
    # A tag that is opened and never closed is among the words, and a brace right before a tag makes another tag of it.
    is_plain = not any(re.search(r"\{(?:[{%#]|\Z)", part) for part in parts[::2])
    if not is_plain or len(parts) > _MAX_PARTS or _NOT_ALIKE.search(source) or re.search("[\ue000-\uf8ff]", source):
        return _examine(source, sample)
    # Texts of many rules differ only in their words. The template is examined once, with a letter in place of each run of words.
    skeleton = "".join(part if number % 2 else chr(_FIRST_SENTINEL + number) for number, part in enumerate(parts))
    found = _examine(skeleton, sample)
    findings = tuple(one._replace(offset=_map_offset(one.offset, parts)) for one in found.findings)
    words = {_FIRST_SENTINEL + number: part for number, part in enumerate(parts) if number % 2 == 0}
    return Rendered(found.text.translate(words), findings)


def _split(source: str) -> list[str]:
    """Return words and tags in turn, beginning and ending with words."""
    parts, end = [], 0
    for tag in _TAG.finditer(source):
        parts += [source[end : tag.start()], tag[0]]
        end = tag.end()
    return [*parts, source[end:]]


def _map_offset(offset: int, parts: Sequence[str]) -> int:
    """Return the place in the text for one in its skeleton."""
    if offset < 0:
        return offset
    there = here = 0
    for number, part in enumerate(parts):
        length = len(part) if number % 2 else 1
        if offset < there + length:
            return here + (offset - there if number % 2 else 0)
        there, here = there + length, here + len(part)
    return here


@lru_cache(maxsize=4096)
def _examine(source: str, sample: Facts) -> Rendered:
    readable, findings = _find_syntax_errors(source)
    findings += _find_wrong_names(readable)
    if any(not one.is_warning for one in findings):
        return Rendered("", tuple(sorted(findings)))
    try:
        text = AlertText(source)
        # With all values and with nearly none: most of a text's mistakes show only when a value is missing.
        full, _ = text.render(sample), text.render(Facts(match=sample.match, score=sample.score))
    except TextError as error:
        return Rendered("", (*findings, TemplateFinding(-1, str(error))))
    return Rendered(full, tuple(sorted(findings)))


# --- Mistakes of form


def _find_syntax_errors(source: str) -> tuple[str, list[TemplateFinding]]:
    """Return the text with what cannot be read blanked out, and why it cannot be."""
    findings: list[TemplateFinding] = []
    # Jinja stops at the first mistake. What it cannot read is blanked out and the rest read again, so that all are found at once.
    for _ in range(20):
        try:
            TEXT_ENVIRONMENT.parse_text(source)
        except TemplateSyntaxError as error:
            begin, end, sentence = _locate_error(source, error)
            findings.append(TemplateFinding(begin, sentence))
            part = source[begin:end]
            blank = re.sub(r"[^\n]", " ", part) if "is never closed" in sentence else _blank_out(part)
            source = source[:begin] + blank + source[end:]
        except (RecursionError, MemoryError, SyntaxError, ValueError):
            sentence = "the text is not a template: it is nested too deeply, or a number in it is too long"
            return "", [*findings, TemplateFinding(-1, sentence)]
        else:
            return source, findings
    return "", findings


def _blank_out(part: str) -> str:
    """Return something as long that can be read; a condition stays one, so that its end is not found wrong."""
    opening = re.match(r"\{%[-+]?\s*(if|elif|elseif|elsif)\b", part)
    if opening and "\n" not in part and not re.search(r"\{%", part[2:]):
        condition = "{% if 1" if opening[1] == "if" else "{% elif 1"
        return condition.ljust(len(part) - 2) + "%}" if len(condition) + 2 < len(part) else " " * len(part)
    return re.sub(r"[^\n]", " ", part)


def _locate_error(source: str, error: TemplateSyntaxError) -> tuple[int, int, str]:
    """Return where the part begins and ends that cannot be read, and why it cannot be."""
    message = error.message or ""
    # Each value by itself: the one that is not one is at fault, whatever line Jinja names.
    for tag in _TAG.finditer(source):
        if tag[0].startswith("{{") and (why := _parse_alone(tag[0])):
            if (second := tag[0].find("{{", 3)) > 0 and not tag[0].startswith("{{{"):
                # It ends only at the next value's end: its own is missing.
                return tag.start(), tag.start() + second, _describe_open_sign(tag[0][:second])
            return tag.start(), tag.end(), _describe_value_error(tag[0], why)
        if tag[0].startswith("{%") and (inner := re.search(r"\{[{%]", tag[0][2:])):
            return tag.start(), tag.start() + 2 + inner.start(), _describe_open_sign(tag[0][: 2 + inner.start()])
    if (opened := _find_open_sign(source)) is not None:
        line_end = source.find("\n", opened)
        end = len(source) if line_end < 0 else line_end
        return opened, end, _describe_open_sign(source[opened:end])
    if (found := _find_open_block(source)) is not None:
        begin, end, name = found
        return begin, end, f"the {{% {name} %}} that is opened here is never closed by {{% end{name} %}}"
    begin, end = _find_tag_on_line(source, error.lineno)
    return begin, end, _describe_block_error(source[begin:end], message)


def _describe_open_sign(part: str) -> str:
    sign = part[:2]
    closing = {"{{": "}}", "{%": "%}", "{#": "#}"}[sign]
    half = re.search(r"(?<!\})(\}|%)\s*(?:$|\n)", part) or re.search(r"(?<![%}])(\})", part[2:])
    return f"the {sign} that is opened here is never closed by {closing}" + (f", only by {half[1]}" if half else "")


def _parse_alone(tag: str) -> str:
    """Return why a value in braces is none; empty if it is one."""
    try:
        TEXT_ENVIRONMENT.parse(tag)
    except TemplateSyntaxError as error:
        return error.message or "it is none"
    except (RecursionError, MemoryError, SyntaxError, ValueError):
        return ""
    return ""


def _describe_value_error(tag: str, why: str) -> str:
    inside = tag[2:-2].strip()
    if not inside:
        return "between {{ and }} stands nothing: write the name of a value, such as {{ player }}"
    if tag.startswith("{{{"):
        return "three braces: a value has two on each side, as in {{ match }}"
    if any(mark in inside for mark in "“”‘’„"):
        return "curly quotes are not understood between {{ and }}: write ' or \""
    if sentence := _describe_foreign_value(inside) or _describe_open_bracket(inside):
        return sentence
    if found := re.fullmatch(r"(\w+)\s+(\w+).*", inside, re.DOTALL):
        return f"{{{{ {inside[:30]} }}}}: one pair of braces has one value: write {{{{ {found[1]} }}}} {{{{ {found[2]} }}}}"
    return f"the text is not a template: {why}"


_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
"""A text in quotes inside of a value or a condition."""


def _describe_foreign_value(inside: str) -> str:
    """Return how another language's form of a value is written here; empty if it is none."""
    if inside.startswith("#"):
        return "a comment is written {# … #}"
    if found := re.fullmatch(r"\{\s*(\w+)\s*\}", inside):
        return f"a value has two braces on each side: write {{{{ {found[1]} }}}}"
    if found := re.match(r"(if|elif|for|set)\b", inside):
        return f"{found[1]} stands in {{% … %}}, not in {{{{ … }}}}"
    if "&&" in inside or "||" in inside:
        return "write and for &&, or for ||"
    # A question mark in quotes is a text.
    is_choice = "?" in _QUOTED.sub("", inside)
    return "a choice is written {{ 'one' if player else 'other' }}" if is_choice else ""


def _describe_open_bracket(inside: str) -> str:
    """Return which round or square bracket has no partner; empty if all have one."""
    plain = _QUOTED.sub("", inside)
    for opening, closing in ("()", "[]"):
        if plain.count(opening) > plain.count(closing):
            return f"a {opening} is opened and never closed by {closing}"
        if plain.count(opening) < plain.count(closing):
            return f"a {closing} closes nothing: {opening} is missing before it"
    return ""


def _find_open_sign(source: str) -> int | None:
    """Return the place of a `{{` or `{%` that is never closed; None if all are."""
    rest = _TAG.sub(lambda tag: " " * len(tag[0]), source)
    places = [place for sign in ("{{", "{%", "{#") if (place := rest.find(sign)) >= 0]
    return min(places) if places else None


def _find_open_block(source: str) -> tuple[int, int, str] | None:
    opened: list[tuple[int, int, str]] = []
    for tag in re.finditer(r"\{%[-+]?\s*(\w+)[^%]*%\}", source):
        if tag[1] in ("if", "for"):
            opened.append((tag.start(), tag.end(), tag[1]))
        elif tag[1] in ("endif", "endfor") and opened and opened[-1][2] == tag[1][3:]:
            opened.pop()
    return opened[-1] if opened else None


def _find_tag_on_line(source: str, line: int) -> tuple[int, int]:
    tags = [tag for tag in _TAG.finditer(source) if tag[0].startswith("{%")]
    near = [tag for tag in tags if source.count("\n", 0, tag.start()) < line <= source.count("\n", 0, tag.end()) + 1]
    # The one at fault by itself, such as an unknown word; else the first of the line.
    wrong = [tag for tag in near if not re.match(r"\{%[-+]?\s*(?:if|elif|else(?!\s+\w)|endif|for|endfor)\b", tag[0])]
    wrong = wrong or [tag for tag in near if re.match(r"\{%[-+]?\s*(?:if|elif|for)\b", tag[0]) and not _is_condition(tag[0])]
    chosen = (wrong or near or tags)[:1]
    return (chosen[0].start(), chosen[0].end()) if chosen else (0, len(source))


def _is_condition(tag: str) -> bool:
    opened = re.sub(r"^\{%([-+]?\s*)elif", r"{%\1if", tag)
    name = "for" if re.match(r"\{%[-+]?\s*for", opened) else "if"
    return not _parse_alone(f"{opened}{{% end{name} %}}")


_BLOCK_WORDS = ("if", "elif", "else", "endif", "for", "endfor", "set", "endset")

_OTHER_BLOCK_WORDS = {"elseif": "elif", "elsif": "elif", "else if": "elif", "end": "endif", "fi": "endif", "end if": "endif"}


def _describe_block_error(tag: str, message: str) -> str:
    word = re.match(r"\{%[-+]?\s*((?:else|end)\s+\w+|\w+)", tag)
    name = " ".join(word[1].split()) if word else ""
    if name in _OTHER_BLOCK_WORDS:
        return f"write {{% {_OTHER_BLOCK_WORDS[name]} %}}, not {{% {name} %}}"
    if name in ("endif", "endfor", "else", "elif"):
        opening = "for" if name == "endfor" else "if"
        return f"this {{% {name} %}} belongs to no {{% {opening} … %}} above it"
    if name and name not in _BLOCK_WORDS:
        hint = " (a value has {{ … }})" if name in TEXT_VARIABLES else ""
        return f"{describe_unknown('word', name, _BLOCK_WORDS)}{hint}"
    if sentence := _describe_foreign_condition(tag) or _describe_open_bracket(tag):
        return sentence
    if "end of statement block" in message:
        return "something is missing before %}: a condition is complete, such as {% if team == 'Arsenal' %}"
    return f"the text is not a template: {message}"


def _describe_foreign_condition(tag: str) -> str:
    """Return how another language's form of a condition is written here; empty if it is none."""
    if reversed_sign := re.search(r"=([<>])", tag):
        return f"write {reversed_sign[1]}=, not ={reversed_sign[1]}"
    if re.search(r"[^=!<>]=[^=]", tag):
        return "a condition compares with ==, not with ="
    if re.search(r"\bis\s+(not\s+)?[\"'\d]", tag):
        return "a condition compares with == or !=, not with is"
    if "&&" in tag or "||" in tag:
        return "a condition has and for &&, or for ||"
    if re.search(r"!\s*\w", tag):
        return "a condition has not for !"
    if any(mark in tag for mark in "“”‘’„"):
        return "curly quotes are not understood between {% and %}: write ' or \""
    return ""


# --- Names, filters and comparisons


class _Name(NamedTuple):
    offset: int
    line: int
    word: str
    is_filter: bool
    is_test: bool


def _list_names(source: str) -> Iterator[_Name]:
    """Yield the names in a template that can be read: variables, filters and tests, not attributes."""
    offset, before = 0, ""
    for line, kind, value in TEXT_ENVIRONMENT.lex(source):
        place = source.find(value, offset) if value else offset
        if kind == "name":
            if before != ".":
                yield _Name(place, line, value, before == "|", before in ("is", "is not"))
            before = "is not" if value == "not" and before == "is" else value
        elif kind not in ("whitespace", "data", "comment"):
            before = value
        offset = place + len(value)


def _find_wrong_names(source: str) -> list[TemplateFinding]:
    """Return the unknown names of a template, and comparisons that cannot mean what they say."""
    if "{" not in source:
        return []
    try:
        tree = TEXT_ENVIRONMENT.parse(source)
        used = list(tree.find_all(nodes.Name))
        stored = {name.name for name in used if name.ctx != "load"}
        unknown = {name.name for name in used} - stored - {*TEXT_VARIABLES, "loop"}
    except (TemplateSyntaxError, RecursionError, MemoryError, SyntaxError, ValueError):
        return []
    names = None
    findings: list[TemplateFinding] = []
    compared = {name.name for one in tree.find_all(nodes.Compare) for name in one.find_all(nodes.Name)}
    filters = {node.name for node in tree.find_all(nodes.Filter)} - TEXT_ENVIRONMENT.filters.keys()
    tests = {node.name for node in tree.find_all(nodes.Test)} - TEXT_ENVIRONMENT.tests.keys()
    suspicious = list(_find_suspicious(tree))
    if unknown or filters or tests or suspicious:
        names = list(_list_names(source))
    for name in names or ():
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
    for line, word, sentence, is_warning in suspicious:
        places = [name.offset for name in names or () if name.word == word and not name.is_filter]
        on_line = [name.offset for name in names or () if name.word == word and name.line == line]
        findings.append(TemplateFinding((on_line or places or [-1])[0], sentence, is_warning))
    return findings


_COMMON_FILTERS = (
    "upper", "lower", "title", "capitalize", "trim", "replace", "default", "length", "join", "first", "last", "int", "round",
    "truncate", "safe", "escape", "e", "list", "sort", "format", "abs", "string", "wordcount", "reverse", "float", "max", "min",
    "sum", "unique",
)  # fmt: skip


def _describe_unknown_variable(word: str, *, is_compared: bool) -> str:
    if word in _BLOCK_WORDS:
        return f"{word} stands in {{% {word} %}}, not in {{{{ … }}}}"
    if is_compared and word[0].isupper() and not suggest(word, TEXT_VARIABLES, 0.75):
        return f'there is no value {word}: a name is compared in quotes, "{word}"'
    if meant := _OTHER_WORDS.get(word.casefold(), ""):
        return f'the text uses an unknown variable "{word}": it is called {meant}'
    return f"the text uses an {describe_unknown('variable', word, TEXT_VARIABLES)}"


def _find_suspicious(tree: nodes.Template) -> Iterator[tuple[int, str, str, bool]]:
    """Yield line, variable, sentence and whether it is a warning for what cannot mean what it says."""
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
            yield found.lineno, name, sentence, True
    yield from _find_unknown_parts(tree)
    yield from _find_misused_values(tree)
    for child in (child for output in tree.find_all(nodes.Output) for child in output.nodes):
        if isinstance(child, nodes.Const) and child.value in TEXT_VARIABLES:
            yield child.lineno, "", f"this sends the word {child.value}: take its quotes out for the value", True
        if _is_list(child):
            yield child.lineno, "", "this sends a list with its brackets and quotes: add | join(', ')", True


def _find_unknown_parts(tree: nodes.Template) -> Iterator[tuple[int, str, str, bool]]:
    """Yield what is written as a part of a value, such as `player.name`; `match.split(' ')` is a call."""
    called = {id(call.node) for call in tree.find_all(nodes.Call)}
    for part in tree.find_all(nodes.Getattr):
        if isinstance(part.node, nodes.Name) and part.node.name in TEXT_VARIABLES and id(part) not in called:
            name = part.node.name
            cure = f"{name} | {part.attr}" if part.attr in TEXT_ENVIRONMENT.filters else name
            yield part.lineno, name, f"{name} has no part {part.attr}: write {{{{ {cure} }}}}", False


def _find_misused_values(tree: nodes.Template) -> Iterator[tuple[int, str, str, bool]]:
    """Yield what is called, taken apart or added up although it is a text or a number."""
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in TEXT_VARIABLES:
            name = call.node.name
            yield call.lineno, name, f"{name} is a value, it is not called: write {{{{ {name} }}}}", False
    for part in tree.find_all(nodes.Getitem):
        is_number = isinstance(part.arg, nodes.Const) and isinstance(part.arg.value, int)
        if isinstance(part.node, nodes.Name) and part.node.name in TEXT_VARIABLES and is_number:
            name = part.node.name
            yield part.lineno, name, f"{name} is one value and no list: write {{{{ {name} }}}}", False
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
            yield added.lineno, name, cure, False


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
"""The values of what has few, as they are compared: letter by letter."""


def _find_odd_comparison(one: nodes.Node, other: nodes.Node, operator: str, line: int) -> Iterator[tuple[int, str, str, bool]]:
    if not isinstance(one, nodes.Name) or one.name not in TEXT_VARIABLES:
        return
    values = other.items if isinstance(other, (nodes.List, nodes.Tuple)) else [other]
    for value in (value.value for value in values if isinstance(value, nodes.Const)):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number and one.name not in _NUMBERS and one.name not in _BOOLEANS:
            cure = _NUMBER_CURES.get(one.name, f"{one.name} is a text: compare it with a text in quotes")
            # Equal is never so, and less is an error when the alert is made.
            yield line, one.name, cure, operator in ("eq", "ne", "in", "notin")
        elif isinstance(value, str) and one.name in _NUMBERS:
            yield line, one.name, f"{one.name} is a number: compare it with one, without quotes", True
        elif isinstance(value, str) and one.name in _BOOLEANS:
            yield line, one.name, f"{one.name} is true or false: write {{% if {one.name} %}} or {{% if not {one.name} %}}", True
        elif isinstance(value, str) and value and operator in ("eq", "ne", "in", "notin"):
            yield from _find_misspelt_value(one.name, value, line)


def _find_misspelt_value(name: str, value: str, line: int) -> Iterator[tuple[int, str, str, bool]]:
    known = _FIXED_VALUES.get(name, ())
    if not known or value in known:
        return
    if name == "action_type" and load_catalogue().has_type(value):
        action_type, sub_type = load_catalogue().resolve_names(value)
        second = f" with the sub_action_type {sub_type}" if sub_type else ""
        yield line, name, f'action_type is never "{value}": it is {action_type}{second}', True
    elif near := suggest(value, known, 0.75):
        yield line, name, f'{name} is never "{value}": did you mean "{near}"?', True
