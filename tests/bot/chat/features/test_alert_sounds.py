"""What rings, what comes silently, and what waits for confirmation."""

from __future__ import annotations

import pytest

from bot.chat.dialogue import DialogueResult
from bot.chat.features.alerts import confirmed_only_label, no_kind_named_text, sounds_label
from bot.chat.routing import COMMAND_TABLE, press_button
from bot.chat.texts import back_to_kinds_label
from tests.bot.chat.conftest import World
from tests.bot.chat.features.test_alerts import settled
from tests.bot.chat.fixtures import data, labels, view

alerts = COMMAND_TABLE["alerts"].act


def tapped(turn: DialogueResult | None, label: str) -> DialogueResult | None:
    assert turn is not None
    chat = settled(turn)
    return press_button(view(ring=chat.ring, silent=chat.silent, waits=chat.waits), data(turn.reply, label))


def test_a_tap_turns_a_kind_from_usual_to_ringing_to_silent_and_back() -> None:
    shown = press_button(view(), "bs")
    assert shown is not None
    rings = press_button(view(), data(shown.reply, "Goals"))
    silent = tapped(rings, "Goals")
    usual = tapped(silent, "Goals")

    assert rings and silent and usual
    assert [labels(turn.reply)[0] for turn in (rings, silent, usual)] == ["🔔 Goals", "🔕 Goals", "Goals"]
    assert [(settled(t).ring, settled(t).silent) for t in (rings, silent, usual)] == [
        ({"goal"}, set()),
        (set(), {"goal"}),
        (set(), set()),
    ]


def test_waiting_for_confirmation_is_one_tap_away() -> None:
    turn = press_button(view(), "bw")

    assert settled(turn).waits and not settled(tapped(turn, "Wait")).waits


@pytest.mark.parametrize(
    ("words", "ring", "silent", "waits"),
    [
        (("ring", "red_card", "Goals"), {"red_card", "goal"}, set(), False),
        (("SILENT", "goal"), set(), {"goal"}, False),
        (("usual", "goal"), set(), set(), False),
        (("wait",), set(), set(), True),
        (("now",), set(), set(), False),
    ],
)
def test_words_do_the_same(words: tuple[str, ...], ring: set[str], silent: set[str], waits: bool) -> None:
    chat = settled(alerts(view(), words))

    assert (chat.ring, chat.silent, chat.waits) == (ring, silent, waits)


def test_an_unknown_kind_or_none_changes_nothing() -> None:
    unknown, none = alerts(view(), ("ring", "corner")), alerts(view(), ("silent",))

    assert "no alerts called “corner”" in unknown.reply.html and none.reply.html == no_kind_named_text()
    assert not unknown.changes and not none.changes


async def test_loudness_is_chosen_from_the_kinds_and_back_in_one_message(world: World) -> None:
    message = await world.ask(42, 42, "/alerts")
    for label in (sounds_label(), "Goals", "Goals", confirmed_only_label(), back_to_kinds_label()):
        await world.tap(42, 42, label)

    assert (world.stored(42).silent, world.stored(42).waits) == ({"goal"}, True)
    assert len(message.edits) == 5 and "✅ Goals" in message.labels
