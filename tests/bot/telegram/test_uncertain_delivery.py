"""A message whose answer never came may be in the chat: it may come twice, but nothing retracted is left standing."""

from __future__ import annotations

import pytest

from bot.errors import DeliveryError, RetryAfter, TelegramUnreachable, TokenRefused
from bot.outbox.delivery import Reason
from bot.quiet_hours import QuietHours
from rules.engine.alert import Alert
from tests.bot.news import NOW, alert, pending, retracted
from tests.bot.telegram.conftest import World
from tests.bot.telegram.test_digests import of
from tests.bot.telegram.test_unanswered import LOST, NOTE, SHORT_NOTE
from tests.packets import FIXTURE

pytestmark = pytest.mark.virtual_time

AWAY = TelegramUnreachable("no connection", maybe_sent=False)
UNCONFIRMED = "goal\n⏳ <i>unconfirmed</i>"
START = NOW.hour * 60 + NOW.minute
NIGHT = QuietHours(START + 1, START + 31, holds_alerts=True)
"""It begins within the minute after."""


async def send_unanswered(world: World, *alerts: Alert, seconds: float = 0.2) -> None:
    """Send alerts whose message arrives and whose answer is lost."""
    world.telegram.lost_answers[1].append(LOST)
    await world.send(*alerts, seconds=seconds)


def texts(world: World) -> list[str]:
    return [message.text for message in world.shown()]


async def test_an_alert_retracted_while_it_is_uncertain_is_retracted_in_the_chat(world: World) -> None:
    await world.follow(1)
    await send_unanswered(world, alert(1))
    await world.outbox.put([retracted(2)])

    await world.send()

    assert [(m.text[0], m.reply_to) for m in world.shown()] == [("g", None), ("❌", None)]


async def test_an_alert_retracted_while_uncertain_and_restored_is_sent_whole(world: World) -> None:
    await world.follow(1)
    world.telegram.fail(1, LOST)
    await world.send(alert(1), seconds=0.2)
    await world.outbox.put([retracted(2)])
    await world.send()

    await world.send(alert(3, "goal by Kane"))
    await world.send(retracted(4))

    assert [m.text.split()[0] for m in world.shown()] == ["❌", "goal", "❌"]
    assert world.shown()[0].html.endswith(f"{NOTE}<s>goal</s>")
    assert world.shown()[1].versions == ["goal by Kane\n✅ <i>stands after all</i>", "<s>goal by Kane</s>"]


async def test_an_alert_retracted_while_the_process_is_dead_is_retracted_in_the_chat(world: World) -> None:
    await world.follow(1)
    await world.outbox.put([alert(1)])
    (request,) = await world.sender._start_next(1)
    await request  # its id is never committed
    await world.restart()
    await world.outbox.put([retracted(2)])

    await world.sender.send_all_due()

    assert [text[0] for text in texts(world)] == ["g", "❌"]


async def test_an_uncertain_alert_that_stands_is_sent_once_more_and_its_correction_replies_to_that(world: World) -> None:
    await world.follow(1)
    await send_unanswered(world, alert(1))

    await world.send(alert(2, "goal by Kane"), seconds=2)
    await world.send(retracted(3))

    lost, again, reply = world.shown()
    assert (lost.html, reply.reply_to) == ("goal", again.id)
    assert again.versions == [f"goal by Kane{NOTE}<s>goal</s>", "<s>goal by Kane</s>"]
    assert reply.html.endswith(f"{NOTE}<s>goal</s>")


async def test_a_copy_that_awaits_confirmation_is_explained_when_the_goal_is_confirmed(world: World) -> None:
    await world.follow(1)
    await send_unanswered(world, pending(1))
    await world.send(seconds=2)

    await world.send(alert(2))

    lost, again = world.shown()
    assert lost.html == again.versions[0] == UNCONFIRMED
    assert again.versions[1:] == [f"goal{SHORT_NOTE}"]


async def test_copies_that_show_what_the_message_shows_are_not_explained(world: World) -> None:
    await world.follow(1)
    await send_unanswered(world, alert(1))
    await world.send(seconds=2)

    await world.send(alert(2))

    assert [message.versions for message in world.shown()] == [["goal"], ["goal"]]


async def test_every_text_that_a_copy_may_show_is_explained(world: World) -> None:
    await world.follow(1)
    world.telegram.lost_answers[1].extend([LOST, LOST])
    await world.send(pending(1), seconds=0.2)
    await world.send(alert(2, "goal by Saka"), seconds=0.3)

    await world.send(alert(3, "goal by Kane"))

    assert world.shown()[-1].html == f"goal by Kane{NOTE}<s>goal</s>\n<s>goal by Saka</s>"


