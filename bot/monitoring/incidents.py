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

REMIND_AFTER = dt.timedelta(days=1)
"""What lasts so long is told again."""

FORGET_RESOLVED_AFTER = dt.timedelta(days=1)
"""What was over for so long is as if it had never been."""

MAX_RESOLVE_DELAY = dt.timedelta(hours=6)

_RESOLVE_DELAY_FACTOR = 4


class IncidentPolicy(msgspec.Struct, frozen=True):
    """How soon a trouble is told and believed to be over, in seconds.

    `by_hand`: people make it, and other details are news; `cut_off`: nobody can be reached while it lasts, and its end tells all.
    """

    patience: float = 0.0
    calm: float = 60.0
    by_hand: bool = False
    cut_off: bool = False


INCIDENT_POLICIES = {
    "feed-refused": IncidentPolicy(),
    "feed-down": IncidentPolicy(calm=30.0),
    "fixtures-old": IncidentPolicy(patience=60.0),
    "telegram-refused": IncidentPolicy(patience=10.0, cut_off=True),
    "telegram-away": IncidentPolicy(patience=300.0, cut_off=True),
    "second-process": IncidentPolicy(calm=180.0),
    "webhook-set": IncidentPolicy(),
    "texts-refused": IncidentPolicy(calm=3600.0),
    "database-away": IncidentPolicy(patience=15.0),
    "database-full": IncidentPolicy(calm=30.0),
    "database-read-only": IncidentPolicy(calm=30.0),
    "disk-low": IncidentPolicy(patience=60.0, calm=600.0),
    "clock-off": IncidentPolicy(patience=120.0, calm=120.0),
    "rules-refused": IncidentPolicy(calm=15.0, by_hand=True),
}
"""Every trouble that is told."""


class IncidentEvent(enum.StrEnum):
    """What is told of a trouble."""

    BEGUN = "begun"
    CHANGED = "changed"
    LASTS = "lasts"
    OVER = "over"


class IncidentNotice(msgspec.Struct, frozen=True):
    """Something for the admins: of which trouble, what, why, since when, and until when it was last there."""

    name: str
    what: IncidentEvent
    detail: str
    since: dt.datetime
    until: dt.datetime


class Incident(msgspec.Struct, frozen=True):
    """How a trouble stands. `told` and `said` are when and what was told last; `over` is when it was, None while it is not.

    `times` is how often it was told lately; `last` is when it was there last.
    """

    since: dt.datetime
    last: dt.datetime
    detail: str
    told: dt.datetime | None = None
    said: str = ""
    over: dt.datetime | None = None
    times: int = 0


Incidents = Mapping[str, Incident]


def step_incidents(
    before: Incidents, conditions: Mapping[str, str], now: dt.datetime
) -> tuple[dict[str, Incident], tuple[IncidentNotice, ...]]:
    """What stands after a look, and what is to be told. `conditions` are sentences by the names of TROUBLES."""
    after: dict[str, Incident] = {}
    tellings = []
    for name in sorted({*before, *conditions}):
        standing, what = _step_incident(INCIDENT_POLICIES[name], before.get(name), conditions.get(name), now)
        if standing is not None:
            after[name] = standing
        if standing is not None and what is not None:
            tellings.append(IncidentNotice(name, what, standing.detail, standing.since, standing.last))
    return after, tuple(tellings)


def select_open(standings: Incidents) -> dict[str, Incident]:
    """The troubles that are not over."""
    return {name: standing for name, standing in standings.items() if standing.over is None}


def _step_incident(
    nature: IncidentPolicy, standing: Incident | None, detail: str | None, now: dt.datetime
) -> tuple[Incident | None, IncidentEvent | None]:
    if detail is not None:
        return _update_present(nature, standing, detail, now)
    if standing is None or standing.over is not None:
        return _forget_if_old(standing, now), None
    return _update_absent(nature, standing, now)


def _forget_if_old(standing: Incident | None, now: dt.datetime) -> Incident | None:
    """What was over long ago is forgotten."""
    return standing if standing and standing.over and now - standing.over < FORGET_RESOLVED_AFTER else None


def _update_present(
    nature: IncidentPolicy, standing: Incident | None, detail: str, now: dt.datetime
) -> tuple[Incident, IncidentEvent | None]:
    if standing is None or standing.over is not None:
        times = standing.times if _forget_if_old(standing, now) and standing else 0
        standing = Incident(now, now, detail, times=times)
    standing = msgspec.structs.replace(standing, last=now, detail=detail)
    what = _choose_event(nature, standing, now)
    if what is None:
        return standing, None
    times = standing.times + (what is IncidentEvent.BEGUN)
    return msgspec.structs.replace(standing, told=now, said=detail, times=times), what


