"""Mistakes of form in the template of a text: what is never closed, belongs to no block, or is another language's form.

Jinja stops at the first mistake and knows only its line. Here each `{{ … }}` is looked at by itself, and what cannot be read is
blanked out, so that the rest of the text is read too.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from jinja2 import TemplateSyntaxError

from rules.engine.text import OVER_A_LIMIT, PYTHON_LIMITS, TEXT_ENVIRONMENT, TEXT_VARIABLES
from rules.loading.values import describe_unknown

TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
"""A value, a condition or a comment of a template, with its braces."""

BLOCK_WORDS = ("if", "elif", "else", "endif", "for", "endfor", "set", "endset")
"""The words with which a tag `{% … %}` of a text begins."""

_MAX_ERRORS = 20
"""Mistakes of form that are looked for in one text: after each one the text is read anew."""


class TemplateFinding(NamedTuple):
    """One sentence about one place of a template."""

    offset: int
    """Letters before the place; -1 for the whole text."""
    sentence: str
    is_warning: bool = False


class _Fault(NamedTuple):
    """The part of a text that cannot be read, from `begin` up to `end`."""

    begin: int
    end: int
    sentence: str
    is_open: bool = False
    """True: it is opened and never closed, so that nothing of it is kept for the next reading."""


def find_syntax_errors(source: str) -> tuple[str, list[TemplateFinding]]:
    """Return the text with what cannot be read blanked out, and why it cannot be."""
    findings: list[TemplateFinding] = []
    # Jinja stops at the first mistake. What it cannot read is blanked out and the rest read again, so that all are found at once.
    for _ in range(_MAX_ERRORS):
        try:
            TEXT_ENVIRONMENT.parse_text(source)
        except TemplateSyntaxError as error:
            fault = _locate_error(source, error)
            findings.append(TemplateFinding(fault.begin, fault.sentence))
            # At its length and with its lines, so that what is found later stands at the same place in the source.
            part = source[fault.begin : fault.end]
            blank = re.sub(r"[^\n]", " ", part) if fault.is_open else _blank_out(part)
            source = source[: fault.begin] + blank + source[fault.end :]
        except PYTHON_LIMITS:
            return "", [*findings, TemplateFinding(-1, OVER_A_LIMIT)]
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


def _locate_error(source: str, error: TemplateSyntaxError) -> _Fault:
    """Return the part that cannot be read, and why it cannot be."""
    # Each value by itself: the one that is not one is at fault, whatever line Jinja names.
    for tag in TAG.finditer(source):
        if tag[0].startswith("{{") and (why := _parse_alone(tag[0])):
            if (second := tag[0].find("{{", 3)) > 0 and not tag[0].startswith("{{{"):
                # It ends only at the next value's end: its own is missing.
                return _Fault(tag.start(), tag.start() + second, _describe_open_sign(tag[0][:second]), is_open=True)
            return _Fault(tag.start(), tag.end(), _describe_value_error(tag[0], why))
        if tag[0].startswith("{%") and (inner := re.search(r"\{[{%]", tag[0][2:])):
            end = 2 + inner.start()
            return _Fault(tag.start(), tag.start() + end, _describe_open_sign(tag[0][:end]), is_open=True)
    # Signs before blocks: an `{%` without its end hides the block that it begins or ends.
    outside = TAG.sub(lambda tag: " " * len(tag[0]), source)
    if signs := [place for sign in ("{{", "{%", "{#") if (place := outside.find(sign)) >= 0]:
        opened = min(signs)
        # Up to the end of its line: a person who forgot the end did not mean the rest of the text.
        line_end = source.find("\n", opened)
        end = len(source) if line_end < 0 else line_end
        return _Fault(opened, end, _describe_open_sign(source[opened:end]), is_open=True)
    if (found := _find_open_block(source)) is not None:
        begin, end, name = found
        return _Fault(begin, end, f"the {{% {name} %}} that is opened here is never closed by {{% end{name} %}}", is_open=True)
    begin, end = _find_tag_on_line(source, error.lineno)
    return _Fault(begin, end, _describe_block_error(source[begin:end], error.message or ""))


def _describe_open_sign(part: str) -> str:
    """Say that a `{{`, `{%` or `{#` is never closed; `}` or `%` alone is named, because it is easily overlooked."""
    sign = part[:2]
    closing = {"{{": "}}", "{%": "%}", "{#": "#}"}[sign]
    half = re.search(r"(?<!\})(\}|%)\s*(?:$|\n)", part) or re.search(r"(?<![%}])(\})", part[2:])
    return f"the {sign} that is opened here is never closed by {closing}" + (f", only by {half[1]}" if half else "")


def _parse_alone(tag: str) -> str:
    """Return Jinja's error for one `{{ … }}`; empty if it parses."""
    try:
        TEXT_ENVIRONMENT.parse(tag)
    except TemplateSyntaxError as error:
        return error.message or "invalid expression"
    except PYTHON_LIMITS:
        return ""
    return ""


