"""What chats read of lost coverage: the feed's own reason, what happens before kick-off, and a connection that is lost here."""

from __future__ import annotations

import msgspec
import pytest

from bot.i18n.football import load_wordings
from bot.matches.silence import REASONS
from rules.engine.alert import Alert
from rules.engine.evaluate import evaluate, translate_alert
from rules.football.action import Summary
from rules.football.advance import advance
from rules.football.fixture_changes import lose_connection, make_status_packet
from rules.football.match import Match, Moment
from rules.football.minute import Period
from rules.loading.loader import load_pack
from tests.packets import FIXTURE, KICKOFF, Story

RULES = load_pack()


def alert_of(moment: Moment) -> Alert:
    (alert,) = evaluate(RULES, moment)
    return translate_alert(alert, RULES, load_wordings())


def suspend(reason: str) -> Moment:
    story = Story()
    story.goal(score=(1, 0), minute=63)
    lost = Summary(1, 0, 2, "Live", "CollectionSuspended")
    return story.add("Status Updated", period=0, summary=lost, metadata={"collectionStatusReason": reason})


def test_the_feeds_own_reason_is_told_and_translated_where_it_is_known() -> None:
    alert = alert_of(suspend("no signal"))

    assert alert.text == "📡 <b>No live data since 63'</b> (1–0)\nArsenal 1–0 Chelsea\nGoals may be late.\nReason: no signal"
    assert alert.texts["de"].endswith("Grund: kein Signal")
    assert alert_of(suspend("dropped due to <technical> issues")).text.endswith("Reason: dropped due to &lt;technical&gt; issues")


def test_without_a_reason_nothing_is_said_of_it() -> None:
    assert alert_of(suspend("")).text.endswith("Goals may be late.")


def test_coverage_dropped_before_kick_off_has_words_of_its_own_and_no_score() -> None:
    listed = msgspec.structs.replace(FIXTURE, status="Unverified", collection_status="CollectionDropped")
    alert = alert_of(advance(Match(FIXTURE, status="Scheduled"), make_status_packet(listed, 0, KICKOFF)))

    assert alert.text == "📡 <b>No live coverage: Arsenal v Chelsea</b>\nThe feed dropped this match before kick-off."
    assert set(alert.texts) == {"de", "es", "es-419", "fr", "it", "pt", "pt-PT"}
    assert not any("0–0" in text for text in alert.texts.values())


@pytest.mark.parametrize("reason", REASONS)
def test_a_lost_connection_is_told_with_its_reason_in_every_language(reason: str) -> None:
    match = Match(FIXTURE, period=Period.FIRST_HALF, status="Live")
    alert = alert_of(lose_connection(match, reason, KICKOFF))

    assert alert.text.endswith(f"Goals may be late.\nReason: {reason}")
    assert not any(reason in text for text in alert.texts.values())


def test_silence_before_the_first_packet_is_not_told_as_a_score() -> None:
    alert = alert_of(lose_connection(Match(FIXTURE), REASONS[0], KICKOFF))

    assert alert.text.startswith("📡 <b>No live data</b>\nArsenal v Chelsea\nGoals may be late.\n")
    assert not any("0–0" in text or "0:0" in text for text in [alert.text, *alert.texts.values()])
