"""The role `chat`: makes its parts, from an update to its answer, and ties them together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import structlog
from telegram import Update
from telegram.error import TelegramError
from telegram.ext import Application as TelegramApplication
from telegram.ext import ApplicationBuilder, CallbackContext

from bot.app.services import BackgroundWork, Services
from bot.chat.application import FORWARDED_COMMANDS, ROUTER, build_handlers, on_error, set_bot_description, set_command_menu
from bot.chat.features.admin_rules import build_admin_rules_handlers
from bot.chat.features.sample import sample_alert_text
from bot.chat.middleware import use_chat_language
from bot.chat.replies import ReplySender
from bot.chat.search.nicknames import Nicknames
from bot.chat.services import ChatServices, FixtureLookup
from bot.chat.update_order import WEBHOOK_SETTLE_TIME, UpdateOrder, UpdateRepository
from bot.chat.updates import UpdatePoller, WebhookServer, delete_webhook
from bot.cluster.leased_work import run_while_leased
from bot.errors import StorageError
from bot.i18n.language import in_each_language
from bot.matches.held_back import HeldBackNotices
from bot.matches.season import SeasonFixtures
from bot.media.renderer import is_available, render_match
from bot.outbox.explanation import explain_message
from bot.outbox.outbox import make_sample_alert
from bot.replay.dry_run import run_dry_run
from bot.subscribers import ChatRef

log = structlog.get_logger()

_MAX_OPEN_UPDATES = 4096
"""The most updates in memory: those that are being handled, and those that wait for their chat's turn."""


