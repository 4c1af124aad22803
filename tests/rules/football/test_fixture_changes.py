import msgspec
import pytest

from rules.football.action import SendType, Summary
from rules.football.advance import advance
from rules.football.fixture_changes import (
    can_lose_connection,
    detect_change,
    is_final_status,
    lose_connection,
    make_full_time_packet,
    make_status_packet,
    read_status_reason,
    restore_connection,
)
from rules.football.match import Match, Moment, Score
from rules.football.minute import Period
from tests.packets import FIXTURE, KICKOFF, Story


@pytest.mark.parametrize(
    ("was", "now", "expected"),
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
        (("Live", "CollectingLive"), ("Live", "CollectionDropped"), "Coverage Dropped"),
        (("Live", "CollectionSuspended"), ("Suspended", "CollectionSuspended"), ""),
        (("Live", "CollectionDropped"), ("Suspended", "CollectionDropped"), ""),
        (("Suspended", "CollectingLive"), ("Suspended", "CollectingLive"), ""),
        (("Suspended", "CollectingLive"), ("Completed", "CollectingLive"), ""),
        (("LIVE", "collectinglive"), ("CANCELED", "collectinglive"), "Match Cancelled"),
        (("Cancelled", ""), ("Cancelled", ""), ""),
    ],
)
def test_what_changed_has_a_name(was: tuple[str, str], now: tuple[str, str], expected: str) -> None:
    assert detect_change(was, now) == expected


def lost(story: Story, minute: int) -> Moment:
    return story.add(
        "Status Updated", period=0, clock=0, minute=minute, summary=Summary(*story.score, 2, "Live", "CollectionSuspended")
    )


def test_lost_data_is_announced_with_the_minute_it_was_lost_at() -> None:
    story = Story()
    story.goal(score=(1, 0), minute=63)

    moment = lost(story, 63)

    assert moment.coverage_change and (moment.coverage_change.type, str(moment.coverage_change.minute)) == ("Coverage Lost", "63")


def test_the_minute_is_that_of_the_summary_where_it_has_gone_on_since_the_last_action() -> None:
    story = Story()
    story.goal(score=(1, 0), minute=61)

    moment = story.add("Status Updated", period=0, clock=0, summary=Summary(1, 0, 2, "Live", "CollectionSuspended", 62 * 60 + 38))

    assert moment.coverage_change and str(moment.coverage_change.minute) == "63"


@pytest.mark.parametrize("status", ["Abandoned", "Postponed", "Cancelled"])
def test_the_stream_and_the_fixtures_tell_of_an_end_by_one_action(status: str) -> None:
    by_stream, by_rest = Story(), Story()
    for story in (by_stream, by_rest):
        story.add("Attack", minute=46)

    first = by_stream.add("Status Updated", period=0, status=status).coverage_change
    second = by_rest.add_packet(make_status_packet(msgspec.structs.replace(FIXTURE, status=status), 1, KICKOFF)).coverage_change

    assert first and second and first.id == second.id


def test_a_card_in_lost_coverage_is_news_of_its_own_and_loses_nothing() -> None:
    story = Story()
    story.add("Attack", minute=46)

    moment = story.add("Yellow Card", side="away", summary=Summary(0, 0, 2, "Suspended", "CollectionSuspended"))

    assert moment.is_news and moment.coverage_change and moment.coverage_change.type == "Coverage Lost"


def test_the_same_history_gives_the_same_action() -> None:
    first, second = Story(), Story()
    for story in (first, second):
        story.goal(score=(1, 0), minute=63)

    assert lost(first, 63).coverage_change == lost(second, 63).coverage_change


def test_a_status_of_the_rest_side_becomes_the_packet_that_the_stream_would_have_sent() -> None:
    story = Story()
    story.add("Lineups", period=0, status="Scheduled")

    moment = story.add_packet(make_status_packet(type(FIXTURE)("f1", status="Postponed"), story.match.seq, KICKOFF))

    assert moment.coverage_change and moment.coverage_change.type == "Match Postponed"


