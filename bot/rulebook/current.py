"""The configuration in effect, for parts that outlive a reload: each look sees what is so now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from pydantic import SecretStr

from bot.config import Config


class Current:
    """What `feed:`, `schedule:` and `telegram.admins` say now. `config` is replaced by a reload."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.feed = FeedNow(self)
        self.schedule = ScheduleNow(self)
        self.admins = AdminsNow(self)


class FeedNow:
    """The feed's settings: a token counts from the next handshake, all else from the next connection or request."""

    def __init__(self, current: Current) -> None:
        self._current = current

    @property
    def token(self) -> SecretStr:
        """The token."""
        return self._current.config.feed.token

    @property
    def stream_url(self) -> tuple[str, ...]:
        """The hosts of the streams."""
        return self._current.config.feed.stream_url

    @property
    def api_url(self) -> tuple[str, ...]:
        """The hosts of the fixtures."""
        return self._current.config.feed.api_url

    @property
    def stale_after(self) -> dt.timedelta:
        """The silence after which a connection is taken for dead."""
        return self._current.config.feed.stale_after


class ScheduleNow:
    """The schedule's settings."""

    def __init__(self, current: Current) -> None:
        self._current = current

    @property
    def connect_before_kickoff(self) -> dt.timedelta:
        """How long before its kick-off a match is connected."""
        return self._current.config.schedule.connect_before_kickoff

    @property
    def refresh_fixtures_every(self) -> dt.timedelta:
        """How often the fixtures are fetched; read once, at the start."""
        return self._current.config.schedule.refresh_fixtures_every


class AdminsNow:
    """The user ids of the admins."""

    def __init__(self, current: Current) -> None:
        self._current = current

    def __contains__(self, user_id: object) -> bool:
        return user_id in self._current.config.telegram.admins

    def __iter__(self) -> Iterator[int]:
        return iter(self._current.config.telegram.admins)
