"""Keeps the rules in effect, those of the files or those that an admin applied in Telegram, and their history.

The most recent change wins, whether it came from the file or from an admin.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import structlog
from sqlalchemy import delete, insert, select

from bot.clock import Clock
from bot.config.load import Config
from bot.config.sent_rules import parse_sent_rules
from bot.errors import TouchlineError
from bot.storage.damage import read_rows
from bot.storage.database import Database
from bot.storage.driver import RULES_CHANNEL
from bot.storage.schema import from_timestamp, rule_history, to_timestamp
from rules.engine.rule import RuleSet
from rules.engine.rule_diff import fingerprint
from rules.football.catalogue import Catalogue
from rules.loading.loader import RulesInvalid

log = structlog.get_logger()


class RulesOutdated(TouchlineError):
    """The rules in effect changed after the admin saw them: another admin was faster, or the files changed."""


class RuleOrigin(enum.StrEnum):
    """How rules came into effect."""

    SENT = "sent"
    ROLLED_BACK = "rolled back"
    FILES = "files"
    """The files' own rules changed, or those from Telegram could not be read any more."""


class RuleVersion(msgspec.Struct, frozen=True):
    """Rules that came into effect. `text` is their YAML, empty for those of the files.

    `base_fingerprint` is that of the files' rules at that time: when it differs, the files were edited later and win.
    """

    at: dt.datetime
    origin: RuleOrigin
    name: str
    text: str = ""
    base_fingerprint: str = ""
    user_id: int | None = None
    user_name: str = ""
    id: int = 0


class ActiveRules(msgspec.Struct, frozen=True):
    """The rules in effect. `version` is None if no rules were ever applied from Telegram."""

    rules: RuleSet
    fingerprint: str
    since: dt.datetime
    version: RuleVersion | None = None

    @property
    def from_files(self) -> bool:
        """True if they are those of the files."""
        return self.version is None or not self.version.text


class RuleVersions:
    """Decides which rules are in effect, stores every change, and passes the rules to `on_change`."""

    def __init__(
        self, repository: RuleVersionRepository, clock: Clock, config: Config, on_change: Callable[[RuleSet, Catalogue], None]
    ) -> None:
        """`on_change` gets the rules and the catalogue at each change. Call `load` once before any other method."""
        self.repository = repository
        self._clock, self._on_change = clock, on_change
        self._config = config
        self._lock = asyncio.Lock()
        self.active = ActiveRules(config.rules, fingerprint(config.rules), clock.now())

    @property
    def config(self) -> Config:
        """The configuration that was loaded last."""
        return self._config

    def rules_of(self, text: str, name: str) -> RuleSet:
        """Return the rules of a version's text, those of the files if it is empty; raise RulesInvalid."""
        return parse_sent_rules(text, name, self._config.catalogue).rules if text else self._config.rules

    async def load(self, config: Config) -> str:
        """Use a new configuration. Return a sentence for the admins if its rules replace those from Telegram, else ""."""
        async with self._lock:
            last = next(iter(await self.repository.recent(1)), None)
            why = _explain_end(last, config) if last and last.text else ""
            if last and why:
                # Stored as a version of its own: the history shows it, and the other processes learn of it.
                now = self._clock.now()
                last = await self.repository.add(
                    RuleVersion(now, RuleOrigin.FILES, config.path.name, base_fingerprint=fingerprint(config.rules))
                )
            self._config = config
            self._activate(last)
        return why

    async def apply(self, text: str, name: str, origin: RuleOrigin, base_fingerprint: str, user: tuple[int, str]) -> RuleVersion:
        """Put rules into effect; an empty text means those of the files. `user` is the admin's id and name.

        `base_fingerprint` is that of the rules the admin saw: raise RulesOutdated if others are in effect now, or RulesInvalid.
        """
        async with self._lock:
            # Compared with what is in effect here. Within the lock, or two admins who press at once would both be first.
            if base_fingerprint != self.active.fingerprint:
                raise RulesOutdated
            self.rules_of(text, name)  # raises RulesInvalid before anything is stored
            base = fingerprint(self._config.rules)
            version = await self.repository.add(RuleVersion(self._clock.now(), origin, name, text, base, *user))
            self._activate(version)
        log.info("rules_applied", origin=origin.value, name=name, user=user[0], rules=len(self.active.rules.rules))
        return version

    async def find_previous(self, version_id: int) -> RuleVersion:
        """Return what was in effect before a version, to roll back to. Raise RulesOutdated if that version is not the latest."""
        versions = await self.repository.recent(2)
        if not versions or versions[0].id != version_id:
            # Something else has come into effect since: rolling back would undo that instead.
            raise RulesOutdated
        if len(versions) > 1:
            return versions[1]
        # Before the first version there were the rules of the files, which an empty text stands for.
        return RuleVersion(versions[0].at, RuleOrigin.FILES, self._config.path.name)

    async def load_latest(self) -> None:
        """Use the rules that another process put into effect."""
        async with self._lock:
            last = next(iter(await self.repository.recent(1)), None)
            # The notification also comes back to the process that sent it.
            if last is None or (self.active.version and self.active.version.id == last.id):
                return
            try:
                self._activate(last)
            except RulesInvalid as error:
                # This process has older files or another catalogue than the one that applied them: its own rules stay.
                log.error("rules_from_another_process_refused", name=last.name, reason=str(error))
                return
        log.info("rules_changed_by_another_process", origin=last.origin.value, name=last.name, rules=len(self.active.rules.rules))

    def _activate(self, version: RuleVersion | None) -> None:
        """Use the rules of a version, or those of the files if it has none. Raises RulesInvalid."""
        rules = self.rules_of(version.text, version.name) if version else self._config.rules
        new_fingerprint, since = fingerprint(rules), self.active.since
        if version and version.text:
            since = version.at
        elif new_fingerprint != self.active.fingerprint:
            # Rules of the files have no time of their own, and a reload that changes nothing in them restarts no clock.
            since = self._clock.now()
        self.active = ActiveRules(rules, new_fingerprint, since, version)
        self._on_change(rules, self._config.catalogue)


