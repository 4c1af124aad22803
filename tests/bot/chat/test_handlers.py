"""What people say, through a real Application against the fake Bot API."""

from __future__ import annotations

import datetime as dt

import pytest
from msgspec.structs import replace

from bot.chat import handlers, texts
from bot.chat.application import ROUTER, set_bot_description, set_command_menu
from bot.chat.features import subscriptions
from bot.fake_telegram import BAD_GATEWAY, RefusedError
from bot.subscribers import ChatRef, Scope, Subscription
from bot.telegram.server_features import ServerFeatures
from rules.engine.text import LANGUAGES
from tests.bot.chat.conftest import ADMIN, World
from tests.bot.chat.fixtures import NOW

GROUP, FORUM, CHANNEL = -100, -1_000_000_000_200, -1_000_000_000_300


async def test_a_team_is_followed_with_one_command(world: World) -> None:
    answer = await world.ask(42, 42, "/subscribe arsenal")

    assert await world.list_followed(42) == ["Arsenal"]
    assert answer.text.startswith("✅ Following Arsenal.")


async def test_a_team_is_followed_by_buttons_in_one_message(world: World) -> None:
    await world.ask(42, 42, "/subscribe")
    silent = await world.tap(42, 42, "Premier League")
    notice = await world.tap(42, 42, "Chelsea")

    assert await world.list_followed(42) == ["Chelsea"] and (silent, notice) == ("", "✅ Chelsea")
    assert len(world.api.chat(42).messages) == 1
    assert "✅ Chelsea" in world.api.chat(42).last.labels


async def test_done_shows_the_list_without_buttons(world: World) -> None:
    await world.ask(42, 42, "/subscribe all")
    await world.ask(42, 42, "/alerts")
    await world.tap(42, 42, texts.done_label())

    last = world.api.chat(42).last
    assert "• all matches" in last.text and not last.buttons


async def test_an_out_of_date_button_says_so(world: World) -> None:
    message = await world.ask(42, 42, "/subscribe")
    answers = [await world.press(42, 42, message, data) for data in ("t:AAAAAAAA:h:0", "nonsense", "c:x", "u::")]

    assert answers == [texts.outdated_button_text()] * 4
    assert world.api.chat(42).last.edits == []


async def test_a_button_under_a_message_that_telegram_no_longer_shows_is_out_of_date(world: World) -> None:
    message = await world.ask(42, 42, "/subscribe")
    hidden = {"chat": world.api.chat(42).json(), "message_id": message.id, "date": 0}
    world.api.queries.add("old")
    sender = {"id": 42, "is_bot": False, "first_name": "User"}
    world.api.push({"callback_query": {"id": "old", "from": sender, "chat_instance": "42", "data": "h:0", "message": hidden}})
    await world.api.until(lambda: world.api.answer("old"))

    assert world.api.answers[-1]["text"] == texts.outdated_button_text()


async def test_a_press_too_old_to_acknowledge_still_takes_effect(world: World) -> None:
    message = await world.ask(42, 42, "/alerts")
    world.api.queries.discard(world.api.press(42, 42, message, "ka"))
    await world.api.until(lambda: message.edits)

    assert (await world.load_chat(42)).filter.all_kinds


async def test_a_button_pressed_twice_edits_the_message_once(world: World) -> None:
    message = await world.ask(42, 42, "/today")
    data = message.button("▶").data
    await world.press(42, 42, message, data)
    await world.press(42, 42, message, data)

    assert len(world.api.chat(42).messages) == 1 and len(message.edits) == 1


async def test_a_button_unsubscribes(world: World) -> None:
    await world.ask(42, 42, "/subscribe arsenal")
    await world.ask(42, 42, "/unsubscribe")
    await world.tap(42, 42, "Arsenal")

    assert await world.list_followed(42) == [] and world.api.chat(42).last.text == subscriptions.unsubscribed_all_text()


