from bot.outbox.delivery import QueueItem, Urgency
from bot.outbox.news import LIVE_MESSAGE_PRIORITY
from bot.subscribers import ChatRef
from bot.telegram.limits.rate_limits import Unlimited
from bot.telegram.queues import FAIRNESS_INTERVAL, MAX_MERGED_ITEMS, ChatQueues
from rules.engine.alert import AlertKey


def item(
    chat_id: int, action: str = "a", priority: int = 0, seq: int = 1, fixture: str = "f", *, loud: bool = False
) -> QueueItem:
    return QueueItem(AlertKey(fixture, action), ChatRef(chat_id), priority, seq, 0.0, loud)


def queues(*items: QueueItem, due: float = 0.0) -> ChatQueues:
    made = ChatQueues()
    for one in items:
        made.add(one, due, 0.0)
    return made


class FirstChatAt5(Unlimited):
    """Chat 1 is over its limit until 5.0."""

    def next_chat_send_at(self, chat_id: int, now: float, urgency: Urgency = Urgency.LOUD) -> float:
        return 5.0 if chat_id == 1 else now


class SpareAfter30(Unlimited):
    """News may leave at once, and cards in 30 seconds."""

    def next_chat_send_at(self, chat_id: int, now: float, urgency: Urgency = Urgency.LOUD) -> float:
        return now + 30 * (urgency is Urgency.LIVE_MESSAGE)


class SilentAfter30(Unlimited):
    """What is loud may leave at once, and all else in 30 seconds."""

    def next_chat_send_at(self, chat_id: int, now: float, urgency: Urgency = Urgency.LOUD) -> float:
        return now + 30 * (urgency is not Urgency.LOUD)


def order(made: ChatQueues, now: float = 0.0) -> list[tuple[int, str]]:
    """Everything, sent one after the other."""
    found = []
    while (one := made.take_next(now, Unlimited())) is not None:
        found.append((one.chat.chat_id, one.key.action_id))
        made.finish(one.chat.chat_id, now)
    return found


def test_major_news_goes_first_and_fresh_before_old() -> None:
    made = queues(item(1, "card", priority=2), item(2, "old", seq=1), item(3, "fresh", seq=9))

    assert order(made) == [(3, "fresh"), (2, "old"), (1, "card")]


def test_a_chat_gets_what_is_as_loud_in_order_whatever_its_priority() -> None:
    made = queues(item(1, "card", priority=2), item(1, "goal", priority=0), item(2, "other", priority=1))

    assert order(made) == [(1, "card"), (1, "goal"), (2, "other")]


def test_matches_take_turns() -> None:
    made = queues(*(item(n) for n in range(1, 5)), item(8, fixture="small"), item(9, fixture="small"))

    assert [chat_id for chat_id, _ in order(made)[:4]] == [1, 8, 2, 9]


def test_a_chat_that_is_busy_waits_for_its_answer() -> None:
    made = queues(item(1, "a"), item(1, "b"))

    assert made.take_next(0, Unlimited()) == item(1, "a")
    assert made.take_next(0, Unlimited()) is None


def test_a_chat_over_its_limit_lets_others_pass() -> None:
    made = queues(item(1), item(2))

    first = made.take_next(0, FirstChatAt5())

    assert (first, made.next_due_at()) == (item(2), 5.0)
    assert made.take_next(5.0, Unlimited()) == item(1)


def test_what_is_not_due_waits() -> None:
    made = queues(item(1), due=30.0)

    assert (order(made), order(made, 30.0)) == ([], [(1, "a")])


def test_what_waits_already_is_not_added_again() -> None:
    assert len(queues(item(1), item(1))) == 1


def test_a_chat_that_is_gone_is_discarded() -> None:
    made = queues(item(1, "a"), item(1, "b"), item(2))
    made.discard(1)

    assert (order(made), len(made)) == ([(2, "a")], 0)


def test_the_goals_of_a_large_match_never_starve_a_small_one() -> None:
    made = queues(*(item(n, fixture="large") for n in range(1, 101)), *(item(n, priority=2, fixture="small") for n in (201, 202)))

    sent = order(made)

    assert [place for place, (chat_id, _) in enumerate(sent, 1) if chat_id > 200] == [FAIRNESS_INTERVAL, 2 * FAIRNESS_INTERVAL]


def test_what_a_topic_waits_for_does_not_hold_up_another_topic() -> None:
    made = ChatQueues()
    made.add(item(1), 100.0, 0.0)
    made.add(QueueItem(AlertKey("f", "b"), ChatRef(1, 2), 0, 1, 0.0), 0.0, 0.0)

    assert order(made) == [(1, "b")]
    assert order(made, 100.0) == [(1, "a")]


