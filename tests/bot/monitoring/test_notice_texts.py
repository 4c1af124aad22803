import datetime as dt

import pytest

from bot.monitoring.admin_messages import describe_duration, render_notice
from bot.monitoring.incidents import IncidentEvent, IncidentNotice
from tests.packets import KICKOFF

LATER = KICKOFF + dt.timedelta(minutes=4, seconds=10)


@pytest.mark.parametrize(
    ("what", "until", "sentence"),
    [
        (IncidentEvent.OPENED, LATER, "🛠 <b>feed-down</b>: no frame from a &lt; b"),
        (IncidentEvent.CHANGED, LATER, "🛠 <b>feed-down</b>: no frame from a &lt; b"),
        (IncidentEvent.REMINDER, LATER, f"🛠 <b>feed-down</b>, since {KICKOFF:%Y-%m-%d %H:%M:%S} UTC: no frame from a &lt; b"),
        (
            IncidentEvent.RESOLVED,
            LATER,
            f"✅ <b>feed-down</b> is over: it lasted 4 min, from {KICKOFF:%H:%M:%S} to {LATER:%H:%M:%S} UTC.",
        ),
    ],
)
def test_a_notice_is_one_sentence(what: IncidentEvent, until: dt.datetime, sentence: str) -> None:
    assert render_notice(IncidentNotice("feed-down", what, "no frame from a < b", KICKOFF, until)) == sentence


def test_what_lasted_over_midnight_has_its_days() -> None:
    over = render_notice(IncidentNotice("feed-down", IncidentEvent.RESOLVED, "", KICKOFF, KICKOFF + dt.timedelta(days=3)))

    assert "it lasted 3 days" in over and f"{KICKOFF:%Y-%m-%d}" in over


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7140, "119 min"), (7260, "2 h 1 min"), (172800, "2 days")]
)
def test_a_span_is_as_exact_as_is_of_use(seconds: int, words: str) -> None:
    assert describe_duration(dt.timedelta(seconds=seconds)) == words
