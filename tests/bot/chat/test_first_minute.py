"""The first minute with the bot, as dialogues: who says what, which buttons are there, and how many taps a wish takes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.fake_telegram import Message
from bot.quiet_hours import QuietHours
from bot.subscribers import Scope, Subscription
from rules.engine.text import LANGUAGES
from rules.football.match import Match, Score
from rules.football.minute import Minute, Period
from tests.bot.chat.conftest import ADMIN, World
from tests.bot.chat.fixtures import FIXTURES, data, labels, make_context, press_button, run_command

ME, GROUP = 42, -100


class PrivateChat:
    """A private chat with the bot, which counts the person's messages and taps."""

    def __init__(self, world: World) -> None:
        self.world, self.messages, self.taps = world, 0, 0

    async def say(self, text: str) -> Message:
        """Write to the bot; returns its answer."""
        self.messages += 1
        return await self.world.ask(ME, ME, text)

    async def tap(self, label: str) -> Message:
        """Press a button of the latest message; returns the message as it is then."""
        self.taps += 1
        await self.world.tap(ME, ME, label)
        return self.last

    @property
    def last(self) -> Message:
        return self.world.api.chat(ME).last


@pytest.fixture
def chat(world: World) -> PrivateChat:
    return PrivateChat(world)


async def test_from_nothing_to_a_team_with_its_goals_only(chat: PrivateChat) -> None:
    hello = await chat.say("/start")
    assert len(hello.text.splitlines()) == 3
    assert hello.labels == ["⚽ Follow a team", "📅 Today", "🕑 Time zone", "❓ Help"]

    follow = await chat.tap("⚽ Follow a team")
    assert follow.text.startswith("What do you want to follow?") and "Premier League" in follow.labels

    followed = await chat.say("arsenal")
    assert followed.text.splitlines()[:2] == ["✅ Following Arsenal.", "Next: Sun 22 15:00 Arsenal v Chelsea"]
    assert followed.labels == [
        "⚽ Only goals", "🟥 Goals and cards", "📣 Everything", "🎚 More", "↩ Undo", "✔ Done",
    ]  # fmt: skip

    goals = await chat.tap("⚽ Only goals")
    assert goals.text.splitlines()[-1] == "Alerts: goals." and "✅ ⚽ Only goals" in goals.labels

    zone = await chat.tap("✔ Done")
    assert zone.text.startswith("🕑 What time is it where you are?") and "London (14:00)" in zone.labels

    saved = await chat.tap("London")
    assert saved.text == "🕑 Time zone: London (now 14:00)."

    # The question comes once: the zone is known now.
    await chat.say("chelsea")
    done = await chat.tap("✔ Done")
    assert done.text.startswith("Following\n• Arsenal 🎚\n• Chelsea") and not done.buttons
    assert len([m for m in chat.world.api.chat(ME).messages if m.by_bot]) == 3


async def test_a_team_and_only_its_goals_are_followed_with_two_messages_and_a_tap(chat: PrivateChat) -> None:
    await chat.say("/start")
    await chat.say("Arsenal")
    assert await chat.world.list_followed(ME) == ["Arsenal"] and chat.taps == 0

    await chat.tap("Only goals")
    (subscription,) = await chat.world.subscriptions.get_all((await chat.world.load_chat(ME)).ref)
    assert subscription.overrides.kinds == {"goal"} and chat.taps == 1


async def test_quiet_hours_in_the_right_zone_take_a_message_and_two_taps(chat: PrivateChat) -> None:
    asked = await chat.say("/quiet")
    assert "Time zone: UTC" in asked.text

    await chat.tap("no sound")
    await chat.tap("London")

    stored = await chat.world.load_chat(ME)
    assert (stored.quiet_hours, stored.timezone) == (QuietHours(1380, 420), "Europe/London")
    assert (chat.messages, chat.taps) == (1, 2)


async def test_a_delay_and_its_end_take_a_message_and_two_taps(chat: PrivateChat) -> None:
    await chat.say("/delay")
    await chat.tap("30 s")
    assert (await chat.world.load_chat(ME)).delay == 30

    await chat.tap("↩ Undo")
    assert (await chat.world.load_chat(ME)).delay == 0 and (chat.messages, chat.taps) == (1, 2)


async def test_one_match_is_muted_without_a_tap_and_unmuted_by_one(chat: PrivateChat) -> None:
    await chat.say("/subscribe arsenal")
    await chat.say("/mute arsenal")
    muted = chat.last.text
    assert muted == "🔇 Arsenal v Chelsea is muted until full time. Other matches continue."
    assert (await chat.world.load_chat(ME)).muted_matches == {"f1"} and chat.taps == 0

    await chat.tap("🔔 Unmute")
    assert (await chat.world.load_chat(ME)).muted_matches == frozenset()


