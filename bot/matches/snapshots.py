"""Match snapshots, from which a restart resumes. Processes that follow no match show matches from them (`MatchDirectory`)."""

from __future__ import annotations

import json
from hashlib import blake2b

import msgspec
import structlog

from bot.feed.sequence import FeedPosition
from bot.storage.fixtures import FeedPositionRepository, StoredFeedPosition
from rules.football.action import Fixture
from rules.football.match import Match

log = structlog.get_logger()


class MatchSnapshot(msgspec.Struct, frozen=True):
    """A match and the position in its feed. `format` is the SNAPSHOT_FORMAT of the version that wrote it."""

    format: str
    match: Match
    position: FeedPosition


# A hash of the types and not a number, because nobody would think of raising it: any change of a field of a match gives another
# hash, and snapshots of the version before are then not read.
SNAPSHOT_FORMAT = blake2b(json.dumps(msgspec.json.schema(MatchSnapshot), sort_keys=True).encode(), digest_size=8).hexdigest()

_SNAPSHOT_DECODER = msgspec.json.Decoder(MatchSnapshot)


class SnapshotStore:
    """Stores snapshots of matches. One that cannot be read counts as missing: the feed is then read from its start."""

    def __init__(self, positions: FeedPositionRepository) -> None:
        self._positions = positions
        self._last_saved: dict[str, Match] = {}

    async def load_for(self, fixture: Fixture) -> MatchSnapshot | None:
        """Return the snapshot to resume from, with the fixture as it is listed now; None to read its feed from the start."""
        snapshot = await self.read(fixture.id)
        if snapshot is None:
            return None
        # Packets tell which team is at home; the list of fixtures may not (feed documentation, section 9.1).
        before = snapshot.match.fixture
        home, away = fixture.home if fixture.home.name else before.home, fixture.away if fixture.away.name else before.away
        match = msgspec.structs.replace(snapshot.match, fixture=msgspec.structs.replace(fixture, home=home, away=away))
        return msgspec.structs.replace(snapshot, match=match)

    async def read(self, fixture_id: str) -> MatchSnapshot | None:
        """Return the snapshot exactly as it was stored; None if there is none, or one of another format."""
        found = await self._positions.get(fixture_id)
        if found is None:
            return None
        try:
            snapshot = _SNAPSHOT_DECODER.decode(found.snapshot)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            snapshot = None
        # A snapshot of another version may decode and still mean something else: its format is compared too.
        if snapshot is None or snapshot.format != SNAPSHOT_FORMAT:
            log.info("snapshot_format_changed", fixture=fixture_id)
            return None
        return snapshot

    async def save(self, match: Match, position: FeedPosition) -> None:
        """Store a match as it stands at a position in its feed. An unchanged match is not written again."""
        if self._last_saved.get(match.fixture.id) is match:
            return
        body = msgspec.json.encode(MatchSnapshot(SNAPSHOT_FORMAT, match, position))
        await self._positions.save(match.fixture.id, StoredFeedPosition(position.position, position.seq, body))
        self._last_saved[match.fixture.id] = match

    async def delete(self, fixture_id: str) -> None:
        """Delete the snapshot of a match that is over."""
        await self._positions.delete(fixture_id)
        self.drop_cached(fixture_id)

    def drop_cached(self, fixture_id: str) -> None:
        """Forget what was saved last: another process may follow the match from here, and this one again later."""
        self._last_saved.pop(fixture_id, None)
