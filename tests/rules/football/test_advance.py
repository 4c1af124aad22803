import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.football.action import Fixture, PeriodScore, SendType, Side, Summary
from rules.football.advance import advance, resolve_period
from rules.football.match import Match, Score
from rules.football.match_facts import list_cards
from rules.football.minute import Minute, Period
from tests.packets import AWAY, FIXTURE, HOME, Story


@pytest.mark.parametrize("counts_pending", [True, False])
def test_the_score_is_official_whether_or_not_the_summary_counts_a_pending_goal(counts_pending: bool) -> None:
    story = Story()

    pending = story.goal(send="Pending", score=(1, 0) if counts_pending else (0, 0))
    meanwhile = story.add("Attack")
    confirmed = story.goal(send="Confirmed", score=(1, 0))

    assert [m.after.score for m in (pending, meanwhile, confirmed)] == [Score(0, 0), Score(0, 0), Score(1, 0)]
    assert pending.after.records["g"].is_shown is counts_pending


@pytest.mark.parametrize("counts_pending", [True, False])
def test_a_cancelled_goal_leaves_the_score_as_it_was(counts_pending: bool) -> None:
    story = Story()
    story.goal(send="Pending", score=(1, 0) if counts_pending else (0, 0))

    moment = story.goal(send="Cancelled", score=(0, 0))

    assert moment.after.score == Score(0, 0)
    assert not moment.after.records["g"].is_standing


@pytest.mark.parametrize("counts_pending", [True, False])
@pytest.mark.parametrize("names_player_team", [True, False])
@pytest.mark.parametrize("kind", ["Own Goal", "Goal"])
def test_an_own_goal_goes_to_the_side_whose_score_rises(counts_pending: bool, names_player_team: bool, kind: str) -> None:
    story, team = Story(), "away" if names_player_team else "home"
    story.add(kind, "Pending", "g", team, score=(1, 0) if counts_pending else (0, 0))

    moment = story.add(kind, "Confirmed", "g", team, sub="" if kind == "Own Goal" else "Own Goal", score=(1, 0))
    again = story.add(kind, "Updated", "g", team, sub="" if kind == "Own Goal" else "Own Goal", player="C. Fuchs")

    assert (moment.action.type, moment.action.sub_type) == ("Goal", "Own Goal")
    assert [m.record and (m.action.side, m.action.team) for m in (moment, again)] == [(Side.HOME, HOME)] * 2


def test_a_penalty_is_revised_and_taken_back_as_what_it_was_known_to_be() -> None:
    story = Story()
    story.add("Penalty Kick", "Confirmed", "p", "home", sub="Scored", score=(1, 0))

    named = story.add("Penalty Kick", "Updated", "p", "home", player="Saka", score=(1, 0))
    deleted = story.add("Penalty Kick", "Deleted", "p", "home", score=(0, 0))

    assert [(m.action.type, m.action.sub_type) for m in (named, deleted)] == [("Goal", "Penalty")] * 2


def test_a_disallowed_goal_is_taken_back_once_by_its_link() -> None:
    story = Story()
    story.goal(score=(1, 0))

    moment = story.add("Goal Disallowed", side="home", sub="Offside", related=("g",), score=(0, 0))
    deleted = story.goal(send="Deleted")

    assert [r.action.id for r in moment.affected] == ["g"]
    assert (deleted.affected, deleted.after.score) == ((), Score(0, 0))


def test_without_a_link_the_goal_whose_score_falls_is_taken_back() -> None:
    story = Story()
    story.goal("g1", score=(1, 0))
    story.goal("g2", "away", score=(1, 1))

    moment = story.add("Goal Disallowed", side="home", score=(0, 1))

    assert [r.action.id for r in moment.affected] == ["g1"]


def test_without_a_link_and_without_a_fall_no_standing_goal_is_touched() -> None:
    story = Story()
    story.goal("g1", score=(1, 0))
    story.goal("g2", score=(2, 0))
    story.goal("g2", send="Deleted", score=(1, 0))

    moment = story.add("Goal Disallowed", side="home")

    assert moment.affected == ()
    assert [r.action.id for r in moment.after.list_standing_goals()] == ["g1"]


