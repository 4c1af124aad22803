"""What a rule's conditions compared: what each wanted and what the moment showed in its place. Pure."""

from __future__ import annotations

from rules.alert import Compared
from rules.match import Moment
from rules.rule import Condition, Rule

_LONGEST = 160
"""Letters of either side that are kept: a rule may name a whole squad."""


def compared(rule: Rule, moment: Moment) -> tuple[Compared, ...]:
    """Each condition of a rule that was asked of a moment; none where it asks for nothing."""
    return tuple(_compared(condition, moment) for condition in rule.conditions)


def _compared(condition: Condition, moment: Moment) -> Compared:
    return Compared(condition.key, _cut(condition.wanted), _cut(condition.seen(moment)), condition.holds(moment))


def _cut(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1].rstrip()}…"
