"""What a person should know of, and nothing else."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.feed.session import SessionState
from bot.monitoring.conditions import MIN_FREE_DISK, describe_damaged_rows, find_conditions
from bot.monitoring.health import DatabaseProblem, ProcessHealth, TelegramHealth
from bot.monitoring.incidents import INCIDENT_POLICIES
from tests.bot.monitoring.samples import ago, facts, status

KNOWN = facts(status())
CUT = replace(KNOWN, feed=KNOWN.feed and replace(KNOWN.feed, fixtures_cut_at=100_000))
DOWN = status(SessionState.WAITING, seconds_since_frame=61)


@pytest.mark.parametrize(
    "well",
    [
        facts(status()),
        facts(status(SessionState.WAITING, seconds_since_frame=59)),
        facts(status(SessionState.WAITING, seconds_since_frame=None, refusal="HTTP 403", is_not_open=True)),
        facts(status(SessionState.WAITING, seconds_since_frame=600, is_not_open=True)),
        facts(telegram=TelegramHealth(clock_skew=-4.9)),
        facts(free_disk_bytes=MIN_FREE_DISK),
    ],
)
def test_a_healthy_process_has_no_condition_that_needs_anybody(well: ProcessHealth) -> None:
    assert find_conditions(well) == {}


@pytest.mark.parametrize(
    ("known", "name", "words"),
    [
        (
            facts(status(SessionState.REFUSED, seconds_since_frame=None, refusal="HTTP 401")),
            "feed-refused",
            "the feed refuses us: HTTP 401.",
        ),
        (
            facts(status(SessionState.CONNECTING, seconds_since_frame=None, refusal="HTTP 401")),
            "feed-refused",
            "the feed refuses us: HTTP 401.",
        ),
        (facts(DOWN, status()), "feed-down", "no frame for over a minute from 1 of 2 connections: Arsenal v Chelsea."),
        (CUT, "fixtures-cut", "the list of fixtures was read up to 100,000 and has more"),
        (facts(telegram=TelegramHealth(failing_since=ago(1))), "telegram-away", "no request to Telegram gets through since"),
        (facts(telegram=TelegramHealth(refused_since=ago(1))), "telegram-refused", "Telegram refuses the bot token"),
        (facts(telegram=TelegramHealth(clock_skew=-63.2)), "clock-off", "this machine's clock is 63 s behind Telegram's"),
        (facts(telegram=TelegramHealth(clock_skew=5.1)), "clock-off", "this machine's clock is 5 s ahead of Telegram's"),
        (facts(free_disk_bytes=MIN_FREE_DISK - 2**20), "disk-low", "only 255 MiB are free"),
        (
            facts(database=DatabaseProblem("storage.url: the disk is full; make room", ago(1))),
            "database-full",
            "the disk is full",
        ),
        (
            facts(database=DatabaseProblem("storage.url: t.db is read-only; let", ago(1))),
            "database-read-only",
            "t.db is read-only",
        ),
        (
            facts(database=DatabaseProblem("storage.url: /full/read-only.db cannot be reached", ago(1))),
            "database-away",
            "read-only.db cannot be reached",
        ),
    ],
)
def test_a_condition_has_a_name_and_a_sentence(known: ProcessHealth, name: str, words: str) -> None:
    found = find_conditions(known)

    assert list(found) == [name] and name in INCIDENT_POLICIES
    assert words in found[name]


def test_many_matches_without_frames_are_one_condition_that_counts_them() -> None:
    found = find_conditions(facts(*(status(SessionState.WAITING, seconds_since_frame=90, fixture_id=f"m{n}") for n in range(40))))

    assert "from 40 of 40 connections: m0, m1, m2, m3, m4 and 35 more." in found["feed-down"]


def test_of_damaged_rows_three_are_named_and_the_others_counted() -> None:
    sentence = describe_damaged_rows({f"the row of alerts with action_id {number}": "no text" for number in range(5)})

    assert "action_id 0 (no text); the row of alerts with action_id 1" in sentence
    assert "action_id 2 (no text) and 2 more." in sentence and "action_id 3" not in sentence
