"""Explains why a text is not valid YAML in terms of what a person did, and repairs it as it was probably meant.

PyYAML says what its grammar expected. Here the lines are looked at: a tab, a missing colon, a line in the wrong column. Mistakes
within a value, such as a quote that is never closed, are in `value_mistakes.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import yaml

from rules.loading.secret_lines import quoted
from rules.loading.value_mistakes import VALUE_EXPLANATIONS, describe_unquoted
from rules.loading.yaml_problem import SyntaxMistake, YamlProblem, shorten

_BLOCK_HEADER = re.compile(r":[ ]+[|>][+-]?\d*[ ]*(#.*)?$")

_KEY_LINE = re.compile(r"[ ]*(- )?[\w-]+:(\s|$)")

_COLON_OF_A_KEY = re.compile(r":(\s|$)")

_DASHES = re.compile(r"[ ]*(- +)+")


def explain_syntax(text: str, error: yaml.YAMLError) -> SyntaxMistake:
    """Return what was probably done. `error` comes from the Python reader, whose words are the same everywhere."""
    # Not every error has all of these: a problem may have no context, and PyYAML's ReaderError has no mark at all.
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    context_mark = getattr(error, "context_mark", None) or mark
    lines = [line.rstrip("\r") for line in text.split("\n")]
    found = YamlProblem(
        lines,
        getattr(error, "problem", None) or "",
        getattr(error, "context", None) or "",
        mark.line if mark else 0,
        mark.column if mark else 0,
        context_mark.line if context_mark else 0,
        context_mark.column if context_mark else 0,
    )
    for explain in _EXPLANATIONS:
        if mistake := explain(found):
            return mistake
    # PyYAML's own words are better than a guess: reading ends here, since nothing is repaired.
    reason = ", ".join(filter(None, (found.context, found.problem))) or str(error)
    return SyntaxMistake(found.line, found.column, f"this is not YAML: {_quote_words(reason)}")


def _quote_words(reason: str) -> str:
    """Mark what PyYAML quotes of the file, such as the name of a tag. Single signs stay: they are the mistake."""
    return re.sub(r"(?<=')([^'<>]{2,})(?=')", lambda found: quoted(found[0]), reason)


def _explain_tab(error: YamlProblem) -> SyntaxMistake | None:
    """A line that is indented with a tab, whatever PyYAML makes of it, or a tab where only spaces may stand."""
    tabs = [number for number, line in enumerate(error.lines) if re.match(r"[ ]*\t", line) and line.strip()]
    if "\\t" not in error.problem and error.line not in tabs:
        return None
    if error.line in tabs:
        # Once for all lines: a person who uses tabs uses them everywhere.
        more = [str(number + 1) for number in tabs if number != error.line]
        also = f" (also line{'s' if len(more) > 1 else ''} {', '.join(more[:6])}{' …' if len(more) > 6 else ''})" if more else ""
        repaired = "\n".join(re.sub(r"^[ \t]+", lambda found: found[0].replace("\t", "  "), line) for line in error.lines)
        column = error.text_line.index("\t")
        return SyntaxMistake(error.line, column, f"this line is indented with a tab: use spaces{also}", repaired)
    line = error.text_line
    repaired = error.replace_line(error.line, line[: error.column] + " " + line[error.column + 1 :])
    return SyntaxMistake(error.line, error.column, "a tab stands here: write a space", repaired)


def _measure_indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _find_previous(lines: list[str], number: int) -> int | None:
    """Return the nearest line above that is neither empty nor a comment."""
    for place in range(number - 1, -1, -1):
        if lines[place].strip() and not lines[place].lstrip().startswith("#"):
            return place
    return None


def _explain_colon(error: YamlProblem) -> SyntaxMistake | None:
    """A colon where PyYAML expects none: in a text without quotes, after a line that lacks its own, or in the wrong column."""
    if "mapping values are not allowed" not in error.problem:
        return None
    line, found = error.text_line, error.find_value(error.line)
    first_colon = _COLON_OF_A_KEY.search(line)
    # The first colon of a line belongs to its key. A second one makes the value a text that needs quotes.
    if found and first_colon and error.column > first_colon.start() and error.column > found[0]:
        column, value = found
        return SyntaxMistake(error.line, column, *describe_unquoted(error, error.line, column, value, 'holds ": "'))
    # A line above without a colon of its own goes on into this one, whose colon is then the one too many.
    previous = _find_previous(error.lines, error.line)
    if previous is not None and not _COLON_OF_A_KEY.search(error.lines[previous]):
        return _describe_key_line(error, previous, error.lines[previous])
    return _describe_misplaced(error)


def _explain_indent(error: YamlProblem) -> SyntaxMistake | None:
    """A line that belongs to no list and no mapping above it."""
    if "<block end>" not in error.problem and "block collection" not in error.context:
        return None
    return _describe_block_text(error, error.line) or _describe_misplaced(error)


def _describe_misplaced(error: YamlProblem) -> SyntaxMistake | None:
    """Describe a line that begins in a column where no line above it begins."""
    previous = _find_previous(error.lines, error.line)
    line = error.text_line
    if previous is None or not line.strip():
        return None
    indent = _measure_indent(line)
    word = re.match(r"\s*(?:- +)?([\w-]+)", line)
    name = word[1] if word else "this line"
    # The columns in which something above may go on, the nearest first. A key after a dash begins where it stands.
    columns: list[int] = []
    for place in range(previous, -1, -1):
        one = error.lines[place]
        if not one.strip() or one.lstrip().startswith("#"):
            continue
        dash = _DASHES.match(one)
        for column in (dash.end(), _measure_indent(one)) if dash else (_measure_indent(one),):
            # What is indented as deep as, or deeper than, a line below it is over by then.
            if not columns or column < columns[-1]:
                columns.append(column)

    near = min(columns, key=lambda column: (abs(column - indent), -column), default=0)
    if near == indent:
        return None  # the column is right, so the mistake is another one
    direction = "deeper" if indent > near else "less deep"
    difference = abs(indent - near)
    partner = next((place for place in range(previous, -1, -1) if _begins_at(error.lines[place], near)), None)
    other = re.match(r"[\s-]*([\w-]+)", error.lines[partner]) if partner is not None else None
    beside = f"{quoted(other[1])} in line {partner + 1}" if other and partner is not None else "the lines above"
    spaces = "one space" if difference == 1 else f"{difference} spaces"
    sentence = f"{quoted(name)} stands {spaces} {direction} than {beside}: begin both in the same column"
    return SyntaxMistake(error.line, indent, sentence, error.replace_line(error.line, " " * near + line.lstrip(" ")))


def _begins_at(line: str, column: int) -> bool:
    dash = _DASHES.match(line)
    is_text = bool(line.strip()) and not line.lstrip().startswith("#")
    return is_text and (_measure_indent(line) == column or (dash is not None and dash.end() == column))


def _describe_block_text(error: YamlProblem, number: int) -> SyntaxMistake | None:
    """Describe a line of a text after `|` that is not indented as the others."""
    line = error.line_at(number)
    if not line.strip() or _KEY_LINE.match(line):
        return None
    # Upwards, past the lines of the same text, to the line that begins it.
    for place in range(number - 1, -1, -1):
        above = error.lines[place]
        if not above.strip():
            continue
        if _BLOCK_HEADER.search(above):
            sign = "|" if "|" in above else ">"
            # As deep as the first line of the text, which decides for YAML; without one, below the key.
            wanted = _measure_indent(above) + (4 if above.lstrip().startswith("- ") else 2)
            first = error.lines[place + 1] if place + 1 < number else ""
            wanted = _measure_indent(first) if first.strip() and _measure_indent(first) > _measure_indent(above) else wanted
            sentence = f"the lines of the text after {sign} in line {place + 1} are indented alike, deeper than that line"
            repaired = list(error.lines)
            for follower in range(number, len(repaired)):
                if _KEY_LINE.match(repaired[follower]) and follower > number:
                    break
                if repaired[follower].strip() and _measure_indent(repaired[follower]) < wanted:
                    repaired[follower] = " " * wanted + repaired[follower].lstrip(" ")
            return SyntaxMistake(number, _measure_indent(line), sentence, "\n".join(repaired))
        if _measure_indent(above) < _measure_indent(line) or _KEY_LINE.match(above):
            return None
    return None


def _explain_simple_key(error: YamlProblem) -> SyntaxMistake | None:
    """A line that PyYAML took for a key, and that has no colon after it."""
    if "simple key" not in error.context:
        return None
    number = error.context_line
    return _describe_block_text(error, number) or _describe_key_line(error, number, error.lines[number])


def _describe_key_line(error: YamlProblem, number: int, line: str) -> SyntaxMistake | None:
    """Describe a line that should be `key: value` and is not."""
    indent = _measure_indent(line)
    # The likeliest mistake first: `name:goal` also fits the patterns below, and would get a worse sentence from them.
    # The slash after the colon is that of an address, `https://…`, which is a value and no key.
    if glued := re.match(r"([ ]*(?:- +)*)([A-Za-z_]+):(?![\s/])(\S.*)$", line):
        repaired = error.replace_line(number, f"{glued[1]}{glued[2]}: {glued[3]}")
        sentence = f"a space is missing after the colon: {quoted(glued[2])}: {quoted(shorten(glued[3]))}"
        return SyntaxMistake(number, glued.end(2), sentence, repaired)
    if dash := re.match(r"([ ]*)-(\w+:.*)$", line):
        repaired = error.replace_line(number, f"{dash[1]}- {dash[2]}")
        return SyntaxMistake(number, indent, f"a space is missing after the dash: - {quoted(shorten(dash[2]))}", repaired)
    if equals := re.match(r"([ ]*(?:- +)*)([\w-]+)[ ]*=[ ]*(\S.*)$", line):
        repaired = error.replace_line(number, f"{equals[1]}{equals[2]}: {equals[3]}")
        sentence = f"a key and its value have a colon between them, not =: {quoted(equals[2])}: {quoted(shorten(equals[3]))}"
        return SyntaxMistake(number, line.index("="), sentence, repaired)
    if word := re.match(r"([ ]*(?:- +)*)([\w-]+)[ ]*$", line):
        repaired = error.replace_line(number, f"{word[1]}{word[2]}:")
        return SyntaxMistake(number, word.end(2), f"a colon is missing after {quoted(word[2])}", repaired)
    # From here on nothing is repaired: it may be a key and its value, or a text that goes on from the line above.
    if pair := re.match(r"([ ]*(?:- +)*)([a-z_]+)[ ]+(\S.*)$", line):
        sentence = f"a colon is missing after {quoted(pair[2])}; a text of several lines goes in quotes or under |"
        return SyntaxMistake(number, pair.end(2), sentence)
    return SyntaxMistake(number, indent, "a key and a colon are missing here; a text of several lines goes in quotes or under |")


def _explain_document(error: YamlProblem) -> SyntaxMistake | None:
    """A line that begins further to the left than the whole document."""
    if "<document start>" not in error.problem:
        return None
    return _describe_misplaced(error) or SyntaxMistake(
        error.line, error.column, "this does not belong to what stands above it: a file is one mapping or one list"
    )


_EXPLANATIONS: tuple[Callable[[YamlProblem], SyntaxMistake | None], ...] = (
    # A tab first: PyYAML's problem with it may be any of those below.
    _explain_tab,
    # Values before lines: a quote or a bracket that stays open makes the lines after it look misplaced.
    *VALUE_EXPLANATIONS,
    _explain_colon,
    _explain_simple_key,
    _explain_indent,
    _explain_document,
)
"""Tried in this order: the first one that recognises the mistake explains it."""