class ChatWorker:
    """Receives updates from Telegram and answers them."""

    def __init__(
        self,
        services: Services,
        directory: FixtureLookup,
        status: Callable[[], Awaitable[str]],
        unknown_names: Callable[[], Awaitable[Sequence[str]]],
    ) -> None:
        """`directory` knows fixtures and matches; `status` returns the text of `/status`.

        `unknown_names` returns lines about names in the configuration that no fixture has, for `/rules`.
        """
        self._services, self._unknown_names = services, unknown_names
        # Updates come from our own poller or webhook server. A slow answer to one chat must not hold up the others, and many
        # updates of one chat, which wait for each other, must not take the places of all: `UpdateOrder` limits those at work.
        application = ApplicationBuilder().bot(services.bot).updater(None).job_queue(None).concurrent_updates(_MAX_OPEN_UPDATES)
        self._application: TelegramApplication[Any, Any, Any, Any, Any, Any] = application.build()
        lease_manager, webhook = services.lease_manager, services.config.telegram.webhook
        self._updates = UpdateRepository(services.database, services.process_name)
        self.update_order = UpdateOrder(
            self._updates,
            # A poll brings updates in their order, and so does a webhook that only one process listens to.
            settle_time=WEBHOOK_SETTLE_TIME if webhook and lease_manager else 0.0,
            ready=lease_manager.registered if lease_manager else None,
        )
        services.prune_more.append(self._updates.delete_old)
        self._season = SeasonFixtures(services.feed_api, services.clock)
        self.season_fixtures = self._season.fixtures
        self._replies = ReplySender(services.bot, render_match if is_available() else None)
        self._application.add_handlers(self._build_handlers(directory, status))
        self._application.add_error_handler(partial(on_error, self._replies))
        self._failed_updates: dict[int, StorageError] = {}
        """By update id, the error of an update from the webhook that Telegram has to bring again."""
        if webhook is not None:
            self._application.add_error_handler(self._note_failure)

    def background_work(self) -> tuple[BackgroundWork, ...]:
        """Return what has to run for as long as the process does."""
        services = self._services
        # In one process: Telegram is asked once for the chats that the configuration names as @name, and the admins get one
        # message about those that it does not have.
        naming = run_while_leased(services.leases, "configured chats", services.configured_chats.run)
        return self._run_application(), self._register_commands(), self._season.run(), naming

    def _build_handlers(self, directory: FixtureLookup, status: Callable[[], Awaitable[str]]) -> list[Any]:
        """Make the handlers of all updates. Those of `/rules` come first: the others take every button."""
        services = self._services

        def is_admin(user_id: int | None) -> bool:
            return user_id in services.config.telegram.admins

        chat_services = ChatServices(
            chats=services.chats,
            subscriptions=services.subscriptions,
            directory=directory,
            list_kinds=services.list_kinds,
            clock=services.clock,
            replies=self._replies,
            commands=ROUTER.menu,
            is_admin=is_admin,
            render_status=status,
            explain_message=partial(explain_message, services.outbox.queue),
            send_sample=partial(send_sample, services),
            send_match_state=services.outbox.put_match_state,
            privacy_url=services.config.telegram.privacy_url or "",
            nicknames=Nicknames(services.config.telegram.nicknames),
            season=self._season,
            max_subscriptions=lambda: services.config.limits.subscriptions_per_chat,
            default_card_form=lambda: services.config.telegram.match_cards,
            max_matches=lambda: services.config.limits.matches,
            held_back=services.monitor.list_held_back,
            mark_held_back_as_known=HeldBackNotices(services.outbox, services.subscriptions, services.clock).mark_as_known,
            allowed_chats=services.configured_chats.list_allowed_chats,
        )
        rules = build_admin_rules_handlers(
            services.rule_versions, is_admin, run_dry_run, services.last_matches.recordings, self._replies, self._unknown_names
        )
        return [
            FORWARDED_COMMANDS,
            *self.update_order.wrap(use_chat_language(rules, services.chats)),
            *build_handlers(chat_services, self.update_order),
        ]

    async def _run_application(self) -> None:
        """Run the handlers and receive updates until cancelled."""
        async with self._application:
            await self._application.start()
            try:
                await self._receive_updates()
            finally:
                # Answers that wait for Telegram's flood control would hold up the stop, which waits for all handlers.
                self._replies.cancel_waiting()
                await self._application.stop()
                await self.update_order.stop()
                await self._replies.finish_removals()

    async def _receive_updates(self) -> None:
        """Receive updates by webhook in every process; without a webhook, poll in the one process that holds the lease."""
        services, webhook = self._services, self._services.config.telegram.webhook
        if webhook is not None:
            await WebhookServer(services.bot, webhook, self._process_update, self._replies.cancel_waiting).run()
            return
        await run_while_leased(services.leases, "chat", self._poll_updates)

    async def _process_update(self, update: Update) -> None:
        """Handle an update from the webhook. Raises StorageError if it could not be stored, so that Telegram brings it again."""
        await self._application.process_update(update)
        if error := self._failed_updates.pop(update.update_id, None):
            raise error

    async def _note_failure(self, update: object, context: CallbackContext[Any, Any, Any, Any]) -> None:
        # The library hands errors of handlers to error handlers and not to the caller of `process_update`.
        if isinstance(update, Update) and isinstance(context.error, StorageError):
            self._failed_updates[update.update_id] = context.error

    async def _poll_updates(self) -> None:
        await delete_webhook(self._services.bot)
        reported = self._services.monitor.reported
        try:
            await UpdatePoller(self._services.bot, self._application.update_queue.put, reported.report, reported.on_polling).run()
        finally:
            # The lease is lost: what was in the way here is now the other process's to report.
            reported.on_polling()

    async def _register_commands(self) -> None:
        """Register command menus and descriptions at Telegram. A failure is only logged: the bot works without them."""
        try:
            await set_command_menu(self._services.bot, self._replies.features, self._services.config.telegram.admins)
            await set_bot_description(self._services.bot, self._services.config.telegram.privacy_url)
        except TelegramError as error:
            log.warning("commands_not_registered", reason=str(error))


async def send_sample(services: Services, ref: ChatRef, name: str, delay: int) -> None:
    """Send one chat a sample alert through the outbox, as real alerts are sent."""
    alert = make_sample_alert(ref, name, in_each_language(sample_alert_text), services.clock.now())
    await services.outbox.put_for_chat(ref, alert, delay)