async def test_kinds_are_stored(world: World) -> None:
    await world.ask(42, 42, "/alerts +yellow_card -goal")
    await world.ask(42, 42, "/alerts")
    await world.tap(42, 42, "Everything")

    assert (await world.load_chat(42)).filter.all_kinds
    assert world.api.chat(42).last.button("Goals").text == "✅ Goals"


async def test_an_unknown_command_or_name_is_answered_with_a_sentence(world: World) -> None:
    answers = [(await world.ask(42, 42, text)).text for text in ("/goal", "xyzzy <b>", "/subscribe <i>Nowhere</i>")]

    assert answers[0].startswith(handlers.unknown_command_text("goal"))
    assert answers[1].startswith("No team, league or match “xyzzy <b>” in the coming days.")
    assert answers[2].startswith("No team, league or match “<i>Nowhere</i>” in the coming days.")


async def test_in_a_group_only_administrators_change_things(world: World) -> None:
    world.api.chat(GROUP).admins = {ADMIN}
    refused = await world.ask(GROUP, 5, "/subscribe Arsenal")
    taken = await world.ask(GROUP, ADMIN, "/subscribe@touchline_bot Chelsea")

    assert refused.text == texts.administrators_only_text()
    assert await world.list_followed(GROUP) == ["Chelsea"] and taken.reply_to is not None


async def test_in_a_group_everybody_may_read(world: World) -> None:
    answers = [(await world.ask(GROUP, 5, text)).text for text in ("/today", "/subscriptions", "/help")]

    assert "Arsenal v Chelsea" in answers[0] and answers[1] == subscriptions.nothing_followed_text()
    # Once: whether somebody may change the chat decides which buttons he is shown, and is remembered for a minute.
    assert len(world.api.calls("getChatMember")) == 1


async def test_a_member_may_turn_the_days_but_not_tick(world: World) -> None:
    world.api.chat(GROUP).admins = {ADMIN}
    await world.ask(GROUP, ADMIN, "/subscribe")
    ticking = await world.tap(GROUP, 5, "All matches")
    await world.ask(GROUP, 5, "/today")
    turning = await world.tap(GROUP, 5, "▶")

    assert (ticking, turning) == (texts.administrators_only_text(), "")
    assert await world.list_followed(GROUP) == []


async def test_telegram_is_asked_once_a_minute_who_is_an_administrator(world: World) -> None:
    world.api.chat(GROUP).admins = {ADMIN}
    for _ in range(3):
        await world.ask(GROUP, ADMIN, "/alerts")

    asked = len(world.api.calls("getChatMember"))
    world.clock.move_to(NOW + dt.timedelta(seconds=61))
    await world.ask(GROUP, ADMIN, "/alerts")

    assert (asked, len(world.api.calls("getChatMember"))) == (1, 2)


async def test_the_list_of_administrators_is_asked_for_if_telegram_hides_the_member(world: World) -> None:
    world.api.chat(GROUP).admins = {ADMIN}
    world.api.fail("getChatMember", RefusedError(400, "Bad Request: CHAT_ADMIN_REQUIRED"), times=None)
    await world.ask(GROUP, ADMIN, "/subscribe Arsenal")
    refused = await world.ask(GROUP, 5, "/subscribe Chelsea")

    assert await world.list_followed(GROUP) == ["Arsenal"] and refused.text == texts.administrators_only_text()


async def test_an_anonymous_administrator_and_a_channel_post_may_change_things(world: World) -> None:
    await world.ask(GROUP, 0, "/subscribe Arsenal", as_chat=True)
    world.api.chat(CHANNEL, kind="channel")
    await world.ask(CHANNEL, 0, "/subscribe Chelsea")

    assert (await world.list_followed(GROUP), await world.list_followed(CHANNEL)) == (["Arsenal"], ["Chelsea"])


