"""How two sets of rules differ in what they send, and the fingerprint by which equal sets are recognised."""

from __future__ import annotations

import hashlib

import msgspec

from rules.engine.rule import Rule, RuleSet


class RulesDiff(msgspec.Struct, frozen=True):
    """The difference between two sets of rules: names of rules, in the order of their files."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """By name, the parts of the rule that differ: `match`, `kind`, `importance`, `max_age`, `text`, `continue`."""
    reordered: bool = False
    """True if the rules that both sets have are in another order."""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.reordered)


def compare_rules(before: RuleSet, after: RuleSet) -> RulesDiff:
    """Find every difference that can change what is sent."""
    # By name, the key of a rule: one that is renamed is removed and added, as it is for the messages that it sent.
    stay = [rule.name for rule in after.rules if rule.name in before.by_name]
    parts: list[tuple[str, tuple[str, ...]]] = []
    for name in stay:
        old, new = _describe_rule(before.by_name[name]), _describe_rule(after.by_name[name])
        parts.append((name, tuple(key for key in old if old[key] != new[key])))
    return RulesDiff(
        added=tuple(rule.name for rule in after.rules if rule.name not in before.by_name),
        removed=tuple(rule.name for rule in before.rules if rule.name not in after.by_name),
        changed=tuple((name, differing) for name, differing in parts if differing),
        reordered=[rule.name for rule in before.rules if rule.name in after.by_name] != stay,
    )


def fingerprint(rules: RuleSet) -> str:
    """Return a hash that is the same for two sets that send the same, wherever and however they are written."""
    described = [(rule.name, *(f"{key}={value}" for key, value in _describe_rule(rule).items())) for rule in rules.rules]
    return hashlib.sha256(msgspec.json.encode(described)).hexdigest()


def _describe_rule(rule: Rule) -> dict[str, str]:
    """Return each part of a rule as text, by its key in YAML.

    Fingerprints of these texts are stored with each version of the rules: a changed form would look like a change of all
    rules.
    """
    # Sorted: the order of conditions changes nothing, and a new order in the file is no change of the rule.
    conditions = sorted(f"{condition.key}: {condition.expected}" for condition in rule.conditions)
    send_types = sorted(send_type.value for send_type in rule.send_types)
    return {
        "match": f"{conditions} {send_types}",
        "kind": rule.alert.kind,
        "importance": rule.alert.importance.value,
        "max_age": str(rule.alert.max_age),
        "text": "\0".join([rule.alert.text.source, *(f"{code}: {text.source}" for code, text in rule.alert.texts.items())]),
        "continue": str(rule.continues),
    }
