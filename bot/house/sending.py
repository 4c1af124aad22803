"""The sender's room: brings alerts to chats."""

from __future__ import annotations

from bot.house.common import Common, Work
from bot.telegram.courier import Courier
from bot.watch.told import Told


class Sending:
    """The courier of a process."""

    def __init__(self, common: Common) -> None:
        self._told = Told(common.clock)
        self.courier = Courier(common.outbox, common.messenger, common.pace, common.clock, self._told, common.chats)
        self.courier.on_text_refused = common.watch.signals.text_refused
        common.watch.backlog = self.courier.backlog
        common.on_chats.append(common.outbox.recover)

    def works(self) -> tuple[Work, ...]:
        """Send for ever."""
        return self.courier.run(), self._told.run()
