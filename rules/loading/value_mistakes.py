"""Explains mistakes within the value of a line: quotes that are missing or never closed, and brackets.

A text needs quotes where its first letter, a colon or a bracket in it means something to YAML. Which one it was is read from the
line itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import yaml

from rules.loading.secret_lines import quoted
from rules.loading.yaml_problem import SyntaxMistake, YamlProblem, quote, shorten

_KEYS = frozenset({
    "name", "match", "alert", "continue", "kind", "importance", "max_age", "text", "use", "from", "to", "any", "all", "not",
    "action_type", "sub_action_type", "send_type", "team", "side", "player", "competition", "fixture", "period", "minute",
    "score", "first", "hat_trick", "comeback", "coverage", "delayed", "home", "away", "own", "other", "total", "margin",
    "chat", "topic", "subscribe", "kinds", "language",
})  # fmt: skip
"""Words that are keys where they stand before a colon in one line of a rule or a chat.

Written out, because `rule_keys.py` is made of what reads YAML, and so cannot be imported here.
"""

_SPECIAL = ("{{", "{%", "*", "&", "@", "%", "`", "!")
"""Signs with which a text without quotes cannot begin."""


# A value without quotes after a key in `{…}`. One that begins with a bracket is a list or a mapping, unless that is a template's.
_VALUE_IN_BRACKETS = re.compile(r"[{,]\s*[\w-]+:[ ]+(?=[^\s\"'{\[|>])|[{,]\s*[\w-]+:[ ]+(?=\{[{%])")


def _explain_template_in_brackets(error: YamlProblem) -> SyntaxMistake | None:
    """A text without quotes in `{…}` whose own braces end it: `{kind: goal, text: Goal {{ player }}}`."""
    # The context first: the brackets are opened there, and PyYAML may stumble only lines later.
    for number in dict.fromkeys((error.context_line, error.line)):
        line = error.line_at(number)
        for found in _VALUE_IN_BRACKETS.finditer(line):
            begin, end = found.end(), _find_end_in_brackets(line, found.end())
            value = line[begin:end].rstrip()
            if not re.search(r"\{[{%]", value):
                continue
            which = 'holds ": "' if ": " in value else "holds {{ or {%"
            if value.startswith("{"):
                which = f"begins with {value[:2]}"
            return SyntaxMistake(number, begin, *describe_unquoted(error, number, begin, value, which, line[end:]))
    return None


_CURLY_QUOTES = "“”„‟‘’‚"


def describe_unquoted(error: YamlProblem, number: int, column: int, value: str, which: str, rest: str = "") -> tuple[str, str]:
    """Return what to write for a value that needs quotes, and the whole file with it. `which` says why it needs them."""
    if value[0] in _CURLY_QUOTES:
        value = value.strip(_CURLY_QUOTES)
        sentence = f'curly quotes are no quotes for YAML: write "{quoted(shorten(value))}"'
    else:
        sentence = f'a text that {which} goes in quotes: "{quoted(shorten(value))}"'
    return sentence, error.quote_value(number, column, value, rest)


def _find_end_in_brackets(line: str, begin: int) -> int:
    """Return where a text ends that began inside brackets: before a bracket that is not its own, or before the next key."""
    place, own = begin, 0
    while place < len(line):
        if line.startswith(("{{", "{%"), place):
            own, place = own + 1, place + 2
        elif own and line.startswith(("}}", "%}"), place):
            own, place = own - 1, place + 2
        elif not own and (line[place] in "}]" or re.match(r",\s*[a-z_]+:\s", line[place:])):
            break
        else:
            place += 1
    return place


# As in `[*.txt]` or `{team: @Arsenal}`, with or without a key.
_SPECIAL_IN_BRACKETS = re.compile(r"[{\[,]\s*(?:[\w-]+:[ ]+)?(([*!&@%`>])[^,}\]]*)")


def _explain_special_in_brackets(error: YamlProblem) -> SyntaxMistake | None:
    """A text in brackets that begins with a sign of YAML's own: `[Arsenal, *]`."""
    # The words differ with the sign: PyYAML takes `*` for an alias, `!` for a tag, and knows no token that begins with `@`.
    if "flow" not in error.context and not re.search(r"token|alphabetic|tag|found '[\]}]'", error.problem + error.context):
        return None
    for found in _SPECIAL_IN_BRACKETS.finditer(error.text_line):
        # An alias and an anchor with a name of its own are meant.
        is_template = error.text_line[found.start(1) - 1 : found.start(1) + 1] == "{%"
        if is_template or found.start(1) > error.column or re.fullmatch(r"[*&]\w+\s*", found[1]):
            continue
        value, line, begin = found[1].rstrip(), error.text_line, found.start(1)
        what = "value" if found[2] == ">" else "text"
        repaired = error.replace_line(error.line, line[:begin] + quote(value) + line[begin + len(value) :])
        return SyntaxMistake(
            error.line, begin, f'a {what} that begins with {found[2]} goes in quotes: "{quoted(shorten(value))}"', repaired
        )
    return None


