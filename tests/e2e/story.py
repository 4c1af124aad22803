"""A short match for whole-bot tests: a goal confirmed late, a red card, a goal that falls, a second goal, the end."""

from __future__ import annotations

from bot.fake_telegram import Message
from bot.feed.simulator.script import Script, script_from_packets
from tests.e2e.stage import FEED_TOKEN
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.stepped_feed import SteppedFeed
from tests.packets import FIXTURE, Story
from tests.waiting import until

CHAT = 42
NOBODY = """
rules:
  - name: full time
    match: {action_type: End Match}
    alert: {kind: full_time, text: "Full time {{ score }}"}
  - name: goals
    match: {action_type: Goal, send_type: [Pending, Confirmed, Updated]}
    alert: {kind: goal, text: "Goal {{ player }} {{ minute }}'"}
  - name: reds
    match: {action_type: Red Card}
    alert: {kind: red_card, text: "Red {{ player }} {{ minute }}'"}
"""
"""Rules for it, without anybody who follows it."""
RULES = f"chats: [{{chat: {CHAT}, subscribe: [all]}}]\n{NOBODY}"
STANDING = ["Goal Saka 10'", "Red Palmer 30'", "Goal Rice 70'", "Full time 2–0"]
"""What the chat shows in the end."""
TAKEN_BACK = "❌"
"""So begins what takes news back; it answers no message where nobody knows whether that arrived."""
FALLEN = ["Goal Havertz 45'"]
"""What it shows struck through."""
GOAL, CONFIRMATION, RED, FALLING_GOAL, FALL, LAST_GOAL, END = range(2, 9)
"""The number of the packet that brings it; the first one starts the match."""


def match() -> Script:
    """The match itself."""
    story = Story()
    story.add("Start Match", minute=1)
    story.goal("g1", send="Pending", minute=10, player="Saka")
    story.goal("g1", minute=12, clock=545, player="Saka", score=(1, 0))
    story.add("Red Card", action="r1", side="away", minute=30, player="Palmer")
    story.goal("g2", minute=45, player="Havertz", score=(2, 0))
    story.goal("g2", send="Deleted", minute=48, player="Havertz", score=(1, 0))
    story.goal("g3", minute=70, player="Rice", score=(2, 0))
    story.add("End Match", minute=90, status="Completed")
    return script_from_packets(FIXTURE, story.packets)


def short_match() -> Script:
    """The same with fewer packets, where less will do: a chat gets three messages in three seconds at most."""
    story = Story()
    story.add("Start Match", minute=1)
    story.goal("g1", send="Pending", minute=10, player="Saka")
    story.goal("g1", minute=12, clock=545, player="Saka", score=(1, 0))
    story.add("Red Card", action="r1", side="away", minute=30, player="Palmer")
    story.add("End Match", minute=90, status="Completed")
    return script_from_packets(FIXTURE, story.packets)


SHORT_END = "Full time 1–0"


def stepped(script: Script | None = None) -> SteppedFeed:
    """The match, of which a test sends as much as it wants."""
    return SteppedFeed([script or match()], FEED_TOKEN)


def shown(telegram: FakeBotApi, chat_id: int = CHAT) -> tuple[list[str], list[str]]:
    """The first line of every alert in a chat: those that stand, and those that are struck through."""
    alerts = [m for m in telegram.chat(chat_id).messages if m.reply_to is None and not m.text.startswith(TAKEN_BACK)]
    standing = [message.text.splitlines()[0] for message in alerts if not message.struck]
    return standing, [message.text.splitlines()[0] for message in alerts if message.struck]


SHOWN: tuple[tuple[list[str], list[str]], ...] = (
    ([], []),
    ([], []),
    (STANDING[:1], []),
    (STANDING[:1], []),
    (STANDING[:2], []),
    ([*STANDING[:2], *FALLEN], []),
    (STANDING[:2], FALLEN),
    (STANDING[:3], FALLEN),
    (STANDING, FALLEN),
)
"""By how many packets were sent, what a chat that follows everything shows then."""


async def until_shown(telegram: FakeBotApi, packets: int, chat_id: int = CHAT) -> None:
    """Wait until a chat shows what it should after so many packets."""

    def is_shown() -> bool:
        awaiting = any("unconfirmed" in message.text for message in telegram.chat(chat_id).messages)
        return shown(telegram, chat_id) == SHOWN[packets] and awaiting == (packets == GOAL)

    await until(is_shown)


async def play(feed: SteppedFeed, telegram: FakeBotApi, to: int = END, chat_id: int = CHAT) -> None:
    """Send packet after packet up to this one, each as soon as the chat shows the one before; wait until it shows the last."""
    while feed.sent() < to:
        await feed.send_next()
        await until_shown(telegram, feed.sent(), chat_id)


async def ask(telegram: FakeBotApi, chat_id: int, text: str, user: int, topic: int = 0) -> Message:
    """Write to the bot, and return its answer."""
    before = len(telegram.chat(chat_id).messages)
    telegram.say(chat_id, user, text, topic=topic)
    await telegram.until(lambda: len(telegram.chat(chat_id).messages) > before)
    return telegram.chat(chat_id).last


async def tap(telegram: FakeBotApi, message: Message, label: str, user: int) -> str:
    """Press a button, and return the notice that Telegram shows."""
    query = telegram.press(message.chat_id, user, message, message.button(label).data)
    await telegram.until(lambda: telegram.answer(query))
    return str((telegram.answer(query) or {})["text"])
