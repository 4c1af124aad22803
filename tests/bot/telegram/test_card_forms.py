"""A match card as picture and as rich message: one message, kept up to date, and text where that form is not to be had."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from bot.errors import PictureForbidden, PictureRefused, RequestRefused
from bot.media import renderer
from bot.subscribers import CardForm
from rules.engine.alert import CARD, Alert, Facts
from rules.football.match import Score
from tests.bot.media.timelines import full
from tests.bot.news import minor
from tests.bot.telegram.conftest import World

pytestmark = pytest.mark.virtual_time
ONLY_CARDS = frozenset({CARD})
TEXT = "<b>Arsenal 1–0 Chelsea</b>\nSecond half · {minute}' · Premier League\n\n<b>Arsenal</b>\n⚽ Saka 12'\n⏳ ⚽ Rice 50'"


def card(minute: int = 50, goals: int = 1, **more: Any) -> Alert:
    """How the match stands; the picture depends on the goals alone, and the text on the minute too."""
    text = TEXT.format(minute=minute)
    # As `bot.matches.live_messages` makes it: it is about no action.
    named: dict[str, Any] = {
        "severity": 0,
        "facts": Facts(match="Arsenal 1–0 Chelsea"),
        "timeline": replace(full(), score=Score(goals, 0)),
        "rich_texts": {"en": f"<p>{minute}'</p>"},
    }
    return minor(1, text, action=CARD, rule=CARD, kind=CARD, max_age=3600.0, **(named | more))


def of_other_match(alert: Alert) -> Alert:
    """Return the card of another match that stands as this one does."""
    return replace(alert, key=replace(alert.key, fixture_id="f9"), fixture=replace(alert.fixture, id="f9"))


async def send_cards(world: World, *alerts: Alert) -> None:
    """Send cards, one after the other, each with some time to be drawn and sent."""
    for one in alerts:
        await world.outbox.put_live(one)
        await world.send(seconds=2.0)


async def choose_form(world: World, form: CardForm, **settings: object) -> None:
    """Let chat 1 have cards, in this form."""
    await world.follow(1, kinds_on=ONLY_CARDS, card_form=form, **settings)


async def test_a_card_is_one_photo_whose_caption_has_no_lists_and_which_a_restart_goes_on_editing(world: World) -> None:
    await choose_form(world, CardForm.PICTURE)
    await send_cards(world, card())
    first = world.shown()[0].photo
    await send_cards(world, card(51))
    same = world.shown()[0].photo
    await world.restart()
    await send_cards(world, card(52, goals=2), card(90, goals=2, is_match_over=True))

    (shown,) = world.shown()
    assert [version.split("\n")[1] for version in shown.versions] == [
        f"Second half · {minute}' · Premier League" for minute in (50, 51, 52, 90)
    ]
    assert "⏳ ⚽ Rice 50'" in shown.text and "Saka" not in shown.text and not shown.pinned
    assert first[:4] == b"\x89PNG" and same == first != shown.photo
    assert [op for _, op, _ in world.telegram.requests] == ["send", "pin", "edit", "edit", "edit", "unpin"]


async def test_telegram_is_asked_nothing_while_a_card_stays_the_same(world: World) -> None:
    for form in CardForm:
        await choose_form(world, form)
        before = len(world.telegram.requests)
        await send_cards(world, card(), card(), card())
        assert len(world.telegram.requests) == before + (2 if form is CardForm.TEXT else 0)


async def test_a_text_card_is_not_edited_for_what_only_a_picture_shows(world: World) -> None:
    await choose_form(world, CardForm.TEXT)
    await send_cards(world, card(goals=1), card(goals=2))

    assert len(world.shown()[0].versions) == 1


async def test_without_the_extra_the_card_is_text_and_one_line_of_the_log_says_why(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renderer, "is_available", lambda: False)
    await choose_form(world, CardForm.PICTURE)
    with capture_logs() as logs:
        await send_cards(world, card(), card(51))

    (shown,) = world.shown()
    assert not shown.photo and len(shown.versions) == 2 and "Saka" in shown.text
    assert [line["event"] for line in logs].count("pictures_not_installed") == 1


async def test_an_extra_that_is_gone_in_mid_match_turns_the_photo_into_a_new_text(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await choose_form(world, CardForm.PICTURE)
    await send_cards(world, card())
    await world.restart()
    monkeypatch.setattr(renderer, "is_available", lambda: False)
    await send_cards(world, card(51), card(52))

    photo, text = world.shown()
    assert photo.photo and not text.photo and [len(photo.versions), len(text.versions)] == [1, 2] and text.pinned


async def test_a_chat_that_takes_no_photos_gets_the_text(world: World) -> None:
    await choose_form(world, CardForm.PICTURE)
    world.telegram.fail(1, PictureForbidden("Bad Request: not enough rights to send photos to the chat"))
    await send_cards(world, card(), card(51))

    (shown,) = world.shown()
    assert not shown.photo and "Saka" in shown.text and len(shown.versions) == 2


async def test_a_photo_whose_file_telegram_has_forgotten_is_edited_all_the_same(world: World) -> None:
    await choose_form(world, CardForm.PICTURE)
    await send_cards(world, card())
    world.telegram.fail(1, PictureRefused("Bad Request: wrong file identifier/HTTP URL specified"))
    with capture_logs() as logs:
        await send_cards(world, card(51))

    (shown,) = world.shown()
    assert shown.photo and len(shown.versions) == 2
    assert "text_refused" not in [line["event"] for line in logs]


async def test_a_picture_that_is_refused_whenever_it_is_sent_is_replaced_by_text(world: World) -> None:
    await choose_form(world, CardForm.PICTURE)
    world.telegram.fail(1, *(PictureRefused("Bad Request: wrong file identifier/HTTP URL specified") for _ in range(2)))
    await send_cards(world, card())

    (shown,) = world.shown()
    assert not shown.photo and "Saka" in shown.text


async def test_a_chat_that_has_allowed_photos_since_gets_them_again_after_an_hour(world: World) -> None:
    await choose_form(world, CardForm.PICTURE)
    world.telegram.fail(1, PictureForbidden("Bad Request: not enough rights to send photos to the chat"))
    await send_cards(world, card())
    await world.send(seconds=3600.0)
    later = replace(card(), max_age=7200.0)
    await send_cards(world, of_other_match(later))

    text, photo = world.shown()
    assert not text.photo and photo.photo


async def test_a_picture_that_is_refused_in_unknown_words_is_replaced_by_text(world: World) -> None:
    await choose_form(world, CardForm.PICTURE)
    world.telegram.fail(1, *(RequestRefused("Bad Request: PHOTO_INVALID_DIMENSIONS") for _ in range(2)))
    await world.outbox.put_live(card())
    await world.send(seconds=20.0)

    (shown,) = world.shown()
    assert not shown.photo and "Saka" in shown.text


async def test_a_photo_in_a_chat_that_takes_none_any_more_is_followed_by_a_text_that_is_kept_up_to_date(world: World) -> None:
    await choose_form(world, CardForm.PICTURE)
    await send_cards(world, card())
    world.telegram.fail(1, PictureForbidden("Bad Request: not enough rights to send photos to the chat"))
    await send_cards(world, card(51), card(52))

    photo, text = world.shown()
    assert photo.photo and not text.photo and [len(photo.versions), len(text.versions)] == [1, 2]


async def test_a_choice_in_mid_match_leaves_a_photo_a_photo_and_a_text_a_text(world: World) -> None:
    await choose_form(world, CardForm.PICTURE)
    await send_cards(world, card())
    await choose_form(world, CardForm.TEXT)
    await send_cards(world, card(51))
    other = of_other_match(card(60))
    await send_cards(world, other)
    await choose_form(world, CardForm.PICTURE)
    await send_cards(world, replace(other, text=TEXT.format(minute=61)))

    photo, text = world.shown()
    assert [bool(photo.photo), len(photo.versions), bool(text.photo), len(text.versions)] == [True, 2, False, 2]


async def test_a_rich_card_has_a_text_beside_it_and_hidden_scores_are_text_alone(world: World) -> None:
    await choose_form(world, CardForm.RICH)
    await send_cards(world, card(), card(51))
    (shown,) = world.shown()
    rich = (shown.rich, len(shown.versions))
    await choose_form(world, CardForm.RICH, spoilers=True)
    await send_cards(world, card(52))

    assert rich == ("<p>51'</p>", 2)
    assert shown.rich == "" and "<tg-spoiler>" in shown.html


async def test_a_rich_card_is_in_the_language_of_its_chat(world: World) -> None:
    await choose_form(world, CardForm.RICH, language="de")
    await send_cards(world, card(rich_texts={"en": "<p>Goal</p>", "de": "<p>Tor</p>"}))

    assert world.shown()[0].rich == "<p>Tor</p>"


async def test_where_scores_are_hidden_a_picture_card_hides_its_picture_and_its_caption(world: World) -> None:
    await choose_form(world, CardForm.PICTURE, spoilers=True)
    await send_cards(world, card())

    (shown,) = world.shown()
    assert shown.is_spoiler and "<tg-spoiler>" in shown.html and "1–0" not in shown.html.partition("<tg-spoiler>")[0]