def _choose_event(nature: IncidentPolicy, standing: Incident, now: dt.datetime) -> IncidentEvent | None:
    if standing.told is None:
        return IncidentEvent.BEGUN if (now - standing.since).total_seconds() >= nature.patience else None
    if nature.by_hand and standing.detail != standing.said:
        return IncidentEvent.CHANGED
    return IncidentEvent.LASTS if now - standing.told >= REMIND_AFTER else None


def _update_absent(nature: IncidentPolicy, standing: Incident, now: dt.datetime) -> tuple[Incident | None, IncidentEvent | None]:
    """It is not there; what nobody heard of ends unheard."""
    gone = (now - standing.last).total_seconds()
    if standing.told is None:
        if gone < min(nature.patience, nature.calm):
            return standing, None
        return (msgspec.structs.replace(standing, over=now) if standing.times else None), None
    if gone < _resolve_delay(nature, standing.times):
        return standing, None
    return msgspec.structs.replace(standing, over=now), IncidentEvent.OVER


def _resolve_delay(nature: IncidentPolicy, times: int) -> float:
    """Seconds that it has to be away."""
    if nature.by_hand:
        return nature.calm
    longest = max(nature.calm, MAX_RESOLVE_DELAY.total_seconds())
    return float(min(longest, nature.calm * _RESOLVE_DELAY_FACTOR ** max(0, times - 1)))


log = structlog.get_logger()

_INCIDENT_DECODER = msgspec.json.Decoder(Incident)


class IncidentLog:
    """Remembers what was told; `step` says what is to be told now."""

    def __init__(self, kept: IncidentRepository) -> None:
        self._kept = kept
        self.standings: dict[str, Incident] = {}

    async def step(self, conditions: Mapping[str, str], now: dt.datetime) -> tuple[IncidentNotice, ...]:
        """One look: with what other processes know where the store can be read, alone where it cannot."""
        told: tuple[IncidentNotice, ...] = ()

        def decide(bodies: Mapping[str, str]) -> Mapping[str, str | None]:
            nonlocal told
            kept = _decode_incidents(bodies)
            self.standings, told = step_incidents(_merge_latest(kept, self.standings), conditions, now)
            written = {
                name: _encode_incident(standing) for name, standing in self.standings.items() if kept.get(name) != standing
            }
            return {**dict.fromkeys(bodies.keys() - self.standings.keys()), **written}

        before = self.standings
        try:
            await self._kept.change(decide)
        except StorageError as error:
            log.debug("troubles_not_kept", reason=str(error))
            self.standings, told = step_incidents(before, conditions, now)
        return told


def _decode_incidents(bodies: Mapping[str, str]) -> dict[str, Incident]:
    """What another version wrote and this one cannot read is forgotten."""
    found = {}
    for name, body in bodies.items():
        if name in INCIDENT_POLICIES:
            try:
                found[name] = _INCIDENT_DECODER.decode(body)
            except msgspec.DecodeError:
                log.info("trouble_of_another_version", name=name)
    return found


def _encode_incident(standing: Incident) -> str:
    return msgspec.json.encode(standing).decode()


def _merge_latest(kept: Mapping[str, Incident], here: Mapping[str, Incident]) -> dict[str, Incident]:
    """Of each trouble what is known best: what was looked at last."""
    return {name: max((s for s in (here.get(name), kept.get(name)) if s), key=_recency_of_incident) for name in {*kept, *here}}


def _recency_of_incident(standing: Incident) -> tuple[dt.datetime, int, bool]:
    return max(standing.last, standing.over or standing.last), standing.times, standing.told is not None


IncidentChange = Callable[[Mapping[str, str]], Mapping[str, str | None]]
"""From all bodies by name to those that change; None erases."""


class IncidentRepository:
    """The repository of what stands, by the name of the trouble."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def change(self, decide: IncidentChange) -> None:
        """Let one process at a time look at all of it, and keep what it decides; raise StoreError."""
        async with self._db.transaction() as tx:
            await tx.lock("troubles")
            rows = await tx.fetch(select(troubles))
            changed = decide({row["name"]: row["body"] for row in rows})
            kept = [{"name": name, "body": body} for name, body in changed.items() if body is not None]
            if kept:
                await tx.execute(upsert(troubles), kept)
            if gone := [name for name, body in changed.items() if body is None]:
                await tx.execute(delete(troubles).where(troubles.c.name.in_(gone)))
