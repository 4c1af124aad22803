"""`/why` in reply to an alert."""

from __future__ import annotations

from bot.chats import texts
from bot.chats.why import why
from bot.outbox.entry import Reason
from bot.outbox.seen import remembered
from tests.bot.chats.conftest import World
from tests.bot.news import NOW, alert, news, told


def test_why_names_the_rule_and_every_revision_with_its_instant_and_reason() -> None:
    first = alert(1, rule="goals <late>")
    entry = remembered(remembered(told(first), Reason.FIRST, NOW), Reason.RETRACTION, NOW.replace(second=9))

    lines = why(entry, news(first), "Europe/Berlin").html.splitlines()

    assert lines[0] == "The rule <b>goals &lt;late&gt;</b> told this chat (goals)."
    assert lines[2:] == [
        "<code>16:30:00</code> the rule fired",
        "<code>16:30:00</code> told <i>(first, confirmed, no. 1)</i>",
        "<code>16:30:09</code> taken back <i>(retraction, confirmed, no. 1)</i>",
    ]


async def test_why_without_an_alert_says_how_to_ask(world: World) -> None:
    alone = await world.ask(42, 42, "/why")
    about = await world.ask(42, 42, "/why", reply_to=alone.id)

    assert (alone.text, about.text) == (texts.why_what(), texts.why_unknown())
