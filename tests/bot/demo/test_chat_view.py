"""What a terminal shows of a chat: messages with their sound, edits, strikes, buttons with numbers, and what is gone."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bot.demo.chat_view import ChatView
from bot.fake_telegram import Button, FakeBotApi
from bot.fake_telegram.state import read_version

pytestmark = pytest.mark.virtual_time


class _Screen:
    def __init__(self, *, is_terminal: bool = False) -> None:
        self.telegram = FakeBotApi()
        self._file = io.StringIO()
        self.view = ChatView(Console(file=self._file, width=40, force_terminal=is_terminal, color_system=None))

    def show(self) -> list[str]:
        """Look at the chats; return the new lines."""
        self._file.seek(0)
        self._file.truncate()
        self.view.update(self.telegram, str)
        return [line.rstrip() for line in self._file.getvalue().splitlines()]


def _row(*labels: str) -> tuple[Button, ...]:
    return tuple(Button(label, f"data of {label}") for label in labels)


async def test_each_message_says_whether_it_is_loud_what_it_answers_and_which_buttons_it_has() -> None:
    screen = _Screen()
    chat = screen.telegram.chat(42)
    goal = screen.telegram.add(chat, "<b>Goal</b>\n10' Saka", "HTML", by_bot=True, buttons=(_row("Mute", "Why"), _row("Close")))
    screen.telegram.add(chat, "fell", by_bot=True, silent=True, reply_to=goal.id)
    screen.telegram.add(chat, "a member's own words")

    assert screen.show() == [
        "✉ to 42  #1  🔔 loud",
        "  │ Goal",
        "  │ 10' Saka",
        "    [1] Mute  [2] Why",
        "    [3] Close",
        "✉ to 42  #2 ↩ #1  🔕 silent",
        "  │ fell",
    ]
    assert screen.show() == []


async def test_in_a_narrow_terminal_lines_and_rows_of_buttons_break_and_stay_in_their_place() -> None:
    screen = _Screen(is_terminal=True)
    text = "Alerts: goals, red cards, shootouts, full time, date and venue.\n\nend"
    buttons = (_row("Everything that is played", "More"), _row("Undo", "Done"))
    screen.telegram.add(screen.telegram.chat(42), text, by_bot=True, buttons=buttons)

    assert screen.show() == [
        "✉ to 42  #1  🔔 loud",
        "  │ Alerts: goals, red cards, shootouts,",
        "  │ full time, date and venue.",
        "  │",
        "  │ end",
        "    [1] Everything that is played",
        "    [2] More",
        "    [3] Undo  [4] Done",
    ]


async def test_an_edit_is_shown_with_its_strikes_and_a_button_that_stays_keeps_its_number() -> None:
    screen = _Screen()
    message = screen.telegram.add(screen.telegram.chat(42), "Goal", "HTML", by_bot=True, buttons=(_row("Mute", "Why"),))
    screen.show()
    message.versions.append(read_version(1.0, "<s>Goal</s> || <tg-spoiler>1–0</tg-spoiler>", "HTML", (_row("Hear", "Why"),)))

    assert screen.show() == ["✎ to 42  #1  edited", "  │ ~~Goal~~ || ||1–0||", "    [3] Hear  [2] Why"]
    assert sorted(screen.view.buttons) == [2, 3]
    message.versions.append(read_version(2.0, "<s>Goal</s> || <tg-spoiler>1–0</tg-spoiler>", "HTML", ()))
    assert screen.show() == ["✎ to 42  #1  other buttons"] and screen.view.buttons == {}


async def test_what_is_pinned_or_deleted_is_said_and_its_buttons_are_gone() -> None:
    screen = _Screen()
    message = screen.telegram.add(screen.telegram.chat(-7, title="family"), "Card", by_bot=True, buttons=(_row("Mute"),))
    screen.show()
    message.pinned = True
    assert screen.show() == ["📌 to -7  #1  pinned"]
    message.deleted = True
    assert screen.show() == ["🗑 to -7  #1  deleted"] and screen.view.buttons == {}


async def test_a_button_is_found_by_its_words_in_its_own_chat_and_in_the_newest_message() -> None:
    screen = _Screen()
    for chat_id in (1, 1, 2):
        screen.telegram.add(screen.telegram.chat(chat_id), "Goal", by_bot=True, buttons=(_row("🔕 Mute", "🔕 More"),))
    screen.show()

    found = [screen.view.find_button(1, words) for words in ("mute", "🔕", "nothing")]
    assert [(button.number, button.message_id) if button else None for button in found] == [(3, 2), (3, 2), None]