def test_a_substitution_linked_to_another_takes_nothing_back() -> None:
    story = Story()
    story.add("Substitution Out", action="out", side="home")

    moment = story.add("Substitution In", side="home", related=("out",))

    assert moment.affected == ()


def test_updated_after_deleted_restores_a_goal() -> None:
    story = Story()
    story.goal(score=(1, 0))
    story.goal(send="Deleted", score=(0, 0))

    moment = story.goal(send="Updated", score=(1, 0))

    assert moment.after.records["g"].is_standing
    assert moment.after.score == Score(1, 0)


def test_a_corrected_scorer_does_not_restore_a_disallowed_goal() -> None:
    story = Story()
    story.goal(score=(1, 0))
    story.add("Goal Disallowed", side="home", related=("g",), score=(0, 0))

    moment = story.goal(send="Updated", player="H. Kane")

    assert not moment.after.records["g"].is_standing


@pytest.mark.parametrize(
    ("action_type", "sub_type", "score", "shown"),
    [
        ("Card", "Red", (0, 0), ("Red Card", "")),
        ("Card", "Yellow", (0, 0), ("Yellow Card", "")),
        ("Red Card", "Second Yellow", (0, 0), ("Red Card", "Second Yellow")),
        ("Penalty Awarded", "Scored", (1, 0), ("Goal", "Penalty")),
        ("Penalty Awarded", "Missed", (0, 0), ("Penalty Missed", "")),
        ("Goal", "Own Goal", (1, 0), ("Goal", "Own Goal")),
    ],
)
@pytest.mark.parametrize("send", ["Confirmed", "Updated"])
def test_what_a_revision_leaves_out_is_as_before(
    send: str, action_type: str, sub_type: str, score: tuple[int, int], shown: tuple[str, str]
) -> None:
    story = Story()
    story.add(action_type, action="one", side="home", sub=sub_type, score=score, minute=20)
    named = story.add(action_type, send, "one", "home", player="Saka")
    bare = story.add(action_type, send, "one")

    for moment in (named, bare):
        action, record = moment.action, moment.record
        assert record and (action.type, action.sub_type) == (record.action.type, record.action.sub_type) == shown
        assert not record.is_retracted
        assert (action.player and action.player.name, action.side, action.team) == ("Saka", Side.HOME, HOME)
    assert bare.after.score == Score(*score)


def test_an_own_goal_that_another_player_scored_is_one_only_if_the_feed_says_so() -> None:
    story = Story()
    story.goal(side="home", sub="Own Goal", player="James", score=(1, 0))

    assert story.goal(send="Updated", player="Saka").action.sub_type == ""


@pytest.mark.parametrize(("wrong", "right"), [("Own Goal", "Goal"), ("Second Yellow Card", "Red Card")])
def test_another_name_of_the_type_corrects_what_the_first_name_said(wrong: str, right: str) -> None:
    story = Story()
    score = (1, 0) if right == "Goal" else (0, 0)
    first = story.add(wrong, action="one", side="home", score=score)

    corrected = story.add(right, "Updated", "one", "home")

    assert first.action.sub_type
    assert (corrected.action.type, corrected.action.sub_type) == (right, "")


def test_a_goal_or_card_that_is_given_to_the_other_team_keeps_no_player() -> None:
    story = Story()
    story.goal(side="home", player="Saka", score=(1, 0), minute=20)
    story.add("Yellow Card", action="y", side="home", player="Saka")

    goal = story.goal(side="away", send="Updated", score=(0, 1))
    card = story.add("Yellow Card", "Updated", "y", "away")

    assert [(m.action.team, m.action.player) for m in (goal, card)] == [(AWAY, None)] * 2


def test_who_was_fouled_is_not_the_scorer_of_the_penalty() -> None:
    story = Story()
    story.add("Penalty Awarded", action="p", side="home", player="Saka", minute=70)

    scored = story.add("Penalty Awarded", "Updated", "p", "home", sub="Scored", score=(1, 0))

    assert (scored.action.type, scored.action.player) == ("Goal", None)


def test_a_missed_penalty_with_which_the_score_rises_is_no_longer_missed() -> None:
    story = Story()
    story.add("Penalty Awarded", action="p", side="home", sub="Missed", minute=70)

    assert story.add("Penalty Awarded", "Updated", "p", "home", score=(1, 0)).action.type != "Penalty Missed"


