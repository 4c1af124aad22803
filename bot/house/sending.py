"""The sender's room: brings alerts to chats."""

from __future__ import annotations

from bot.house.common import Common, Work
from bot.telegram.courier import Courier
from bot.telegram.shared_limits import SharedLimits
from bot.watch.told import Told


class Sending:
    """The courier of a process."""

    def __init__(self, common: Common) -> None:
        self._common, self._told = common, Told(common.clock)
        self.courier = Courier(common.outbox, common.messenger, common.pace, common.clock, self._told, common.chats)
        self.courier.on_text_refused = common.watch.signals.text_refused
        common.watch.backlog = self.courier.backlog
        if isinstance(common.pace, SharedLimits):
            common.pace.woken = lambda: common.outbox.on_put()
        if common.tickets:
            common.tickets.woken = lambda: common.outbox.on_put()
        else:
            common.on_chats.append(common.outbox.recover)

    def works(self) -> tuple[Work, ...]:
        """Send for ever."""
        return self._send(), self._told.run()

    async def _send(self) -> None:
        """Of several senders, one whose lease says that it lives; its chats are left to others when all in flight has landed."""
        keeper, tickets = self._common.keeper, self._common.tickets
        if keeper is None or tickets is None:
            await self.courier.run()
            return
        await keeper.started.wait()
        async with tickets.looking():
            await self.courier.run()