def test_a_card_that_has_to_wait_holds_up_no_news_of_its_chat() -> None:
    made = ChatQueues()
    card = QueueItem(AlertKey("f", "card"), ChatRef(1), LIVE_MESSAGE_PRIORITY, 1, 0.0)
    made.add(card, 0.0, 0.0)
    assert made.take_next(0, SpareAfter30()) is None
    made.add(item(1), 0.0, 0.0)

    assert made.take_next(0, SpareAfter30()) == item(1)


def test_a_card_that_comes_again_stays_behind_the_news_of_its_chat() -> None:
    made = ChatQueues()
    made.add(item(1), 0.0, 0.0)
    made.add(QueueItem(AlertKey("f", "card"), ChatRef(1), LIVE_MESSAGE_PRIORITY, 1, 0.0), 0.0, 0.0, at_front=True)

    assert order(made)[0] == (1, item(1).key.action_id)


def test_what_is_loud_leaves_before_what_is_silent_and_cards_come_last() -> None:
    made = queues(
        item(1, "card", LIVE_MESSAGE_PRIORITY), item(1, "kick-off"), item(1, "goal", loud=True), item(1, "full time", loud=True)
    )

    assert [action for _, action in order(made)] == ["goal", "full time", "kick-off", "card"]


def test_what_is_loud_leaves_while_the_limits_hold_what_is_silent() -> None:
    made = queues(item(1, "kick-off", priority=2))
    assert made.take_next(0.0, SilentAfter30()) is None

    made.add(item(1, "goal", loud=True), 0.0, 0.0)

    assert made.take_next(0.0, SilentAfter30()) == item(1, "goal", loud=True)
    made.finish(1, 0.0)
    assert (made.take_next(0.0, SilentAfter30()), made.next_due_at()) == (None, 30.0)


def test_what_is_loud_and_not_due_holds_up_nothing() -> None:
    made = queues(item(1, "kick-off"))
    made.add(item(1, "goal", loud=True), 60.0, 0.0)

    assert order(made) == [(1, "kick-off")]


def test_what_waits_and_becomes_loud_moves_before_what_is_silent_and_stays_loud() -> None:
    made = queues(item(1, "kick-off"), item(1, "card", priority=2), item(1, "goal", loud=True))

    made.add(item(1, "card", priority=1, seq=2, loud=True), 0.0, 0.0)
    made.add(item(1, "card", priority=2, seq=3), 0.0, 0.0)

    assert [action for _, action in order(made)] == ["card", "goal", "kick-off"]


def test_a_shorter_delay_lets_no_news_overtake_other_news_that_is_as_loud() -> None:
    made = ChatQueues()
    made.add(item(1, "first"), 60.0, 0.0)
    made.add(item(1, "second"), 10.0, 0.0)

    assert (order(made, 10.0), order(made, 60.0)) == ([], [(1, "first"), (1, "second")])


def test_only_silent_news_that_the_limits_kept_back_is_taken_together() -> None:
    made = queues(item(1, "a"), item(1, "b"), item(1, "goal", loud=True))
    made.add(item(1, "later"), 60.0, 0.0)
    first = made.take_next(0.0, Unlimited())
    assert first is not None and made.take_held_with(first, 0.0) == []
    made.finish(1, 0.0)
    assert made.take_next(0.0, SilentAfter30()) is None

    found = made.take_next(30.0, Unlimited())

    assert found == item(1, "a") and made.take_held_with(found, 30.0) == [item(1, "b")]


NEVER = float("-inf")


def test_failures_in_a_row_are_counted_until_one_message_arrives() -> None:
    made = queues(item(1, "a"), item(1, "b"), item(1, "c"))
    assert (made.failures(1), made.failures(2)) == (0, 0)

    counted = []
    for failed in (True, True, False):
        made.take_next(0.0, Unlimited())
        made.finish(1, 0.0, failed=failed)
        counted.append(made.failures(1))

    assert counted == [1, 2, 0]


def test_the_failures_of_a_chat_are_remembered_while_nothing_waits_for_it() -> None:
    made = queues(item(1))
    made.take_next(0.0, Unlimited())
    made.finish(1, 0.0, failed=True)

    assert made.failures(1) == 1


def test_a_chat_that_was_finished_and_is_not_known_is_left_alone() -> None:
    made = ChatQueues()
    made.finish(1, 0.0, failed=True)

    assert (len(made), made.failures(1), made.next_due_at(), made.has_ready) == (0, 0, None, False)


def test_a_chat_that_is_blocked_waits_with_all_that_it_has() -> None:
    made = queues(item(1, "a"), item(1, "b", loud=True))
    first = made.take_next(0.0, Unlimited())
    assert first == item(1, "b", loud=True) and made.blocked_until(first) == NEVER
    made.finish(1, 0.0, blocked_until=7.0)

    assert (made.next_due_at(), made.blocked_until(item(1)), made.blocked_until(item(2))) == (7.0, 7.0, NEVER)
    assert made.take_next(6.9, Unlimited()) is None
    assert made.take_next(7.0, Unlimited()) == item(1, "a")