def _explain_end(last: RuleVersion, config: Config) -> str:
    """Return why rules from Telegram are no longer in effect, as a sentence for the admins; empty if they still are."""
    if last.base_fingerprint != fingerprint(config.rules):
        return f"The rules of {config.path.name} have changed: they are in effect, {last.name} from Telegram is not any more."
    try:
        parse_sent_rules(last.text, last.name, config.catalogue)
    except RulesInvalid as error:
        return f"{last.name} from Telegram cannot be read any more, the rules of {config.path.name} are in effect: {error}"
    return ""


MAX_RULE_VERSIONS = 50
"""How many versions are kept; older ones are deleted."""


class RuleVersionRepository:
    """Stores the versions of the rules."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, version: RuleVersion) -> RuleVersion:
        """Store a version and return it with its id; delete the oldest beyond MAX_RULE_VERSIONS."""
        row = {  # the columns keep the names of version 0.1
            "at": to_timestamp(version.at),
            "how": version.origin.value,
            "name": version.name,
            "text": version.text,
            "base": version.base_fingerprint,
            "user_id": version.user_id,
            "user_name": version.user_name,
        }
        async with self._db.transaction() as tx:
            await tx.execute(insert(rule_history), row)
            newest = (await tx.fetch(_select_newest_first().limit(1)))[0]
            # Ids rise one by one, so the count needs no query of its own.
            await tx.execute(delete(rule_history).where(rule_history.c.id <= newest["id"] - MAX_RULE_VERSIONS))
            # In the transaction: PostgreSQL delivers it at the commit, so nobody looks before the row is there.
            await tx.notify(RULES_CHANNEL)
        return _row_to_version(newest)

    async def recent(self, limit: int = MAX_RULE_VERSIONS) -> tuple[RuleVersion, ...]:
        """Return the last versions, the one in effect first."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(_select_newest_first().limit(limit))
            return tuple(read_rows(tx, rule_history, rows, _row_to_version))

    async def get(self, version_id: int) -> RuleVersion | None:
        """Return a version; None if it was deleted."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(rule_history).where(rule_history.c.id == version_id))
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
