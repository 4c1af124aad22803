"""Reads whole rule files: the list of rules with their alerts, `texts:`, `include:` and `extends:`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml

from rules.engine.alert import DEFAULT_KINDS, LIVE_MESSAGE_KINDS, SHIPPED_KINDS, Importance
from rules.engine.rule import AlertSpec, Rule, RuleSet, SourceLocation
from rules.engine.unreachable import find_late, find_rewording, find_shadowed
from rules.football.catalogue import Catalogue, load_catalogue
from rules.loading.document import DocumentInvalid, Report, compose, is_null, leave_out_extras, location_of, mapping_items
from rules.loading.match_block import mentions_key, read_match
from rules.loading.rule_keys import ALERT_KEYS, ALERT_PLACES, ALERT_WORDS, MATCH_KEYS, RULE_KEYS, RULE_WORDS
from rules.loading.texts import NamedTexts, read_text, read_texts
from rules.loading.values import NOTHING_ELSEWHERE, Reader, describe_unknown, parse_boolean, parse_duration, suggest

# Not by importlib.resources, which imports archives and temporary files with it.
_PACKS = Path(__file__).parents[1] / "packs"

FILE_KEYS = ("rules", "texts", "include", "extends")
"""The keys of a file of rules; a configuration has them beside its other sections."""

DEFAULT_MAX_AGE = dt.timedelta(minutes=5)
"""The max_age of an alert that does not set it."""

IncludeReader = Callable[[str], Sequence[yaml.Node]]
"""Returns the documents that a pattern such as `rules.d/*.yaml` names. Raises ValueError with a sentence."""

_KIND_PATTERN = re.compile(r"[A-Za-z0-9_]{1,32}")


class RulesInvalid(DocumentInvalid):
    """Rules with mistakes."""


def load_rules(
    text: str, file: str = "rules.yaml", catalogue: Catalogue | None = None, *, has_known_texts: bool = False
) -> RuleSet:
    """Read a list of rules, or a mapping with `rules:` and `texts:`. Raises `RulesInvalid` with every mistake.

    `has_known_texts`: see `Report`.
    """
    report = Report(has_known_texts=has_known_texts)
    root = compose(text, file, report)

    def refuse_include(pattern: str) -> Sequence[yaml.Node]:
        # A text has no folder in which a pattern could be looked up, and one from a chat must not read files.
        raise ValueError(f'"{pattern}" cannot be included here')

    rules = read_rules_document(root, report, catalogue or load_catalogue(), refuse_include) if root is not None else RuleSet()
    if report.mistakes:
        raise RulesInvalid(report.mistakes)
    return rules


@cache
def load_pack(name: str = "default") -> RuleSet:
    """Return the rules of a pack that ships. Raises KeyError for an unknown name."""
    # Looked up in the list first: a name from a file or a chat must not become a path.
    if name not in list_packs():
        raise KeyError(name)
    # To examine the texts of the packs takes as long as to read everything else of a configuration.
    return load_rules(read_pack(name), f"{name}.yaml", has_known_texts=True)


def read_pack(name: str) -> str:
    """Return the file of a pack that ships."""
    return (_PACKS / f"{name}.yaml").read_text(encoding="utf-8")


def list_packs() -> tuple[str, ...]:
    """Return the names of the packs that ship."""
    names = (file.name for file in _PACKS.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def read_rules_document(root: yaml.Node, report: Report, catalogue: Catalogue, include: IncludeReader) -> RuleSet:
    """Read the rules of a whole document. Reports what is wrong and leaves it out."""
    if isinstance(root, yaml.SequenceNode):
        return read_rules({"rules": root}, report, catalogue, include)
    fields = Reader(report).read_mapping(leave_out_extras(root), "a file of rules", FILE_KEYS)
    return read_rules(fields or {}, report, catalogue, include)


def read_rules(fields: Mapping[str, yaml.Node], report: Report, catalogue: Catalogue, include: IncludeReader) -> RuleSet:
    """Read the rules under `rules:`, then those of `include:` in the order of the file names, then those of `extends:`."""
    rules_reader = _RulesReader(report, catalogue)
    documents = [fields, *rules_reader.read_included(fields.get("include"), include)]
    # All texts before all rules: a rule may use a text that stands below it or in an included file.
    for document in documents:
        if "texts" in document:
            read_texts(rules_reader.reader, document["texts"], rules_reader.texts)
    # The rules of the file come first: the first rule that fires decides, and an operator's must come before a pack's.
    own = [rule for document in documents for rule in rules_reader.read_list(document.get("rules"))]
    # A rule of one's own replaces one of a pack that has the same name.
    names = {rule.name for rule in own}
    shipped = [rule for rule in rules_reader.read_extended(fields.get("extends")) if rule.name not in names]
    rules_reader.report_rules_not_meant(own, shipped)
    if not own and not shipped and not report.mistakes and "rules" in fields:
        sentence = (
            "there are no rules, so nothing is ever sent: leave the line out for the shipped rules, or add extends: default"
        )
        rules_reader.reader.report_warning(fields["rules"], sentence)
    return RuleSet([*own, *shipped])


class _RulesReader:
    """Reads the rules of several documents, which share their texts and must not share names of rules."""

    def __init__(self, report: Report, catalogue: Catalogue) -> None:
        self.report, self.catalogue, self.reader = report, catalogue, Reader(report)
        self.texts: NamedTexts = {}
        self.rules_at_once: dict[str, SourceLocation] = {}
        """The rules without a send_type for what the feed first sends as pending."""
        self._locations_by_name: dict[str, SourceLocation] = {}
        self._send_type_locations: dict[str, SourceLocation] = {}
        """By rule, where its send_type stands."""
        self._kinds_off_at_first: dict[str, SourceLocation] = {}
        """The shipped kinds of one's own rules that a chat gets only after it chose them."""

    def report_rules_not_meant(self, own: Sequence[Rule], shipped: Sequence[Rule]) -> None:
        """Warn of rules that never fire or never begin a message, and note what else is worth knowing of them all."""
        # Only one's own rules: what they hide of a pack is what they are meant to replace.
        shadowed = find_shadowed(own)
        for rule, by in shadowed:
            names = " and ".join(f'"{one.name}" in line {one.location.line}' for one in by)
            which = "the rule" if len(by) == 1 else "one of the rules"
            self.report.add_warning(rule.location, f"it never fires: {which} {names} always fires before it", rule.name)

        def name_rules(by: Sequence[Rule]) -> str:
            names = " or ".join(f'"{one.name}"' for one in by)
            return f"the rule {names}" if any(one in own for one in by) else f"the shipped rule {names}"

        # A rule that never fires has its warning, and rewords nothing.
        never_firing = {rule.name for rule, _ in shadowed}
        firing = [rule for rule in own if rule.name not in never_firing]
        # What has a severity comes as pending first (feed documentation, section 4.1).
        pending_types = {name.casefold() for name in self.catalogue.action_type_names if self.catalogue.find_type(name).severity}
        for rule, by in find_rewording(firing, shipped, pending_types):
            sentence = (
                f"it never begins a message: {name_rules(by)} speaks first, while the action is pending, and this one only "
                "rewords that message; leave send_type out to speak at once, or write a rule of that name that waits too"
            )
            self.report.add_warning(self._send_type_locations.get(rule.name, rule.location), sentence, rule.name)
        for rule, by in find_late(firing, shipped, pending_types):
            sentence = (
                f"where the feed names the player or the sub type only later, {name_rules(by)} speaks first and this one rewords "
                "that message; to begin its own, write a rule of that name that waits (send_type: Confirmed)"
            )
            self.report.add_note(rule.location, sentence, rule.name)
        if self.rules_at_once:
            first_location = next(iter(self.rules_at_once.values()))
            sentence = (
                "without send_type these rules fire at once, also while the action is pending (⏳); send_type: Confirmed waits: "
            )
            self.report.add_note(first_location, sentence + ", ".join(self.rules_at_once))
        if self._kinds_off_at_first:
            kinds = ", ".join(self._kinds_off_at_first)
            sentence = f"off in a chat until /alerts chooses it: {kinds}; a kind with a name of your own is on at first"
            self.report.add_note(next(iter(self._kinds_off_at_first.values())), sentence)

    def read_included(self, node: yaml.Node | None, include: IncludeReader) -> list[dict[str, yaml.Node]]:
        """Return the documents of every pattern under `include:`."""
        patterns = self.reader.read_strings(node, "include") if node is not None else None
        documents: list[dict[str, yaml.Node]] = []
        for pattern, at in patterns or ():
            try:
                roots = include(pattern)
                documents += [fields for root in roots if (fields := self._read_document(root)) is not None]
                if not roots:
                    self.reader.report_warning(
                        at, f"include: no rules come from {pattern}: no file matches it, or nothing is in it"
                    )
            except ValueError as error:
                self.reader.report_mistake(at, f"include: {error}")
        return documents

    def _read_document(self, root: yaml.Node) -> dict[str, yaml.Node] | None:
        if isinstance(root, yaml.SequenceNode):
            return {"rules": root}
        # No `include:` and no `extends:`: the order of the rules would depend on the depth, and files could include each other.
        return self.reader.read_mapping(leave_out_extras(root), "an included file", ("rules", "texts"))

    def read_extended(self, node: yaml.Node | None) -> Iterable[Rule]:
        """Return the rules of every pack under `extends:`; of two with the same name the first."""
        chosen = (self.reader.read_strings(node, "extends") if node is not None else None) or []
        rules: dict[str, Rule] = {}
        for name, at in chosen:
            if name not in list_packs():
                several = [word for word in re.split(r"[\s,;]+", name) if word]
                cure = f'"{name}" is one name; for several packs write [{", ".join(several)}]'
                sentence = cure if len(several) > 1 else describe_unknown("pack", name, list_packs())
                self.reader.report_mistake(at, sentence)
                continue
            for rule in load_pack(name).rules:
                rules.setdefault(rule.name, rule)
        return rules.values()

    def read_list(self, node: yaml.Node | None) -> list[Rule]:
        """Read the list under `rules:`; leaves out rules with mistakes."""
        items = self.reader.read_list(node, "rules") if node is not None else None
        return [rule for item in items or () if (rule := self._read_rule(item)) is not None]

    def _read_rule(self, node: yaml.Node) -> Rule | None:
        # Mistakes carry the name of their rule, so it is looked up before anything is checked.
        names = (value.value for key, value in mapping_items(node) if key.value == "name" and isinstance(value, yaml.ScalarNode))
        reader = Reader(self.report, next(names, ""))
        is_odd = any(key.value not in RULE_KEYS for key, _ in mapping_items(node))
        fields = reader.read_mapping(node, "a rule", RULE_KEYS, self._place_rule_words(node) if is_odd else NOTHING_ELSEWHERE)
        if fields is None:
            return None
        # Every part is read before any is judged: a rule with three mistakes reports three.
        name = self._read_name(reader, node, fields.get("name"))
        match = None
        if "match" in fields:
            match = read_match(reader, fields["match"], self.catalogue)
            # With nothing below it, it would fire for everything, and that is a mistake.
            match = None if is_null(fields["match"]) else match
        elif not any(RULE_WORDS.get(key.value) == RULE_WORDS["when"] for key, _ in mapping_items(node)):
            reader.report_mistake(node, "a rule needs match: the conditions under which it fires")
        alert = self._read_alert(reader, node, fields.get("alert"))
        continues = reader.read_parsed(fields["continue"], "continue", parse_boolean) if "continue" in fields else False
        # With a mistake it is not the rule that was meant: warnings about the rest of it would mislead.
        if name is None or match is None or alert is None or continues is None or reader.has_mistakes:
            return None
        # The feed first sends goals, cards and penalties as pending (feed documentation, section 4.1): those have a severity.
        types = match.action_types
        may_be_pending = types is None or any(self.catalogue.find_type(one).severity for one in types)
        if may_be_pending and not mentions_key(fields["match"], "send_type"):
            self.rules_at_once.setdefault(name, location_of(node))
        for key, _ in mapping_items(fields["match"]):
            if key.value == "send_type":
                self._send_type_locations[name] = location_of(key)
        for key, value in mapping_items(fields["alert"]):
            if key.value == "kind" and alert.kind in SHIPPED_KINDS and alert.kind not in DEFAULT_KINDS:
                self._kinds_off_at_first.setdefault(alert.kind, location_of(value))
        return Rule(name, alert, match.conditions, match.action_types, match.send_types, continues, location_of(node))

    def _place_rule_words(self, node: yaml.Node) -> dict[str, str]:
        """Return the other words for the keys of a rule; of lines that belong under `match:` or `alert:`."""
        found = dict(RULE_WORDS)
        for key, value in mapping_items(node):
            parts = {"match": MATCH_KEYS, "alert": ALERT_KEYS}.get(key.value, ())
            if parts and is_null(value):
                self.report.ignore_location(location_of(value))
                cure = f"it stands in the same column as {key.value}: indent it, so that it is below {key.value}"
                found |= dict.fromkeys(parts, cure)
        for name, parts in (("alert", ALERT_KEYS), ("match", MATCH_KEYS)):
            found = {**dict.fromkeys(parts, f"it belongs under {name}"), **found}
        return found

    def _read_name(self, reader: Reader, rule: yaml.Node, node: yaml.Node | None) -> str | None:
        if node is None:
            reader.report_mistake(rule, "a rule needs a name")
            return None
        name = reader.read_string(node, "name")
        # Names are keys: deliveries remember which rule they are from, and a rule replaces one of a pack by its name.
        if name is not None and (taken := self._locations_by_name.setdefault(name, location_of(node))) != location_of(node):
            reader.report_mistake(node, f"there is already a rule of this name, at {taken}")
        return name

    def _read_alert(self, reader: Reader, rule: yaml.Node, node: yaml.Node | None) -> AlertSpec | None:
        if node is None:
            reader.report_mistake(rule, "a rule needs alert: what it sends")
            return None
        fields = reader.read_mapping(node, "alert", ALERT_KEYS, ALERT_PLACES)
        if fields is None:
            return None
        for key in ("kind", "text"):
            if key not in fields and not _is_meant(node, key):
                reader.report_mistake(node, f"an alert needs {key}")
        kind = _read_kind(reader, fields["kind"]) if "kind" in fields else None
        text = read_text(reader, fields["text"], self.texts) if "text" in fields else None
        importance: str | None = Importance.MAJOR
        if "importance" in fields:
            importance = reader.read_choice(fields["importance"], "importance", tuple(Importance))
        max_age = reader.read_parsed(fields["max_age"], "max_age", parse_duration) if "max_age" in fields else DEFAULT_MAX_AGE
        if kind is None or text is None or importance is None or max_age is None:
            return None
        return AlertSpec(kind, text.text, Importance(importance), max_age, text.by_language)


