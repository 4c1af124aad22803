import msgspec
import pytest

from rules.football.action import Summary
from rules.football.fixture_changes import detect_change, make_status_packet
from rules.football.match import Moment
from tests.packets import FIXTURE, KICKOFF, Story


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (("Live", "CollectingLive"), ("Live", "CollectionSuspended"), "Coverage Lost"),
        (("Live", "CollectingLive"), ("Suspended", "CollectionSuspended"), "Coverage Lost"),
        (("Live", "CollectionSuspended"), ("Live", "CollectingLive"), "Coverage Back"),
        (("Live", "CollectionSuspended"), ("Unverified", "CollectionDropped"), "Coverage Dropped"),
        (("Live", "CollectingLive"), ("Suspended", "CollectingLive"), "Match Suspended"),
        (("Suspended", "CollectingLive"), ("Live", "CollectingLive"), "Match Resumed"),
        (("Live", "CollectingLive"), ("Abandoned", "CollectingLive"), "Match Abandoned"),
        (("Scheduled", ""), ("Postponed", ""), "Match Postponed"),
        (("Scheduled", ""), ("Live", "CollectingLive"), ""),
        (("Live", "CollectingLive"), ("Completed", "CollectionCompleted"), ""),
    ],
)
def test_what_changed_has_a_name(was: tuple[str, str], now: tuple[str, str], told: str) -> None:
    assert detect_change(was, now) == told


def lost(story: Story, minute: int) -> Moment:
    return story.tell("Status Updated", period=0, clock=0, minute=minute, summary=Summary(1, 0, 2, "Live", "CollectionSuspended"))


def test_lost_data_are_told_with_the_minute_they_were_lost_at() -> None:
    story = Story()
    story.goal(score=(1, 0), minute=63)

    moment = lost(story, 63)

    assert moment.coverage_change and (moment.coverage_change.type, str(moment.coverage_change.minute)) == ("Coverage Lost", "63")


def test_the_minute_is_that_of_the_summary_where_it_has_gone_on_since_the_last_action() -> None:
    story = Story()
    story.goal(score=(1, 0), minute=61)

    moment = story.tell(
        "Status Updated", period=0, clock=0, summary=Summary(1, 0, 2, "Live", "CollectionSuspended", 62 * 60 + 38)
    )

    assert moment.coverage_change and str(moment.coverage_change.minute) == "63"


@pytest.mark.parametrize("status", ["Abandoned", "Postponed", "Cancelled"])
def test_the_stream_and_the_fixtures_tell_of_an_end_by_one_action(status: str) -> None:
    by_stream, by_rest = Story(), Story()
    for story in (by_stream, by_rest):
        story.tell("Attack", minute=46)

    first = by_stream.tell("Status Updated", period=0, status=status).coverage_change
    second = by_rest.hear(make_status_packet(msgspec.structs.replace(FIXTURE, status=status), 1, KICKOFF)).coverage_change

    assert first and second and first.id == second.id


def test_a_card_in_lost_coverage_is_news_of_its_own_and_loses_nothing() -> None:
    story = Story()
    story.tell("Attack", minute=46)

    moment = story.tell("Yellow Card", side="away", summary=Summary(0, 0, 2, "Suspended", "CollectionSuspended"))

    assert moment.is_news and moment.coverage_change and moment.coverage_change.type == "Coverage Lost"


def test_the_same_history_gives_the_same_action() -> None:
    first, second = Story(), Story()
    for story in (first, second):
        story.goal(score=(1, 0), minute=63)

    assert lost(first, 63).coverage_change == lost(second, 63).coverage_change


def test_the_rest_side_speaks_as_the_stream_would_have() -> None:
    story = Story()
    story.tell("Lineups", period=0, status="Scheduled")

    moment = story.hear(make_status_packet(type(FIXTURE)("f1", status="Postponed"), story.match.seq, KICKOFF))

    assert moment.coverage_change and moment.coverage_change.type == "Match Postponed"
