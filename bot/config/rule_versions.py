"""Which rules are in effect: the files' or those an admin applied; history and roll back."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import structlog
import yaml
from sqlalchemy import delete, insert, select

from bot.clock import Clock
from bot.config.load import Config
from bot.storage.database import Database
from bot.storage.driver import RULES_CHANNEL
from bot.storage.schema import from_timestamp, rule_history, to_timestamp
from rules.engine.rule import RuleSet, SourceLocation, fingerprint
from rules.football.catalogue import Catalogue
from rules.loading.document import Report, compose
from rules.loading.loader import RulesInvalid, read_rules_document

log = structlog.get_logger()


class RulesOutdated(Exception):
    """The rules in effect are not those that the decision was made on."""


class ParsedRules(msgspec.Struct, frozen=True):
    """A file of rules that was read, and what looks wrong in it."""

    rules: RuleSet
    warnings: tuple[str, ...] = ()


class RuleOrigin(enum.StrEnum):
    """How rules came into effect."""

    SENT = "sent"
    ROLLED_BACK = "rolled back"
    FILES = "files"
    """The files' own rules changed, or those from Telegram could not be read any more."""


class RuleVersion(msgspec.Struct, frozen=True):
    """Rules that came into effect. `text` is their YAML, empty for those of the files; `base` the files' fingerprint then."""

    at: dt.datetime
    how: RuleOrigin
    name: str
    text: str = ""
    base: str = ""
    user_id: int | None = None
    user_name: str = ""
    id: int = 0


class ActiveRules(msgspec.Struct, frozen=True):
    """The rules in effect. `ruling` is None while nothing but the files ever ruled."""

    rules: RuleSet
    fingerprint: str
    since: dt.datetime
    ruling: RuleVersion | None = None

    @property
    def from_files(self) -> bool:
        """Tell whether they are those of the files."""
        return self.ruling is None or not self.ruling.text


class RuleVersions:
    """Decides which rules are in effect, remembers it, and hands them to `use`."""

    def __init__(
        self, history: RuleVersionRepository, clock: Clock, config: Config, use: Callable[[RuleSet, Catalogue], None]
    ) -> None:
        """`use` is called with the rules and names of every change; `take` has to be called once before anything else."""
        self.history = history
        self._clock, self._use = clock, use
        self._config = config
        self._turn = asyncio.Lock()
        self.standing = ActiveRules(config.rules, fingerprint(config.rules), clock.now())

    @property
    def config(self) -> Config:
        """The configuration that was taken last."""
        return self._config

    def rules_of(self, text: str, name: str) -> RuleSet:
        """The rules of a ruling's text; raise RulesInvalid. An empty one stands for the files."""
        return parse_sent_rules(text, name, self._config.catalogue).rules if text else self._config.rules

    async def take(self, config: Config) -> str:
        """A configuration was read, at the start or anew; a sentence for the admins where it ended rules from Telegram."""
        async with self._turn:
            last = next(iter(await self.history.recent(1)), None)
            why = self._ended(last, config) if last and last.text else ""
            if last and why:
                now = self._clock.now()
                last = await self.history.add(
                    RuleVersion(now, RuleOrigin.FILES, config.path.name, base=fingerprint(config.rules))
                )
            self._config = config
            self._stand(last)
        return why

    def _ended(self, last: RuleVersion, config: Config) -> str:
        """Why rules from Telegram hold no longer; empty where they do."""
        if last.base != fingerprint(config.rules):
            return f"The rules of {config.path.name} have changed: they are in effect, {last.name} from Telegram is not any more."
        try:
            parse_sent_rules(last.text, last.name, config.catalogue)
        except RulesInvalid as error:
            return f"{last.name} from Telegram cannot be read any more, the rules of {config.path.name} are in effect: {error}"
        return ""

    async def apply(self, text: str, name: str, how: RuleOrigin, seen: str, user: tuple[int, str]) -> RuleVersion:
        """Put rules into effect, an empty text the files'; raise Outdated where others than those `seen` are, or RulesInvalid."""
        async with self._turn:
            if seen != self.standing.fingerprint:
                raise RulesOutdated
            self.rules_of(text, name)
            base = fingerprint(self._config.rules)
            ruling = await self.history.add(RuleVersion(self._clock.now(), how, name, text, base, *user))
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

    def _stand(self, ruling: RuleVersion | None) -> None:
        rules = self.rules_of(ruling.text, ruling.name) if ruling else self._config.rules
        mark, since = fingerprint(rules), self.standing.since
        if ruling and ruling.text:
            since = ruling.at
        elif mark != self.standing.fingerprint:
            since = self._clock.now()
        self.standing = ActiveRules(rules, mark, since, ruling)
        self._use(rules, self._config.catalogue)


def parse_sent_rules(text: str, name: str, catalogue: Catalogue) -> ParsedRules:
    """Read a file of rules that came from Telegram: variables stay as written, nothing is included; raise RulesInvalid."""
    report = Report()
    root = compose(text, name, report)
    rules = read_rules_document(root, report, catalogue, _refuse_include) if root is not None else RuleSet()
    if not report.mistakes and not rules.rules:
        report.add_mistake(SourceLocation(name, 1, 1), "there are no rules in this file")
    if report.mistakes:
        raise RulesInvalid(report.mistakes)
    return ParsedRules(rules, report.warnings)


def _refuse_include(pattern: str) -> Sequence[yaml.Node]:
    raise ValueError(f'"{pattern}": a file from Telegram cannot include others')


MAX_RULE_VERSIONS = 50
"""Rulings that are remembered."""


class RuleVersionRepository:
    """The repository of rulings."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, ruling: RuleVersion) -> RuleVersion:
        """Store a ruling; the same with its id. The oldest are forgotten."""
        row = msgspec.structs.asdict(ruling) | {"at": to_timestamp(ruling.at), "how": ruling.how.value}
        del row["id"]
        async with self._db.transaction() as tx:
            await tx.execute(insert(rule_history), row)
            newest = (await tx.fetch(_select_newest_first().limit(1)))[0]
            await tx.execute(delete(rule_history).where(rule_history.c.id <= newest["id"] - MAX_RULE_VERSIONS))
            await tx.notify(RULES_CHANNEL)
        return _row_to_version(newest)

    async def recent(self, limit: int = MAX_RULE_VERSIONS) -> tuple[RuleVersion, ...]:
        """The last rulings, the one that holds first."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(_select_newest_first().limit(limit))
        return tuple(map(_row_to_version, rows))

    async def get(self, ruling_id: int) -> RuleVersion | None:
        """One ruling; None where it is forgotten."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(rule_history).where(rule_history.c.id == ruling_id))
        return _row_to_version(rows[0]) if rows else None


def _select_newest_first() -> Any:
    return select(rule_history).order_by(rule_history.c.id.desc())


def _row_to_version(row: Mapping[Any, Any]) -> RuleVersion:
    return RuleVersion(
        from_timestamp(row["at"]),
        RuleOrigin(row["how"]),
        row["name"],
        row["text"],
        row["base"],
        row["user_id"],
        row["user_name"],
        row["id"],
    )
