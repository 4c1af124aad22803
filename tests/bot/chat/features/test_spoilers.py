"""Where scores are hidden no screen shows one in the open: not in its words, not on its buttons, not in its picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from bot.chat.dialogue import ChatContext, Screen
from bot.chat.features.fixtures import show_live, show_timeline, show_today
from bot.chat.features.inline_cards import find_cards
from bot.chat.search.catalogue import ALL_MATCHES
from bot.fake_telegram.html import parse
from rules.football.match import Match, Score
from rules.football.minute import Minute, Period
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import FIXTURES, labels, make_context

MATCHES = tuple(replace(Match(FIXTURES[at]), period=Period.SECOND_HALF, minute=Minute(67), score=Score(4, 3)) for at in (0, 2))


def screen(of: str, **chat: Any) -> Screen:
    context = make_context(ALL_MATCHES.subscription, matches=MATCHES, **chat)
    draw: dict[str, Callable[[ChatContext], Screen]] = {
        "live": show_live,
        "today": show_today,
        "timeline": lambda context: show_timeline(context, ()).screen,
        "drawn": lambda context: show_timeline(context, ("Arsenal",)).screen,
        "card": lambda context: Screen(
            " ".join((find_cards(context, "Arsenal")[0].html, *find_cards(context, "Arsenal")[0].title.split()))
        ),
    }
    return draw[of](context)


def open_text(html: str) -> str:
    """What is read without a tap."""
    parsed = parse(html)
    units = parsed.text.encode("utf-16-le")
    for entity in parsed.entities:
        if entity["type"] == "spoiler":
            start, end = 2 * int(str(entity["offset"])), 2 * (int(str(entity["offset"])) + int(str(entity["length"])))
            units = units[:start] + "▒".encode("utf-16-le") * ((end - start) // 2) + units[end:]
    return units.decode("utf-16-le")


@pytest.mark.parametrize("of", ["live", "today", "timeline", "drawn", "card"])
def test_spoilers_hide_the_score_on_every_screen(of: str) -> None:
    hidden, shown = screen(of, spoilers=True), screen(of)

    assert "4–3" in shown.html + "".join(labels(shown))
    assert "4–3" not in open_text(hidden.html) + "".join(labels(hidden))
    assert of == "timeline" or "4–3" in parse(hidden.html).text


async def test_a_picture_is_covered_until_it_is_tapped(world: World) -> None:
    world.directory.play(*MATCHES)
    await world.ask(42, 42, "/spoilers on")

    await world.ask(42, 42, "/timeline Arsenal")

    (sent,) = world.api.calls("sendPhoto")
    assert sent.params["has_spoiler"] == "true"