async def test_a_topic_is_a_chat_of_its_own(world: World) -> None:
    world.api.chat(FORUM, is_forum=True).admins = {ADMIN}
    answer = await world.ask(FORUM, ADMIN, "/subscribe Arsenal", topic=9)
    await world.ask(FORUM, ADMIN, "/alerts", topic=9)
    await world.tap(FORUM, ADMIN, "Everything")

    assert answer.topic == 9 and await world.list_followed(FORUM, 9) == ["Arsenal"] and await world.list_followed(FORUM) == []
    assert (await world.load_chat(FORUM, 9)).filter.all_kinds


async def test_messages_that_are_not_for_this_bot_are_not_answered(world: World) -> None:
    world.api.say(GROUP, 5, "/subscribe@other_bot Arsenal")
    # Its name only begins like ours.
    world.api.say(GROUP, 5, f"/cancel@{world.api.me['username']}_test_bot")
    world.api.say(GROUP, 5, "/goal")
    world.api.say(GROUP, 5, "Arsenal!")
    world.api.say(42, 42, "/subscribe Arsenal", edited=True)
    await world.wait_until_idle()

    assert not world.api.calls("sendMessage")


async def test_a_configured_chat_is_not_changed_by_commands(world: World) -> None:
    await world.ask(42, 42, "/help")
    await world.chats.save(replace((await world.load_chat(42)), is_configured=True))
    refused = [(await world.ask(42, 42, text)).text for text in ("/subscribe Arsenal", "/alerts all", "/unsubscribe")]

    assert refused == [texts.configured_chat_text()] * 3 and await world.list_followed(42) == []


async def test_an_old_button_in_a_configured_chat_is_refused(world: World) -> None:
    message = await world.ask(42, 42, "/alerts")
    await world.chats.save(replace((await world.load_chat(42)), is_configured=True))

    assert await world.press(42, 42, message, "ka") == texts.configured_chat_text()
    assert not (await world.load_chat(42)).filter.all_kinds


async def test_status_is_for_admins_only(world: World) -> None:
    answer = await world.ask(ADMIN, ADMIN, "/status")
    refused = await world.ask(42, 42, "/status")

    assert answer.text == "2 matches <live>" and refused.text.startswith(handlers.unknown_command_text("status"))


async def test_the_status_is_told_in_private_wherever_an_admin_asks(world: World) -> None:
    world.api.say(GROUP, ADMIN, "/status")
    await world.api.until(lambda: world.api.chat(ADMIN).messages)
    await world.wait_until_idle()

    assert world.api.chat(ADMIN).last.text == "2 matches <live>" and world.api.chat(GROUP).messages == []


async def test_a_status_that_is_longer_than_a_message_comes_in_several(world: World) -> None:
    lines = [f"{number}: Universidad Católica v Independiente del Valle, connected" for number in range(100)]
    world.status = "\n".join(lines)
    world.api.say(ADMIN, ADMIN, "/status")
    await world.wait_until_idle()

    messages = [message.text for message in world.api.chat(ADMIN).messages]
    assert "\n".join(messages) == world.status and len(messages) == 2


async def test_an_answer_that_is_longer_than_a_message_is_cut(world: World) -> None:
    await world.ask(42, 42, "/help")
    for number in range(80):
        name = f"Universidad Católica del Ecuador {number} v Independiente del Valle Reservas"
        await world.subscriptions.add(ChatRef(42), Subscription(Scope.MATCH, f"m{number}", name))

    answer = await world.ask(42, 42, "/subscriptions")

    assert "Universidad Católica del Ecuador" in answer.text and answer.text.endswith("…")


@pytest.mark.parametrize("text", ["/subscribe Arsenal", "/status", "/nonsense", "/why"])
async def test_a_forwarded_command_is_not_obeyed(world: World, text: str) -> None:
    world.api.say(ADMIN, ADMIN, text, forwarded=True)
    answer = await world.ask(ADMIN, ADMIN, "/help")

    assert [message for message in world.api.chat(ADMIN).messages if message.text] == [answer]
    assert await world.list_followed(ADMIN) == []


