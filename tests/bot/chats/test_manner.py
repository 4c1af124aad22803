"""How alerts come: what is switched by words and by buttons."""

from __future__ import annotations

import pytest

from bot.chats.dialogue import DIALOGUES, press
from bot.chats.hours import mute
from bot.chats.reply import Settle
from bot.store.model import Chat
from tests.bot.chats.fixtures import data, labels, view


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
    turn = DIALOGUES[command].act(view(**{name: not to}), tuple(words.split()))

    assert [getattr(change.chat, name) for change in turn.changes if isinstance(change, Settle)] == [to]


@pytest.mark.parametrize(("label", "name"), [("Buttons", "buttons"), ("Hide", "spoilers"), ("Group", "bursts")])
def test_a_setting_is_switched_by_its_button_on_the_screen_of_alerts(label: str, name: str) -> None:
    shown = press(view(), data(DIALOGUES["alerts"].act(view(), ()).reply, "How they come"))
    assert shown is not None

    turn = press(view(), data(shown.reply, label))

    assert turn is not None
    assert turn.changes == (Settle(Chat(view().chat.ref, **{name: not getattr(view().chat, name)})),)
    assert f"✅ {label}" in " ".join(labels(turn.reply)) or name == "buttons"


def test_spoilers_without_words_offer_the_other_way() -> None:
    offered = [DIALOGUES["spoilers"].act(view(spoilers=on), ()).reply for on in (False, True)]

    assert [row[0].data for reply in offered for row in reply.rows] == ["g:on", "g:off"]


def test_a_channel_is_offered_no_buttons_and_forged_data_switches_nothing() -> None:
    shown = press(view(kind="channel"), "fs")

    assert shown and not any("Buttons" in label for label in labels(shown.reply))
    assert [press(view(), forged) for forged in ("f:fixed", "f:", "f:title")] == [None, None, None]
    assert mute(view(), ("buttons", "perhaps")).changes == ()
