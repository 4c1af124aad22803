"""YAML text -> RuleSet, or every mistake at once, each at its place."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files

import yaml

from rules.alert import EXTRAS, KINDS, Importance
from rules.asking import Asked, read_match
from rules.catalogue import Catalogue
from rules.catalogue import shipped as shipped_names
from rules.document import Report, compose, duration, flag, nearest, pairs, place_of, unknown
from rules.reader import Reader
from rules.rule import AlertSpec, Place, Rule, RuleSet
from rules.shadows import shadows
from rules.texts import Texts, read_text, read_texts

FILE_KEYS = ("rules", "texts", "include", "extends")
"""What a file of rules may hold; in a configuration these stand beside the other sections."""

RULE_KEYS = ("name", "match", "alert", "continue")
ALERT_KEYS = ("kind", "importance", "max_age", "text")

Include = Callable[[str], Sequence[yaml.Node]]
"""The documents that a pattern such as `rules.d/*.yaml` names; raises ValueError with a sentence."""

MAX_AGE = dt.timedelta(minutes=5)
"""What an alert has that names none."""

_KIND = re.compile(r"[A-Za-z0-9_]{1,32}")


class RulesInvalid(ValueError):
    """Rules with mistakes; each is one line `file:line:column: rule "name": sentence`."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


def load_rules(text: str, file: str = "rules.yaml", names: Catalogue | None = None) -> RuleSet:
    """Read a list of rules, or a mapping with `rules:` and `texts:`; raise `RulesInvalid` with every mistake."""
    report = Report()
    root = compose(text, file, report)
    rules = read_document(root, report, names or shipped_names(), _no_files) if root is not None else RuleSet()
    if report.mistakes:
        raise RulesInvalid(report.mistakes)
    return rules


def _no_files(pattern: str) -> Sequence[yaml.Node]:
    raise ValueError(f'"{pattern}" cannot be included here')


@cache
def pack(name: str = "default") -> RuleSet:
    """The rules of a pack that ships; raise `KeyError` where there is none of this name."""
    return load_rules(_pack_text(name), f"{name}.yaml")


