"""How alerts come: what is switched by words and by buttons."""

from __future__ import annotations

import pytest

from bot.chat.dialogue import UpdateChat
from bot.chat.features.mute import mute
from bot.chat.routing import COMMAND_TABLE, press_button
from bot.subscribers import Chat
from tests.bot.chat.fixtures import data, labels, view


@pytest.mark.parametrize(
    ("command", "words", "name", "to"),
    [
        ("spoilers", "on", "spoilers", True),
        ("spoilers", "OFF", "spoilers", False),
        ("mute", "buttons off", "buttons", False),
        ("mute", "Buttons on", "buttons", True),
    ],
)
def test_a_setting_is_switched_in_words(command: str, words: str, name: str, to: bool) -> None:
    turn = COMMAND_TABLE[command].act(view(**{name: not to}), tuple(words.split()))

    assert [getattr(change.chat, name) for change in turn.changes if isinstance(change, UpdateChat)] == [to]


@pytest.mark.parametrize(("label", "name"), [("Buttons", "buttons"), ("Hide", "spoilers"), ("Group", "bursts")])
def test_a_setting_is_switched_by_its_button_on_the_screen_of_alerts(label: str, name: str) -> None:
    shown = press_button(view(), data(COMMAND_TABLE["alerts"].act(view(), ()).reply, "How they come"))
    assert shown is not None

    turn = press_button(view(), data(shown.reply, label))

    assert turn is not None
    assert turn.changes == (UpdateChat(Chat(view().chat.ref, **{name: not getattr(view().chat, name)})),)
    assert f"✅ {label}" in " ".join(labels(turn.reply)) or name == "buttons"


def test_spoilers_without_words_offer_the_other_way() -> None:
    offered = [COMMAND_TABLE["spoilers"].act(view(spoilers=on), ()).reply for on in (False, True)]

    assert [row[0].data for reply in offered for row in reply.rows] == ["g:on", "g:off"]


def test_a_channel_is_offered_no_buttons_and_forged_data_switches_nothing() -> None:
    shown = press_button(view(kind="channel"), "fs")

    assert shown and not any("Buttons" in label for label in labels(shown.reply))
    assert [press_button(view(), forged) for forged in ("f:fixed", "f:", "f:title")] == [None, None, None]
    assert mute(view(), ("buttons", "perhaps")).changes == ()
