"""When an incident opens, is notified and resolves (pure); shared through the database."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Mapping

import msgspec
import structlog
from sqlalchemy import delete, select

from bot.errors import StorageError
from bot.storage.database import Database, upsert
from bot.storage.schema import troubles

# Once a day: an incident that lasts longer is known, but must not be forgotten.
REMIND_AFTER = dt.timedelta(days=1)
"""An open incident is notified again after so long."""

FORGET_RESOLVED_AFTER = dt.timedelta(days=1)
"""A resolved incident is kept for so long: if it opens again in this time, it counts as the same one."""

MAX_RESOLVE_DELAY = dt.timedelta(hours=6)
"""The longest time that a condition must be away before its incident is resolved, however often it reopened."""

# A condition that comes and goes every minute is reported at 1, 4, 16 … minutes and not each time.
_RESOLVE_DELAY_FACTOR = 4


class IncidentPolicy(msgspec.Struct, frozen=True):
    """For how many seconds a condition must hold before admins are notified, and be away before its incident is resolved.

    `is_manual`: people cause it by an edit, so a changed detail is notified too. `is_unreachable`: Telegram cannot be
    reached while it lasts, so only its end is notified. `can_grow`: a detail that names more than the one before is notified too.
    """

    notify_after: float = 0.0
    resolve_after: float = 60.0
    is_manual: bool = False
    is_unreachable: bool = False
    can_grow: bool = False


INCIDENT_POLICIES = {
    # At once: the feed itself says that it does not let us in, and every minute costs alerts.
    "feed-refused": IncidentPolicy(),
    "feed-down": IncidentPolicy(resolve_after=30.0),
    # Refreshes fail now and then; matches that are known go on all the same.
    "fixtures-old": IncidentPolicy(notify_after=60.0),
    "fixtures-cut": IncidentPolicy(),
    "telegram-refused": IncidentPolicy(notify_after=10.0, is_unreachable=True),
    # While it lasts no message can leave, and nobody needs one afterwards about a minute without Telegram.
    "telegram-away": IncidentPolicy(notify_after=300.0, is_unreachable=True),
    "second-process": IncidentPolicy(resolve_after=180.0),
    "webhook-set": IncidentPolicy(),
    # The rule may not fire again for an hour, so its silence does not prove that its text is right.
    "texts-refused": IncidentPolicy(resolve_after=3600.0),
    "messages-refused": IncidentPolicy(resolve_after=3600.0),
    # Chats that are held are tried again after 15 minutes at most.
    "chats-refused": IncidentPolicy(resolve_after=1200.0),
    # It holds until the day is over or the budget is raised.
    "paid-messages-spent": IncidentPolicy(),
    # Payment is tried again with the first message after ten minutes, and nothing may be due for hours.
    "payment-refused": IncidentPolicy(resolve_after=3600.0),
    # A restart or a failover of the server takes some seconds.
    "database-away": IncidentPolicy(notify_after=15.0),
    "database-full": IncidentPolicy(resolve_after=30.0),
    "database-read-only": IncidentPolicy(resolve_after=30.0),
    "database-lost": IncidentPolicy(),
    # A row is met again only when somebody needs it. One more may be damaged meanwhile.
    "rows-damaged": IncidentPolicy(resolve_after=3600.0, can_grow=True),
    # Nobody follows matches, and an hour later nobody sends either: that is another loss, and needs another command.
    "role-missing": IncidentPolicy(resolve_after=30.0, can_grow=True),
    # SQLite's checkpoints move the free space up and down around the limit.
    "disk-low": IncidentPolicy(notify_after=60.0, resolve_after=600.0),
    "clock-off": IncidentPolicy(notify_after=120.0, resolve_after=120.0),
    # A person is at work in the file and waits for the answer.
    "rules-refused": IncidentPolicy(resolve_after=15.0, is_manual=True),
}
"""Every condition that admins are notified of. The names are in metrics labels, the database and the documentation."""


class IncidentEvent(enum.StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    CHANGED = "changed"
    REMINDER = "reminder"
    RESOLVED = "resolved"


class IncidentNotice(msgspec.Struct, frozen=True):
    """Something for the admins: which incident, what happened to it, why, when it opened and when its condition was last seen."""

    name: str
    event: IncidentEvent
    detail: str
    since: dt.datetime
    until: dt.datetime


class Incident(msgspec.Struct, frozen=True):
    """What is known of one incident, stored as JSON in the table `troubles`; an open one has no `resolved_at`.

    `notified_at` and `notified_detail` are of the last notice; `times` is how often it has opened lately.
    The JSON keys are those of version 0.1: two versions read the same rows during an upgrade.
    """

    opened_at: dt.datetime = msgspec.field(name="since")
    last_seen: dt.datetime = msgspec.field(name="last")
    detail: str
    notified_at: dt.datetime | None = msgspec.field(name="told", default=None)
    notified_detail: str = msgspec.field(name="said", default="")
    resolved_at: dt.datetime | None = msgspec.field(name="over", default=None)
    times: int = 0


Incidents = Mapping[str, Incident]


def step_incidents(
    before: Incidents, conditions: Mapping[str, str], now: dt.datetime
) -> tuple[dict[str, Incident], tuple[IncidentNotice, ...]]:
    """Return the incidents after a check, and the notices to send. `conditions` has sentences by names of INCIDENT_POLICIES."""
    after: dict[str, Incident] = {}
    notices = []
    # Sorted, so that notices of one check come in the same order from every process and in tests.
    for name in sorted({*before, *conditions}):
        incident, event = _step_incident(INCIDENT_POLICIES[name], before.get(name), conditions.get(name), now)
        if incident is not None:
            after[name] = incident
        if incident is not None and event is not None:
            notices.append(IncidentNotice(name, event, incident.detail, incident.opened_at, incident.last_seen))
    return after, tuple(notices)


def select_open(incidents: Incidents) -> dict[str, Incident]:
    """Return the incidents that are not resolved."""
    return {name: incident for name, incident in incidents.items() if incident.resolved_at is None}


def _step_incident(
    policy: IncidentPolicy, incident: Incident | None, detail: str | None, now: dt.datetime
) -> tuple[Incident | None, IncidentEvent | None]:
    if detail is not None:
        return _update_present(policy, incident, detail, now)
    if incident is None or incident.resolved_at is not None:
        return _forget_if_old(incident, now), None
    return _update_absent(policy, incident, now)


def _forget_if_old(incident: Incident | None, now: dt.datetime) -> Incident | None:
    """Return None for an incident that was resolved long ago."""
    return incident if incident and incident.resolved_at and now - incident.resolved_at < FORGET_RESOLVED_AFTER else None


def _update_present(
    policy: IncidentPolicy, incident: Incident | None, detail: str, now: dt.datetime
) -> tuple[Incident, IncidentEvent | None]:
    # It opens, or it opens again: then it counts as the same one, and each time makes it slower to resolve.
    if incident is None or incident.resolved_at is not None:
        times = incident.times if _forget_if_old(incident, now) and incident else 0
        incident = Incident(now, now, detail, times=times)
    incident = msgspec.structs.replace(incident, last_seen=now, detail=detail)
    event = _choose_event(policy, incident, now)
    if event is None:
        return incident, None
    times = incident.times + (event is IncidentEvent.OPENED)
    return msgspec.structs.replace(incident, notified_at=now, notified_detail=detail, times=times), event


def _choose_event(policy: IncidentPolicy, incident: Incident, now: dt.datetime) -> IncidentEvent | None:
    if incident.notified_at is None:
        return IncidentEvent.OPENED if (now - incident.opened_at).total_seconds() >= policy.notify_after else None
    if policy.is_manual and incident.detail != incident.notified_detail:
        return IncidentEvent.CHANGED
    if policy.can_grow and _measure_words(incident.detail) > _measure_words(incident.notified_detail):
        return IncidentEvent.CHANGED
    return IncidentEvent.REMINDER if now - incident.notified_at >= REMIND_AFTER else None


def _measure_words(detail: str) -> int:
    """Return how long a detail is without its times, which differ from process to process."""
    return sum(not character.isdigit() for character in detail)


def _update_absent(policy: IncidentPolicy, incident: Incident, now: dt.datetime) -> tuple[Incident | None, IncidentEvent | None]:
    """Resolve an incident whose condition has been away long enough; one that was never notified resolves without a notice."""
    # From when the condition was last seen, not from when it was first missed: checks may have been skipped.
    gone = (now - incident.last_seen).total_seconds()
    if incident.notified_at is None:
        if gone < min(policy.notify_after, policy.resolve_after):
            return incident, None
        return (msgspec.structs.replace(incident, resolved_at=now) if incident.times else None), None
    if gone < _resolve_delay(policy, incident.times):
        return incident, None
    return msgspec.structs.replace(incident, resolved_at=now), IncidentEvent.RESOLVED


def _resolve_delay(policy: IncidentPolicy, times: int) -> float:
    """Return for how many seconds the condition must be away. Each reopening makes it longer, so that flapping does not spam."""
    # A person who edits a file and breaks it several times in a row is not flapping, and waits for each answer.
    if policy.is_manual:
        return policy.resolve_after
    longest = max(policy.resolve_after, MAX_RESOLVE_DELAY.total_seconds())
    return float(min(longest, policy.resolve_after * _RESOLVE_DELAY_FACTOR ** max(0, times - 1)))


log = structlog.get_logger()

_INCIDENT_DECODER = msgspec.json.Decoder(Incident)


class IncidentLog:
    """Keeps the incidents and decides which notices are due; shared with other processes through the database."""

    def __init__(self, repository: IncidentRepository) -> None:
        self._repository = repository
        self.incidents: dict[str, Incident] = {}

    async def step(self, conditions: Mapping[str, str], now: dt.datetime, *, alone: bool = False) -> tuple[IncidentNotice, ...]:
        """Return the notices that are due after a check.

        While the database cannot be used, this process decides alone; with `alone`, the database is not tried at all.
        """
        notices: tuple[IncidentNotice, ...] = ()

        def decide(bodies: Mapping[str, str]) -> Mapping[str, str | None]:
            nonlocal notices
            stored = _decode_incidents(bodies)
            # The stored incident or this process's own, whichever was checked last: while the database was away, each
            # process has gone on alone.
            known = {
                name: max((s for s in (self.incidents.get(name), stored.get(name)) if s), key=_recency_of_incident)
                for name in {*stored, *self.incidents}
            }
            self.incidents, notices = step_incidents(known, conditions, now)
            # Only what differs: this runs every five seconds, and nearly always nothing has changed.
            written = {
                name: msgspec.json.encode(incident).decode()
                for name, incident in self.incidents.items()
                if stored.get(name) != incident
            }
            return {**dict.fromkeys(bodies.keys() - self.incidents.keys()), **written}

        before = self.incidents
        if alone:
            self.incidents, notices = step_incidents(before, conditions, now)
            return notices
        try:
            await self._repository.change(decide)
        except StorageError as error:
            log.debug("incidents_not_saved", reason=str(error))
            self.incidents, notices = step_incidents(before, conditions, now)
        return notices


def _decode_incidents(bodies: Mapping[str, str]) -> dict[str, Incident]:
    """Decode the stored incidents; skip those that a newer version wrote in a way that this one does not know."""
    found = {}
    for name, body in bodies.items():
        if name in INCIDENT_POLICIES:
            try:
                found[name] = _INCIDENT_DECODER.decode(body)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                log.info("unknown_incident_skipped", name=name)
    return found


def _recency_of_incident(incident: Incident) -> tuple[dt.datetime, int, bool]:
    # If two were seen at the same moment, the one that has notified wins, or admins would be notified once more.
    return max(incident.last_seen, incident.resolved_at or incident.last_seen), incident.times, incident.notified_at is not None


IncidentChange = Callable[[Mapping[str, str]], Mapping[str, str | None]]
"""Takes all bodies by name, and returns those that change; None deletes a row."""


class IncidentRepository:
    """Stores incidents as JSON, by name."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def change(self, decide: IncidentChange) -> None:
        """Pass all bodies to `decide` and store its changes, one process at a time; raise StorageError."""
        async with self._db.transaction() as tx:
            # All processes check at about the same time. The lock makes one decide, and the others find that the notice was
            # sent.
            await tx.lock("troubles")
            rows = await tx.fetch(select(troubles))
            changed = decide({row["name"]: row["body"] for row in rows})
            kept = [{"name": name, "body": body} for name, body in changed.items() if body is not None]
            if kept:
                await tx.execute(upsert(troubles), kept)
            if gone := [name for name, body in changed.items() if body is None]:
                await tx.execute(delete(troubles).where(troubles.c.name.in_(gone)))