def test_what_the_limits_keep_back_says_until_when() -> None:
    made = queues(item(1, "a"))
    made.take_next(0.0, SilentAfter30())

    assert (made.blocked_until(item(1)), made.blocked_until(item(1, loud=True))) == (30.0, NEVER)


def test_the_ready_chats_are_counted_and_those_of_which_nothing_is_due_are_not() -> None:
    made = queues(item(1), item(2, fixture="g"))
    made.add(item(3), 9.0, 0.0)

    assert (made.has_ready, made.count_ready(0.0), made.count_ready(9.0)) == (True, 2, 3)


def test_what_goes_back_to_the_front_leaves_before_what_came_after_it() -> None:
    made = queues(item(1, "a"), item(1, "b"))
    first = made.take_next(0.0, Unlimited())
    assert first is not None
    made.add(first, 0.0, 0.0, at_front=True)
    made.finish(1, 0.0)

    assert order(made) == [(1, "a"), (1, "b")]


def test_what_goes_back_to_the_front_leaves_first_though_a_rescan_or_a_revision_brought_it_again_meanwhile() -> None:
    for seq in (1, 2):
        made = queues(item(1, "a"), item(1, "b"))
        first = made.take_next(0.0, Unlimited())
        assert first is not None
        made.add(item(1, "a", seq=seq), 0.0, 0.0)
        made.add(first, 0.0, 0.0, at_front=True)
        made.finish(1, 0.0)

        assert (len(made), order(made)) == (2, [(1, "a"), (1, "b")])


def test_a_newer_revision_that_waits_is_known_and_the_same_one_found_again_is_none() -> None:
    made = queues(item(1, "a", seq=2), item(1, "b", seq=9))

    assert [made.has_newer(item(1, "a", seq=seq)) for seq in (1, 2, 3)] == [True, False, False]
    assert not made.has_newer(item(2, "a", seq=1))


def test_a_card_at_the_front_stands_behind_cards_that_are_due_before_it() -> None:
    def card(action: str) -> QueueItem:
        return item(1, action, LIVE_MESSAGE_PRIORITY)

    made = ChatQueues()
    made.add(card("early"), 1.0, 0.0)
    made.add(card("late"), 3.0, 0.0)
    made.add(card("again"), 2.0, 0.0, at_front=True)

    assert order(made, 5.0) == [(1, "early"), (1, "again"), (1, "late")]


def test_other_news_does_not_wait_for_a_digest_that_collects_until_its_time() -> None:
    made = ChatQueues()
    made.add(item(1, "quiet:99"), 99.0, 0.0)
    made.add(item(1, "99", fixture="bursts"), 99.0, 0.0)
    made.add(item(1, "goal"), 0.0, 0.0)

    assert order(made) == [(1, "goal")]


def test_a_message_tells_so_many_together_and_the_rest_waits() -> None:
    made = queues(*(item(1, f"a{number}") for number in range(MAX_MERGED_ITEMS + 3)))
    assert made.take_next(0.0, SilentAfter30()) is None
    first = made.take_next(30.0, Unlimited())
    assert first is not None

    merged = made.take_held_with(first, 30.0)

    assert [one.key.action_id for one in (first, *merged)] == [f"a{number}" for number in range(MAX_MERGED_ITEMS)]
    assert len(made) == 3


def test_only_news_of_the_same_topic_is_taken_together() -> None:
    made = queues(item(1, "a"), item(1, "b"))
    made.add(QueueItem(AlertKey("f", "c"), ChatRef(1, 2), 0, 1, 0.0), 0.0, 0.0)
    made.add(item(1, "card", LIVE_MESSAGE_PRIORITY), 0.0, 0.0)
    assert made.take_next(0.0, SilentAfter30()) is None
    first = made.take_next(30.0, Unlimited())
    assert first is not None

    assert made.take_held_with(first, 30.0) == [item(1, "b")]


def test_a_limit_that_telegram_itself_named_keeps_silent_news_back_too() -> None:
    made = queues(item(1, "a"), item(1, "b"), item(1, "c"))
    made.take_next(0.0, Unlimited())
    made.finish(1, 0.0, blocked_until=5.0, is_limited=True)
    first = made.take_next(5.0, Unlimited())

    assert first == item(1, "b") and made.take_held_with(first, 5.0) == [item(1, "c")]


def test_of_two_revisions_that_wait_the_later_leaves_when_the_first_was_due() -> None:
    made = ChatQueues()
    made.add(item(1, "a", seq=1), 5.0, 0.0)
    made.add(item(1, "a", seq=2), 9.0, 0.0)

    assert (len(made), made.next_due_at()) == (1, 5.0)
    found = made.take_next(5.0, Unlimited())
    assert found and (found.seq, found.due_at) == (2, 0.0)
