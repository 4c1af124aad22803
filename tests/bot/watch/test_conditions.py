"""What a person should know of, and nothing else."""

from __future__ import annotations

import pytest

from bot.feed.session import State
from bot.watch.conditions import LEAST_FREE, conditions
from bot.watch.facts import Facts, Telegram, Trouble
from bot.watch.troubles import TROUBLES
from tests.bot.watch.known import ago, facts, status

DOWN = status(State.WAITING, heard=61)


@pytest.mark.parametrize(
    "well",
    [
        facts(status()),
        facts(status(State.WAITING, heard=59)),
        facts(status(State.WAITING, heard=None, refusal="HTTP 403", not_open=True)),
        facts(status(State.WAITING, heard=600, not_open=True)),
        facts(telegram=Telegram(skew=-4.9)),
        facts(disk_free=LEAST_FREE),
    ],
)
def test_nobody_is_needed(well: Facts) -> None:
    assert conditions(well) == {}


@pytest.mark.parametrize(
    ("known", "name", "words"),
    [
        (facts(status(State.REFUSED, heard=None, refusal="HTTP 401")), "feed-refused", "the feed refuses us: HTTP 401."),
        (facts(status(State.CONNECTING, heard=None, refusal="HTTP 401")), "feed-refused", "the feed refuses us: HTTP 401."),
        (facts(DOWN, status()), "feed-down", "no frame for over a minute from 1 of 2 connections: Arsenal v Chelsea."),
        (facts(telegram=Telegram(failing_since=ago(1))), "telegram-away", "no request to Telegram gets through since"),
        (facts(telegram=Telegram(refused_since=ago(1))), "telegram-refused", "Telegram refuses the bot token"),
        (facts(telegram=Telegram(skew=-63.2)), "clock-off", "this machine's clock is 63 s behind Telegram's"),
        (facts(telegram=Telegram(skew=5.1)), "clock-off", "this machine's clock is 5 s ahead of Telegram's"),
        (facts(disk_free=LEAST_FREE - 2**20), "disk-low", "only 255 MiB are free"),
        (facts(database=Trouble("storage.url: the disk is full; make room", ago(1))), "database-full", "the disk is full"),
        (facts(database=Trouble("storage.url: t.db is read-only; let", ago(1))), "database-read-only", "t.db is read-only"),
        (facts(database=Trouble("storage.url: h/db cannot be reached", ago(1))), "database-away", "h/db cannot be reached"),
    ],
)
def test_a_condition_has_a_name_and_a_sentence(known: Facts, name: str, words: str) -> None:
    found = conditions(known)

    assert list(found) == [name] and name in TROUBLES
    assert words in found[name]


def test_many_matches_without_frames_are_one_condition_that_counts_them() -> None:
    found = conditions(facts(*(status(State.WAITING, heard=90, fixture_id=f"m{n}") for n in range(40))))

    assert "from 40 of 40 connections: m0, m1, m2, m3, m4 and 35 more." in found["feed-down"]
