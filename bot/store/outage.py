"""When a trouble that is met at every attempt is worth a line in the log: at first, now and then, and when it is over."""

from __future__ import annotations

import asyncio

_FIRST, _LAST = 30.0, 600.0


class Outage:
    """One trouble; it has to be told of every attempt, whether it failed or not."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._due, self._pause = 0.0, _FIRST

    def failed(self) -> bool:
        """Tell whether to say so: at first, and then ever more rarely."""
        now = asyncio.get_running_loop().time()
        if self._since is None:
            self._since, self._due, self._pause = now, now, _FIRST
        if now < self._due:
            return False
        self._due, self._pause = now + self._pause, min(_LAST, self._pause * 2)
        return True

    def over(self) -> float | None:
        """The seconds that it lasted; None where nothing had failed."""
        since, self._since = self._since, None
        return None if since is None else round(asyncio.get_running_loop().time() - since, 1)
