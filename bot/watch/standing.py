"""What stands of troubles, shared by all processes through the store and kept in memory while that is away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec
import structlog

from bot.errors import StoreError
from bot.store.troubles import Troubles
from bot.watch.troubles import TROUBLES, Standing, Telling, step

log = structlog.get_logger()

_STANDING = msgspec.json.Decoder(Standing)


class Ledger:
    """Remembers what was told; `step` says what is to be told now."""

    def __init__(self, kept: Troubles) -> None:
        self._kept = kept
        self.standings: dict[str, Standing] = {}

    async def step(self, conditions: Mapping[str, str], now: dt.datetime) -> tuple[Telling, ...]:
        """One look: with what other processes know where the store can be read, alone where it cannot."""
        told: tuple[Telling, ...] = ()

        def decide(bodies: Mapping[str, str]) -> Mapping[str, str | None]:
            nonlocal told
            kept = _read(bodies)
            self.standings, told = step(_later(kept, self.standings), conditions, now)
            written = {name: _body(standing) for name, standing in self.standings.items() if kept.get(name) != standing}
            return {**dict.fromkeys(bodies.keys() - self.standings.keys()), **written}

        before = self.standings
        try:
            await self._kept.change(decide)
        except StoreError as error:
            log.debug("troubles_not_kept", reason=str(error))
            self.standings, told = step(before, conditions, now)
        return told


def _read(bodies: Mapping[str, str]) -> dict[str, Standing]:
    """What another version wrote and this one cannot read is forgotten."""
    found = {}
    for name, body in bodies.items():
        if name in TROUBLES:
            try:
                found[name] = _STANDING.decode(body)
            except msgspec.DecodeError:
                log.info("trouble_of_another_version", name=name)
    return found


def _body(standing: Standing) -> str:
    return msgspec.json.encode(standing).decode()


def _later(kept: Mapping[str, Standing], here: Mapping[str, Standing]) -> dict[str, Standing]:
    """Of each trouble what is known best: what was looked at last."""
    return {name: max((s for s in (here.get(name), kept.get(name)) if s), key=_freshness) for name in {*kept, *here}}


def _freshness(standing: Standing) -> tuple[dt.datetime, int, bool]:
    return max(standing.last, standing.over or standing.last), standing.times, standing.told is not None
