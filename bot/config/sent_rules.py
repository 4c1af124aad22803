"""Reads rules that came from Telegram or the console, and not from the operator's files.

Apart from the versions of rules, so that the processes which only try rules import neither the database nor the configuration.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import yaml

from rules.engine.rule import RuleSet, SourceLocation
from rules.football.catalogue import Catalogue
from rules.loading.document import Report, compose
from rules.loading.loader import RulesInvalid, read_rules_document


class ParsedRules(msgspec.Struct, frozen=True):
    """The rules of a file, and warnings about it."""

    rules: RuleSet
    warnings: tuple[str, ...] = ()


def parse_sent_rules(text: str, name: str, catalogue: Catalogue) -> ParsedRules:
    """Read a file of rules that came from Telegram. Raises RulesInvalid.

    Variables stay as written and nothing is included: a file from a chat must not read the environment or files of the server.
    """

    def refuse_include(pattern: str) -> Sequence[yaml.Node]:
        raise ValueError(f'"{pattern}": a file from Telegram cannot include others')

    report = Report()
    root = compose(text, name, report)
    rules = read_rules_document(root, report, catalogue, refuse_include) if root is not None else RuleSet()
    # Put into effect, a file without rules would silence every chat.
    if not report.mistakes and not rules.rules:
        report.add_mistake(SourceLocation(name, 1, 1), "there are no rules in this file")
    if report.mistakes:
        raise RulesInvalid(report.mistakes)
    return ParsedRules(rules, report.warnings)
