"""Where scores are hidden no screen shows one in the open: not in its words, not on its buttons, not in its picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from bot.chats.cards import cards
from bot.chats.guide import ALL
from bot.chats.live import live
from bot.chats.reply import Reply, View
from bot.chats.timeline import timeline
from bot.chats.today import today
from rules.match import Match, Score
from rules.minute import Minute, Period
from tests.bot.chats.conftest import World
from tests.bot.chats.fixtures import FIXTURES, labels, view
from tests.fakes.telegram_html import parse

MATCHES = tuple(replace(Match(FIXTURES[at]), period=Period.SECOND_HALF, minute=Minute(67), score=Score(4, 3)) for at in (0, 2))


def screen(of: str, **chat: Any) -> Reply:
    seen = view(ALL.subscription, matches=MATCHES, **chat)
    draw: dict[str, Callable[[View], Reply]] = {
        "live": live,
        "today": today,
        "timeline": lambda seen: timeline(seen, ()).reply,
        "drawn": lambda seen: timeline(seen, ("Arsenal",)).reply,
        "card": lambda seen: Reply(" ".join((cards(seen, "Arsenal")[0].html, *cards(seen, "Arsenal")[0].title.split()))),
    }
    return draw[of](seen)


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
def test_no_score_is_in_the_open(of: str) -> None:
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
