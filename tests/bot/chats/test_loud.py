"""What rings, what comes silently, and what waits for confirmation."""

from __future__ import annotations

import pytest

from bot.chats import loud_words, texts
from bot.chats.dialogue import DIALOGUES, press
from bot.chats.reply import Turn
from tests.bot.chats.conftest import World
from tests.bot.chats.fixtures import data, labels, view
from tests.bot.chats.test_kinds import settled

alerts = DIALOGUES["alerts"].act


def tapped(turn: Turn | None, label: str) -> Turn | None:
    assert turn is not None
    chat = settled(turn)
    return press(view(ring=chat.ring, silent=chat.silent, waits=chat.waits), data(turn.reply, label))


def test_a_tap_turns_a_kind_from_usual_to_ringing_to_silent_and_back() -> None:
    shown = press(view(), "bs")
    assert shown is not None
    rings = press(view(), data(shown.reply, "Goals"))
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
    turn = press(view(), "bw")

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

    assert "no alerts called “corner”" in unknown.reply.html and none.reply.html == loud_words.no_kind_named()
    assert not unknown.changes and not none.changes


async def test_loudness_is_chosen_from_the_kinds_and_back_in_one_message(world: World) -> None:
    message = await world.ask(42, 42, "/alerts")
    for label in (texts.loudness(), "Goals", "Goals", loud_words.wait_off(), loud_words.kinds_back()):
        await world.tap(42, 42, label)

    assert (world.stored(42).silent, world.stored(42).waits) == ({"goal"}, True)
    assert len(message.edits) == 5 and "✅ Goals" in message.labels