def test_a_penalty_whose_goal_falls_out_of_the_score_is_to_be_taken_again() -> None:
    story = Story()
    story.add("Penalty Awarded", action="p", side="home", sub="Scored", score=(1, 0))

    assert story.add("Penalty Awarded", "Updated", "p", "home", score=(0, 0)).action.type == "Penalty Awarded"


@pytest.mark.parametrize("sends", [("Confirmed", "Updated"), ("Confirmed", "Pending"), ("Pending", "Pending")])
def test_a_disallowed_goal_that_is_revised_stands_again_when_the_disallowance_is_deleted(sends: tuple[str, str]) -> None:
    story, (first, revised) = Story(), sends
    story.goal(send=first, score=(1, 0))
    story.add("Goal Disallowed", "Confirmed", "d", "home", related=("g",), sub="Offside", score=(0, 0))
    again = story.goal(send=revised, player="Havertz")
    moment = story.add("Goal Disallowed", "Deleted", "d", "home", related=("g",), score=(1, 0))

    assert (again.after.records["g"].is_retracted, again.after.records["g"].retracted_by) == (True, "d")
    assert [(r.action.id, r.is_retracted) for r in moment.affected] == [("g", False)]
    assert moment.after.score == (Score(1, 0) if revised == "Updated" else Score())


def test_a_goal_that_the_score_struck_stands_again_by_the_score_also_after_a_correction() -> None:
    story = Story()
    story.goal(score=(1, 0), minute=20)
    story.add("Throw In", score=(0, 0), minute=22)
    story.add("Throw In", minute=30)
    struck = story.add("End Period", minute=45)
    story.goal(send="Updated", minute=20, period=1, player="Havertz")
    moment = story.add("Throw In", score=(1, 0), minute=50)

    assert [(r.action.id, r.is_retracted) for one in (struck, moment) for r in one.affected] == [("g", True), ("g", False)]


@pytest.mark.parametrize("send", ["Updated", "Deleted", "Confirmed"])
@pytest.mark.parametrize("kind", ["Yellow Card", "Corner", "End Period", "Start Period"])
def test_a_correction_of_the_first_half_does_not_move_the_second_back(kind: str, send: str) -> None:
    story = Story()
    story.add(kind, action="one", side="home", minute=30)
    story.add("End Period", action="end", minute=45)
    story.add("Start Period", minute=46)
    story.goal(minute=60, score=(1, 0))
    story.add("Throw In", minute=61, score=(0, 0))
    story.add("Throw In", minute=64)

    # The summary is that of the 65th minute.
    corrected = msgspec.structs.replace(story.packet(kind, send, "one", "home", minute=65), period_id=1, clock=29 * 60 + 5)
    after = story.add_packet(corrected).after

    assert (after.period, after.minute, after.is_half_time) == (Period.SECOND_HALF, Minute(65), False)
    assert not after.records["g"].is_retracted


def test_a_wrong_later_period_is_corrected_by_the_next_action() -> None:
    story = Story()
    story.add("Throw In", minute=30)
    story.add_packet(msgspec.structs.replace(story.packet("Throw In", minute=31), period_id=2))
    corrected = story.add("Throw In", minute=31)
    without_summary = Story()
    without_summary.add_packet(
        msgspec.structs.replace(without_summary.packet("Throw In", minute=31), period_id=2, summary=Summary())
    )
    without_summary.add("Throw In", minute=32, summary=Summary())

    assert corrected.after.period is without_summary.match.period is Period.FIRST_HALF


def test_a_correction_of_half_time_leaves_the_second_half_ended() -> None:
    story = Story()
    story.add("End Period", action="ht", minute=45)
    story.add("End Period", minute=90)
    story.add_packet(msgspec.structs.replace(story.packet("End Period", "Updated", "ht", minute=90), period_id=1, clock=45 * 60))

    assert story.match.last_ended_period is story.match.period is Period.SECOND_HALF


