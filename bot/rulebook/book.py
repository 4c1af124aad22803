"""Which rules are in effect: those of the files, or those that an admin applied in their place.

Whoever spoke last is heard: rules from Telegram hold, also after a restart, until they are rolled
back or the files' own rules change.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence

import msgspec
import structlog
import yaml

from bot.clock import Clock
from bot.config import Config
from bot.store.history import History, How, Ruling
from rules.catalogue import Catalogue
from rules.compare import fingerprint
from rules.document import Report, compose
from rules.load import RulesInvalid, read_document
from rules.rule import Place, RuleSet

log = structlog.get_logger()


class Outdated(Exception):
    """The rules in effect are not those that the decision was made on."""


class Sent(msgspec.Struct, frozen=True):
    """A file of rules that was read, and what looks wrong in it."""

    rules: RuleSet
    warnings: tuple[str, ...] = ()


class Standing(msgspec.Struct, frozen=True):
    """The rules in effect. `ruling` is None while nothing but the files ever ruled."""

    rules: RuleSet
    fingerprint: str
    since: dt.datetime
    ruling: Ruling | None = None

    @property
    def from_files(self) -> bool:
        """Tell whether they are those of the files."""
        return self.ruling is None or not self.ruling.text


class Rulebook:
    """Decides which rules are in effect, remembers it, and hands them to `use`."""

    def __init__(self, history: History, clock: Clock, config: Config, use: Callable[[RuleSet, Catalogue], None]) -> None:
        """`use` is called with the rules and names of every change; `take` has to be called once before anything else."""
        self.history = history
        self._clock, self._use = clock, use
        self._config = config
        self._turn = asyncio.Lock()
        self.standing = Standing(config.rules, fingerprint(config.rules), clock.now())

    @property
    def config(self) -> Config:
        """The configuration that was taken last."""
        return self._config

    def rules_of(self, text: str, name: str) -> RuleSet:
        """The rules of a ruling's text; raise RulesInvalid. An empty one stands for the files."""
        return read_sent(text, name, self._config.catalogue).rules if text else self._config.rules

    async def take(self, config: Config) -> str:
        """A configuration was read, at the start or anew; a sentence for the admins where it ended rules from Telegram."""
        async with self._turn:
            last = next(iter(await self.history.recent(1)), None)
            why = self._ended(last, config) if last and last.text else ""
            if last and why:
                now = self._clock.now()
                last = await self.history.add(Ruling(now, How.FILES, config.path.name, base=fingerprint(config.rules)))
            self._config = config
            self._stand(last)
        return why

    def _ended(self, last: Ruling, config: Config) -> str:
        """Why rules from Telegram hold no longer; empty where they do."""
        if last.base != fingerprint(config.rules):
            return f"The rules of {config.path.name} have changed: they are in effect, {last.name} from Telegram is not any more."
        try:
            read_sent(last.text, last.name, config.catalogue)
        except RulesInvalid as error:
            return f"{last.name} from Telegram cannot be read any more, the rules of {config.path.name} are in effect: {error}"
        return ""

    async def apply(self, text: str, name: str, how: How, seen: str, user: tuple[int, str]) -> Ruling:
        """Put rules into effect, an empty text the files'; raise Outdated where others than those `seen` are, or RulesInvalid."""
        async with self._turn:
            if seen != self.standing.fingerprint:
                raise Outdated
            self.rules_of(text, name)
            base = fingerprint(self._config.rules)
            ruling = await self.history.add(Ruling(self._clock.now(), how, name, text, base, *user))
            self._stand(ruling)
        log.info("rules_applied", how=how.value, name=name, user=user[0], rules=len(self.standing.rules.rules))
        return ruling

    async def look(self) -> None:
        """Another process may have put rules into effect: they are ours, too."""
        async with self._turn:
            last = next(iter(await self.history.recent(1)), None)
            if last is None or (self.standing.ruling and self.standing.ruling.id == last.id):
                return
            try:
                self._stand(last)
            except RulesInvalid as error:  # this process has older files, or another catalogue
                log.error("rules_not_taken_over", name=last.name, reason=str(error))
                return
        log.info("rules_taken_over", how=last.how.value, name=last.name, rules=len(self.standing.rules.rules))

    def _stand(self, ruling: Ruling | None) -> None:
        rules = self.rules_of(ruling.text, ruling.name) if ruling else self._config.rules
        mark, since = fingerprint(rules), self.standing.since
        if ruling and ruling.text:
            since = ruling.at
        elif mark != self.standing.fingerprint:
            since = self._clock.now()
        self.standing = Standing(rules, mark, since, ruling)
        self._use(rules, self._config.catalogue)


def read_sent(text: str, name: str, names: Catalogue) -> Sent:
    """Read a file of rules that came from Telegram: variables stay as written, nothing is included; raise RulesInvalid."""
    report = Report()
    root = compose(text, name, report)
    rules = read_document(root, report, names, _not_from_here) if root is not None else RuleSet()
    if not report.mistakes and not rules.rules:
        report.mistake(Place(name, 1, 1), "there are no rules in this file")
    if report.mistakes:
        raise RulesInvalid(report.mistakes)
    return Sent(rules, report.warnings)


def _not_from_here(pattern: str) -> Sequence[yaml.Node]:
    raise ValueError(f'"{pattern}": a file from Telegram cannot include others')