def test_coverage_that_is_lost_a_second_time_is_another_action_and_has_the_score_of_then() -> None:
    story = Story()
    story.goal("g1", score=(1, 0), minute=61)
    first = lost(story, 63)
    story.add("Status Updated", period=0, clock=0, minute=65)

    story.goal("g2", score=(2, 0), minute=70)
    second = lost(story, 75)

    assert first.coverage_change and second.coverage_change
    assert first.coverage_change.id != second.coverage_change.id
    assert (first.after.score_when_coverage_lost, second.after.score_when_coverage_lost) == (Score(1, 0), Score(2, 0))


@pytest.mark.parametrize("kind", ["Postponed", "Abandoned"])
def test_what_happens_to_a_fixture_once_has_one_action_a_day(kind: str) -> None:
    ids = []
    for fixture in (FIXTURE, FIXTURE, msgspec.structs.replace(FIXTURE, kickoff=KICKOFF.replace(day=30))):
        story = Story(fixture)
        story.add("Lineups", period=0, status="Scheduled", seq=len(ids) + 1)
        change = story.add("Status Updated", period=0, status=kind).coverage_change
        assert change
        ids.append(change.id)

    assert ids[0] == ids[1] != ids[2]


def test_the_change_stands_at_the_time_of_the_packet_that_brings_it() -> None:
    story = Story()
    story.goal(score=(1, 0), minute=63)

    moment = lost(story, 64)

    change = moment.coverage_change
    assert change and (change.fixture_id, change.seq, change.at) == ("f1", moment.action.seq, moment.action.at)
    assert (change.period, change.send_type, change.sub_type) == (Period.SECOND_HALF, SendType.CONFIRMED, "")


def test_a_status_of_the_list_of_fixtures_becomes_a_packet_that_moves_no_clock() -> None:
    fixture = msgspec.structs.replace(FIXTURE, status="Live", collection_status="CollectionSuspended")

    packet = make_status_packet(fixture, 7, KICKOFF)

    assert (packet.fixture_id, packet.type, packet.send_type, packet.seq, packet.at) == (
        "f1", "Status Updated", SendType.CONFIRMED, 7, KICKOFF,
    )  # fmt: skip
    assert (packet.summary.status, packet.summary.collection_status) == ("Live", "CollectionSuspended")
    assert (packet.period_id, packet.clock, packet.summary.clock, packet.summary.home) == (0, 0, None, None)
    assert make_status_packet(fixture, 7, KICKOFF).action_id == packet.action_id
    assert make_status_packet(fixture, 8, KICKOFF).action_id != packet.action_id


@pytest.mark.parametrize(
    ("status", "is_final"),
    [
        ("Completed", True),
        ("Abandoned", True),
        ("postponed", True),
        ("Cancelled", True),
        ("Canceled", True),
        ("Live", False),
        ("Suspended", False),
        ("Unverified", False),
    ],
)
def test_the_list_of_fixtures_is_believed_where_a_match_has_ended(status: str, is_final: bool) -> None:
    assert is_final_status(status) is is_final


def test_a_missing_full_time_is_made_from_the_match_as_it_stands() -> None:
    story = Story()
    story.add("Attack", minute=90, score=(2, 1))

    packet = make_full_time_packet(story.match, KICKOFF)
    moment = story.add_packet(packet)

    assert (moment.action.type, moment.action.seq, moment.action.at) == ("End Match", 2, KICKOFF)
    assert (moment.action.period, str(moment.action.minute)) == (Period.SECOND_HALF, "90")
    assert (moment.after.score, moment.after.status, moment.after.ended_by) == (Score(2, 1), "Live", packet.action_id)


def test_a_match_has_one_full_time_and_another_match_another() -> None:
    match, other = Match(FIXTURE), Match(msgspec.structs.replace(FIXTURE, id="f2"))

    packet = make_full_time_packet(match, KICKOFF)

    assert (packet.type, packet.summary.status, packet.period_id, packet.seq) == ("End Match", "Completed", 0, 1)
    assert packet.action_id == make_full_time_packet(match, KICKOFF).action_id
    assert packet.action_id != make_full_time_packet(other, KICKOFF).action_id