def test_a_goal_that_turns_into_a_disallowed_one_takes_no_other_goal_back() -> None:
    story = Story()
    story.goal("g1", score=(1, 0))
    story.goal("g2", score=(2, 0))
    story.add("Goal Disallowed", "Updated", "g2", "home", sub="Offside", score=(1, 0))
    story.add("Goal Disallowed", "Updated", "g2", "home", sub="Foul")

    assert [r.action.id for r in story.match.list_standing_goals()] == ["g1"]


def test_a_disallowance_of_a_goal_that_has_not_come_takes_no_other_goal_back_but_that_goal_when_it_comes() -> None:
    story = Story()
    story.goal("g1", score=(1, 0))
    story.add("Throw In", seq=5, score=(2, 0))
    disallowed = story.add("Goal Disallowed", "Confirmed", "d", "home", related=("g2",), sub="Offside", score=(1, 0))
    late = [story.goal("g2", send=send, seq=seq) for send, seq in (("Pending", 3), ("Confirmed", 4))]

    assert disallowed.affected == ()
    assert [moment.record and moment.record.is_retracted for moment in late] == [True, True]
    assert (story.match.records["g2"].retracted_by, story.match.score) == ("d", Score(1, 0))
    assert [r.action.id for r in story.match.list_standing_goals()] == ["g1"]


def test_a_disallowed_goal_that_comes_late_stands_if_its_disallowance_is_deleted() -> None:
    story = Story()
    story.add("Goal Disallowed", "Confirmed", "d", "home", related=("g",), seq=5)
    story.goal(seq=4)
    moment = story.add("Goal Disallowed", "Deleted", "d", "home", related=("g",), seq=6, score=(1, 0))

    assert [(r.action.id, r.is_retracted) for r in moment.affected] == [("g", False)]
    assert moment.after.score == Score(1, 0)


def test_a_disallowance_that_names_an_unknown_action_takes_back_the_goal_with_which_the_score_falls() -> None:
    story = Story()
    story.goal("g1", score=(1, 0))
    story.goal("g2", score=(2, 0))
    story.add("Goal Disallowed", "Confirmed", "d", "home", related=("a video check",), score=(1, 0))
    # A goal that comes meanwhile is not disallowed by a correction.
    story.goal("g3", send="Pending")
    story.add("Goal Disallowed", "Updated", "d", "home", related=("a video check",), sub="Offside")

    assert [(r.action.id, r.is_retracted) for r in story.match.records.values() if r.action.type == "Goal"] == [
        ("g1", False),
        ("g2", True),
        ("g3", False),
    ]


def test_a_disallowance_that_is_deleted_gives_its_own_goal_back_and_no_other() -> None:
    story = Story()
    story.goal("g1", score=(1, 0))
    story.goal("g2", score=(2, 0))
    story.goal("g3", score=(3, 0))
    story.add("Goal Disallowed", action="d1", side="home", related=("g1",), score=(2, 0))
    story.add("Goal Disallowed", action="d2", side="home", related=("g2",), score=(1, 0))

    moment = story.add("Goal Disallowed", "Deleted", "d1", "home", score=(2, 0))

    assert [(r.action.id, r.is_standing, r.retracted_by) for r in moment.affected] == [("g1", True, "")]
    assert [r.action.id for r in moment.after.list_standing_goals()] == ["g1", "g3"]


def test_a_retraction_without_details_has_those_of_the_revision_before() -> None:
    story = Story()
    story.goal(player="B. Saka", sub="Header", score=(1, 0))

    action = story.goal(send="Deleted", side=None, score=(0, 0)).action

    assert (action.side, action.team, action.sub_type) == (Side.HOME, HOME, "Header")
    assert action.player and action.player.name == "B. Saka"


def test_a_retraction_keeps_the_details_that_it_comes_with() -> None:
    story = Story()
    story.goal(player="B. Saka", sub="Header", score=(1, 0))

    action = story.goal(send="Deleted", player="D. Rice", sub="Shot", score=(0, 0)).action

    assert action.player and (action.player.name, action.sub_type) == ("D. Rice", "Shot")


def test_a_goal_that_is_restored_belongs_to_the_side_that_had_it_before() -> None:
    story = Story()
    story.add("Own Goal", "Confirmed", "g", "away", score=(1, 0))
    story.add("Own Goal", "Deleted", "g", "away", score=(0, 0))

    restored = story.add("Own Goal", "Updated", "g", "away")

    assert (restored.action.side, restored.action.team) == (Side.HOME, HOME)


