"""The page of chats: search, and what can be done with a chat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from bot.console.chats import ChatDesk, ChatRow, DeliveryRow
from bot.console.pages.alerts import link_to_alerts
from bot.console.pages.elements import read_or_tell
from bot.console.traces import format_milliseconds
from bot.errors import StorageError
from bot.monitoring.conditions import format_utc


class ChatList:
    """Search, and what can be done with a chat."""

    def __init__(self, desk: ChatDesk) -> None:
        self._desk = desk

    def draw(self) -> None:
        """Draw the page."""
        self._search = ui.input("Search by title, id or team", on_change=lambda _: self._refresh()).classes("w-full")
        self._search.props("debounce=400 clearable")
        self._content = ui.column().classes("w-full gap-0")
        # After the page is sent, so that a slow database does not keep it white.
        ui.timer(0, self._refresh, once=True)

    async def _refresh(self) -> None:
        rows = await read_or_tell(lambda: self._desk.find_chats(self._search.value or ""))
        if rows is None:
            return
        self._content.clear()
        with self._content:
            if not rows:
                ui.label("No chat fits.")
            for row in rows:
                self._draw_chat(row)

    def _draw_chat(self, row: ChatRow) -> None:
        chat = row.chat
        topic = f", topic {chat.ref.topic}" if chat.ref.topic else ""
        state = f" · ⛔ suspended: {row.suspension}" if row.suspension else ""
        caption = f"{chat.type}, {chat.ref.chat_id}{topic} · follows {row.follows}{state}"
        with ui.expansion(chat.title or f"Chat {chat.ref.chat_id}", caption=caption).classes("w-full") as expansion:
            content = ui.column().classes("w-full")

            # The details are read when somebody opens the chat: of a long list that is one or two.
            async def show() -> None:
                content.clear()
                with content:
                    await self._draw_details(row)

            expansion.on_value_change(lambda event: show() if event.value else None)

    async def _draw_details(self, row: ChatRow) -> None:
        ref = row.chat.ref
        following = await read_or_tell(lambda: self._desk.read_subscriptions(ref)) or ()
        ui.label("Follows: " + (", ".join(one.name or one.scope.value for one in following) or "nothing"))
        with ui.row():
            if not row.chat.is_active:
                ui.button("Resume", on_click=lambda: self._do(lambda: self._desk.resume(ref.chat_id), "Resumed."))
            ui.button("Send a test", on_click=lambda: self._do(lambda: self._desk.send_test(ref), "A test is on its way."))
            ui.button("Remove", on_click=lambda: self._ask_to_remove(row)).props("color=negative outline")
        deliveries = await read_or_tell(lambda: self._desk.read_deliveries(ref)) or ()
        ui.label("Latest alerts" if deliveries else "Nothing has been sent here yet.").classes("text-weight-bold")
        with ui.list().props("separator dense").classes("w-full"):
            for delivery in deliveries:
                _draw_delivery(delivery)
        ui.link("Search all alerts of this chat", link_to_alerts(chat=str(ref.chat_id)))

    def _ask_to_remove(self, row: ChatRow) -> None:
        with ui.dialog() as dialog, ui.card():
            ui.label(f"Forget {row.chat.title or row.chat.ref.chat_id} with everything that it follows?")

            async def remove() -> None:
                dialog.close()
                await self._do(lambda: self._desk.erase(row.chat.ref), "Removed.")

            with ui.row():
                ui.button("Remove", on_click=remove).props("color=negative")
                ui.button("Keep", on_click=dialog.close)
        dialog.open()

    async def _do(self, change: Callable[[], Awaitable[None]], sentence: str) -> None:
        try:
            await change()
        except StorageError as error:
            ui.notify(str(error), type="negative")
            return
        ui.notify(sentence, type="positive")
        # Read again: another process may have changed the chat as well.
        await self._refresh()


def _draw_delivery(delivery: DeliveryRow) -> None:
    took = f" in {format_milliseconds(delivery.took_ms)}" if delivery.took_ms is not None else ""
    parts = (format_utc(delivery.at), delivery.match, f"{delivery.what}{took}", delivery.rule)
    with ui.item().classes("q-px-none"), ui.item_section():
        ui.item_label(delivery.text or delivery.rule or "(no text)")
        ui.item_label(" · ".join(filter(None, parts))).props("caption")
