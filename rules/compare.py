"""How two sets of rules differ: which are new, which are gone, which say or ask something else."""

from __future__ import annotations

import hashlib

import msgspec

from rules.rule import Condition, Rule, RuleSet


class RulesDiff(msgspec.Struct, frozen=True):
    """Names of rules, in the order of their files. `reordered`: those that stay are asked in another order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """By name, what of the rule is another: `match`, `kind`, `importance`, `max_age`, `text`, `continue`."""
    reordered: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.reordered)


def compare_rules(before: RuleSet, after: RuleSet) -> RulesDiff:
    """Find every difference that can matter to what is told."""
    stay = [rule.name for rule in after.rules if rule.name in before.by_name]
    parts = [(name, _differing(before.by_name[name], after.by_name[name])) for name in stay]
    return RulesDiff(
        added=tuple(rule.name for rule in after.rules if rule.name not in before.by_name),
        removed=tuple(rule.name for rule in before.rules if rule.name not in after.by_name),
        changed=tuple((name, differing) for name, differing in parts if differing),
        reordered=[rule.name for rule in before.rules if rule.name in after.by_name] != stay,
    )


def fingerprint(rules: RuleSet) -> str:
    """The same for two sets that ask and tell the same, wherever and however they are written."""
    said = [(rule.name, *(f"{key}={value}" for key, value in _parts(rule).items())) for rule in rules.rules]
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def _differing(before: Rule, after: Rule) -> tuple[str, ...]:
    ours, theirs = _parts(before), _parts(after)
    return tuple(key for key in ours if ours[key] != theirs[key])


def _parts(rule: Rule) -> dict[str, str]:
    """What a rule says, by the words of the language."""
    asked = sorted(map(_written, rule.conditions))
    sends = sorted(send.value for send in rule.send_types)
    return {
        "match": f"{asked} {sends}",
        "kind": rule.alert.kind,
        "importance": rule.alert.importance.value,
        "max_age": str(rule.alert.max_age),
        "text": "\0".join([rule.alert.text.source, *(f"{code}: {text.source}" for code, text in rule.alert.texts.items())]),
        "continue": str(rule.go_on),
    }


def _written(condition: Condition) -> str:
    return f"{condition.key}: {condition.wanted}"
