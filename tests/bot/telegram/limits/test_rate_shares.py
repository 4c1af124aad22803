"""How the rate is divided, and the shares in a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import select, update

from bot.storage.database import Database
from bot.storage.schema import allowance, rate_shares
from bot.telegram.limits.rate_shares import (
    SHARE_DURATION,
    NewShare,
    RateShare,
    RateShareRepository,
    RateUse,
    Renewal,
    choose_share,
    divide_rate,
    step_share,
    step_shares,
)
from tests.laws import try_examples

HOUR = 3600.0


class Process:
    """One process and what it would like to send."""

    def __init__(self, db: Database, name: str, *, is_sender: bool = True) -> None:
        self.repository, self.is_sender = RateShareRepository(db, name), is_sender
        self.use, self.share, self.unpaid_share, self.limit, self.paused_for = RateUse(0, 3), 0, 0, 0, 0.0

    async def renew(self, *, slot_senders: int = 0, sent: int = 0) -> NewShare:
        found = await self.repository.renew(
            Renewal(30, self.share, lambda _: self.use), None, self.is_sender, slot_senders=slot_senders, sent=sent
        )
        self.share, self.limit, self.paused_for = found.all.share, found.all.limit, found.paused_for
        return found.all

    async def renew_with_payment(self) -> tuple[int, int]:
        """The limits of all messages, and of those that are free."""
        found = await self.repository.renew(
            Renewal(1000, self.share, lambda _: RateUse(0, 100)),
            Renewal(30, self.unpaid_share, lambda _: self.use),
            self.is_sender,
            slot_senders=0,
            sent=0,
        )
        assert found.unpaid
        self.share, self.unpaid_share = found.all.share, found.unpaid.share
        return found.all.limit, found.unpaid.limit


async def test_what_one_needs_another_gives_up_once_its_last_second_is_over(db: Database) -> None:
    first, second, chat = Process(db, "a"), Process(db, "b"), Process(db, "c", is_sender=False)
    chat.use = RateUse(0, 1)
    alone = await first.renew()
    first.use = RateUse(30, 30)
    await first.renew()
    refused = await second.renew()
    await chat.renew()
    giving_up = await first.renew()
    first.use = RateUse(5, 30)
    given = await first.renew()
    second.use = RateUse(0, 30)
    taken = await second.renew()

    assert (alone.share, alone.limit) == (30, 30)
    assert (refused.share, refused.must_notify) == (0, True)
    assert giving_up.share == 30 and giving_up.limit < 30
    assert given.share == given.limit < 30 and given.must_notify
    assert taken.limit > 0 and taken.share + given.share <= 30


async def test_a_pause_holds_for_all_processes(db: Database) -> None:
    first, second = Process(db, "a"), Process(db, "b")
    await first.repository.pause_all(HOUR)
    await first.repository.pause_all(1.0)
    await second.renew()

    assert 0.9 * HOUR < second.paused_for <= HOUR


@pytest.mark.parametrize("seconds", [1.0, 2 * HOUR])
async def test_a_pause_is_ended_by_who_knows_it_and_not_by_who_knows_an_earlier_one(db: Database, seconds: float) -> None:
    first, second = Process(db, "a"), Process(db, "b")
    before = await first.repository.pause_all(HOUR)
    newer = await second.repository.pause_all(seconds)
    await first.repository.end_pause(before)
    await second.renew()
    still_paused_for = second.paused_for
    await first.repository.end_pause(newer)
    await second.renew()

    assert still_paused_for > 0.9 * HOUR and second.paused_for < 0


async def test_who_knows_a_pause_that_another_has_ended_does_not_end_a_shorter_one_that_came_after(db: Database) -> None:
    first, second = Process(db, "a"), Process(db, "b")
    ended = await first.repository.pause_all(2 * HOUR)
    await second.repository.end_pause(ended)
    newer = await second.repository.pause_all(HOUR)
    await first.repository.end_pause(ended)
    await second.renew()
    still_paused_for = second.paused_for
    await second.repository.end_pause(newer)
    await second.renew()

    assert 0.9 * HOUR < still_paused_for <= HOUR and second.paused_for < 0


async def test_beside_senders_that_reserve_slots_the_rate_is_halved_and_what_is_sent_is_reserved(db: Database) -> None:
    process = Process(db, "a")
    process.use = RateUse(0, 30)
    found = await process.renew(slot_senders=1, sent=600)
    async with db.transaction() as tx:
        (row,), now = await tx.fetch(select(allowance)), await tx.now()

    assert found.limit == 15
    assert 38.0 < row["next_at"] - now <= 600 * 1.04 / 15


async def test_the_free_rate_is_divided_beside_the_rate_and_is_nobodys_while_one_sends_paid_messages(db: Database) -> None:
    first, second = Process(db, "a"), Process(db, "b")
    alone = await first.renew_with_payment()
    first.use = RateUse(5, 8)
    await second.renew_with_payment()
    await first.renew_with_payment()
    both = await second.renew_with_payment()
    first.use = RateUse(700, 30)
    await first.renew_with_payment()
    beside_paid = await second.renew_with_payment()

    assert alone == (1000, 30)
    assert both[1] > 0 and first.unpaid_share == 700
    assert beside_paid[1] == 0


SHARES = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=6)


@try_examples(200)
@given(st.integers(1, 60), SHARES)
def test_the_rate_is_divided_whole_and_nobody_gets_more_than_it_wants_while_another_wants_more(
    per_second: int, wanted: list[tuple[int, bool]]
) -> None:
    shares = [RateShare(str(number), 0, one, is_sender, 0.0) for number, (one, is_sender) in enumerate(wanted)]
    divided = divide_rate(per_second, shares)

    assert sum(divided.values()) <= per_second and min(divided.values()) >= 0
    if any(one.is_sender for one in shares):
        assert sum(divided.values()) == per_second
    hungry = [one for one in shares if one.is_sender and divided[one.process] < one.wanted]
    for one in hungry:
        assert all(divided[other.process] <= max(other.wanted, divided[one.process] + 1) for other in shares)


@try_examples(200)
@given(st.integers(1, 60), SHARES.flatmap(lambda wanted: st.tuples(st.just(wanted), st.permutations(range(len(wanted))))))
def test_every_process_computes_the_same_parts_in_whatever_order_it_reads_the_others(
    per_second: int, wanted: tuple[list[tuple[int, bool]], list[int]]
) -> None:
    shares = [RateShare(str(number), 0, one, is_sender, 0.0) for number, (one, is_sender) in enumerate(wanted[0])]

    assert divide_rate(per_second, [shares[number] for number in wanted[1]]) == divide_rate(per_second, shares)


def test_two_processes_that_answer_people_use_the_whole_rate_where_it_is_too_low_for_both() -> None:
    rows = {name: RateShare(name, 10, 20, is_sender=False, until=0.0) for name in ("a", "b")}
    limits = {name: choose_share(30, list(rows.values()), row, RateUse(0, 20)).limit for name, row in rows.items()}

    assert limits == {"a": 20, "b": 10}


@try_examples(200)
@given(st.integers(1, 60), SHARES, st.integers(0, 60))
def test_a_sender_never_takes_what_another_has(per_second: int, others: list[tuple[int, bool]], wanted: int) -> None:
    left, rows = per_second, []
    for number, (one, is_sender) in enumerate(others):
        rows.append(RateShare(str(number), min(one, left), one, is_sender, 0.0))
        left -= rows[-1].share
    found = choose_share(per_second, rows, RateShare("me", 0, 0, is_sender=True, until=0.0), RateUse(0, wanted))

    assert 0 <= found.limit <= found.share <= left


def row(process: str, share: int = 0, wanted: int = 0, *, unpaid: tuple[int, int] = (0, 0), is_sender: bool = True) -> RateShare:
    return RateShare(process, share, wanted, is_sender, 0.0, *unpaid)


@pytest.mark.parametrize(
    ("shares", "divided"),
    [
        ([row("a", wanted=5), row("b", wanted=90)], {"a": 5, "b": 25}),
        ([row("a", wanted=90), row("b", wanted=90), row("c", wanted=90)], {"a": 10, "b": 10, "c": 10}),
        ([row("a", wanted=1), row("b", wanted=2)], {"a": 14, "b": 16}),
        ([row("a"), row("b"), row("c"), row("d")], {"a": 7, "b": 7, "c": 8, "d": 8}),
        ([row("a", wanted=90), row("c", wanted=12, is_sender=False)], {"c": 12, "a": 18}),
        ([row("a", wanted=12, is_sender=False)], {"a": 12}),
        ([], {}),
    ],
)
def test_thirty_a_second_are_divided(shares: list[RateShare], divided: dict[str, int]) -> None:
    assert divide_rate(30, shares) == divided


@pytest.mark.parametrize(
    ("mine", "other", "use", "found"),
    [
        # Nobody else has any: all is free at once.
        (row("me"), row("b"), RateUse(0, 30), NewShare(30, 30, must_notify=False)),
        # The other has what is ours, and has to be told.
        (row("me"), row("b", 30, 30), RateUse(0, 30), NewShare(0, 0, must_notify=True)),
        # The other has more than its part and we want no more than we have.
        (row("me", 2), row("b", 28, 30), RateUse(0, 2), NewShare(2, 2, must_notify=False)),
        # What is in use is kept for a second, even where the limit is lower.
        (row("me", 30), row("b", 0, 30), RateUse(28, 30), NewShare(28, 15, must_notify=True)),
        (row("me", 30), row("b", 0, 30), RateUse(30, 30), NewShare(30, 15, must_notify=False)),
        # We give up what the other does not want more of.
        (row("me", 20), row("b", 10, 10), RateUse(0, 20), NewShare(20, 20, must_notify=False)),
        # More is assigned than there is: nothing is free.
        (row("me"), row("b", 40, 30), RateUse(0, 30), NewShare(0, 0, must_notify=True)),
    ],
)
def test_a_process_takes_what_is_free_and_tells_another_that_has_something_to_change(
    mine: RateShare, other: RateShare, use: RateUse, found: NewShare
) -> None:
    assert choose_share(30, [other, mine], mine, use) == found


def test_a_process_that_has_its_part_tells_nobody_to_give_to_a_third() -> None:
    others = [row("b", 20, 30), row("c", 0, 30)]

    assert choose_share(30, others, row("me", 2), RateUse(0, 2)) == NewShare(2, 2, must_notify=False)


def test_the_new_limit_holds_before_its_share_is_stored() -> None:
    applied: list[int | None] = []

    def apply_limit(limit: int | None) -> RateUse:
        applied.append(limit)
        return RateUse(0, 30)

    found, use = step_share(30, [row("b", 10, 30)], row("me"), apply_limit)

    assert (found.limit, use, applied) == (15, RateUse(0, 30), [None, 15])


def test_what_is_paid_for_and_what_is_free_are_divided_apart_and_stored_together() -> None:
    others = [row("b", 400, 500, unpaid=(10, 30))]
    all_of_it = Renewal(1000, 0, lambda _: RateUse(0, 700))
    free = Renewal(30, 3, lambda _: RateUse(1, 8))

    stored, found, unpaid = step_shares(1000, others, row("me"), all_of_it, free)

    assert unpaid is not None
    assert (stored.share, stored.wanted, stored.unpaid_share, stored.unpaid_wanted) == (found.share, 700, unpaid.share, 8)
    assert (found, unpaid) == (NewShare(500, 500, must_notify=False), NewShare(8, 8, must_notify=False))


def test_without_payment_nothing_is_stored_of_the_free_rate() -> None:
    stored, found, unpaid = step_shares(30, [], row("me"), Renewal(30, 0, lambda _: RateUse(0, 5)), None)

    assert (unpaid, stored) == (None, replace(row("me"), share=30, wanted=5)) and found.limit == 30


@pytest.mark.parametrize(("unpaid_share", "must_notify"), [(30, True), (31, False)])
def test_nobody_is_asked_for_a_part_of_the_free_rate_while_it_sends_paid_messages(unpaid_share: int, must_notify: bool) -> None:
    others = [row("b", unpaid=(unpaid_share, 30))]
    _, _, unpaid = step_shares(
        1000, others, row("me"), Renewal(1000, 0, lambda _: RateUse(0, 0)), Renewal(30, 0, lambda _: RateUse(0, 8))
    )

    assert unpaid == NewShare(0, 0, must_notify=must_notify)


async def test_an_expired_share_counts_for_a_while_and_then_its_row_is_deleted(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.telegram.limits.rate_shares._EXPIRED_SHARE_GRACE", HOUR)
    first, second = Process(db, "a"), Process(db, "b")
    await first.renew()
    limits, rows = [], []
    for age in (0.5 * HOUR, 1.5 * HOUR):
        async with db.transaction() as tx:
            expired = update(rate_shares).where(rate_shares.c.process == "a").values(until=await tx.now() - age)
            await tx.execute(expired)
        limits.append((await second.renew()).limit)
        async with db.transaction() as tx:
            rows.append([one["process"] for one in await tx.fetch(select(rate_shares).order_by(rate_shares.c.process))])

    assert (limits, rows) == ([0, 30], [["a", "b"], ["b"]])


async def test_a_share_is_stored_for_three_seconds(db: Database) -> None:
    async with db.transaction() as tx:
        before = await tx.now()
    await Process(db, "a").renew()
    async with db.transaction() as tx:
        (stored,), after = await tx.fetch(select(rate_shares)), await tx.now()

    assert (stored["process"], stored["share"], stored["wanted"], bool(stored["is_sender"])) == ("a", 30, 3, True)
    assert before + SHARE_DURATION <= stored["until"] <= after + SHARE_DURATION


async def test_senders_that_reserve_slots_have_equal_parts_and_processes_that_answer_people_are_no_senders(db: Database) -> None:
    first, second, chat = Process(db, "a"), Process(db, "b"), Process(db, "c", is_sender=False)
    for process in (first, second, chat, first, second):
        process.use = RateUse(0, 0)
        await process.renew(slot_senders=1)

    assert (first.limit, second.limit) == (10, 10)