def _explain_special_beginning(error: YamlProblem) -> SyntaxMistake | None:
    """A text that begins with a sign of YAML's own after its key or dash: `text: {{ match }} …`, `team: *`, `minute: >80`."""
    for number in dict.fromkeys((error.line, error.context_line)):
        found = error.find_value(number)
        if found is None:
            continue
        column, value = found
        sign = next((sign for sign in _SPECIAL if value.startswith(sign)), None)
        if sign is None and value[0] in "[{" and _ends_before(value):
            sign = value[0]
        # `>` begins a text of several lines, unless a number follows: that is a range.
        if sign is None and re.match(r">=?\s*\d", value):
            sign = ">"
        if sign is None and value[0] in ">|" and "block scalar" in error.context:
            sentence = f"the text after {value[0]} begins on the next line, or goes in quotes on this one"
            return SyntaxMistake(number, column, sentence, error.quote_value(number, column, value[1:].strip()))
        # An alias, an anchor or a tag by itself may be meant, and is then wrong for another reason.
        if sign and not (sign in ("*", "&", "!") and re.fullmatch(r"[*&!][\w-]+", value)):
            what = "value" if sign == ">" else "text"
            sentence = f'a {what} that begins with {sign} goes in quotes: "{quoted(shorten(value))}"'
            return SyntaxMistake(number, column, sentence, error.quote_value(number, column, value))
    return None


def _ends_before(value: str) -> bool:
    """Return True if a value in brackets ends before its line does: `[Goal] for Arsenal`."""
    closing = {"[": "]", "{": "}"}[value[0]]
    depth = 0
    for place, letter in enumerate(value):
        depth += (letter == value[0]) - (letter == closing)
        if depth == 0:
            rest = value[place + 1 :].strip()
            return bool(rest) and not rest.startswith(("#", ",", "]", "}"))
    return False


def _explain_open_quote(error: YamlProblem) -> SyntaxMistake | None:
    """A quote that nothing closes up to the end of the file, or of the document."""
    if "quoted scalar" not in error.context or (
        "end of stream" not in error.problem and "document separator" not in error.problem
    ):
        return None
    return _describe_open_quote(error, error.context_line, error.context_column)