def _is_meant(node: yaml.Node, key: str) -> bool:
    """Return True if a mapping has a key in another form, which is reported already: `kind:goal`, or `message` for `text`."""
    other_words = {word for word, cure in ALERT_WORDS.items() if cure.endswith(f"is called {key}")}
    return any(re.match(rf"{key}\s*[:=]", one.value) or one.value.casefold() in other_words for one, _ in mapping_items(node))


def _read_kind(reader: Reader, node: yaml.Node) -> str | None:
    kind = reader.read_string(node, "kind")
    if kind is not None and not _KIND_PATTERN.fullmatch(kind):
        reader.report_mistake(node, f'the kind "{kind}" may hold only letters, digits and underscores, 32 at most')
        return None
    if kind in LIVE_MESSAGE_KINDS:
        # A chat that asks for match cards would get the rule's alerts too, and could not switch them off by themselves.
        reader.report_mistake(node, f'the kind "{kind}" is the bot\'s own: no rule can make it')
        return None
    # Kinds of one's own are allowed, so a misspelt one is valid. It is a warning: "red_cards" may be meant.
    if kind is not None and kind not in SHIPPED_KINDS and (near := suggest(kind, SHIPPED_KINDS, 0.75)):
        reader.report_warning(node, f'the kind "{kind}" is not a shipped one, did you mean "{near}"?')
    return kind
