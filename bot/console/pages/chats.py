"""The page of chats: search, and what can be done with a chat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from bot.console.live import ChatRow, LiveConsole
from bot.console.pages.elements import read_or_tell
from bot.errors import StorageError
from bot.monitoring.conditions import format_utc


class ChatList:
    """Search, and what can be done with a chat."""

    def __init__(self, live: LiveConsole) -> None:
        self._live = live

    def draw(self) -> None:
        """Draw the page."""
        self._search = ui.input("Search by title, id or team", on_change=lambda _: self._refresh()).classes("w-full")
        self._search.props("debounce=400 clearable")
        self._content = ui.column().classes("w-full")
        ui.timer(0, self._refresh, once=True)

    async def _refresh(self) -> None:
        rows = await read_or_tell(lambda: self._live.find_chats(self._search.value or ""))
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
        state = "" if chat.is_active else f" · suspended: {row.suspended_because}"
        topic = f", topic {chat.ref.topic}" if chat.ref.topic else ""
        name = f"{chat.title or 'without a title'} ({chat.type}, {chat.ref.chat_id}{topic}) · follows {row.follows}{state}"
        with ui.expansion(name).classes("w-full") as expansion:
            content = ui.column()

            async def show() -> None:
                content.clear()
                with content:
                    await self._draw_details(row)

            expansion.on_value_change(lambda event: show() if event.value else None)

    async def _draw_details(self, row: ChatRow) -> None:
        ref = row.chat.ref
        following = await read_or_tell(lambda: self._live.read_subscriptions(ref)) or ()
        ui.label("Follows: " + (", ".join(one.name or one.scope.value for one in following) or "nothing"))
        for delivery in await read_or_tell(lambda: self._live.read_deliveries(ref)) or ():
            ui.label(f"{format_utc(delivery.at)} {delivery.status}, {delivery.reason}: {delivery.text or delivery.rule}")
        with ui.row():
            if not row.chat.is_active:
                ui.button("Resume", on_click=lambda: self._do(lambda: self._live.resume_chat(ref.chat_id), "Resumed."))
            ui.button("Send a test", on_click=lambda: self._do(lambda: self._live.send_test(ref), "A test is on its way."))
            ui.button("Remove", on_click=lambda: self._ask_to_remove(row)).props("color=negative outline")

    def _ask_to_remove(self, row: ChatRow) -> None:
        with ui.dialog() as dialog, ui.card():
            ui.label(f"Forget {row.chat.title or row.chat.ref.chat_id} with everything that it follows?")

            async def remove() -> None:
                dialog.close()
                await self._do(lambda: self._live.erase_chat(row.chat.ref), "Removed.")

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
        await self._refresh()