def _describe_open_quote(error: YamlProblem, number: int, column: int) -> SyntaxMistake:
    """Describe a quote in a line and a column, and close it at the end of its line where nothing else stands there."""
    line = error.lines[number]
    sign = line[column : column + 1]
    # Inside brackets the quote may have to end before the bracket does. The braces of a template are none.
    is_alone = not re.search(r"[\[{]", re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", line[:column]))
    repaired = error.replace_line(number, line.rstrip() + sign) if is_alone else None
    return SyntaxMistake(number, column, f"the quote {sign} that is opened here is never closed", repaired)


def _explain_inner_quote(error: YamlProblem) -> SyntaxMistake | None:
    """A quote within a text that ends it: `"a "b" c"`, `'it's'`, or `"a" b`."""
    for number in dict.fromkeys((error.line, error.context_line)):
        found = error.find_value(number)
        if found is None or found[1][0] not in "\"'" or error.column <= found[0]:
            continue
        column, value = found
        sign = value[0]
        quoted = re.match(r'"(?:[^"\\]|\\.)*"' if sign == '"' else r"'(?:[^']|'')*'", value)
        end = quoted.end() - 1 if quoted else 0
        rest = value[end + 1 :].strip() if quoted else ""
        if not rest or rest.startswith("#") or number != error.line:
            continue
        if sign in rest:
            inner = value[1 : value.rindex(sign)]
            cure = 'write \\" for it, or put the text in single quotes' if sign == '"' else "write it twice ('')"
            # What is escaped already stays as it is.
            escaped = re.sub(r'(?<!\\)"', r"\"", inner) if sign == '"' else inner.replace("''", "'").replace("'", "''")
            repaired = error.replace_line(number, error.lines[number][:column] + sign + escaped + sign)
            return SyntaxMistake(number, column + end, f"this {sign} ends the text: {cure}", repaired)
        sentence = "the text goes on after its closing quote: put all of it in one pair of quotes"
        return SyntaxMistake(number, column + end, sentence, error.quote_value(number, column, value))
    return None


def _explain_swallowing_quote(error: YamlProblem) -> SyntaxMistake | None:
    """A quote that is not closed on its line ends at the next one, and the mistake shows up there."""
    # Of the tokens up to the mistake, the last text in quotes that runs over several lines took the next quote for its end.
    last = None
    for token in error.read_tokens():
        if isinstance(token, yaml.ScalarToken) and token.style in ("'", '"') and token.end_mark.line > token.start_mark.line:
            last = token
    if last is None or not last.start_mark.line < error.line <= last.end_mark.line + 1:
        return None
    return _describe_open_quote(error, last.start_mark.line, last.start_mark.column)


def _explain_stray_bracket(error: YamlProblem) -> SyntaxMistake | None:
    """A closing bracket where none is open. Nothing is repaired: it may be one too many, or its partner is missing."""
    if "flow" in error.context or not re.search(r"found '[\]}]'", error.problem):
        return None
    return SyntaxMistake(error.line, error.column, f"this {error.text_line[error.column]} closes nothing that is open")


def _explain_open_bracket(error: YamlProblem) -> SyntaxMistake | None:
    """What is wrong in brackets: a comma that is missing, a bracket of the other kind, or none that closes."""
    if "flow" not in error.context:  # PyYAML's word for what stands in brackets
        return None
    opening = error.lines[error.context_line][error.context_column : error.context_column + 1]
    # The context may be an entry in the brackets, and not the bracket itself.
    if opening not in ("[", "{"):
        place = _find_open_bracket(error)
        if place is None:
            return None
        error = error._replace(context_line=place[0], context_column=place[1])
        opening = error.lines[place[0]][place[1]]
    closing = {"[": "]", "{": "}"}.get(opening, "")
    if error.line == error.context_line and (mistake := _explain_missing_comma(error)):
        return mistake
    if error.line == error.context_line and error.text_line[error.column : error.column + 1] in ("]", "}"):
        sentence = f"the {opening} in column {error.context_column + 1} is closed by {closing}, not by this"
        return SyntaxMistake(error.line, error.column, sentence)
    # Closed at the end of its line, in place of a comma that would ask for one more entry. A comment would swallow the bracket.
    line = error.lines[error.context_line]
    closed = re.sub(r"[\s,]*$", closing, line, count=1)
    whole = error.replace_line(error.context_line, closed) if closing and "#" not in line else None
    sentence = f"the {opening} that is opened here is never closed by {closing}"
    return SyntaxMistake(error.context_line, error.context_column, sentence, whole)


def _explain_missing_comma(error: YamlProblem) -> SyntaxMistake | None:
    """Explain two entries in brackets without a comma between them, and a text there that holds a colon."""
    before = error.text_line[: error.column]
    if "<scalar>" in error.problem:
        repaired = error.replace_line(error.line, before.rstrip() + ", " + error.text_line[error.column :])
        return SyntaxMistake(error.line, error.column, "a comma is missing before this", repaired)
    if "':'" not in error.problem:
        return None
    # PyYAML stops at a colon: the word before it is a key, and what stands before that word is an entry without its comma.
    word = re.search(r"(\S+)\s+(\w+)$", before)
    if word and word[1].endswith(";"):
        rest = before[: word.end(1) - 1] + "," + error.text_line[word.end(1) :]
        repaired = error.replace_line(error.line, rest)
        return SyntaxMistake(error.line, word.end(1) - 1, "a comma stands between entries, not ;", repaired)
    # Unless the word is no key: then the colon is part of a text that goes on from the key before.
    held = re.search(r"[{,]\s*(\w+): ([^{,]*)$", before)
    if held and not (word and word[2] in _KEYS):
        column = held.start(2)
        value, end = error.text_line[column:].rstrip(), ""
        # The brackets that are opened before the text end it, and not those of its own `{{ … }}`.
        while value[-1:] in ("}", "]") and value.count("}") + value.count("]") > value.count("{") + value.count("["):
            value, end = value[:-1].rstrip(), value[-1] + end
        repaired = error.replace_line(error.line, error.text_line[:column] + quote(value) + end)
        return SyntaxMistake(error.line, column, f'a text that holds ": " goes in quotes: "{quoted(shorten(value))}"', repaired)
    if not word:
        return None
    rest = before[: word.end(1)] + ", " + word[2] + error.text_line[error.column :]
    return SyntaxMistake(
        error.line, word.start(2), f"a comma is missing before {quoted(word[2])}", error.replace_line(error.line, rest)
    )


def _find_open_bracket(error: YamlProblem) -> tuple[int, int] | None:
    """Return the place of the last bracket that is opened and not closed."""
    opened: list[tuple[int, int]] = []
    for token in error.read_tokens():
        if isinstance(token, (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)):
            opened.append((token.start_mark.line, token.start_mark.column))
        elif isinstance(token, (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)) and opened:
            opened.pop()
    return opened[-1] if opened else None


def _explain_escape(error: YamlProblem) -> SyntaxMistake | None:
    """A backslash in double quotes before a letter with which it means nothing."""
    found = re.search(r"unknown escape character '(.*)'", error.problem)
    if not found:
        return None
    line = error.text_line
    place = max(0, error.column - 1)
    repaired = error.replace_line(error.line, f"{line[:place]}\\{line[place:]}")
    sentence = f"in double quotes \\{found[1]} means nothing: write \\\\{found[1]}, or put the text in single quotes"
    return SyntaxMistake(error.line, place, sentence, repaired)


VALUE_EXPLANATIONS: tuple[Callable[[YamlProblem], SyntaxMistake | None], ...] = (
    _explain_open_quote,
    _explain_escape,
    _explain_template_in_brackets,
    _explain_special_in_brackets,
    _explain_special_beginning,
    # Before the quote within a text, which is what its mistake looks like on the line where it shows up.
    _explain_swallowing_quote,
    _explain_inner_quote,
    _explain_stray_bracket,
    _explain_open_bracket,
)
"""Tried in this order; each returns None for what it does not recognise."""
