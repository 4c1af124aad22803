"""One table says which statuses are over, live or lost, and everything asks it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from bot.chat.search.catalogue import has_ended
from bot.feed import lenient
from bot.matches.connection_plan import find_connect_time
from rules.football.action import Fixture
from rules.football.fixture_changes import detect_change, is_final_status
from rules.football.match import Match
from rules.football.statuses import OVER_WORDS, STATUSES, find_status, is_known_status
from rules.football.timeline import Stage, determine_stage
from tests.packets import FIXTURE, KICKOFF

ROOT = Path(__file__).parents[3]

MEANINGS = [
    ("scheduled", False, False, False),
    ("live", True, False, False),
    ("suspended", True, False, False),
    ("completed", False, True, False),
    ("abandoned", False, True, True),
    ("cancelled", False, True, True),
    ("canceled", False, True, True),
    ("postponed", False, True, True),
    ("unverified", False, True, True),
    ("a new word", False, False, False),
]


@pytest.mark.parametrize(("status", "is_live", "is_over", "is_lost"), MEANINGS)
@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title])
def test_a_status_says_whether_there_is_a_stream_and_a_full_time(
    status: str, is_live: bool, is_over: bool, is_lost: bool, spell: type[str]
) -> None:
    word = spell(status)
    fixture, match = Fixture("f1", status=word), Match(FIXTURE, status=word)

    assert (fixture.is_live, fixture.is_over, fixture.is_lost) == (is_live, is_over, is_lost)
    assert (match.is_lost, match.is_suspended) == (is_lost, status == "suspended")
    assert (status in OVER_WORDS, is_known_status(word)) == (is_over, status != "a new word")


@pytest.mark.parametrize("status", [status for status, *_ in MEANINGS])
def test_everything_that_asks_for_a_status_reads_the_table(status: str) -> None:
    fixture, known = Fixture("f1", kickoff=KICKOFF, status=status), find_status(status)
    now, lead = KICKOFF - dt.timedelta(days=1), dt.timedelta(minutes=10)

    assert has_ended(fixture, now) is known.is_over
    assert (find_connect_time(fixture, now, lead) is None) is known.is_over
    assert (find_connect_time(fixture, now, lead) == now) is known.is_live
    assert is_final_status(status) is known.is_final
    assert (determine_stage(Match(FIXTURE, status=status)) is Stage.LOST) is (known.is_lost or known.is_suspended)


@pytest.mark.parametrize("number", range(len(STATUSES)))
def test_statuses_stand_in_the_order_of_their_numbers(number: int) -> None:
    documented = ("Scheduled", "Live", "Completed", "Postponed", "Abandoned", "Cancelled", "Suspended", "Unverified")

    assert (STATUSES[number].name, lenient.as_status(number)) == (documented[number], documented[number])


@pytest.mark.parametrize(("word", "news"), [("Canceled", "Match Cancelled"), ("abandoned", "Match Abandoned")])
def test_every_spelling_of_a_status_makes_the_same_news(word: str, news: str) -> None:
    assert detect_change(("Scheduled", ""), (word, "")) == news


def test_no_other_module_lists_statuses() -> None:
    words = "postponed|abandoned|unverified"
    lists = re.compile(rf"[\"'](?:{words})[\"']\s*[,:)}}]", re.IGNORECASE)
    sources = [path for folder in ("rules", "bot") for path in (ROOT / folder).rglob("*.py")]
    found = [path.name for path in sources if lists.search(path.read_text(encoding="utf-8"))]

    # The words that are translated are listed once, and a scenario that ships has the name of one.
    assert sorted(found) == ["football.py", "parser.py", "statuses.py"]
