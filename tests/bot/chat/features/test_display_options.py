"""How alerts come: what is switched by words and by buttons."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.chat.features.mute import mute
from tests.bot.chat.fixtures import changed_chat, data, is_outdated, labels, make_context, press_button, run_command


@pytest.mark.parametrize(
    ("command", "words", "name", "to"),
    [
        ("spoilers", "on", "spoilers", True),
        ("spoilers", "OFF", "spoilers", False),
        ("mute", "buttons off", "mute_button", False),
        ("mute", "Buttons on", "mute_button", True),
    ],
)
def test_a_setting_is_switched_in_words(command: str, words: str, name: str, to: bool) -> None:
    context = make_context(**{name: not to})

    assert getattr(changed_chat(run_command(context, command, *words.split()), context), name) is to


@pytest.mark.parametrize(
    ("label", "name", "is_on"), [("Buttons", "mute_button", False), ("Hide", "spoilers", True), ("Combine", "digests", True)]
)
def test_a_setting_is_switched_by_its_button_on_the_screen_of_alerts(label: str, name: str, is_on: bool) -> None:
    shown = press_button(make_context(), data(run_command(make_context(), "alerts").screen, "Options"))

    result = press_button(make_context(), data(shown.screen, label))

    before = make_context().chat
    assert getattr(before, name) is not is_on
    assert changed_chat(result) == replace(before, **{name: is_on})
    (shown_label,) = [one for one in labels(result.screen) if label in one]
    assert shown_label.startswith("✅") is is_on


def test_spoilers_without_words_offer_the_other_way() -> None:
    offered = [run_command(make_context(spoilers=on), "spoilers").screen for on in (False, True)]

    assert [reply.buttons[0][0].data for reply in offered] == ["g:on", "g:off"]


def test_a_channel_is_offered_no_buttons_and_forged_data_switches_nothing() -> None:
    shown = press_button(make_context(type="channel"), "fs")

    assert shown and not any("Buttons" in label for label in labels(shown.screen))
    assert all(is_outdated(make_context(), forged) for forged in ("f:fixed", "f:", "f:title"))
    assert mute(make_context(), ("buttons", "perhaps")).changes == ()
