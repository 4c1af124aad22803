"""Explains why a text is not valid YAML in terms of what a person did, and repairs it as it was probably meant.

PyYAML says what its grammar expected. Here the line is looked at: a tab, a quote that is never closed, a colon in a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import yaml


class Slip(NamedTuple):
    """One mistake of form."""

    line: int
    """Counted from 0, as the column."""
    column: int
    sentence: str
    repaired: str | None = None
    """The whole text as it was probably meant; None where that is not known, and reading cannot go on."""


class _Error(NamedTuple):
    """What PyYAML's Python reader says, with the lines of the text."""

    lines: list[str]
    problem: str
    context: str
    line: int
    column: int
    context_line: int
    context_column: int

    @property
    def text_line(self) -> str:
        return self.lines[self.line] if self.line < len(self.lines) else ""


_ENTRY = re.compile(r"^(?P<indent>[ ]*(?:- +)*)(?P<key>[\w-]+|\"[^\"]*\"|'[^']*')[ ]*:[ ]+(?P<value>\S.*?)[ ]*$")

_ITEM = re.compile(r"^(?P<indent>[ ]*(?:- +)+)(?P<value>\S.*?)[ ]*$")

_BLOCK_HEADER = re.compile(r":[ ]+[|>][+-]?\d*[ ]*(#.*)?$")


