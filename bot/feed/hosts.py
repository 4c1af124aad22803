"""Which of the configured hosts to connect to. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.feed.backoff import REMEDIES, Trouble

PATIENCE = 60.0
"""Seconds of trouble with a host's name or TLS before the next one is tried."""


class Hosts:
    """The hosts in their order; after the last comes the first again."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(url.rstrip("/") for url in urls)
        self._here = 0
        self._since: float | None = None

    @property
    def current(self) -> str:
        """The host to connect to, as a URL without a path."""
        return self._urls[self._here]

    def reached(self) -> None:
        """The host answered."""
        self._since = None

    def failed(self, trouble: Trouble, now: float) -> bool:
        """A connection was not made; tell whether the next host is to be tried from now on."""
        if not REMEDIES[trouble].next_host or len(self._urls) < 2:
            return False
        self._since = now if self._since is None else self._since
        if now < self._since + PATIENCE:
            return False
        self._here, self._since = (self._here + 1) % len(self._urls), None
        return True
