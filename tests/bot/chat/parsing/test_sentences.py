"""Whole sentences without a slash: what they mean as commands, in each language, and what stays a name."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.chat.application import ROUTER
from bot.chat.parsing.understand import read_plain_text
from bot.subscribers import ChatRef
from rules.engine.alert import SHIPPED_KINDS
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import NOW

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
        ("no alerts for Liverpool", "alerts off for Liverpool"),
        ("Liverpool alerts off", "alerts off Liverpool"),
        ("stop sending me Liverpool notifications", "alerts off Liverpool"),
        ("turn alerts on for Liverpool", "alerts on for Liverpool"),
        ("schalte die Meldungen für Bayern ab", "alerts off die für Bayern"),
        ("keine Benachrichtigungen mehr von Bayern", "alerts off von Bayern"),
        ("desactiva los avisos del Betis", "alerts off los del Betis"),
        ("plus d’alertes pour le PSG", "alerts off pour le PSG"),
        ("niente avvisi per la Juve", "alerts off per la Juve"),
        ("liga os alertas do Benfica", "alerts on os Benfica"),
        ("everything about Arsenal", "alerts all Arsenal"),
        ("turn off notifications", "alerts turn off notifications"),
        ("turn notifications back on", "alerts on"),
        ("no alerts tonight", "mute tonight"),
        ("no notifications for two hours", "mute for two hours"),
        ("eine Stunde keine Meldungen", "mute eine Stunde"),
        ("sin avisos por la noche", "quiet por la noche"),
        ("no alerts from 23 to 7", "quiet from 23 to 7"),
        ("delay alerts by half a minute", "delay half a minute"),
        ("half a minute later", "delay half a minute"),
        ("no delay", "delay no"),
        ("retrasa los avisos medio minuto", "delay avisos medio minuto"),
        ("décale de 30 secondes", "delay 30 secondes"),
        ("be quiet for two hours", "mute two hours"),
        ("eine halbe Stunde stumm", "mute eine halbe stunde"),
        ("mets le PSG en sourdine pendant une heure", "mute PSG pendant une heure"),
        ("schalte Bayern eine Stunde stumm", "mute Bayern eine Stunde"),
        ("folge Bayern nicht mehr", "unsubscribe Bayern"),
        ("je ne veux plus suivre le PSG", "unsubscribe PSG"),
        ("unfollow everything", "unsubscribe everything"),
        ("notify me about Arsenal", "subscribe Arsenal"),
        ("sou do Benfica", "subscribe Benfica"),
        ("riattiva gli avvisi", "unmute"),
        ("welche Spiele laufen gerade?", "live"),
        ("wann spielt Bayern wieder?", "today Bayern"),
        ("in German please", "language german"),
        ("auf Deutsch", "language deutsch"),
        ("nachts nicht stören", "quiet nachts"),
        ("what can you do?", "help"),
        ("ich bin auf Sizilien", "timezone Sizilien"),
        ("j'habite en Bretagne", "timezone Bretagne"),
        ("muchas gracias", "subscriptions"),
        ("add yellow cards", "alerts yellow cards"),
        ("no cards for Liverpool", "alerts no cards for Liverpool"),
        ("keine Karten für Bayern", "alerts keine Karten für Bayern"),
        ("too many alerts", "alerts"),
        ("trop d’alertes", "alerts"),
        ("what time does Arsenal kick off?", "today Arsenal"),
        ("qui joue ce soir ?", "today"),
        ("est-ce que le PSG joue ce soir ?", "today PSG"),
        ("did Arsenal win", "live Arsenal"),
        ("pause for 2 hours", "mute 2 hours"),
        ("Pause für 2 Stunden", "mute 2 Stunden"),
        ("pausa de dos horas", "mute dos horas"),
        ("resume", "unmute"),
        ("set quiet hours 10pm-8am", "quiet 10pm-8am"),
        ("silent from 10 to 8", "quiet 10 to 8"),
        ("Uhrzeit falsch", "timezone"),
        ("change time zone", "timezone"),
        ("delete my data", "privacy"),
        ("what is this?", "help"),
        ("nothing", "alerts none"),
        ("kick off", "alerts"),
        ("23-7", "quiet 23-7"),
        ("tonight", "today tonight"),
        ("mañana", "today manana"),
        ("until 9pm", "mute until 9pm"),
        ("2 hours", "mute 2 hours"),
        ("eine halbe Minute", "delay eine halbe minute"),
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


async def test_everything_but_one_kind_can_be_asked_for(world: World) -> None:
    await world.ask(42, 42, "/alerts everything but goals")

    stored = (await world.load_chat(42)).filter
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

    assert await world.list_followed(42) == ["Chelsea"]


async def test_a_match_is_muted_by_the_team_and_a_time(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    typed = await world.ask(42, 42, "mute arsenal for an hour")
    everything = await world.ask(42, 42, "mute everything for 1 hour")

    assert typed.text.splitlines() == [
        "🔇 Arsenal v Chelsea is muted until 15:00. Other matches continue.",
        "Kick-off: Sun 22 15:00. Alerts are on again by then.",
    ]
    assert everything.text.startswith("🔇 Muted until 15:00.")


async def test_three_names_joined_by_a_comma_and_a_word(world: World) -> None:
    await world.ask(42, 42, "arsenal, chelsea and man city")

    assert await world.list_followed(42) == ["Arsenal", "Chelsea", "Manchester City"]


async def test_alerts_of_one_team_are_switched_off_and_on_again(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")

    off = await world.ask(42, 42, "no alerts for Arsenal")
    assert off.text.endswith("All alerts are off.") and "✖ Unfollow" in off.labels
    all_of_it = await world.ask(42, 42, "/alerts all for arsenal")
    assert all_of_it.text.endswith("Alerts: everything.")
    usual = await world.ask(42, 42, "turn alerts on for Arsenal")
    assert usual.text.endswith("full time, match disruptions, date and venue.")


async def test_alerts_of_a_team_that_come_through_its_league_are_explained_and_its_match_can_be_muted(world: World) -> None:
    await world.ask(42, 42, "/subscribe Premier League")

    answer = await world.ask(42, 42, "/alerts off for Arsenal")
    assert answer.text == "You don't follow “Arsenal” itself. Alerts come through Premier League. Mute a match:"
    await world.tap(42, 42, "🔇 Arsenal v Chelsea")
    assert (await world.load_chat(42)).muted_matches == {"f1"}

    await world.ask(42, 42, "/subscribe Arsenal")
    off = await world.ask(42, 42, "no alerts for arsenal")
    assert off.text.endswith("All alerts are off.\nAlerts still come through Premier League.")


async def test_alerts_of_what_is_not_followed_are_no_dead_end(world: World) -> None:
    await world.ask(42, 42, "/subscribe Chelsea")
    off = await world.ask(42, 42, "no alerts for Fenerbahçe")
    on = await world.ask(42, 42, "/alerts Arsenal")

    assert off.text == "You don't follow “Fenerbahçe”. Tap to unfollow:" and "✖ Chelsea" in off.labels
    assert on.text.startswith("✅ Following Arsenal.")


async def test_alerts_that_are_switched_on_end_a_mute(world: World) -> None:
    await world.ask(42, 42, "/mute 2h")
    await world.ask(42, 42, "turn notifications back on")

    assert (await world.load_chat(42)).muted_until is None


async def test_quiet_hours_for_once_offer_a_mute(world: World) -> None:
    offered = await world.ask(42, 42, "/quiet 2 hours")
    assert offered.text == "Quiet hours are the same every day. Mute alerts just this once?"

    await world.tap(42, 42, "🔇 2 hours")
    assert (await world.load_chat(42)).muted_until == NOW + dt.timedelta(hours=2)


async def test_waiting_for_confirmation_can_be_for_one_team(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    await world.ask(42, 42, "/alerts wait for Arsenal")
    misspelt = await world.ask(42, 42, "/alerts wait foo")

    (followed,) = await world.subscriptions.get_all(ChatRef(42))
    assert followed.overrides.confirmed_only and misspelt.text.startswith("I don't know “foo”.")


async def test_kinds_of_one_team_are_switched_off_in_either_order(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    for typed in ("no red cards for Arsenal", "/alerts arsenal no red cards"):
        answer = await world.ask(42, 42, typed)
        assert answer.text == "🎚 Arsenal: goals, shootouts, full time, match disruptions, date and venue."


async def test_small_words_around_a_name_do_not_hide_it(world: World) -> None:
    for typed in ("Arsenal please", "/subscribe to Chelsea", "/subscribe Fenerbahçe's matches"):
        await world.ask(42, 42, typed)
    assert await world.list_followed(42) == ["Arsenal", "Chelsea", "Fenerbahçe"]

    await world.ask(42, 42, "/unsubscribe from Arsenal")
    assert await world.list_followed(42) == ["Chelsea", "Fenerbahçe"]


async def test_only_goals_in_a_whole_sentence(world: World) -> None:
    answer = await world.ask(42, 42, "I only want goals")

    assert answer.text == "Alerts: only goals."


async def test_a_language_and_a_time_zone_with_a_small_word(world: World) -> None:
    await world.ask(42, 42, "/timezone London time")
    await world.ask(42, 42, "/language in German")

    chat = await world.load_chat(42)
    assert (chat.timezone, chat.language) == ("Europe/London", "de")


async def test_two_matches_are_muted_at_once(world: World) -> None:
    await world.ask(42, 42, "/subscribe all")
    answer = await world.ask(42, 42, "/mute Arsenal, Manchester City")

    assert answer.text == (
        "🔇 Muted until full time: Arsenal v Chelsea, Manchester City v Manchester United. Other matches continue."
    )
    assert (await world.load_chat(42)).muted_matches == {"f1", "f2"}