def explain_slip(text: str, error: yaml.YAMLError) -> Slip:
    """Return what was probably done. `error` comes from the Python reader, whose words are the same everywhere."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    context_mark = getattr(error, "context_mark", None) or mark
    lines = [line.rstrip("\r") for line in text.split("\n")]
    found = _Error(
        lines,
        getattr(error, "problem", None) or "",
        getattr(error, "context", None) or "",
        mark.line if mark else 0,
        mark.column if mark else 0,
        context_mark.line if context_mark else 0,
        context_mark.column if context_mark else 0,
    )
    for explain in _EXPLANATIONS:
        if slip := explain(found):
            return slip
    reason = ", ".join(filter(None, (found.context, found.problem))) or str(error)
    return Slip(found.line, found.column, f"this is not YAML: {reason}")


def _replace_line(lines: list[str], number: int, *new: str) -> str:
    return "\n".join([*lines[:number], *new, *lines[number + 1 :]])


def _explain_tab(error: _Error) -> Slip | None:
    tabs = [number for number, line in enumerate(error.lines) if re.match(r"[ ]*\t", line) and line.strip()]
    if "\\t" not in error.problem and error.line not in tabs:
        return None
    if error.line in tabs:
        # Once for all lines: a person who uses tabs uses them everywhere.
        more = [str(number + 1) for number in tabs if number != error.line]
        also = f" (also line{'s' if len(more) > 1 else ''} {', '.join(more[:6])}{' …' if len(more) > 6 else ''})" if more else ""
        repaired = "\n".join(re.sub(r"^[ \t]+", lambda found: found[0].replace("\t", "  "), line) for line in error.lines)
        column = error.text_line.index("\t")
        return Slip(error.line, column, f"this line is indented with a tab: use spaces{also}", repaired)
    if "\\t" in error.problem:
        line = error.text_line
        repaired = _replace_line(error.lines, error.line, line[: error.column] + " " + line[error.column + 1 :])
        return Slip(error.line, error.column, "a tab stands here: write a space", repaired)
    return None


def _find_value(error: _Error, number: int) -> tuple[int, str] | None:
    """Return the value on a line after its key or dash, with its column."""
    line = error.lines[number] if number < len(error.lines) else ""
    found = _ENTRY.match(line) or _ITEM.match(line)
    return (found.start("value"), found["value"]) if found else None


_KEYS = frozenset({
    "name", "match", "alert", "continue", "kind", "importance", "max_age", "text", "use", "from", "to", "any", "all", "not",
    "action_type", "sub_action_type", "send_type", "team", "side", "player", "competition", "fixture", "period", "minute",
    "score", "first", "hat_trick", "comeback", "coverage", "delayed", "home", "away", "own", "other", "total", "margin",
    "chat", "topic", "subscribe", "kinds", "language",
})  # fmt: skip
"""Words that are keys where they stand before a colon in one line of a rule or a chat."""

_SPECIAL = ("{{", "{%", "*", "&", "@", "%", "`", "!")
"""Signs with which a text without quotes cannot begin."""


_VALUE_IN_BRACKETS = re.compile(r"[{,]\s*[\w-]+:[ ]+(?=[^\s\"'{\[|>])|[{,]\s*[\w-]+:[ ]+(?=\{[{%])")


def _explain_template_in_brackets(error: _Error) -> Slip | None:
    """A text without quotes in `{…}` whose own braces end it: `{kind: goal, text: Goal {{ player }}}`."""
    for number in dict.fromkeys((error.context_line, error.line)):
        line = error.lines[number] if number < len(error.lines) else ""
        for found in _VALUE_IN_BRACKETS.finditer(line):
            begin, end = found.end(), _find_end_in_brackets(line, found.end())
            value = line[begin:end].rstrip()
            if not re.search(r"\{[{%]", value):
                continue
            which = 'holds ": "' if ": " in value else "holds {{ or {%"
            if value.startswith("{"):
                which = f"begins with {value[:2]}"
            return Slip(number, begin, *_describe_unquoted(error, number, begin, value, which, line[end:]))
    return None


_CURLY_QUOTES = "“”„‟‘’‚"


def _describe_unquoted(error: _Error, number: int, column: int, value: str, which: str, rest: str = "") -> tuple[str, str]:
    """Return what to write for a value that needs quotes, and the whole file with it. `which` says why it needs them."""
    if value[0] in _CURLY_QUOTES:
        value = value.strip(_CURLY_QUOTES)
        sentence = f'curly quotes are no quotes for YAML: write "{_shorten(value)}"'
    else:
        sentence = f'a text that {which} goes in quotes: "{_shorten(value)}"'
    return sentence, _quote(error, number, column, value, rest)


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


_SPECIAL_IN_BRACKETS = re.compile(r"[{\[,]\s*(?:[\w-]+:[ ]+)?(([*!&@%`>])[^,}\]]*)")


def _explain_special_in_brackets(error: _Error) -> Slip | None:
    if "flow" not in error.context and not re.search(r"token|alphabetic|tag|found '[\]}]'", error.problem + error.context):
        return None
    for found in _SPECIAL_IN_BRACKETS.finditer(error.text_line):
        # An alias and an anchor with a name of its own are meant.
        is_template = error.text_line[found.start(1) - 1 : found.start(1) + 1] == "{%"
        if is_template or found.start(1) > error.column or re.fullmatch(r"[*&]\w+\s*", found[1]):
            continue
        value, line, begin = found[1].rstrip(), error.text_line, found.start(1)
        what = "value" if found[2] == ">" else "text"
        quoted = "'" + value.replace("'", "''") + "'"
        repaired = _replace_line(error.lines, error.line, line[:begin] + quoted + line[begin + len(value) :])
        return Slip(error.line, found.start(1), f'a {what} that begins with {found[2]} goes in quotes: "{value}"', repaired)
    return None


def _explain_special_beginning(error: _Error) -> Slip | None:
    for number in dict.fromkeys((error.line, error.context_line)):
        found = _find_value(error, number)
        if found is None:
            continue
        column, value = found
        sign = next((sign for sign in _SPECIAL if value.startswith(sign)), None)
        if sign is None and value[0] in "[{" and _ends_before(value):
            sign = value[0]
        if sign is None and re.match(r">=?\s*\d", value):
            sign = ">"
        if sign is None and value[0] in ">|" and "block scalar" in error.context:
            sentence = f"the text after {value[0]} begins on the next line, or goes in quotes on this one"
            return Slip(number, column, sentence, _quote(error, number, column, value[1:].strip()))
        if sign and not (sign in ("*", "&", "!") and re.fullmatch(r"[*&!][\w-]+", value)):
            what = "value" if sign == ">" else "text"
            sentence = f'a {what} that begins with {sign} goes in quotes: "{_shorten(value)}"'
            return Slip(number, column, sentence, _quote(error, number, column, value))
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


def _quote(error: _Error, number: int, column: int, value: str, rest: str = "") -> str:
    """Return the whole file with the value of a line in quotes; `rest` is what follows the value on that line."""
    quoted = "'" + value.replace("'", "''") + "'"
    return _replace_line(error.lines, number, error.lines[number][:column] + quoted + rest)


def _explain_open_quote(error: _Error) -> Slip | None:
    if "quoted scalar" not in error.context or (
        "end of stream" not in error.problem and "document separator" not in error.problem
    ):
        return None
    return _describe_open_quote(error, error.context_line, error.context_column)


def _describe_open_quote(error: _Error, number: int, column: int) -> Slip:
    line = error.lines[number]
    sign = line[column : column + 1]
    # Inside brackets the quote may have to end before the bracket does.
    is_alone = not re.search(r"[\[{]", re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", line[:column]))
    repaired = _replace_line(error.lines, number, line.rstrip() + sign) if is_alone else None
    return Slip(number, column, f"the quote {sign} that is opened here is never closed", repaired)


def _explain_inner_quote(error: _Error) -> Slip | None:
    for number in dict.fromkeys((error.line, error.context_line)):
        found = _find_value(error, number)
        if found is None or found[1][0] not in "\"'" or error.column <= found[0]:
            continue
        column, value = found
        sign = value[0]
        end = _find_quote_end(value)
        rest = value[end + 1 :].strip() if end else ""
        if not rest or rest.startswith("#") or number != error.line:
            continue
        if sign in rest:
            inner = value[1 : value.rindex(sign)]
            cure = 'write \\" for it, or put the text in single quotes' if sign == '"' else "write it twice ('')"
            escaped = re.sub(r'(?<!\\)"', r"\"", inner) if sign == '"' else inner.replace("''", "'").replace("'", "''")
            repaired = _replace_line(error.lines, number, error.lines[number][:column] + sign + escaped + sign)
            return Slip(number, column + end, f"this {sign} ends the text: {cure}", repaired)
        sentence = "the text goes on after its closing quote: put all of it in one pair of quotes"
        return Slip(number, column + end, sentence, _quote(error, number, column, value))
    return None


def _find_quote_end(value: str) -> int:
    """Return the place of the quote that closes a value; 0 if none does."""
    found = re.match(r'"(?:[^"\\]|\\.)*"', value) if value[0] == '"' else re.match(r"'(?:[^']|'')*'", value)
    return found.end() - 1 if found else 0


def _explain_swallowing_quote(error: _Error) -> Slip | None:
    """A quote that is not closed on its line ends at the next one, and the mistake shows up there."""
    # Of the tokens up to the mistake, the last text in quotes that runs over several lines took the next quote for its end.
    last = None
    for token in _read_tokens("\n".join(error.lines)):
        if isinstance(token, yaml.ScalarToken) and token.style in ("'", '"') and token.end_mark.line > token.start_mark.line:
            last = token
    if last is None or not last.start_mark.line < error.line <= last.end_mark.line + 1:
        return None
    return _describe_open_quote(error, last.start_mark.line, last.start_mark.column)


def _read_tokens(text: str) -> Iterator[yaml.Token]:
    try:
        yield from yaml.scan(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return


def _explain_stray_bracket(error: _Error) -> Slip | None:
    if "flow" in error.context or not re.search(r"found '[\]}]'", error.problem):
        return None
    return Slip(error.line, error.column, f"this {error.text_line[error.column]} closes nothing that is open")


def _explain_open_bracket(error: _Error) -> Slip | None:
    if "flow" not in error.context:
        return None
    opening = error.lines[error.context_line][error.context_column : error.context_column + 1]
    if opening not in ("[", "{"):
        place = _find_open_bracket(error)
        if place is None:
            return None
        error = error._replace(context_line=place[0], context_column=place[1])
        opening = error.lines[place[0]][place[1]]
    closing = {"[": "]", "{": "}"}.get(opening, "")
    if error.line == error.context_line and (slip := _explain_missing_comma(error)):
        return slip
    if error.line == error.context_line and error.text_line[error.column : error.column + 1] in ("]", "}"):
        sentence = f"the {opening} in column {error.context_column + 1} is closed by {closing}, not by this"
        return Slip(error.line, error.column, sentence)
    line = error.lines[error.context_line]
    closed = re.sub(r"[\s,]*$", closing, line, count=1)
    whole = _replace_line(error.lines, error.context_line, closed) if closing and "#" not in line else None
    sentence = f"the {opening} that is opened here is never closed by {closing}"
    return Slip(error.context_line, error.context_column, sentence, whole)


def _explain_missing_comma(error: _Error) -> Slip | None:
    """Explain two entries in brackets without a comma between them, and a text there that holds a colon."""
    before = error.text_line[: error.column]
    if "<scalar>" in error.problem:
        repaired = _replace_line(error.lines, error.line, before.rstrip() + ", " + error.text_line[error.column :])
        return Slip(error.line, error.column, "a comma is missing before this", repaired)
    if "':'" not in error.problem:
        return None
    word = re.search(r"(\S+)\s+(\w+)$", before)
    if word and word[1].endswith(";"):
        rest = before[: word.end(1) - 1] + "," + error.text_line[word.end(1) :]
        repaired = _replace_line(error.lines, error.line, rest)
        return Slip(error.line, word.end(1) - 1, "a comma stands between entries, not ;", repaired)
    held = re.search(r"[{,]\s*(\w+): ([^{,]*)$", before)
    if held and not (word and word[2] in _KEYS):
        column = held.start(2)
        value, end = error.text_line[column:].rstrip(), ""
        # The brackets that are opened before the text end it, and not those of its own `{{ … }}`.
        while value[-1:] in ("}", "]") and value.count("}") + value.count("]") > value.count("{") + value.count("["):
            value, end = value[:-1].rstrip(), value[-1] + end
        quoted = "'" + value.replace("'", "''") + "'" + end
        repaired = _replace_line(error.lines, error.line, error.text_line[:column] + quoted)
        return Slip(error.line, column, f'a text that holds ": " goes in quotes: "{_shorten(value)}"', repaired)
    if not word:
        return None
    rest = before[: word.end(1)] + ", " + word[2] + error.text_line[error.column :]
    return Slip(error.line, word.start(2), f"a comma is missing before {word[2]}", _replace_line(error.lines, error.line, rest))


def _find_open_bracket(error: _Error) -> tuple[int, int] | None:
    """Return the place of the last bracket that is opened and not closed."""
    opened: list[tuple[int, int]] = []
    for token in _read_tokens("\n".join(error.lines)):
        if isinstance(token, (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)):
            opened.append((token.start_mark.line, token.start_mark.column))
        elif isinstance(token, (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)) and opened:
            opened.pop()
    return opened[-1] if opened else None


def _explain_escape(error: _Error) -> Slip | None:
    found = re.search(r"unknown escape character '(.*)'", error.problem)
    if not found:
        return None
    line = error.text_line
    place = max(0, error.column - 1)
    repaired = _replace_line(error.lines, error.line, f"{line[:place]}\\{line[place:]}")
    sentence = f"in double quotes \\{found[1]} means nothing: write \\\\{found[1]}, or put the text in single quotes"
    return Slip(error.line, place, sentence, repaired)


def _indent_of(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _find_previous(lines: list[str], number: int) -> int | None:
    """Return the nearest line above that is neither empty nor a comment."""
    for place in range(number - 1, -1, -1):
        if lines[place].strip() and not lines[place].lstrip().startswith("#"):
            return place
    return None


def _explain_colon(error: _Error) -> Slip | None:
    if "mapping values are not allowed" not in error.problem:
        return None
    line, found = error.text_line, _find_value(error, error.line)
    first_colon = re.search(r":(\s|$)", line)
    if found and first_colon and error.column > first_colon.start() and error.column > found[0]:
        column, value = found
        return Slip(error.line, column, *_describe_unquoted(error, error.line, column, value, 'holds ": "'))
    # A line above without a colon of its own goes on into this one, whose colon is then the one too many.
    previous = _find_previous(error.lines, error.line)
    if previous is not None and not re.search(r":(\s|$)", error.lines[previous]):
        return _describe_key_line(error, previous, error.lines[previous])
    return _describe_misplaced(error)


def _explain_indent(error: _Error) -> Slip | None:
    if "<block end>" not in error.problem and "block collection" not in error.context:
        return None
    return _describe_block_text(error, error.line) or _describe_misplaced(error)


def _describe_misplaced(error: _Error) -> Slip | None:
    """Describe a line that begins in a column where no line above it begins."""
    previous = _find_previous(error.lines, error.line)
    line = error.text_line
    if previous is None or not line.strip():
        return None
    indent = _indent_of(line)
    word = re.match(r"\s*(?:- +)?([\w-]+)", line)
    name = word[1] if word else "this line"
    # The columns in which something above may go on, the nearest first. A key after a dash begins where it stands.
    columns: list[int] = []
    lowest = 1_000
    for place in range(previous, -1, -1):
        one = error.lines[place]
        if not one.strip() or one.lstrip().startswith("#"):
            continue
        dash = re.match(r"[ ]*(- +)+", one)
        for column in (dash.end(), _indent_of(one)) if dash else (_indent_of(one),):
            if column < lowest:
                columns.append(column)
                lowest = column
    near = min(columns, key=lambda column: (abs(column - indent), -column), default=0)
    if near == indent:
        return None
    direction = "deeper" if indent > near else "less deep"
    difference = abs(indent - near)
    partner = next((place for place in range(previous, -1, -1) if _begins_at(error.lines[place], near)), None)
    other = re.match(r"[\s-]*([\w-]+)", error.lines[partner]) if partner is not None else None
    beside = f"{other[1]} in line {partner + 1}" if other and partner is not None else "the lines above"
    spaces = "one space" if difference == 1 else f"{difference} spaces"
    sentence = f"{name} stands {spaces} {direction} than {beside}: begin both in the same column"
    return Slip(error.line, indent, sentence, _replace_line(error.lines, error.line, " " * near + line.lstrip(" ")))


def _begins_at(line: str, column: int) -> bool:
    dash = re.match(r"[ ]*(- +)+", line)
    is_text = bool(line.strip()) and not line.lstrip().startswith("#")
    return is_text and (_indent_of(line) == column or (dash is not None and dash.end() == column))


def _describe_block_text(error: _Error, number: int) -> Slip | None:
    """Describe a line of a text after `|` that is not indented as the others."""
    line = error.lines[number] if number < len(error.lines) else ""
    if not line.strip() or re.match(r"[ ]*(- )?[\w-]+:(\s|$)", line):
        return None
    for place in range(number - 1, -1, -1):
        above = error.lines[place]
        if not above.strip():
            continue
        if _BLOCK_HEADER.search(above):
            sign = "|" if "|" in above else ">"
            wanted = _indent_of(above) + (4 if above.lstrip().startswith("- ") else 2)
            first = error.lines[place + 1] if place + 1 < number else ""
            wanted = _indent_of(first) if first.strip() and _indent_of(first) > _indent_of(above) else wanted
            sentence = f"the lines of the text after {sign} in line {place + 1} are indented alike, deeper than that line"
            repaired = list(error.lines)
            for follower in range(number, len(repaired)):
                if re.match(r"[ ]*(- )?[\w-]+:(\s|$)", repaired[follower]) and follower > number:
                    break
                if repaired[follower].strip() and _indent_of(repaired[follower]) < wanted:
                    repaired[follower] = " " * wanted + repaired[follower].lstrip(" ")
            return Slip(number, _indent_of(line), sentence, "\n".join(repaired))
        if _indent_of(above) < _indent_of(line) or re.match(r"[ ]*(- )?[\w-]+:(\s|$)", above):
            return None
    return None


def _explain_simple_key(error: _Error) -> Slip | None:
    if "simple key" not in error.context:
        return None
    number = error.context_line
    line = error.lines[number]
    if slip := _describe_block_text(error, number):
        return slip
    return _describe_key_line(error, number, line)


def _describe_key_line(error: _Error, number: int, line: str) -> Slip | None:
    """Describe a line that should be `key: value` and is not."""
    indent = _indent_of(line)
    # The likeliest slip first: `name:goal` also fits the patterns below, and would get a worse sentence from them.
    if glued := re.match(r"([ ]*(?:- +)*)([A-Za-z_]+):(?![\s/])(\S.*)$", line):
        repaired = _replace_line(error.lines, number, f"{glued[1]}{glued[2]}: {glued[3]}")
        sentence = f"a space is missing after the colon: {glued[2]}: {_shorten(glued[3])}"
        return Slip(number, glued.end(2), sentence, repaired)
    if dash := re.match(r"([ ]*)-(\w+:.*)$", line):
        repaired = _replace_line(error.lines, number, f"{dash[1]}- {dash[2]}")
        return Slip(number, indent, f"a space is missing after the dash: - {_shorten(dash[2])}", repaired)
    if equals := re.match(r"([ ]*(?:- +)*)([\w-]+)[ ]*=[ ]*(\S.*)$", line):
        repaired = _replace_line(error.lines, number, f"{equals[1]}{equals[2]}: {equals[3]}")
        sentence = f"a key and its value have a colon between them, not =: {equals[2]}: {_shorten(equals[3])}"
        return Slip(number, line.index("="), sentence, repaired)
    if word := re.match(r"([ ]*(?:- +)*)([\w-]+)[ ]*$", line):
        repaired = _replace_line(error.lines, number, f"{word[1]}{word[2]}:")
        return Slip(number, word.end(2), f"a colon is missing after {word[2]}", repaired)
    if pair := re.match(r"([ ]*(?:- +)*)([a-z_]+)[ ]+(\S.*)$", line):
        sentence = f"a colon is missing after {pair[2]}; a text of several lines goes in quotes or under |"
        return Slip(number, pair.end(2), sentence)
    return Slip(number, indent, "a key and a colon are missing here; a text of several lines goes in quotes or under |")


def _explain_document(error: _Error) -> Slip | None:
    if "<document start>" not in error.problem:
        return None
    return _describe_misplaced(error) or Slip(
        error.line, error.column, "this does not belong to what stands above it: a file is one mapping or one list"
    )


_EXPLANATIONS: tuple[Callable[[_Error], Slip | None], ...] = (
    _explain_tab,
    _explain_open_quote,
    _explain_escape,
    _explain_template_in_brackets,
    _explain_special_in_brackets,
    _explain_special_beginning,
    _explain_swallowing_quote,
    _explain_inner_quote,
    _explain_stray_bracket,
    _explain_open_bracket,
    _explain_colon,
    _explain_simple_key,
    _explain_indent,
    _explain_document,
)
"""Tried in this order: the first one that recognises the mistake explains it."""


def _shorten(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
