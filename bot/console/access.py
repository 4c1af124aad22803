"""Decides who may use the console: the password, sessions, how often somebody may try, and which page a request may come from."""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

from bot.config.addresses import is_loopback

SESSION_DURATION = 12 * 3600.0
"""Seconds after which somebody has to log in again."""

MAX_ATTEMPTS = 5
"""How many wrong passwords an address may try within ATTEMPT_WINDOW before it has to wait."""

MAX_ATTEMPTS_OF_ALL = 50
"""The same for all addresses together: an attacker may have many."""

ATTEMPT_WINDOW = 60.0
"""Seconds for which a wrong password counts."""

_MAX_SESSIONS = 200


class Access:
    """The sessions of one console. `now` is monotonic, in seconds."""

    def __init__(self, password: str, now: Callable[[], float]) -> None:
        """An empty password lets everybody in, which is allowed on loopback only."""
        self._password, self._now = password, now
        self._sessions: dict[str, float] = {}
        self._failures: deque[tuple[float, str]] = deque()

    @property
    def needs_password(self) -> bool:
        """True if a session has to be begun with the password."""
        return bool(self._password)

    def must_wait(self, address: str) -> bool:
        """Return True if this address, or all addresses together, guessed wrong too often just now."""
        # Pruned here, before every attempt, so that the list never holds more than those of one window.
        while self._failures and self._failures[0][0] <= self._now() - ATTEMPT_WINDOW:
            self._failures.popleft()
        own = sum(1 for _, other in self._failures if other == address)
        return own >= MAX_ATTEMPTS or len(self._failures) >= MAX_ATTEMPTS_OF_ALL

    def log_in(self, password: str, address: str) -> str | None:
        """Return the name of a new session; None for a wrong password."""
        # Compared in constant time, as bytes: text with other letters than ASCII cannot be compared so.
        if not hmac.compare_digest(password.encode(), self._password.encode()):
            self._failures.append((self._now(), address))
            return None
        name = secrets.token_urlsafe(32)
        # The oldest session goes when there are too many: somebody who knows the password may log in any number of times.
        self._sessions = {one: end for one, end in self._sessions.items() if end > self._now()}
        while len(self._sessions) >= _MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[name] = self._now() + SESSION_DURATION
        return name

    def log_out(self, session: str) -> None:
        """End a session."""
        self._sessions.pop(session, None)

    def has_access(self, session: str) -> bool:
        """Return True if the session is in force, or none is needed."""
        return not self.needs_password or self._sessions.get(session, 0.0) > self._now()


def is_own_request(
    host: str, origin: str | None, *, is_loopback_only: bool, needs_password: bool = False, forwarded_host: str | None = None
) -> bool:
    """Return True if a request was made by a page of the console itself, or by somebody who typed its address.

    `host`, `origin` and `forwarded_host` (X-Forwarded-Host) are the headers. A page of somebody else sends its own origin.

    On loopback without a password the name has to be one of this machine too: else any page could reach the console by a name
    that it lets point here (DNS rebinding). With a password such a page has no session, for cookies belong to names, and the
    name may be that of a proxy in front of the console.
    """
    is_behind_proxy = is_loopback_only and needs_password
    try:
        if is_loopback_only and not needs_password and not is_loopback(urlsplit(f"//{host}").hostname or ""):
            return False
        # Browsers leave the header out when somebody types an address or follows a link, and send it with everything that can
        # change something.
        if origin is None:
            return True
        # Apache puts its own destination into Host, and the name that the browser used into the other header, which a page of
        # another site can send only after it was allowed to: nothing here does that.
        names = {host, forwarded_host} if is_behind_proxy and forwarded_host else {host}
        return urlsplit(origin).netloc in names
    except ValueError:
        return False  # no browser sends such a header, as "http://["
