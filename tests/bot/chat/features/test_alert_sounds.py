"""What rings, what comes silently, and what waits for confirmation."""

from __future__ import annotations

import pytest

from bot.chat.dialogue import ChatContext, DialogueResult
from bot.chat.texts import back_to_kinds_label
from tests.bot.chat.conftest import World
from tests.bot.chat.features.test_alerts import settled
from tests.bot.chat.fixtures import data, labels, make_context, press_button, run_command


def alerts(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    return run_command(context, "alerts", *args)


def tapped(turn: DialogueResult, label: str) -> DialogueResult:
    chat = settled(turn)
    return press_button(
        make_context(loud=chat.filter.loud, silent=chat.filter.silent, confirmed_only=chat.filter.confirmed_only),
        data(turn.screen, label),
    )


def test_a_tap_turns_a_kind_from_usual_to_ringing_to_silent_and_back() -> None:
    shown = press_button(make_context(), "bs")
    rings = press_button(make_context(), data(shown.screen, "Goals"))
    silent = tapped(rings, "Goals")
    usual = tapped(silent, "Goals")

    assert rings and silent and usual
    assert [labels(turn.screen)[0] for turn in (rings, silent, usual)] == ["🔔 Goals", "🔕 Goals", "Goals"]
    assert [(settled(t).filter.loud, settled(t).filter.silent) for t in (rings, silent, usual)] == [
        ({"goal"}, set()),
        (set(), {"goal"}),
        (set(), set()),
    ]


def test_waiting_for_confirmation_is_one_tap_away() -> None:
    turn = press_button(make_context(), "bw")

    assert settled(turn).filter.confirmed_only and not settled(tapped(turn, "Wait")).filter.confirmed_only


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
    chat = settled(alerts(make_context(), words))

    assert (chat.filter.loud, chat.filter.silent, chat.filter.confirmed_only) == (ring, silent, waits)


def test_an_unknown_kind_or_none_changes_nothing() -> None:
    unknown, none = alerts(make_context(), ("ring", "corner")), alerts(make_context(), ("silent",))

    assert (
        "no alerts called “corner”" in unknown.screen.html
        and none.screen.html == "Name the kinds, such as <code>/alerts silent yellow_card</code>, or use the buttons of /alerts."
    )
    assert not unknown.changes and not none.changes


async def test_loudness_is_chosen_from_the_kinds_and_back_in_one_message(world: World) -> None:
    message = await world.ask(42, 42, "/alerts")
    for label in ("🔔 What rings …", "Goals", "Goals", "Wait for confirmation", back_to_kinds_label()):
        await world.tap(42, 42, label)

    assert (world.stored(42).filter.silent, world.stored(42).filter.confirmed_only) == ({"goal"}, True)
    assert len(message.edits) == 5 and "✅ Goals" in message.labels