async def test_a_subscription_can_be_undone_and_made_again(chat: PrivateChat) -> None:
    await chat.say("/subscribe arsenal")
    undone = await chat.tap("↩ Undo")
    assert undone.text == "Unfollowed Arsenal." and await chat.world.list_followed(ME) == []

    again = await chat.tap("↩ Undo")
    assert again.text.startswith("✅ Following Arsenal.") and await chat.world.list_followed(ME) == ["Arsenal"]


async def test_unfollowing_everything_can_be_undone(chat: PrivateChat) -> None:
    await chat.say("/subscribe Arsenal, Chelsea")
    gone = await chat.say("/unsubscribe all")
    assert gone.labels == ["↩ Undo", "⚽ Follow a team", "📅 Today"] and await chat.world.list_followed(ME) == []

    await chat.tap("↩ Undo")
    assert await chat.world.list_followed(ME) == ["Arsenal", "Chelsea"]


async def test_a_club_that_is_called_like_a_command_is_followed(chat: PrivateChat) -> None:
    start = replace(FIXTURES[0], id="s1", home=replace(FIXTURES[0].home, id="s", name="Start"))
    chat.world.directory.known = (*FIXTURES, start)

    assert (await chat.say("start")).text.startswith("✅ Following Start.")


async def test_what_still_reaches_the_chat_is_said(chat: PrivateChat) -> None:
    await chat.say("/subscribe all")
    await chat.say("/subscribe premier league")
    await chat.say("/subscribe arsenal")

    answer = await chat.say("/unsubscribe arsenal")

    assert answer.text == "Unfollowed Arsenal.\nAlerts still come through all matches and Premier League."


async def test_who_follows_in_mid_match_reads_the_score_once(chat: PrivateChat) -> None:
    playing = Match(FIXTURES[2], Score(2, 1), period=Period.SECOND_HALF, minute=Minute(67), status="Live")
    chat.world.directory.play(playing)

    new, again = await chat.say("fenerbahce"), await chat.say("fenerbahce")
    other = await chat.say("galatasaray")

    # The score of a match that is new to the chat comes in a message of its own, which hides it with /spoilers.
    assert "Now: Fenerbahçe v Galatasaray\n" in new.text and "2–1" not in new.text
    assert all("Now: Fenerbahçe 2–1 Galatasaray · 67'" in answer.text for answer in (again, other))


async def test_several_names_are_several_subscriptions_and_undone_together(chat: PrivateChat) -> None:
    both = await chat.say("Arsenal, Chelsea")
    assert both.text.startswith("✅ Following Arsenal and Chelsea.")
    assert await chat.world.list_followed(ME) == ["Arsenal", "Chelsea"]

    await chat.tap("Undo")
    assert await chat.world.list_followed(ME) == []

    await chat.say("/subscribe Arsenal and Chelsea")
    assert await chat.world.list_followed(ME) == ["Arsenal", "Chelsea"]
    await chat.say("/subscribe Fenerbahce; Leeds")
    assert "I couldn't find: Leeds." in chat.last.text


@pytest.mark.parametrize(
    ("link", "followed"),
    [
        ("team_arsenal", ["Arsenal"]),
        ("arsenal", ["Arsenal"]),
        ("league_premier-league", ["Premier League"]),
        ("match_arsenal_v_chelsea", ["Arsenal v Chelsea"]),
        ("team_manchester", []),
        ("team_nobody", []),
    ],
)
async def test_a_deep_link_follows_at_once_or_asks(chat: PrivateChat, link: str, followed: list[str]) -> None:
    answer = await chat.say(f"/start {link}")

    assert await chat.world.list_followed(ME) == followed
    assert answer.buttons


async def test_a_deep_link_of_a_group_is_for_its_administrators(world: World) -> None:
    world.api.chat(GROUP).admins = {ADMIN}

    refused = await world.ask(GROUP, 5, "/start@touchline_bot team_arsenal")
    assert "group admins" in refused.text and await world.list_followed(GROUP) == []

    await world.ask(GROUP, ADMIN, "/start@touchline_bot team_arsenal")
    assert await world.list_followed(GROUP) == ["Arsenal"]


async def test_unknown_commands_are_answered_with_the_nearest(chat: PrivateChat) -> None:
    misspelt = await chat.say("/subscrbe Arsenal")
    assert misspelt.text == "I don't know /subscrbe. Did you mean:" and misspelt.labels[0] == "/subscribe Arsenal"
    await chat.tap("/subscribe Arsenal")
    assert await chat.world.list_followed(ME) == ["Arsenal"]

    await chat.say("/follow Chelsea")
    assert await chat.world.list_followed(ME) == ["Arsenal", "Chelsea"]
    assert (await chat.say("/score")).text == "No match is live now."
    assert (await chat.say("/matches")).text.startswith("Sunday 22 November")
    assert (await chat.say("/xyzzy")).labels == ["❓ Help", "📅 Today"]