def test_the_first_status_of_a_match_is_no_change() -> None:
    assert Story().add("Status Updated", period=0, status="Postponed").coverage_change is None


def test_the_feeds_reason_goes_with_the_change() -> None:
    story = Story()
    story.goal(score=(1, 0), minute=63)
    summary = Summary(1, 0, 2, "Live", "CollectionSuspended")
    moment = story.add("Status Updated", period=0, summary=summary, metadata={"CollectionStatusReason": " no signal "})

    assert moment.coverage_change and read_status_reason(moment.coverage_change) == "no signal"
    assert read_status_reason(moment.action) == ""


@pytest.mark.parametrize("metadata", [{}, {"collectionStatusReason": 7}, {"collectionStatusReason": None}])
def test_a_reason_that_is_none_is_left_out(metadata: dict[str, object]) -> None:
    story = Story()
    story.goal(score=(1, 0), minute=63)
    summary = Summary(1, 0, 2, "Live", "CollectionSuspended")
    moment = story.add("Status Updated", period=0, summary=summary, metadata=metadata)

    assert moment.coverage_change and read_status_reason(moment.coverage_change) == ""


@pytest.mark.parametrize(("status", "sub_type"), [("Scheduled", "Before Kick-off"), ("Live", "")])
def test_coverage_dropped_before_kick_off_is_told_from_coverage_dropped_in_play(status: str, sub_type: str) -> None:
    listed = msgspec.structs.replace(FIXTURE, status="Unverified", collection_status="CollectionDropped")
    moment = advance(Match(FIXTURE, status=status), make_status_packet(listed, 0, KICKOFF))

    assert moment.coverage_change and moment.coverage_change.sub_type == sub_type


def test_a_lost_connection_is_a_change_that_the_same_history_numbers_alike() -> None:
    story = Story()
    story.goal(score=(1, 0), minute=63)
    first, again = (lose_connection(story.match, "no connection to the feed", KICKOFF) for _ in range(2))
    back = restore_connection(first.after, KICKOFF)
    second = lose_connection(back.after, "", KICKOFF)

    assert first.coverage_change and again.coverage_change and back.coverage_change and second.coverage_change
    assert first.coverage_change.id == again.coverage_change.id != second.coverage_change.id
    assert read_status_reason(first.coverage_change) == "no connection to the feed"
    assert (first.after.is_cut_off, back.after.is_cut_off, back.coverage_change.type) == (True, False, "Coverage Back")


@pytest.mark.parametrize(
    "known",
    [
        {"status": "Completed"},
        {"status": "Abandoned"},
        {"collection_status": "CollectionSuspended"},
        {"ended_by": "end"},
        {"is_cut_off": True},
    ],
)
def test_a_connection_is_not_missed_where_nothing_is_to_come_or_chats_know(known: dict[str, object]) -> None:
    match = Match(FIXTURE, period=Period.FIRST_HALF, status="Live")

    assert can_lose_connection(match)
    assert not can_lose_connection(msgspec.structs.replace(match, **known))


def test_an_abandoned_match_that_goes_on_on_another_day_is_resumed() -> None:
    story = Story()
    story.goal("g", score=(1, 0), minute=60)
    abandoned = story.add("Status Updated", period=0, status="Abandoned")
    late = story.add("Corner", minute=60, status="Live")
    story.add("Status Updated", period=0, status="Abandoned")
    resumed = story.add("Status Updated", period=0, status="Live")
    goal = story.goal("h", score=(2, 0), minute=70)

    def change(moment: Moment) -> str:
        return moment.coverage_change.type if moment.coverage_change else ""

    assert [change(moment) for moment in (abandoned, late, resumed, goal)] == ["Match Abandoned", "", "Match Resumed", ""]
    assert str(goal.after.score) == "2–0"