def _describe_value_error(tag: str, why: str) -> str:
    """Return what is wrong with a value `{{ … }}`; Jinja's own words, `why`, where that is not known."""
    # From the surest sign to the vaguest: two words side by side may also be a foreign operator or an open bracket.
    inside = tag[2:-2].strip()
    if not inside:
        return "{{ }} is empty: write the name of a value, such as {{ player }}"
    if tag.startswith("{{{"):
        return "three braces: a value has two on each side, as in {{ match }}"
    if any(mark in inside for mark in _CURLY_QUOTES):
        return "curly quotes are not understood between {{ and }}: write ' or \""
    if sentence := _describe_foreign_value(inside) or _describe_open_bracket(inside):
        return sentence
    if found := re.fullmatch(r"(\w+)\s+(\w+).*", inside, re.DOTALL):
        return f"{{{{ {inside[:30]} }}}}: one pair of braces has one value: write {{{{ {found[1]} }}}} {{{{ {found[2]} }}}}"
    return f"the text is not a template: {why}"


_CURLY_QUOTES = "“”‘’„"

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
    plain = _QUOTED.sub("", inside)  # a bracket in a text needs no partner
    for opening, closing in ("()", "[]"):
        if plain.count(opening) > plain.count(closing):
            return f"a {opening} is opened and never closed by {closing}"
        if plain.count(opening) < plain.count(closing):
            return f"a {closing} closes nothing: {opening} is missing before it"
    return ""


def _find_open_block(source: str) -> tuple[int, int, str] | None:
    """Return where the innermost `if` or `for` begins and ends that no tag closes, with its word; None if all are closed."""
    opened: list[tuple[int, int, str]] = []
    # By whole tags: a condition may have a % inside of it, and a comment may have tags, which count for nothing.
    for tag in TAG.finditer(source):
        word = found[1] if (found := re.match(r"\{%[-+]?\s*(\w+)", tag[0])) else ""
        if word in ("if", "for"):
            opened.append((tag.start(), tag.end(), word))
        elif word in ("endif", "endfor") and opened and opened[-1][2] == word[3:]:
            opened.pop()
    return opened[-1] if opened else None


def _find_tag_on_line(source: str, line: int) -> tuple[int, int]:
    """Return where the tag begins and ends that Jinja refuses on a line, counted from 1; the whole text if there is none."""
    tags = [tag for tag in TAG.finditer(source) if tag[0].startswith("{%")]
    near = [tag for tag in tags if source.count("\n", 0, tag.start()) < line <= source.count("\n", 0, tag.end()) + 1]
    # The one at fault by itself, such as an unknown word; else the first of the line.
    wrong = [tag for tag in near if not re.match(r"\{%[-+]?\s*(?:if|elif|else(?!\s+\w)|endif|for|endfor)\b", tag[0])]
    wrong = wrong or [tag for tag in near if re.match(r"\{%[-+]?\s*(?:if|elif|for)\b", tag[0]) and not _is_condition(tag[0])]
    chosen = (wrong or near or tags)[:1]
    return (chosen[0].start(), chosen[0].end()) if chosen else (0, len(source))


def _is_condition(tag: str) -> bool:
    """Return True if a tag with `if`, `elif` or `for` is complete by itself."""
    # Jinja reads no block without its end, and no `elif` without an `if`: both are made up.
    opened = re.sub(r"^\{%([-+]?\s*)elif", r"{%\1if", tag)
    name = "for" if re.match(r"\{%[-+]?\s*for", opened) else "if"
    return not _parse_alone(f"{opened}{{% end{name} %}}")


_OTHER_BLOCK_WORDS = {"elseif": "elif", "elsif": "elif", "else if": "elif", "end": "endif", "fi": "endif", "end if": "endif"}
"""What the words of blocks are called in other languages, and here."""


def _describe_block_error(tag: str, message: str) -> str:
    """Return what is wrong with a tag `{% … %}`; Jinja's own `message` where that is not known."""
    word = re.match(r"\{%[-+]?\s*((?:else|end)\s+\w+|\w+)", tag)
    name = " ".join(word[1].split()) if word else ""
    if name in _OTHER_BLOCK_WORDS:
        return f"write {{% {_OTHER_BLOCK_WORDS[name]} %}}, not {{% {name} %}}"
    if name in ("endif", "endfor", "else", "elif"):
        opening = "for" if name == "endfor" else "if"
        return f"this {{% {name} %}} belongs to no {{% {opening} … %}} above it"
    if name and name not in BLOCK_WORDS:
        hint = " (a value has {{ … }})" if name in TEXT_VARIABLES else ""
        return f"{describe_unknown('word', name, BLOCK_WORDS)}{hint}"
    # The word is right, so its condition is not.
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
    if any(mark in tag for mark in _CURLY_QUOTES):
        return "curly quotes are not understood between {% and %}: write ' or \""
    return ""
