"""Whole sentences without a slash: what they mean as commands, in each language, and what stays a name."""

from __future__ import annotations

import pytest

from bot.chat.application import ROUTER
from bot.chat.understand import read_plain_text
from rules.engine.alert import SHIPPED_KINDS
from tests.bot.chat.conftest import World

COMMANDS = [name for name, command in ROUTER.commands.items() if command.run]


def read_command(text: str) -> str | None:
    """Return the command that a text means, as it would be typed. None: it is no sentence, but a name."""
    found = read_plain_text(text, COMMANDS, SHIPPED_KINDS)
    return " ".join((found[0], *found[1])) if found else None


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("mute liverpool for an hour", "mute liverpool for an hour"),
        ("please mute Arsenal!", "mute Arsenal"),
        ("arsenal stummschalten", "mute arsenal"),
        ("mute until tomorrow", "mute until tomorrow"),
        ("be quiet tonight", "mute tonight"),
        ("shut up", "mute"),
        ("silencia 2 horas", "mute 2 horas"),
        ("stop following Arsenal", "unsubscribe Arsenal"),
        ("unfolow liverpool", "unsubscribe liverpool"),
        ("unsubscribe from liverpool", "unsubscribe liverpool"),
        ("don't follow liverpool any more", "unsubscribe liverpool"),
        ("liverpool nicht mehr folgen", "unsubscribe liverpool"),
        ("dejar de seguir liverpool", "unsubscribe liverpool"),
        ("ne plus suivre le PSG", "unsubscribe PSG"),
        ("non seguire più la Juve", "unsubscribe Juve"),
        ("deixar de seguir o Porto", "unsubscribe Porto"),
        ("I want to follow Arsenal, please", "subscribe Arsenal,"),
        ("quiero seguir al Barcelona", "subscribe Barcelona"),
        ("add Barcelona", "subscribe Barcelona"),
        ("stop", "stop"),
        ("stop everything", "stop"),
        ("stop Arsenal", "stop Arsenal"),
        ("when does Arsenal play", "today Arsenal"),
        ("wann spielt Bayern?", "today Bayern"),
        ("cuándo juega el Real Madrid", "today Real Madrid"),
        ("premier league today", "today premier league today"),
        ("what's on tomorrow", "today tomorrow"),
        ("partite domani", "today domani"),
        ("games this weekend", "today Saturday"),
        ("today’s games", "today"),
        ("can you tell me the liverpool score", "live liverpool"),
        ("live scores", "live"),
        ("my teams", "subscriptions"),
        ("thanks", "subscriptions"),
        ("hide scores", "spoilers on"),
        ("no spoilers", "spoilers on"),
        ("show scores", "spoilers off"),
        ("do not disturb 11pm to 7am", "quiet 11pm to 7am"),
        ("night mode", "quiet night"),
        ("ne pas déranger 22h-7h", "quiet 22h-7h"),
        ("wait 30 seconds", "delay 30 seconds"),
        ("30 seconds later", "delay 30 seconds"),
        ("I live in Madrid", "timezone Madrid"),
        ("j’habite à Lyon", "timezone Lyon"),
        ("Zeitzone Wien", "timezone Wien"),
        ("speak German", "language German"),
        ("Deutsch", "language deutsch"),
        ("all alerts", "alerts all"),
        ("only goals please", "alerts only goals"),
    ],
)
def test_a_sentence_means_a_command(text: str, command: str) -> None:
    assert read_command(text) == command


@pytest.mark.parametrize("text", ["Arsenal", "Real Madrid", "man utd and leeds", "inter", "FC Köln", "Standard Liège", "Nice"])
def test_a_name_stays_a_name(text: str) -> None:
    assert read_command(text) is None


@pytest.mark.parametrize(
    ("typed", "alerts"),
    [
        ("no cards please", "goals, shootouts, full time, match disruptions, date and venue"),
        ("don't send me red cards", "goals, shootouts, full time, match disruptions, date and venue"),
        ("keine roten Karten mehr", "goals, shootouts, full time, match disruptions, date and venue"),
        ("sin goles", "red cards, shootouts, full time, match disruptions, date and venue"),
        ("pas de cartons", "goals, shootouts, full time, match disruptions, date and venue"),
        ("niente cartellini", "goals, shootouts, full time, match disruptions, date and venue"),
        ("sem cartões", "goals, shootouts, full time, match disruptions, date and venue"),
        ("turn on penalties", "goals, red cards, penalties, shootouts, full time, match disruptions, date and venue"),
        ("/alerts cards off", "goals, shootouts, full time, match disruptions, date and venue"),
        ("turn everything off", None),
    ],
)
async def test_alerts_are_switched_in_plain_words(world: World, typed: str, alerts: str | None) -> None:
    answer = await world.ask(42, 42, typed)

    assert answer.text == (f"Alerts: {alerts}." if alerts else "All alerts are off. Change: /alerts")


async def test_everything_but_one_kind(world: World) -> None:
    await world.ask(42, 42, "/alerts everything but goals")

    stored = (await world.stored(42)).filter
    assert not stored.accepts("goal") and stored.accepts("yellow_card") and not stored.accepts("card")


async def test_kinds_for_a_team_are_chosen_in_either_order(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    for typed in ("only goals for Arsenal", "/alerts only goals for arsenal", "solo goles de Arsenal", "Arsenal goals only"):
        answer = await world.ask(42, 42, typed)
        assert answer.text.startswith("✅ Following Arsenal.") and answer.text.endswith("Alerts: goals.")
    followed = await world.ask(42, 42, "goals for Chelsea")

    assert followed.text.startswith("✅ Following Chelsea.") and "⚽ Only goals" in followed.labels


async def test_stop_with_a_name_unfollows_that_alone(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal, Chelsea")
    for typed in ("stop following Arsenal", "/stop corners"):
        await world.ask(42, 42, typed)

    assert await world.followed(42) == ["Chelsea"]


async def test_a_match_is_muted_by_the_team_and_a_time(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    typed = await world.ask(42, 42, "mute arsenal for an hour")
    everything = await world.ask(42, 42, "mute everything for 1 hour")

    assert typed.text == "🔇 Arsenal v Chelsea is muted until full time. Other matches continue."
    assert everything.text.startswith("🔇 Muted until 15:00.")


async def test_three_names_joined_by_a_comma_and_a_word(world: World) -> None:
    await world.ask(42, 42, "arsenal, chelsea and man city")

    assert await world.followed(42) == ["Arsenal", "Chelsea", "Manchester City"]
