"""/alerts: which kinds are sent, which of them with sound, and what waits for confirmation."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.chat.dialogue import ChatContext, DialogueResult
from bot.chat.features import alerts
from bot.subscribers import AlertFilter
from rules.engine.alert import CARD, DEFAULT_KINDS, LIVE_MESSAGE_KINDS, SHIPPED_KINDS
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import changed_chat, data, labels, make_context, press_button, run_command


def enabled_kinds(result: DialogueResult) -> set[str]:
    return set(alerts.list_enabled_kinds(changed_chat(result).filter, SHIPPED_KINDS))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("all",), set(SHIPPED_KINDS)),
        (("none",), set()),
        (("+yellow_card",), DEFAULT_KINDS | {"yellow_card"}),
        (("+Yellow-Cards", "−goal"), DEFAULT_KINDS - {"goal"} | {"yellow_card"}),
        (("var",), DEFAULT_KINDS | {"var"}),
    ],
)
def test_kinds_are_switched_by_words(words: tuple[str, ...], expected: set[str]) -> None:
    assert enabled_kinds(alerts.set_kinds(make_context(), words)) == expected


def test_one_kind_can_be_taken_from_all() -> None:
    context = make_context(all_kinds=True)

    chat = changed_chat(alerts.set_kinds(context, ("-var",)), context)

    assert set(alerts.list_enabled_kinds(chat.filter, SHIPPED_KINDS)) == set(SHIPPED_KINDS) - {"var"}


def test_an_unknown_kind_changes_nothing_and_names_the_known_ones() -> None:
    result = alerts.set_kinds(make_context(), ("+goal", "+tackle<s>"))

    assert not result.changes
    assert "tackle&lt;s&gt;" in result.screen.html and "red cards" in result.screen.html


def test_buttons_show_ticks_and_switch() -> None:
    shown = alerts.set_kinds(make_context(), ()).screen
    result = press_button(make_context(), data(shown, "Yellow cards"))

    assert "✅ Goals" in labels(shown) and "Yellow cards" in labels(shown)
    assert "✅ Yellow cards" in labels(result.screen)
    assert enabled_kinds(result) == DEFAULT_KINDS | {"yellow_card"}


def test_after_nothing_one_kind_can_be_switched_on_again() -> None:
    alert_filter = changed_chat(press_button(make_context(), "kn")).filter

    assert set(alerts.list_enabled_kinds(alerts.switch_kind(alert_filter, "goal", SHIPPED_KINDS, on=True), SHIPPED_KINDS)) == {
        "goal"
    }


def test_everything_switches_no_extras_on_and_leaves_those_that_were_chosen() -> None:
    offered = (*SHIPPED_KINDS, *LIVE_MESSAGE_KINDS)
    chosen = alerts.switch_kind(AlertFilter(), CARD, offered, on=True)

    everything = alerts.enable_all_kinds(chosen)

    assert [everything.accepts(kind) for kind in ("var", *LIVE_MESSAGE_KINDS)] == [True, True, False]
    assert [
        alerts.switch_kind(everything, "var", offered, on=False).accepts(kind) for kind in ("var", "goal", *LIVE_MESSAGE_KINDS)
    ] == [
        False,
        True,
        True,
        False,
    ]
    assert not alerts.disable_all_kinds(everything, offered).accepts(CARD)


@pytest.mark.parametrize("words", ["card", "+Match_card", "+match-card"])
def test_a_card_is_asked_for_by_its_name_or_its_words(words: str) -> None:
    asked = changed_chat(alerts.set_kinds(replace(make_context(), kinds=(*SHIPPED_KINDS, *LIVE_MESSAGE_KINDS)), (words,)))

    assert asked.filter.accepts(CARD)


def set_alerts(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    return run_command(context, "alerts", *args)


def tap_repeatedly(label: str, times: int) -> list[tuple[list[str], AlertFilter]]:
    """The labels and the chat's filter after each tap of a button of the screen of sounds."""
    context, seen = make_context(), []
    screen = press_button(context, "bs").screen
    for _ in range(times):
        result = press_button(context, data(screen, label))
        screen, context = result.screen, replace(context, chat=changed_chat(result, context))
        seen.append((labels(screen), context.chat.filter))
    return seen


def test_a_tap_turns_a_kind_from_usual_to_ringing_to_silent_and_back() -> None:
    seen = [(shown[0], alert_filter.loud, alert_filter.silent) for shown, alert_filter in tap_repeatedly("Goals", 3)]

    assert seen == [("🔔 Goals", {"goal"}, set()), ("🔕 Goals", set(), {"goal"}), ("Goals", set(), set())]


@pytest.mark.parametrize("button", ["f:waits", "bw"])
def test_waiting_for_confirmation_is_one_tap_away_also_on_screens_of_earlier_versions(button: str) -> None:
    waiting = changed_chat(press_button(make_context(), button))
    again = replace(make_context(), chat=waiting)

    assert waiting.filter.confirmed_only and not changed_chat(press_button(again, button), again).filter.confirmed_only


@pytest.mark.parametrize(
    ("words", "loud", "silent", "confirmed_only"),
    [
        (("ring", "red_card", "Goals"), {"red_card", "goal"}, set(), False),
        (("SILENT", "goal"), set(), {"goal"}, False),
        (("usual", "goal"), set(), set(), False),
        (("wait",), set(), set(), True),
        (("now",), set(), set(), False),
    ],
)
def test_words_do_the_same(words: tuple[str, ...], loud: set[str], silent: set[str], confirmed_only: bool) -> None:
    chat = changed_chat(set_alerts(make_context(), words))

    assert (chat.filter.loud, chat.filter.silent, chat.filter.confirmed_only) == (loud, silent, confirmed_only)


def test_an_unknown_kind_or_none_changes_nothing() -> None:
    unknown, none = set_alerts(make_context(), ("ring", "tackle")), set_alerts(make_context(), ("silent",))

    assert (
        "I don't know “tackle”." in unknown.screen.html
        and none.screen.html
        == "Say which alerts, such as <code>/alerts silent yellow_card</code>, or use the buttons of /alerts."
    )
    assert not unknown.changes and not none.changes


async def test_loudness_is_chosen_from_the_kinds_and_back_in_one_message(world: World) -> None:
    message = await world.ask(42, 42, "/alerts")
    notes = [
        await world.tap(42, 42, label)
        for label in ("🔔 Sounds", "Goals", "Goals", "◀ Alerts", "⚙ Options", "Wait for confirmation", "◀ Alerts", "VAR checks")
    ]

    assert [note for note in notes if note] == [
        "With sound: Goals.", "Without sound: Goals.", "✅ Wait for confirmation", "✅ VAR checks"
    ]  # fmt: skip
    assert ((await world.load_chat(42)).filter.silent, (await world.load_chat(42)).filter.confirmed_only) == ({"goal"}, True)
    assert len(message.edits) == 8 and "✅ Goals" in message.labels