@pytest.mark.parametrize(
    ("period_id", "clock", "period"),
    [
        (0, 0, Period.BEFORE),
        (1, 0, Period.FIRST_HALF),
        (3, 90 * 60, Period.EXTRA_FIRST),
        (3, 5, Period.SHOOTOUT),
        (4, 105 * 60, Period.EXTRA_SECOND),
        (5, 0, Period.SHOOTOUT),
        (6, 0, Period.SHOOTOUT),
    ],
)
def test_a_period_that_the_summary_does_not_describe_is_known_by_its_id_and_clock(
    period_id: int, clock: int, period: Period
) -> None:
    assert resolve_period(period_id, Summary(), clock) is period


@pytest.mark.parametrize("adds_to_score", [True, False])
def test_a_shootout_is_kept_apart_from_the_score(adds_to_score: bool) -> None:
    story, kicks = Story(), PeriodScore(5, "penalty shootout", "Shootout", 1, 1, 0, 1)
    full = (PeriodScore(2, "2nd half", "Regular", 1, 1, 1, 1), kicks)
    summary = Summary(1, 2 if adds_to_score else 1, 5, "Live", "", 0, full)
    story.add("Start Period", period=5, score=(1, 1), summary=Summary(1, 1, 5, "Live", "", 0, full[:1]))

    moment = story.goal(side="away", sub="Penalty", period=5, clock=0, summary=summary)

    assert (moment.after.score, moment.after.shootout) == (Score(1, 1), Score(0, 1))
    assert (moment.action.period, moment.action.minute) == (Period.SHOOTOUT, None)


def test_period_three_is_a_shootout_where_its_type_says_so() -> None:
    story = Story()

    moment = story.add(
        "Start Period", period=3, summary=Summary(1, 1, 3, "Live", "", 0, (PeriodScore(3, "penalty shootout", "Shootout"),))
    )

    assert moment.after.period is Period.SHOOTOUT


def test_status_packets_never_reset_period_or_clock() -> None:
    story = Story()
    story.add("Attack", minute=28)

    moment = story.add("Status Updated", period=0, clock=0)

    assert (moment.after.period, moment.after.minute) == (Period.FIRST_HALF, Minute(28))


def test_a_late_packet_corrects_the_record_and_not_the_score_or_the_clock() -> None:
    story = Story()
    story.add("Attack", minute=30, score=(1, 0), seq=20)

    moment = story.add("Yellow Card", action="y", side="home", minute=10, seq=12, score=(0, 0))

    assert (moment.after.score, moment.after.minute) == (Score(1, 0), Minute(30))
    assert moment.after.records["y"].is_standing


def test_sides_are_learnt_where_the_fixture_does_not_name_them() -> None:
    story = Story(Fixture("f1"))
    bare = {"team_side": None}
    story.add("Goal", "Confirmed", "g", "away", score=(0, 1), **bare)

    card = story.add("Yellow Card", side="home", **bare)

    assert (card.after.fixture.home, card.after.fixture.away) == (HOME, AWAY)
    assert card.action.side is Side.HOME


def test_a_player_is_booked_by_the_cards_that_stand() -> None:
    story = Story()
    story.add("Yellow Card", action="y1", side="home", player="R. Tolói")
    story.add("Yellow Card", action="y2", side="home", player="R. Tolói")
    red = story.add("Second Yellow Card", side="home", player="R. Tolói")
    story.add("Yellow Card", "Deleted", "y2", "home")

    assert red.action.player
    assert [a.type for a in list_cards(story.match, red.action.player)] == ["Yellow Card", "Red Card"]


def test_only_the_first_end_of_a_match_is_news() -> None:
    story = Story()

    first, second = story.add("End Match", status="Completed"), story.add("End Match", status="Completed")

    assert (first.is_news, second.is_news) == (True, False)


SENDS = st.sampled_from(["Pending", "Confirmed", "Updated", "Deleted", "Cancelled", "Whatever"])
TYPES = st.sampled_from(["Goal", "Own Goal", "Goal Disallowed", "Yellow Card", "Red Card", "Attack", "End Match", "Beach Ball"])
EVENTS = st.tuples(
    TYPES, SENDS, st.sampled_from("abcd"), st.sampled_from(["home", "away", None]), st.integers(0, 3), st.integers(0, 3)
)