async def test_a_copy_too_old_to_send_again_is_corrected_by_one_silent_message(world: World) -> None:
    await world.follow(1)
    await send_unanswered(world, pending(1))
    world.telegram.fail(1, RetryAfter(400))
    await world.send(seconds=450)
    assert [message.html for message in world.shown()] == [UNCONFIRMED]

    await world.send(alert(2), seconds=5)
    await world.send(alert(3, "goal by Kane"), seconds=5)

    _, correction = world.shown()
    assert correction.silent
    assert correction.versions == [f"goal{SHORT_NOTE}", f"goal by Kane{NOTE}<s>goal</s>"]


async def test_a_correction_of_a_copy_whose_answer_is_lost_too_is_sent_again(world: World) -> None:
    await world.follow(1)
    await send_unanswered(world, pending(1))
    world.telegram.fail(1, RetryAfter(400), LOST)
    await world.send(seconds=450)

    await world.send(alert(2), seconds=5)

    assert [message.html for message in world.shown()] == [UNCONFIRMED, f"goal{SHORT_NOTE}"]


async def test_a_copy_is_hidden_with_its_message_where_the_chat_has_spoilers(world: World) -> None:
    await world.follow(1, spoilers=True)
    await send_unanswered(world, pending(1))
    await world.send(seconds=2)

    await world.send(alert(2))

    assert world.shown()[-1].html.endswith(f"<tg-spoiler>goal{SHORT_NOTE}</tg-spoiler>")


@pytest.mark.parametrize("error", [RetryAfter(5), AWAY, TokenRefused("401")], ids=str)
async def test_an_alert_that_certainly_did_not_arrive_and_was_retracted_is_never_sent(world: World, error: DeliveryError) -> None:
    await world.follow(1)
    world.telegram.fail(1, error)
    await world.send(alert(1), seconds=0.2)
    await world.outbox.put([retracted(2)])
    await world.restart()

    await world.send()

    assert texts(world) == []


async def test_an_uncertain_alert_too_old_to_send_again_is_part_of_a_digest_and_corrected_later(world: World) -> None:
    await world.follow(1)
    world.telegram.lost_answers[1].append(LOST)
    world.telegram.fail(1)
    await world.send(alert(1), seconds=0.2)
    await world.restart()
    world.telegram.fail(1, RetryAfter(400))
    await world.send(seconds=450)
    await world.outbox.summarise_missed(FIXTURE.id)
    await world.send(seconds=5)
    await world.send(retracted(2), seconds=5)

    goal, digest, reply = world.shown()
    assert (goal.html, digest.html.splitlines()[1:], reply.html[0]) == ("goal", ["• <s>Goal</s>"], "❌")


async def test_an_alert_uncertain_before_quiet_hours_is_sent_when_they_end(world: World) -> None:
    await world.follow(1, quiet_hours=NIGHT)
    await send_unanswered(world, alert(1), alert(1, "second", action="g2"))
    world.telegram.fail(1, RetryAfter(120))
    await world.send(retracted(2, action="g2"), seconds=300)
    assert [text[0] for text in texts(world)] == ["g"]

    await world.send(seconds=1800)

    assert world.shown()[-1].text.splitlines()[1:] == ["• goal"]


async def test_an_alert_uncertain_before_quiet_hours_that_changes_in_them_is_corrected_at_once_and_silently(world: World) -> None:
    await world.follow(1, quiet_hours=NIGHT)
    await send_unanswered(world, alert(1))
    world.telegram.fail(1, RetryAfter(120))

    await world.send(alert(2, "goal by Kane"), seconds=2400)

    assert [(m.html, m.silent) for m in world.shown()] == [("goal", False), (f"goal by Kane{NOTE}<s>goal</s>", True)]


async def test_a_retracted_line_of_an_uncertain_burst_is_struck_through_when_it_is_sent_again(world: World) -> None:
    await world.follow(1, digests=True)
    await world.send(of("f1", alert(1)), of("f2", alert(1), player="Rice"), of("f3", alert(1), player="Saka"), seconds=5)
    await send_unanswered(world, seconds=9.9)
    await world.send(of("f3", retracted(2), player="Saka"), seconds=60)

    _, lost, again = world.shown()
    assert ("<s>" in lost.html, "• <s>" in again.html.splitlines()[2], "Rice" in again.text) == (False, True, True)


async def test_a_line_retracted_in_an_uncertain_burst_too_old_to_send_again_is_retracted_by_a_reply(world: World) -> None:
    await world.follow(1, digests=True)
    await world.send(of("f1", alert(1)), of("f2", alert(1), player="Rice"), of("f3", alert(1), player="Saka"), seconds=5)
    await send_unanswered(world, seconds=9.9)
    world.telegram.fail(1, RetryAfter(500))
    await world.send(seconds=600)
    assert len(world.shown()) == 2

    await world.send(of("f3", retracted(2), player="Saka"), seconds=60)

    assert world.shown()[-1].text[0] == "❌"