def packs() -> tuple[str, ...]:
    """The names of the packs that ship."""
    names = (file.name for file in files("rules").joinpath("packs").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def _pack_text(name: str) -> str:
    if name not in packs():
        raise KeyError(name)
    return files("rules").joinpath("packs", f"{name}.yaml").read_text(encoding="utf-8")


def read_document(root: yaml.Node, report: Report, names: Catalogue, include: Include) -> RuleSet:
    """The rules of a whole document; what is wrong is reported and left out."""
    reader = Reader(report)
    if isinstance(root, yaml.SequenceNode):
        return read_rules({"rules": root}, report, names, include)
    fields = reader.fields(root, "a file of rules", FILE_KEYS)
    return read_rules(fields or {}, report, names, include)


def read_rules(fields: Mapping[str, yaml.Node], report: Report, names: Catalogue, include: Include) -> RuleSet:
    """The rules of `rules:`, then those of `include:` in the order of the file names, then those of `extends:`."""
    loading = _Loading(report, names)
    documents = [fields, *loading.included(fields.get("include"), include)]
    for document in documents:
        if "texts" in document:
            read_texts(loading.reader, document["texts"], loading.texts)
    for document in documents:
        loading.add(document.get("rules"))
    own = loading.rules
    for rule, by in shadows(own):
        report.warn(rule.place, f'it never fires: the rule "{by.name}" in line {by.place.line} always fires before it', rule.name)
    overridden = {rule.name for rule in own}
    return RuleSet([*own, *(rule for rule in loading.extended(fields.get("extends")) if rule.name not in overridden)])


class _Loading:
    """Reads rule after rule and remembers the names that are taken."""

    def __init__(self, report: Report, names: Catalogue) -> None:
        self.report, self.names, self.reader = report, names, Reader(report)
        self.texts: Texts = {}
        self.rules: list[Rule] = []
        self._named: dict[str, Place] = {}

    def included(self, node: yaml.Node | None, include: Include) -> list[dict[str, yaml.Node]]:
        """The documents of every pattern under `include:`."""
        patterns = self.reader.texts(node, "include") if node is not None else None
        documents: list[dict[str, yaml.Node]] = []
        for pattern, at in patterns or ():
            try:
                documents += [fields for root in include(pattern) if (fields := self._document(root)) is not None]
            except ValueError as error:
                self.reader.mistake(at, f"include: {error}")
        return documents

    def _document(self, root: yaml.Node) -> dict[str, yaml.Node] | None:
        if isinstance(root, yaml.SequenceNode):
            return {"rules": root}
        return self.reader.fields(root, "an included file", ("rules", "texts"))

    def extended(self, node: yaml.Node | None) -> list[Rule]:
        """The rules of every pack under `extends:`; of two of one name the first counts."""
        chosen = self.reader.texts(node, "extends") if node is not None else None
        for name, at in chosen or ():
            if name not in packs():
                self.reader.mistake(at, unknown("pack", name, packs()))
        rules = [rule for name, _ in chosen or () if name in packs() for rule in pack(name).rules]
        first: dict[str, Rule] = {}
        for rule in rules:
            first.setdefault(rule.name, rule)
        return list(first.values())

    def add(self, node: yaml.Node | None) -> None:
        """Read a list of rules."""
        for item in (self.reader.items(node, "rules") if node is not None else None) or ():
            if rule := self._rule(item):
                self.rules.append(rule)

    def _rule(self, node: yaml.Node) -> Rule | None:
        reader = Reader(self.report, _name_of(node))
        fields = reader.fields(node, "a rule", RULE_KEYS)
        if fields is None:
            return None
        name = self._name(reader, node, fields.get("name"))
        asked = self._match(reader, node, fields.get("match"))
        alert = self._alert(reader, node, fields.get("alert"))
        go_on = reader.parsed(fields["continue"], "continue", flag) if "continue" in fields else False
        if name is None or asked is None or alert is None or go_on is None:
            return None
        return Rule(name, alert, asked.conditions, asked.action_types, asked.send_types, go_on, place_of(node))

    def _name(self, reader: Reader, rule: yaml.Node, node: yaml.Node | None) -> str | None:
        if node is None:
            reader.mistake(rule, "a rule needs a name")
            return None
        name = reader.text(node, "name")
        if name is not None and (taken := self._named.setdefault(name, place_of(node))) != place_of(node):
            reader.mistake(node, f"there is already a rule of this name, at {taken}")
        return name

    def _match(self, reader: Reader, rule: yaml.Node, node: yaml.Node | None) -> Asked | None:
        if node is None:
            reader.mistake(rule, "a rule needs match: what has to be so")
            return None
        return read_match(reader, node, self.names)

    def _alert(self, reader: Reader, rule: yaml.Node, node: yaml.Node | None) -> AlertSpec | None:
        if node is None:
            reader.mistake(rule, "a rule needs alert: what is told")
            return None
        fields = reader.fields(node, "alert", ALERT_KEYS)
        if fields is None:
            return None
        for key in ("kind", "text"):
            if key not in fields:
                reader.mistake(node, f"an alert needs {key}")
        kind = _kind(reader, fields["kind"]) if "kind" in fields else None
        text = read_text(reader, fields["text"], self.texts) if "text" in fields else None
        importance = reader.choice(fields["importance"], "importance", tuple(Importance)) if "importance" in fields else "major"
        max_age = reader.parsed(fields["max_age"], "max_age", duration) if "max_age" in fields else MAX_AGE
        if kind is None or text is None or importance is None or max_age is None:
            return None
        return AlertSpec(kind, text.text, Importance(importance), max_age, text.others)


def _name_of(node: yaml.Node) -> str:
    """The name for sentences, where one can be read."""
    return next((v.value for k, v in pairs(node) if k.value == "name" and isinstance(v, yaml.ScalarNode)), "")


def _kind(reader: Reader, node: yaml.Node) -> str | None:
    kind = reader.text(node, "kind")
    if kind is not None and not _KIND.fullmatch(kind):
        reader.mistake(node, f'the kind "{kind}" may hold only letters, digits and underscores, 32 at most')
        return None
    if kind in EXTRAS:
        reader.mistake(node, f'the kind "{kind}" is the bot\'s own: no rule can make it')
        return None
    if kind is not None and kind not in KINDS and (near := nearest(kind, KINDS, 0.75)):
        reader.warn(node, f'the kind "{kind}" is not a shipped one, did you mean "{near}"?')
    return kind
