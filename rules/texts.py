"""Reads alert texts: a text is tried on sample facts before any match, so that a bad one is found when it is written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import yaml

from rules.alert import Facts
from rules.document import nearest, unknown
from rules.markup import fault_in
from rules.reader import Reader
from rules.template import VARIABLES, Text, TextFault

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

Texts = Mapping[str, tuple[str, yaml.Node]]
"""The entries of `texts:`, by name: the source and where it is written."""


def read_text(reader: Reader, node: yaml.Node, texts: Texts) -> Text | None:
    """Read `text: …` or `text: {use: name}`."""
    if isinstance(node, yaml.MappingNode):
        return _used(reader, node, texts)
    source = reader.text(node, "text")
    return None if source is None else checked(reader, node, source)


def _used(reader: Reader, node: yaml.Node, texts: Texts) -> Text | None:
    fields = reader.fields(node, "text", ("use",))
    name = reader.text(fields["use"], "use") if fields else None
    if name is None:
        return None
    if name not in texts:
        reader.mistake(fields["use"] if fields else node, unknown("text", name, tuple(texts)) if texts else _no_texts(name))
        return None
    return _compiled(texts[name][0])[0]


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


def read_texts(reader: Reader, node: yaml.Node, into: dict[str, tuple[str, yaml.Node]]) -> None:
    """Read the entries of `texts:`."""
    if not isinstance(node, yaml.MappingNode):
        reader.mistake(node, "texts must be a mapping of names to texts")
        return
    for key, value in node.value:
        name, source = str(key.value), reader.text(value, f'the text "{key.value}"')
        if name in into:
            reader.mistake(key, f'there is already a text "{name}"')
        elif source is not None and checked(reader, value, source):
            into[name] = (source, key)
