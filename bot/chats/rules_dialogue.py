"""The screens of /rules, with their buttons. Pure.

Button data: `r:p:PAGE` the rules, `r:h` the history, `r:g:ID` look at going back to a ruling, `r:a:TOKEN` apply what was shown,
`r:x:TOKEN` leave it, `r:u:ID` roll the ruling back that is in effect.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from bot.chats import rules_words as words
from bot.chats.keyboards import button, page_of, rows, turner
from bot.chats.reply import Button, Reply, Row
from bot.rulebook.book import Standing
from bot.rulebook.tried import Tried
from bot.store.history import How, Ruling
from rules.compare import RulesDiff

PER_PAGE = 25
SHOWN = 8
"""Rulings that the history offers."""
PROPOSALS = 20
"""Proposals that wait for their button; the oldest is forgotten."""


class Proposal(msgspec.Struct, frozen=True):
    """Rules that an admin may apply, and the rules that they were held against. An empty text stands for the files' rules."""

    text: str
    name: str
    how: How
    seen: str

    @property
    def token(self) -> str:
        """The same for the same proposal only."""
        return hashlib.blake2b(msgspec.json.encode(self), digest_size=9).hexdigest()


class Proposals:
    """What was shown and not yet decided."""

    def __init__(self) -> None:
        self._open: dict[str, Proposal] = {}

    def add(self, proposal: Proposal) -> None:
        """Keep one."""
        self._open[proposal.token] = proposal
        while len(self._open) > PROPOSALS:
            del self._open[next(iter(self._open))]

    def take(self, token: str) -> Proposal | None:
        """The proposal, once; None where there is none of this token."""
        return self._open.pop(token, None)


def overview(standing: Standing, config_name: str, page: int = 0) -> Reply:
    """The rules in effect."""
    rules = standing.rules.rules
    page, shown = page_of(rules, page, PER_PAGE)
    turn = turner(len(rules), page, "r:p", PER_PAGE)
    undo = () if standing.from_files else _undo(standing.ruling)
    return Reply(words.overview(standing, config_name, shown), (*turn, (*undo, Button(words.history(), "r:h"))))


def proposed(proposal: Proposal, difference: RulesDiff, tried: Tried) -> Reply:
    """What a file would change, to be applied or left."""
    html = words.proposal(proposal.name, difference, tried)
    if not difference:
        return Reply(html)
    return Reply(html, ((Button(words.apply(), f"r:a:{proposal.token}"), Button(words.drop(), f"r:x:{proposal.token}")),))


def applied(ruling: Ruling, rules: int) -> Reply:
    """It is done, and can be undone."""
    return Reply(words.applied(ruling, rules), (_undo(ruling),))


def history(rulings: Sequence[Ruling]) -> Reply:
    """What was in effect, the last first; each but the one in effect can be gone back to."""
    back = (Button(words.back(), "r:p:0"),)
    if not rulings:
        return Reply(words.no_history(), (back,))
    lines = [f"{'✅' if at == 0 else '•'} {words.ruling_line(ruling)}" for at, ruling in enumerate(rulings)]
    offered = [button(f"↩ {ruling.name}, {words.when(ruling.at)}", f"r:g:{ruling.id}") for ruling in rulings[1 : SHOWN + 1]]
    return Reply(words.fit(lines), (*rows(offered), back))


def _undo(ruling: Ruling | None) -> Row:
    return (Button(words.roll_back(), f"r:u:{ruling.id}"),) if ruling else ()
