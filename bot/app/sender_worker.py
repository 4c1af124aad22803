"""The role `send`: makes its parts, from the outbox to Telegram, and ties them together."""

from __future__ import annotations

from bot.app.services import BackgroundWork, Services
from bot.monitoring.delivery_log import DeliveryLog
from bot.telegram.limits.shared_rate_limits import SharedRateLimiter
from bot.telegram.sender import Sender
from bot.telegram.suspensions import SuspendedChatsCheck, SuspensionRepository


class SenderWorker:
    """Sends the deliveries of the outbox to Telegram."""

    def __init__(self, services: Services) -> None:
        self._services, self._delivery_log = services, DeliveryLog(services.clock, services.monitor.traffic)
        on_delivered = self._delivery_log.on_delivered
        self.sender = Sender(
            services.outbox.queue, services.messenger, services.rate_limiter, services.clock, on_delivered, services.chats
        )
        self.sender.on_skipped = self._delivery_log.on_skipped
        self.sender.failures.on_text_refused = services.monitor.reported.on_text_refused
        self.sender.failures.on_request_refused = services.monitor.reported.on_request_refused
        self.sender.failures.on_payment_refused = services.monitor.reported.on_payment_refused
        self.sender.failures.on_mass_refusal = services.monitor.reported.on_mass_refusal
        self._suspended_chats = SuspendedChatsCheck(
            SuspensionRepository(services.database), services.chats, services.messenger.check_chat, services.clock
        )
        services.on_topic_opened.append(self.sender.failures.on_topic_opened)
        services.monitor.backlog = self.sender.count_pending
        if isinstance(services.rate_limiter, SharedRateLimiter):
            # The sender sleeps until something may be sent: a larger share and new deliveries of other processes wake it.
            services.rate_limiter.on_more = self.sender.wake
        if services.paid_messages:
            services.paid_messages.on_reserved = self.sender.wake
        if services.shared_source:
            services.shared_source.on_available = self.sender.wake
            services.shared_source.on_recent_sends = self.sender.count_earlier_sends
            services.shared_source.on_possible_edits = self.sender.suspect_edits
        else:
            # A chat that was resumed or moved has deliveries that the queue in memory has dropped.
            services.on_chats_changed.append(services.outbox.queue.rescan)

    def background_work(self) -> tuple[BackgroundWork, ...]:
        """Return what has to run for as long as the process does."""
        paid = (self._services.paid_messages.run(),) if self._services.paid_messages else ()
        return *paid, self._send(), self._delivery_log.run(), self._suspended_chats.run()

    async def _send(self) -> None:
        """Run the sender; where several processes send, only while the others can see that this one is alive."""
        lease_manager, shared_source = self._services.lease_manager, self._services.shared_source
        if lease_manager is None or shared_source is None:
            await self.sender.run()
            return
        # A claim on a chat lasts as long as the lease of its process. Before there is one, others would take the chat over.
        await lease_manager.registered.wait()
        # Left only after the sender has stopped and stored all answers: then its chats are released to the other senders.
        async with shared_source.running():
            await self.sender.run()
