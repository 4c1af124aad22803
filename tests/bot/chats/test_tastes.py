"""One subscription by itself, by buttons and in words: what it hears then, and what stays as in the chat."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.chats import taste_words
from bot.chats.dialogue import DIALOGUES, press
from bot.chats.guide import ALL, short, token
from bot.chats.hush import About
from bot.chats.hush import press as pressed_below
from bot.chats.reply import Reply, Settle, Tune, Turn, View
from bot.chats.tastes import switch
from bot.store.model import Scope, Subscription
from bot.store.taste import AS_CHAT, Taste, hearing, with_taste
from rules.alert import EXTRAS, KINDS
from tests.bot.chats.conftest import World
from tests.bot.chats.fixtures import ARSENAL, FIXTURES, LEAGUE, data, labels, view

TEAM = Subscription(Scope.TEAM, ARSENAL.id, ARSENAL.name)
CUP = Subscription(Scope.COMPETITION, LEAGUE.id, LEAGUE.name)
CARDS = replace(TEAM, taste=Taste(frozenset({"yellow_card"})))


def said(words: str, *followed: Subscription, **chat: Any) -> Turn:
    return DIALOGUES["alerts"].act(view(*(followed or (TEAM, CUP, ALL.subscription)), **chat), tuple(words.split()))


def tuned(turn: Turn | None) -> Taste:
    assert turn is not None
    (change,) = turn.changes
    assert isinstance(change, Tune)
    return change.subscription.taste


def heard(seen: View, taste: Taste) -> set[str]:
    return {kind for kind in KINDS if with_taste(seen.chat, taste).takes(kind)}


@pytest.mark.parametrize(
    ("words", "taste"),
    [
        ("Arsenal wait", Taste(waits=True)),
        ("arsenal now", Taste(waits=False)),
        ("Premier League scorers", Taste(scorers=True)),
        ("ars wait scorers", Taste(waits=True, scorers=True)),
        ("Arsenal +yellow_card -goal", Taste(frozenset({"yellow_card", "red_card", "shootout", "full_time", "status"}))),
        ("Arsenal -goal +goal", AS_CHAT),
        ("all matches now", Taste(waits=False)),
    ],
)
def test_in_words_a_subscription_gets_a_taste(words: str, taste: Taste) -> None:
    assert tuned(said(words)) == taste


def test_usual_makes_it_as_in_the_chat_and_a_name_alone_shows_its_screen() -> None:
    assert tuned(said("Arsenal usual", CARDS)) == AS_CHAT
    assert said("Arsenal").reply.html == taste_words.screen(TEAM)


@pytest.mark.parametrize("words", ["Everton +goal", "yellow_card", "Arsenal +penguin", "x", "-"])
def test_what_names_nothing_that_is_followed_tunes_nothing(words: str) -> None:
    assert not any(isinstance(change, Tune) for change in said(words).changes)


def test_every_setting_is_a_tap_away_from_what_is_followed() -> None:
    seen = view(TEAM, CUP)
    listed = press(seen, data(DIALOGUES["subscriptions"].act(seen, ()).reply, "Each by itself"))
    assert listed is not None
    one = press(seen, data(listed.reply, "Arsenal"))
    assert one is not None
    loud = press(seen, data(one.reply, "What rings"))
    assert loud is not None

    assert tuned(press(seen, data(one.reply, "Yellow"))).kinds == {
        "goal", "red_card", "yellow_card", "shootout", "full_time", "status",
    }  # fmt: skip
    assert tuned(press(seen, data(one.reply, "Confirmation"))) == Taste(waits=True)
    assert tuned(press(seen, data(one.reply, "scorers"))) == Taste(scorers=True)
    assert tuned(press(seen, data(loud.reply, "Goals"))) == Taste(ring=frozenset({"goal"}))


def test_cards_and_pictures_are_the_chats_own_and_not_offered() -> None:
    seen = replace(view(TEAM), kinds=(*KINDS, *EXTRAS))
    shown = press(seen, f"x:{token(TEAM)}")
    assert shown is not None

    offered = [button.data for row in shown.reply.rows for button in row]
    assert not any(data.endswith(short(extra)) for data in offered for extra in EXTRAS)
    assert [press(seen, f"xk:{token(TEAM)}:{short(extra)}") for extra in EXTRAS] == [None] * len(EXTRAS)
    assert DIALOGUES["alerts"].act(seen, ("Arsenal", "+card")).changes == ()


def test_what_has_a_taste_is_marked_and_can_be_as_in_the_chat_again() -> None:
    seen = view(CARDS)
    shown = press(seen, f"x:{token(CARDS)}")
    assert shown is not None

    assert "🎚" in DIALOGUES["subscriptions"].act(seen, ()).reply.html
    assert "✅ Yellow cards" in labels(shown.reply) and "Goals" in labels(shown.reply)
    assert tuned(press(seen, data(shown.reply, "As in the chat"))) == AS_CHAT


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.booleans()), max_size=6))
def test_what_is_switched_last_is_what_is_heard(taps: list[tuple[str, bool]]) -> None:
    seen, taste = view(TEAM), AS_CHAT
    for kind, on in taps:
        taste = switch(seen, taste, kind, on=on)

    assert heard(seen, taste) == (heard(seen, AS_CHAT) | {k for k, on in dict(taps).items() if on}) - {
        k for k, on in dict(taps).items() if not on
    }


@pytest.mark.parametrize("forged", ["x:", "x:AAAAAAAA", "xk:AAAAAAAA:A", "xk:", "xr:", "xw:", "xg:x", "xx:", "xs:x", "xb:1"])
def test_a_forged_button_does_nothing(forged: str) -> None:
    assert press(view(TEAM), forged) is None


@given(
    st.sampled_from([TEAM, CARDS, replace(TEAM, taste=Taste(scorers=True))]),
    st.booleans(),
    st.sampled_from(["goal", "yellow_card"]),
)
def test_a_kind_silenced_under_an_alert_is_heard_by_no_subscription_and_pressed_again_by_some(
    one: Subscription, scorers: bool, kind: str
) -> None:
    seen, about = view(one, CUP, scorers=scorers), About(FIXTURES[0], kind)
    for _ in range(2):
        before = hearing(seen.chat, [s.taste for s in seen.subscriptions]).takes(kind)
        done = pressed_below(seen, about, "a:k")
        assert done is not None
        chat = next(change.chat for change in done.changes if isinstance(change, Settle))
        tastes = {change.subscription.key: change.subscription for change in done.changes if isinstance(change, Tune)}
        seen = replace(seen, chat=chat, subscriptions=tuple(tastes.get(s.key, s) for s in seen.subscriptions))

        assert hearing(seen.chat, [s.taste for s in seen.subscriptions]).takes(kind) is not before


async def test_a_taste_chosen_in_the_chat_is_stored(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    await world.ask(42, 42, "/alerts Arsenal +yellow_card")
    await world.ask(42, 42, "/subscriptions")

    await world.tap(42, 42, "Each by itself")
    await world.tap(42, 42, "Arsenal")
    await world.tap(42, 42, "Goals")

    (one,) = world.chats.followed[world.stored(42).ref]
    assert one.taste.kinds is not None and {"yellow_card"} <= one.taste.kinds and "goal" not in one.taste.kinds
    assert world.stored(42).tasted and world.stored(42).takes("goal")


def test_where_nothing_is_followed_there_is_nothing_to_tune() -> None:
    assert press(view(), "xs:0") is None
    assert "Each by itself" not in " ".join(labels(Reply("", DIALOGUES["alerts"].act(view(), ()).reply.rows)))