@pytest.mark.parametrize(
    "data",
    [
        "v:9" + "9" * 40,
        "d:20261122:9" + "9" * 40,
        "@-9999999999999999999;h:0",
        "h:" + "9" * 30,
        "t:x:h:" + "9" * 30,
        "l:" + "9" * 30,
    ],
)
async def test_a_button_with_a_huge_number_is_out_of_date(world: World, data: str) -> None:
    message = await world.ask(42, 42, "/subscribe")

    assert await world.press(42, 42, message, data) == texts.outdated_button_text()


async def test_an_error_is_answered_with_one_sentence_and_the_next_command_works(world: World) -> None:
    known, world.directory.known = world.directory.known, None  # type: ignore[assignment]
    first = await world.ask(42, 42, "/today")
    world.directory.known = known
    second = await world.ask(42, 42, "/today")

    assert first.text == "Something went wrong. Please try again in a moment." and "Arsenal" in second.text


async def test_an_answer_that_telegram_refuses_is_not_followed_by_an_apology(world: World) -> None:
    world.api.fail("sendMessage", RefusedError(429, "Too Many Requests: retry after 1000", retry_after=1000))
    world.api.say(42, 42, "/help")
    await world.wait_until_idle()
    answer = await world.ask(42, 42, "/help")

    assert [request.status for request in world.api.calls("sendMessage")] == [429, 200]
    assert "/subscribe" in answer.text


async def test_nothing_is_changed_while_telegram_cannot_say_who_is_an_administrator(world: World) -> None:
    world.api.fail("getChatMember", BAD_GATEWAY, times=None)
    answer = await world.ask(GROUP, ADMIN, "/subscribe Arsenal")

    assert answer.text == texts.administrators_only_text() and await world.list_followed(GROUP) == []


async def test_the_description_names_the_privacy_page_in_every_language_and_is_set_once(world: World) -> None:
    url = "https://example.org/" + "p" * 180
    await set_bot_description(world.app.bot, url)
    await set_bot_description(world.app.bot, url)

    assert set(world.api.descriptions) == {"", *LANGUAGES} - {"en"}
    assert all(text.endswith(f": {url}") for text in world.api.descriptions.values())
    assert len(world.api.calls("setMyDescription")) == len(world.api.calls("setMyShortDescription")) == len(LANGUAGES)


async def test_the_command_menus_are_short_and_each_for_its_readers(world: World) -> None:
    world.api.say(ADMIN, ADMIN, "/help")
    await world.wait_until_idle()
    await set_command_menu(world.app.bot, ServerFeatures(), (ADMIN,))

    names = {scope: [c["command"] for c in commands] for scope, commands in world.api.commands.items()}
    private = ["subscribe", "subscriptions", "alerts", "today", "live", "mute", "settings", "help"]
    every = [name for name, _description in ROUTER.menu]
    assert names["all_private_chats"] == private
    assert names["all_chat_administrators"] == [name for name in every if name != "channel"]
    assert names["all_group_chats"] == ["today", "live", "timeline", "subscriptions", "help"]
    assert names[f"{ADMIN}:chat"] == [*private, "status", "rules"]
    assert {f"all_private_chats:{code}" for code in LANGUAGES if code != "en"} <= set(names)


async def test_every_description_in_the_menu_fits_beside_its_command(world: World) -> None:
    await set_command_menu(world.app.bot, ServerFeatures(), (ADMIN,))

    long = {c["description"] for commands in world.api.commands.values() for c in commands if len(c["description"]) >= 30}
    assert not long


async def test_an_empty_chat_says_what_the_bot_is_for_in_every_language(world: World) -> None:
    await set_bot_description(world.app.bot)

    languages = {"" if code == "en" else code for code in LANGUAGES}
    assert set(world.api.descriptions) == set(world.api.short_descriptions) == languages
    assert len(set(world.api.descriptions.values())) == len(languages)


async def test_a_description_that_somebody_wrote_stays(world: World) -> None:
    world.api.descriptions[""] = "Goals for our club."
    await set_bot_description(world.app.bot)

    assert world.api.descriptions == {"": "Goals for our club."}
