"""An alert's text in other languages: the languages are data, and what a rule's text compares stays English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import msgspec

from rules.alert import Alert, Facts
from rules.rule import RuleSet
from rules.template import Text, TextFault

LANGUAGES = ("en", "es", "de", "fr", "pt", "it")
"""The codes by which a rule may give its text in several languages."""


class Wording(msgspec.Struct, frozen=True):
    """What one language has for texts that are written in English only."""

    language: str
    texts: Mapping[str, str] = {}
    """The sources of texts, by the English ones without what surrounds them."""
    words: Mapping[str, str] = {}
    """Football's words as they stand inside of a sentence, by the English ones in lower case."""
    kicks: str = "{score} pens"
    """The score of a shootout, in brackets in the score of the match."""


def worded(alert: Alert, rules: RuleSet, wordings: Iterable[Wording]) -> Alert:
    """The alert with its text in every language that has one: the rule's own, else a translation of a text that ships."""
    rule = rules.by_name.get(alert.rule)
    if rule is None or not alert.text or alert.fault:
        return alert
    texts = dict(_filled(rule.alert.text, rule.alert.texts, alert.facts, wordings))
    return msgspec.structs.replace(alert, texts=texts) if texts else alert


def _filled(text: Text, own: Mapping[str, Text], facts: Facts, wordings: Iterable[Wording]) -> Iterator[tuple[str, str]]:
    known = {wording.language: wording for wording in wordings}
    for language in dict.fromkeys((*own, *known)):
        wording = known.get(language, Wording(language))
        other = own.get(language) or (None if own else _translated(wording.texts.get(text.source.strip(), "")))
        try:
            if other:
                yield language, other.fill(_said_of(facts, wording), wording.words)
        except TextFault:
            continue  # its chats read the text that could be filled


def _said_of(facts: Facts, wording: Wording) -> Facts:
    if not facts.shootout:
        return facts
    kicks = wording.kicks.format(score=facts.shootout)
    return msgspec.structs.replace(facts, match=facts.match.replace(f"({facts.shootout} pens)", f"({kicks})"))


@lru_cache(1024)
def _translated(source: str) -> Text | None:
    return Text(source) if source else None
