"""Every button of every screen, in every language, as wide as a phone shows it.

The screens are found by walking: from every command, over every button, as often as that leads to something new.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from msgspec.structs import replace

from bot.chat.application import ROUTER
from bot.chat.dialogue import LABEL_WIDTHS, Button, ChatContext, Refusal, Screen, UpdateChat, arrange_rows, make_button
from bot.chat.features.channel import show_channel_menu
from bot.chat.features.mute_button import AlertSubject, make_mute_options
from bot.chat.search.catalogue import Choice
from bot.chat.texts import DONE_SIGN, PREVIOUS_SIGN
from bot.i18n.language import CHOICES, use_language
from bot.i18n.shorten import text_length
from bot.subscribers import Scope, Subscription, SubscriptionOverrides
from rules.engine.alert import SHIPPED_KINDS
from rules.football.action import Team
from tests.bot.chat.fixtures import FENER, FIXTURES, GALATA, NOW, fixture, make_context
from tests.chats import make_chat

EURO = Team("c3", "UEFA European Championship Qualification")

FIXTURES_WITH_LONG_NAMES = (
    *FIXTURES,
    fixture("f5", Team("t7", "Wolverhampton Wanderers"), Team("t8", "Borussia Mönchengladbach"), EURO, 2),
    fixture("f6", Team("t9", "Bosnia and Herzegovina"), Team("t10", "Trinidad and Tobago"), EURO, 3),
    fixture("f7", Team("t11", "Maccabi מכבי תל אביב בני יהודה"), Team("t12", "Republic of Ireland U21"), EURO, 4),
)

TYPED = (
    ("subscribe", "Wolverhampton"), ("subscribe", "Arsenl"), ("subscribe", "Borussia Mönchengladbach"), ("subscribe", "nobody"),
    ("unsubscribe", "Arsenal"), ("mute", "1h"), ("mute", "match"), ("mute", "what"), ("quiet", "23-7"), ("quiet", "what"),
    ("delay", "30"), ("delay", "what"), ("timezone", "Madrid"), ("timezone", "Brazil"), ("timezone", "what"), ("language", "x"),
    ("alerts", "goal"), ("alerts", "silent"), ("spoilers", "on"), ("today", "Arsenal"), ("live", "Arsenal"), ("today", "nobody"),
)  # fmt: skip

MAX_SCREENS = 400

CONTINENTS = re.compile(r"^(o|lang):")
"""Buttons that lead to one screen each: of four hundred zones, one is enough."""


def contexts() -> Iterator[ChatContext]:
    """A chat that has chosen nothing, and one that has chosen everything."""
    plain = make_context(fixtures=FIXTURES_WITH_LONG_NAMES)
    yield plain
    matches = {choice.id: choice for choice in plain.catalogue.matches}
    followed = (
        replace(Subscription(Scope.ALL), overrides=SubscriptionOverrides(kinds=frozenset({"goal"}))),
        *(choice.subscription for choice in (matches["f5"], matches["f6"], matches["f7"])),
        *(choice.subscription for choice in plain.catalogue.list_teams(plain.catalogue.competitions[0])),
    )
    chat = make_chat(
        plain.chat.ref, type="private", muted_matches=frozenset({"f5", "f1"}), muted_until=NOW.replace(day=25), delay=30,
        timezone="America/Argentina/Buenos_Aires", language="de", language_chosen=True, title="Me",
    )  # fmt: skip
    every = replace(chat.filter, kinds_on=frozenset(SHIPPED_KINDS), loud=frozenset(SHIPPED_KINDS))
    yield replace(plain, chat=replace(chat, filter=every), subscriptions=followed, user_language="fr")


def screens(context: ChatContext) -> Iterator[Screen]:
    """Every screen that is reached by a command or a button."""
    found = [
        run(context, tuple(words))
        for name, command in ROUTER.commands.items()
        for words in ((), *(words for command_typed, *words in TYPED if command_typed == name))
        if (run := command.run)
    ]
    yield show_channel_menu(context.chat)
    for kind in SHIPPED_KINDS:
        yield Screen("", make_mute_options(context, AlertSubject(FIXTURES_WITH_LONG_NAMES[4], kind, "a")))
    seen: set[str] = set()
    while found and len(seen) < MAX_SCREENS:
        result = found.pop()
        yield result.screen
        after = context
        for change in result.changes:
            if isinstance(change, UpdateChat):
                after = replace(after, chat=change.change(after.chat))
        for button in (button for row in result.screen.buttons for button in row):
            place = CONTINENTS.sub(r"\1", button.data) if not CONTINENTS.match(button.data) else button.data.partition(":")[0]
            if place not in seen:
                seen.add(place)
                # A button may be out of date since another one changed something.
                with suppress(Refusal):
                    found.append(ROUTER.press_button(after, button.data))


@pytest.mark.slow
@pytest.mark.parametrize("language", CHOICES)
def test_no_label_is_wider_than_its_place_and_only_names_are_cut(language: str) -> None:
    with use_language(language):
        rows = {row for context in contexts() for screen in screens(context) for row in screen.buttons}
    names = [name for f in FIXTURES_WITH_LONG_NAMES for name in (f.home.name, f.away.name, f.competition.name)]
    cut = {b.label for row in rows for b in row if b.label.endswith("…") and text_length(b.label) > LABEL_WIDTHS[2]}

    assert len(rows) > 300
    assert {b.label for row in rows for b in row if text_length(b.label) > LABEL_WIDTHS.get(len(row), 12)} == set()
    # A label of ours such as "Follow…" is short; of what is cut, the first letters are those of a name.
    assert [label for label in cut if not any(name[:3] in label for name in names)] == []


def test_both_names_of_a_match_are_shortened_alike() -> None:
    context = make_context(fixtures=FIXTURES_WITH_LONG_NAMES)
    choice = next(choice for choice in context.catalogue.matches if choice.id == "f5")

    label = match_button(choice, "12:06 Wolverhampton Wanderers v Borussia Mönchengladbach")

    assert label == "12:06 Wolv… Wande… v Boru… Mönch…" and text_length(label) <= LABEL_WIDTHS[1]


def match_button(choice: Choice, label: str) -> str:
    assert choice.fixture is not None
    return make_button(label, "x", names=(choice.fixture.home.name, choice.fixture.away.name)).label


def test_a_short_name_beside_a_long_one_stays_whole() -> None:
    label = make_button("Galatasaray v Wolverhampton Wanderers", "x", names=(GALATA.name, "Wolverhampton Wanderers")).label

    assert label == "Galatasaray v Wolverham… Wanderers"
    assert make_button(f"{FENER.name} v {GALATA.name}", "x", names=(FENER.name, GALATA.name)).label == "Fenerbahçe v Galatasaray"


def test_a_label_that_is_too_wide_for_two_columns_has_a_row_of_its_own() -> None:
    buttons = [Button(label, "x") for label in ("Arsenal", "Wolverhampton Wanderers", "Chelsea", "Everton", "Fulham")]

    rows = [[button.label for button in row] for row in arrange_rows(buttons, 2)]

    assert rows == [["Arsenal"], ["Wolverhampton Wanderers"], ["Chelsea", "Everton"], ["Fulham"]]


def test_every_screen_has_a_way_back_or_out() -> None:
    ways_out = (PREVIOUS_SIGN, DONE_SIGN, "✖")
    without = {
        (screen.html.split("\n")[0], len(screen.buttons))
        for context in contexts()
        for screen in screens(context)
        if screen.buttons and not any(button.label.startswith(ways_out) for row in screen.buttons for button in row)
    }

    # The first screen of all, and that of somebody who follows nothing yet, only lead on.
    assert {html for html, _ in without} == {"⚽ <b>Touchline</b>", "You don't follow anything yet."}
