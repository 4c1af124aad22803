"""The whole bot with a budget of paid messages: it is kept through a kill, and everything arrives."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.stage import ADMIN, BOT_TOKEN, configuration, starting
from tests.e2e.story import GOAL, RED, short_match, stepped
from tests.fakes.bot_api import FakeBotApi

CHATS = range(801, 846)
RULES = f"""
chats: [{", ".join(f"{{chat: {chat}, subscribe: [all]}}" for chat in CHATS)}]
rules:
  - {{name: goals, match: {{action_type: Goal}}, alert: {{kind: goal, text: "Goal"}}}}
  - {{name: reds, match: {{action_type: Red Card}}, alert: {{kind: red_card, text: "Red"}}}}
"""
PAID = "telegram: {messages_per_second: 100, allow_paid_broadcast: true, paid_messages_per_day: 10,"


async def test_a_budget_of_paid_messages_is_kept_through_a_kill_and_everything_arrives(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN, strict_limits=False) as telegram, stepped(short_match()) as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        config.write_text(config.read_text().replace("telegram: {", PAID))

        def paid() -> int:
            return sum("allow_paid_broadcast" in request.params for request in telegram.log)

        async def until_all_have(alert: str) -> None:
            """The kill may double a message, so they are not counted."""
            await telegram.until(
                lambda: all(any(message.text.startswith(alert) for message in telegram.chat(chat).messages) for chat in CHATS)
            )

        async with starting(config) as process:
            await process.says('"started"')
            await feed.until_connected()
            # What Telegram has not answered counts as if it had just arrived, so that a slow machine pays for the same messages.
            held = telegram.hold_answer("sendMessage", times=None)
            await feed.send_next(GOAL)
            await telegram.until(lambda: paid() == 10)
            held.release()
            await until_all_have("Goal")
            after_goal = paid()
            await process.end("SIGKILL")
        async with starting(config) as process:
            await process.says('"started"')
            await feed.until_connected()
            await feed.send_next(RED - GOAL)
            await until_all_have("Red")
            telegram.say(ADMIN, ADMIN, "/status")
            await telegram.until(lambda: any("paid messages today" in message.text for message in telegram.chat(ADMIN).messages))
            admin_messages = [message.text for message in telegram.chat(ADMIN).messages]
            await process.end()

    assert (after_goal, paid()) == (10, 10)
    assert any("10 of 10 paid messages today (spent until 00:00 UTC)" in text for text in admin_messages)
    assert sum(text.startswith("🛠 paid-messages-spent: the 10 paid messages of today are sent") for text in admin_messages) == 1