@given(st.lists(EVENTS, max_size=25))
@example([("Goal", "Pending", "b", "home", 0, 1), *[("Attack", "Whatever", "b", "home", 0, 0)] * 2])
@example([("Goal", "Confirmed", "b", "home", 1, 0), *[("Attack", send, "b", "home", 1, 0) for send in ("Pending", "Confirmed")]])
def test_packets_that_come_twice_change_nothing(events: list[tuple[str, str, str, str | None, int, int]]) -> None:
    story = Story()
    for kind, send, action, side, home, away in events:
        story.add(kind, send, action, side, score=(home, away))
    once = story.match

    for packet in list(story.packets):
        story.add_packet(packet)

    assert (story.match.records, story.match.score) == (once.records, once.score)


@given(st.lists(EVENTS, max_size=25))
def test_the_official_score_exceeds_the_feeds_only_by_goals_that_it_has_not_counted_yet(
    events: list[tuple[str, str, str, str | None, int, int]],
) -> None:
    story = Story()
    for kind, send, action, side, home, away in events:
        match = story.add(kind, send, action, side, score=(home, away)).after
        late = [change.side for change in match.uncounted.values() if change.by > 0]

        assert 0 <= match.score.home <= home + late.count(Side.HOME)
        assert 0 <= match.score.away <= away + late.count(Side.AWAY)


def test_a_match_survives_being_written_down() -> None:
    story = Story()
    story.goal(player="H. Kane", score=(1, 0))

    copy = msgspec.json.decode(msgspec.json.encode(story.match), type=Match)

    assert copy == story.match
    assert advance(copy, story.packet("Attack")).after.fixture == FIXTURE


@pytest.mark.parametrize("status", ["Cancelled", "Canceled"])
def test_a_cancelled_match_ends_without_full_time_in_either_spelling(status: str) -> None:
    assert Story().add("Status Updated", period=0, status=status).after.is_lost


@pytest.mark.parametrize("left_out", [{"period_id": 0}, {"clock": 0}, {"period_id": 0, "clock": 0}])
@pytest.mark.parametrize("says_summary", [True, False])
def test_a_goal_without_a_period_or_a_clock_falls_when_it_is_told(left_out: dict[str, int], says_summary: bool) -> None:
    story = Story()
    story.goal("g1", score=(1, 0), minute=10)
    story.add("Throw In", minute=70)
    packet = story.packet("Goal", "Confirmed", "g2", "away", score=(1, 1), **left_out)
    if not says_summary:
        packet = msgspec.structs.replace(packet, summary=msgspec.structs.replace(packet.summary, period_id=None, clock=None))

    told = story.add_packet(packet)
    story.add("Throw In", minute=80)
    corrected = story.add_packet(msgspec.structs.replace(packet, seq=story.seq + 1, send_type=SendType.UPDATED))

    for moment in (told, corrected):
        assert (moment.action.period, moment.action.minute) == (Period.SECOND_HALF, Minute(70))
    assert [story.match.score_made_by(r) for r in story.match.records.values()] == [Score(1, 0), Score(1, 1)]


def test_a_goal_of_another_period_without_a_clock_has_no_minute() -> None:
    story = Story()
    story.add("Throw In", minute=70)

    moment = story.goal(score=(1, 0), period=1, clock=0)

    assert (moment.action.period, moment.action.minute) == (Period.FIRST_HALF, None)


def test_half_time_is_seen_although_a_packet_before_it_had_a_wrong_period() -> None:
    story = Story()
    story.goal(score=(1, 0), minute=20)
    story.add("Throw In", minute=45, period=2)

    story.add("End Period", minute=46, period=1)

    assert story.match.is_half_time


def test_a_late_packet_of_added_time_does_not_move_the_second_half_back() -> None:
    story = Story()
    story.add("Throw In", minute=46)
    late = story.packet("Yellow Card", action="y", side="home", minute=49, period=1)

    story.add_packet(msgspec.structs.replace(late, summary=msgspec.structs.replace(late.summary, period_id=None, clock=None)))

    assert story.match.period is Period.SECOND_HALF
