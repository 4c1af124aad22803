"""Names and texts in a syntax that is not understood here, such as wildcards or Markdown: warnings with the cure."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

import yaml

from rules.engine.text import TEXT_VARIABLES
from rules.football.names import normalise
from rules.loading.values import Reader, suggest
from rules.loading.yaml_problem import shorten

_SEPARATOR = re.compile(r"\s+(?:vs?\.?|[-–—]|@|against|x)\s+|(?<=\S):(?=\S)", re.IGNORECASE)
"""What people write between the two teams of a match."""

_LIST_WORDS = re.compile(r"\s*(?:,|;|\||\s(?:or|oder|ou)\s)\s*", re.IGNORECASE)

_NEGATION = re.compile(r"^(?:not\s+|!|-|~)\s*(?=\w)", re.IGNORECASE)

_QUOTATION_MARKS = "“”„‟«»‘‚"


def warn_of_name(reader: Reader, node: yaml.Node, key: str, name: str) -> bool:
    """Warn of a name that no team, player, competition or match has, by its shape alone. Return True if there is a warning."""
    sentence = describe_name(key, name)
    if sentence:
        reader.report_warning(node, f'{key} "{name}": {sentence}')
    return bool(sentence)


# Many rules name the same few teams.
@lru_cache(maxsize=4096)
def describe_name(key: str, name: str) -> str:
    """Return why nothing has this name, by its shape alone; empty if something may. `key` is that of a condition."""
    if "{{" in name or "{%" in name:
        return "nothing is filled in here, only in texts: write the name itself"
    if any(mark in name for mark in _QUOTATION_MARKS) or (name[:1] == "'" and name[-1:] == "'"):
        return "the quotation marks are part of the name: take them out"
    if '"' in name:
        return "the quotation marks are part of the name: take them out; between several names a comma is missing"
    if _NEGATION.match(name):
        return f"for all others write {{not: {_NEGATION.sub('', name)}}}"
    if (name.startswith("/") and name.rstrip("i").endswith("/")) or any(sign in name for sign in (".*", "^", "$", "\\")):
        return "regular expressions are not understood, names are compared whole: write the name, or several as [A, B]"
    if "*" in name or name.endswith("?") or "%" in name:
        return "there are no wildcards, names are compared whole: write the name, or several as [A, B]"
    parts = [part for part in _LIST_WORDS.split(name) if part]
    if len(parts) > 1:
        several = f"this is one name; for any of several write [{', '.join(parts)}]"
        # `Kane, Harry` may also be one player, with the last name first.
        is_one_player = key == "player" and "," in name and len(parts) == 2
        return f"{several}; one player is written {parts[1]} {parts[0]}" if is_one_player else several
    return _describe_match(key, name)


def _describe_match(key: str, name: str) -> str:
    """Return what is wrong with the name of a match, or with a match where a team is named; empty if nothing is."""
    teams = [part.strip() for part in _SEPARATOR.split(name, maxsplit=1)]
    is_match = len(teams) == 2 and all(teams)
    if key == "team" and is_match and ":" not in name:
        return f"this is a match: write fixture: {teams[0]} v {teams[1]}, or one team"
    if key == "fixture" and " v " not in normalise(name):
        if is_match:
            return f"a match is written with v between the teams: {teams[0]} v {teams[1]}"
        # An id has a digit in it.
        if not any(letter.isdigit() for letter in name):
            return "a match is written as Arsenal v Chelsea, or by its id; for every match of a team use team"
    return ""


_TEMPLATE_PARTS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)

_TAGS = re.compile(r"<[^<>]*>")

_MARKDOWN = (
    (re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__"), "<b>…</b>"),
    (re.compile(r"~~[^~\n]+~~"), "<s>…</s>"),
    (re.compile(r"\|\|[^|\n]+\|\|"), "<tg-spoiler>…</tg-spoiler>"),
    (re.compile(r"\[[^\]\n]+\]\(\s*(?:https?:|tg:)[^)]*\)"), '<a href="…">…</a>'),
    (re.compile(r"`[^`\n]+`"), "<code>…</code>"),
    (re.compile(r"(?<![\w*])\*[^*\s](?:[^*\n]*[^*\s])?\*(?![\w*])"), "<b>…</b>"),
    (re.compile(r"(?<![\w_])_[^_\s](?:[^_\n]*[^_\s])?_(?![\w_])"), "<i>…</i>"),
)

_MARKDOWN_SIGNS = re.compile(r"[*_~|`\]]")
"""Every pattern above needs one of these. Most texts have none, and are not searched."""

_OTHER_PLACEHOLDERS = re.compile(
    r"(?<!\{)\{\s*([A-Za-z_]\w*)\s*\}(?!\})"  # {player}
    r"|(?<!\{)\{\s*([A-Za-z_]\w*)\s*\}\}"  # { player }}
    r"|\{ +\{\s*([A-Za-z_]\w*)\s*\} *\}"  # { { player } }
    r"|(?<![\w$])\$([A-Za-z_]\w*)"  # $player
    r"|(?<![\w%])%([A-Za-z_]\w*)%"  # %player%
    r"|%\(([A-Za-z_]\w*)\)s"  # %(player)s
)


def warn_of_text(reader: Reader, node: yaml.ScalarNode, source: str) -> None:
    """Warn of a text that will not look in a chat as it was meant."""
    if _MARKDOWN_SIGNS.search(source):
        # What is filled in and tags are blanked out at their length, so that places are the same as in the source.
        plain = _TAGS.sub(lambda tag: " " * len(tag[0]), _TEMPLATE_PARTS.sub(lambda part: "x" * len(part[0]), source))
        # One warning is enough: who writes Markdown in one place writes it everywhere.
        for pattern, tag in _MARKDOWN:
            if found := pattern.search(plain):
                sign = shorten(source[found.start() : found.end()], 30)
                reader.report_warning(node, f"Telegram shows {sign} as it is written: write {tag}")
                break
    for found in _OTHER_PLACEHOLDERS.finditer(_TEMPLATE_PARTS.sub("", source)):
        word = next(filter(None, found.groups()))
        meant = word if word in TEXT_VARIABLES else suggest(word, TEXT_VARIABLES, 0.75)
        if meant:
            reader.report_warning(node, f"{found[0]} is sent as it is written: write {{{{ {meant} }}}}")
    if "\\n" in source and node.style != '"':
        where = {"'": "in single quotes", None: "without quotes", "": "without quotes"}.get(node.style, "in a block")
        cure = "use double quotes, or | with a line for each" if where != "in a block" else "begin a new line instead"
        reader.report_warning(node, f"\\n is no line break {where}, it is sent as it is written: {cure}")
    # ’ closes a quotation; elsewhere it is an apostrophe.
    if source[:1] in _QUOTATION_MARKS and source.rstrip()[-1:] in f"{_QUOTATION_MARKS}’":
        reader.report_warning(node, "the curly quotes are part of the text: YAML's own quotes are \" and '")


def warn_of_comment(reader: Reader, node: yaml.ScalarNode, line: str) -> None:
    """Warn of a hashtag after a text without quotes, of which YAML makes a comment. `line` is the line on which the text ends."""
    rest = line[node.end_mark.column :] if node.style in (None, "") else ""
    # A comment usually has a space after its sign, and a hashtag never has.
    if found := re.match(r"\s+(#\w\S*)", rest):
        reader.report_warning(node, f"{found[1]} is a comment for YAML and is not sent: put the whole text in quotes")


def warn_of_text_name(reader: Reader, node: yaml.Node, source: str, names: Collection[str]) -> None:
    """Warn of a text that is only the name of one of `texts:`."""
    if source.strip() in names:
        name = source.strip()
        reader.report_warning(node, f'this sends the words "{name}"; for the text of this name write text: {{use: {name}}}')