async def test_a_stop_that_cancels_a_request_leaves_its_delivery_uncertain(world: World) -> None:
    await world.follow(1)
    world.telegram.latency = 60
    await world.send(alert(1), seconds=0.2)
    world.telegram.latency = 0
    await world.restart()

    await world.send(retracted(2), seconds=5)

    assert [text[0] for text in texts(world)] == ["❌"]
    assert Reason.SUPERSEDED not in world.sender.skipped


async def test_an_uncertain_digest_is_sent_again_struck_through_once_a_line_of_it_is_retracted(world: World) -> None:
    await world.follow(1)
    world.telegram.fail(1, RetryAfter(400))
    await world.send(alert(1), seconds=450)
    await world.outbox.summarise_missed(FIXTURE.id)
    await send_unanswered(world)
    world.telegram.fail(1, RetryAfter(4000))
    await world.send(seconds=4500)
    assert len(world.shown()) == 1

    await world.send(retracted(2))

    lost, again = world.shown()
    note = "↩️ <i>An earlier copy of this message no longer counts, if you got one.</i>"
    assert ("<s>" in lost.html, again.html.splitlines()[1:]) == (False, ["• <s>Goal</s>", note])


@pytest.mark.parametrize("is_unanswered", [True, False])
async def test_a_message_whose_edit_arrived_unanswered_is_edited_back_if_its_news_changes_back(
    world: World, is_unanswered: bool
) -> None:
    await world.follow(1)
    await world.send(alert(1))
    lost = TelegramUnreachable("no answer", maybe_sent=True, is_unanswered=is_unanswered)
    world.telegram.lost_answers[1].append(lost)
    await world.send(retracted(2), alert(3))

    (shown,) = world.shown()
    assert shown.versions == ["goal", "<s>goal</s>", "goal"]


async def test_a_goal_that_a_delayed_chat_would_see_taken_back_after_a_kill_comes_when_it_stands_again(world: World) -> None:
    await world.follow(1, delay=30)
    await world.send(pending(1), seconds=1)
    await world.restart()
    await world.send(retracted(2), alert(3))

    assert [shown.versions for shown in world.shown()] == [["goal"]]


async def kill_in_an_edit(world: World, *revisions: Alert) -> None:
    """Kill the process when the edit of the first revision has arrived and its answer has not; the others come meanwhile."""
    world.telegram.answers_lost_until = world.clock.monotonic() + 50
    await world.send(*revisions, seconds=1)
    world.telegram.answers_lost_until = 0.0
    await world.restart()


@pytest.mark.parametrize("comes_before_the_kill", [True, False])
@pytest.mark.parametrize(
    ("before", "edit", "back"),
    [(alert(1), retracted(2), alert(3)), (alert(1, "A"), alert(2, "B"), alert(3, "A")), (pending(1), alert(2), pending(3))],
)
async def test_an_edit_that_arrived_before_a_kill_is_taken_back_if_its_news_changed_back(
    world: World, comes_before_the_kill: bool, before: Alert, edit: Alert, back: Alert
) -> None:
    await world.follow(1)
    await world.send(before)
    await kill_in_an_edit(world, edit, *([back] if comes_before_the_kill else []))
    if not comes_before_the_kill:
        await world.outbox.put([back])
    await world.send()

    (shown,) = world.shown()
    assert len(shown.versions) == 3 and shown.html == shown.versions[0] != shown.versions[1]


async def test_what_is_edited_after_a_start_to_be_sure_is_edited_once_and_within_a_limit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.telegram.unanswered.MAX_SUSPECTS", 3)
    await world.follow(1, 2, 3, 4, 5)
    await world.send(alert(1))
    await world.restart()
    await world.send(alert(2), alert(3), alert(4))
    assert sorted(len(shown.versions) for chat in range(1, 6) for shown in world.shown(chat)) == [1, 1, 2, 2, 2]

    await world.restart()
    await world.send(seconds=1000)
    await world.send(alert(5))
    assert sum(op == "edit" for _, op, _ in world.telegram.requests) == 3


@pytest.mark.parametrize("is_retracted_again", [True, False])
async def test_a_delayed_chat_is_shown_a_retraction_after_its_delay_also_after_a_kill(
    world: World, is_retracted_again: bool
) -> None:
    await world.follow(1, delay=30)
    await world.send(pending(1), seconds=10)
    await world.send(alert(2), seconds=15)
    retracted_at = world.clock.monotonic()
    await world.send(retracted(3), seconds=8)
    await world.restart()
    (goal,) = world.shown()
    await world.send(seconds=0.1)
    await world.send(*([retracted(4)] if is_retracted_again else []), seconds=retracted_at + 29 - world.clock.monotonic())
    early = len(world.shown())
    await world.send(seconds=2)

    assert (early, len(world.shown())) == (1, 2) and "<s>" in goal.html
