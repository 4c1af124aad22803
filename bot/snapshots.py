"""Matches as they stand, kept so that a restart goes on where the feed was left."""

from __future__ import annotations

import json
from hashlib import blake2b

import msgspec
import structlog

from bot.feed.numbering import Place
from bot.store.positions import Position, Positions
from rules.action import Fixture
from rules.match import Match

log = structlog.get_logger()


class Kept(msgspec.Struct, frozen=True):
    """A match and where its feed goes on. `form` is that of the types it was written with."""

    form: str
    match: Match
    place: Place


FORM = blake2b(json.dumps(msgspec.json.schema(Kept), sort_keys=True).encode(), digest_size=8).hexdigest()
_KEPT = msgspec.json.Decoder(Kept)


class Snapshots:
    """Writes a match only when it has moved on; one that cannot be read is as if there were none."""

    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self._last: dict[str, Match] = {}

    async def load(self, fixture: Fixture) -> Kept | None:
        """The match as it was kept, with what the fixtures say now; None where its history is to be read from the start."""
        kept = await self.glance(fixture.id)
        if kept is None:
            return None
        match = msgspec.structs.replace(kept.match, fixture=_known(fixture, kept.match.fixture))
        return msgspec.structs.replace(kept, match=match)

    async def glance(self, fixture_id: str) -> Kept | None:
        """The match exactly as it was kept."""
        found = await self._positions.get(fixture_id)
        if found is None:
            return None
        try:
            kept = _KEPT.decode(found.snapshot)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            kept = None
        if kept is None or kept.form != FORM:
            log.info("snapshot_of_another_version", fixture=fixture_id)
            return None
        return kept

    async def save(self, match: Match, place: Place) -> None:
        """Keep how a match stands at this place."""
        if self._last.get(match.fixture.id) is match:
            return
        body = msgspec.json.encode(Kept(FORM, match, place))
        await self._positions.save(match.fixture.id, Position(place.position, place.seq, body))
        self._last[match.fixture.id] = match

    async def forget(self, fixture_id: str) -> None:
        """The match is over."""
        await self._positions.forget(fixture_id)
        self.release(fixture_id)

    def release(self, fixture_id: str) -> None:
        """Keep nothing of it in memory."""
        self._last.pop(fixture_id, None)


def _known(fixture: Fixture, before: Fixture) -> Fixture:
    """The fixture with the teams that packets had told of."""
    home, away = fixture.home if fixture.home.name else before.home, fixture.away if fixture.away.name else before.away
    return msgspec.structs.replace(fixture, home=home, away=away)