@pytest.mark.parametrize("command", ["subscribe", "today", "live"])
async def test_the_button_of_a_command_is_for_whom_the_command_is(world: World, command: str) -> None:
    world.api.chat(GROUP).admins = {ADMIN}
    message = await world.ask(GROUP, 5, "/today")

    note = await world.press(GROUP, 5, message, f"do:{command} Arsenal")

    assert ("group admins" in note) == (command == "subscribe") and await world.list_followed(GROUP) == []


async def test_a_message_without_a_slash_is_understood(chat: PrivateChat) -> None:
    assert (await chat.say("hi")).labels[0] == "⚽ Follow a team"
    await chat.say("follow arsenal")
    assert await chat.world.list_followed(ME) == ["Arsenal"]

    assert (await chat.say("goals only")).text == "Alerts: only goals."
    assert not (await chat.world.load_chat(ME)).filter.accepts("red_card")
    assert (await chat.say("Heute")).text.startswith("Sunday 22 November")
    assert (await chat.say("mute 1 hour")).text.startswith("🔇 Muted until 15:00.")
    assert (await chat.say("stop")).text.startswith("Stopped") and await chat.world.list_followed(ME) == []


async def test_alerts_in_plain_words(chat: PrivateChat) -> None:
    await chat.say("/subscribe arsenal")
    await chat.say("/alerts Arsenal goals")
    (subscription,) = await chat.world.subscriptions.get_all((await chat.world.load_chat(ME)).ref)
    assert subscription.overrides.kinds == {"goal"}

    assert (await chat.say("/alerts only red cards and penalties")).text == "Alerts: only red cards, penalties."
    assert (await chat.say("/alerts Tore nur")).text == "Alerts: only goals."
    assert (await chat.say("/alerts off")).text.startswith("All alerts are off.")
    assert "goals" in (await chat.say("/alerts on")).text
    wrong = await chat.say("/alerts tackles won")
    assert wrong.text.startswith("I don't know “tackles”. Try: goals,") and "📣 Alerts" in wrong.labels


async def test_today_understands_days_and_names(chat: PrivateChat) -> None:
    assert (await chat.say("/today tomorrow")).text.startswith("Monday 23 November")
    assert (await chat.say("/today Monday")).text.startswith("Monday 23 November")
    league = await chat.say("/today Süper Lig")
    assert "Fenerbahçe v Galatasaray" in league.text and "Arsenal" not in league.text
    later = await chat.say("/today Man City")
    assert later.text.startswith("Manchester City\nNo match on that day. Next:\nMonday 23 November\n16:00 Manchester City v")
    assert "15:00 Arsenal v Chelsea" in (await chat.say("/live Arsenal")).text
    assert (await chat.say("/today xyzzy")).labels


def test_settings_shows_all_and_leads_to_each() -> None:
    context = make_context(Subscription(Scope.TEAM, "t1", "Arsenal"), delay=30)
    settings = press_button(context, data(run_command(context, "delay").screen, "⚙ Settings")).screen
    assert "Following: Arsenal" in settings.html and "Delay: 30 s" in settings.html and "Time zone: UTC" in settings.html

    *others, done = labels(settings)
    for label in others:
        shown = press_button(context, data(settings, label)).screen
        assert shown.html != settings.html and any("Done" in one for one in labels(shown)), label
    assert press_button(context, data(settings, done)).screen.buttons == ()
    assert len(others) == 10


async def test_another_team_of_a_similar_name_is_one_tap_away(chat: PrivateChat) -> None:
    women = replace(FIXTURES[0], id="w1", home=replace(FIXTURES[0].home, id="w", name="Arsenal Women"))
    chat.world.directory.known = (*FIXTURES, women)

    followed = await chat.say("arsenal")
    assert "Arsenal Women" in followed.labels
    await chat.tap("Arsenal Women")

    assert await chat.world.list_followed(ME) == ["Arsenal Women"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_first_minute_is_in_the_users_language(chat: PrivateChat, language: str) -> None:
    chat.world.api.languages[ME] = language
    hello = await chat.say("/start")
    followed = await chat.say("arsenal")
    english = {"⚽ Follow a team", "❓ Help", "↩ Undo", "⚽ Only goals"}

    assert bool(english & {*hello.labels, *followed.labels}) == (language == "en")
    # Two columns of a phone hold some nineteen units.
    assert [label for label in (*hello.labels, *followed.labels) if len(label) > 20] == []
