"""Reads alert texts: a text is tried on sample facts before any match, so that a bad one is found when it is written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec
import yaml

from rules.alert import Facts
from rules.document import nearest, unknown
from rules.markup import fault_in
from rules.reader import Reader
from rules.template import VARIABLES, Text, TextFault
from rules.wording import LANGUAGES

LONGEST = 3500
"""Telegram takes 4,096 characters; the rest is left for the marks and the names that are longer than the sample's."""

SAMPLE = Facts(
    match="Tottenham Hotspur 1–0 Leicester City",
    score="1–0",
    home="Tottenham Hotspur",
    away="Leicester City",
    team="Tottenham Hotspur",
    opponent="Leicester City",
    player="Harry Kane",
    minute="45+2",
    period="first half",
    competition="Premier League",
    action_type="Goal",
    sub_action_type="Header",
    side="home",
    kickoff="14:00 UTC",
    shootout="6–5",
    score_before="0–0",
)


class Said(msgspec.Struct, frozen=True):
    """A text, and by language code its others where it is given in several languages."""

    text: Text
    others: Mapping[str, Text] = {}


Texts = dict[str, Said]
"""The entries of `texts:`, by name."""


def read_text(reader: Reader, node: yaml.Node, texts: Texts) -> Said | None:
    """Read `text: …`, `text: {en: …, es: …}` or `text: {use: name}`."""
    if not isinstance(node, yaml.MappingNode):
        return _one(reader, node, "text")
    fields = reader.fields(node, "text", ("use", *LANGUAGES))
    if not fields:
        return None
    if "use" not in fields:
        return _several(reader, fields, "text")
    if len(fields) > 1:
        reader.mistake(node, "text has either use, or a text for each language")
        return None
    return _used(reader, fields["use"], texts)


def _one(reader: Reader, node: yaml.Node, what: str) -> Said | None:
    source = reader.text(node, what)
    text = None if source is None else checked(reader, node, source)
    return Said(text) if text else None


def _several(reader: Reader, fields: Mapping[str, yaml.Node], what: str) -> Said | None:
    """A text for each language; who speaks another reads the English one, or else the first."""
    read = {code: _one(reader, node, f"{what}, {code}") for code, node in fields.items()}
    texts = {code: one.text for code, one in read.items() if one}
    if len(texts) < len(fields):
        return None
    return Said(texts.get("en") or next(iter(texts.values())), texts)


def _used(reader: Reader, node: yaml.Node, texts: Texts) -> Said | None:
    name = reader.text(node, "use")
    if name is None:
        return None
    if name not in texts:
        reader.mistake(node, unknown("text", name, tuple(texts)) if texts else _no_texts(name))
        return None
    return texts[name]


def _no_texts(name: str) -> str:
    return f'there is no text "{name}": texts is empty'


def checked(reader: Reader, node: yaml.Node, source: str) -> Text | None:
    """The text, if it is a template that can be filled with and without its values, and that Telegram can show."""
    text, faults = _compiled(source)
    for fault in faults:
        reader.mistake(node, fault)
    return None if faults else text


@lru_cache(maxsize=4096)
def _compiled(source: str) -> tuple[Text | None, tuple[str, ...]]:
    try:
        text = Text(source)
    except TextFault as fault:
        return None, (str(fault),)
    wrong = sorted(text.variables - set(VARIABLES))
    faults = tuple(map(_unknown_variable, wrong)) or _faults_when_filled(text)
    return text, faults


def _unknown_variable(name: str) -> str:
    near = nearest(name, VARIABLES)
    hint = f', did you mean "{near}"?' if near else f"; known: {', '.join(VARIABLES)}"
    return f'the text uses an unknown variable "{name}"{hint}'


def _faults_when_filled(text: Text) -> tuple[str, ...]:
    try:
        full, _ = text.fill(SAMPLE), text.fill(Facts(match=SAMPLE.match, score=SAMPLE.score))
    except TextFault as fault:
        return (str(fault),)
    if not full:
        return ("the text comes out empty",)
    if len(full) > LONGEST:
        return (f"the text is too long: {len(full)} characters, Telegram takes little more than {LONGEST}",)
    return tuple(filter(None, (fault_in(full),)))


def read_texts(reader: Reader, node: yaml.Node, into: Texts) -> None:
    """Read the entries of `texts:`."""
    if not isinstance(node, yaml.MappingNode):
        reader.mistake(node, "texts must be a mapping of names to texts")
        return
    for key, value in node.value:
        name = str(key.value)
        said = _entry(reader, value, f'the text "{name}"')
        if name in into:
            reader.mistake(key, f'there is already a text "{name}"')
        elif said:
            into[name] = said


def _entry(reader: Reader, node: yaml.Node, what: str) -> Said | None:
    if not isinstance(node, yaml.MappingNode):
        return _one(reader, node, what)
    fields = reader.fields(node, what, LANGUAGES)
    return _several(reader, fields, what) if fields else None
