import datetime as dt

import pytest

from bot.watch.troubles import Telling, What
from bot.watch.words import event, span, told
from tests.packets import KICKOFF

MORE = KICKOFF + dt.timedelta(minutes=4, seconds=10)


@pytest.mark.parametrize(
    ("what", "until", "sentence"),
    [
        (What.BEGUN, MORE, "🛠 <b>feed-down</b>: no frame from a &lt; b"),
        (What.CHANGED, MORE, "🛠 <b>feed-down</b>: no frame from a &lt; b"),
        (What.LASTS, MORE, f"🛠 <b>feed-down</b>, since {KICKOFF:%Y-%m-%d %H:%M:%S} UTC: no frame from a &lt; b"),
        (What.OVER, MORE, f"✅ <b>feed-down</b> is over: it lasted 4 min, from {KICKOFF:%H:%M:%S} to {MORE:%H:%M:%S} UTC."),
    ],
)
def test_a_telling_is_one_sentence(what: What, until: dt.datetime, sentence: str) -> None:
    assert told(Telling("feed-down", what, "no frame from a < b", KICKOFF, until)) == sentence


def test_what_lasted_over_midnight_has_its_days() -> None:
    over = told(Telling("feed-down", What.OVER, "", KICKOFF, KICKOFF + dt.timedelta(days=3)))

    assert "it lasted 3 days" in over and f"{KICKOFF:%Y-%m-%d}" in over


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7140, "119 min"), (7260, "2 h 1 min"), (172800, "2 days")]
)
def test_a_span_is_as_exact_as_is_of_use(seconds: int, words: str) -> None:
    assert span(dt.timedelta(seconds=seconds)) == words


def test_an_event_is_escaped() -> None:
    assert event("a < b & c") == "🛠 a &lt; b &amp; c"
