import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.chat.features.sample import sample_alert_text
from bot.fake_telegram.html import parse, utf16
from bot.i18n.language import in_each_language, use_language
from bot.outbox.outbox import make_sample_alert
from bot.subscribers import ChatRef
from bot.telegram.html import to_plain
from bot.telegram.render import (
    hide_in_spoiler,
    join_replies,
    render_body,
    render_digest,
    render_line,
    render_match_state,
    render_message,
    render_restoration,
    render_retraction,
)
from rules.engine.alert import Alert, AlertKey, Facts, State
from rules.engine.text import visible_text
from rules.football.action import Team
from tests.bot.news import NOW, alert, minor, news, pending, retracted
from tests.bot.telegram.test_html import whole_html
from tests.packets import FIXTURE

LONG = "<b>" + "goal &amp; " * 2000 + "</b>"


@pytest.mark.parametrize(
    ("state", "restored", "html"),
    [
        (State.CONFIRMED, False, "<b>goal</b>"),
        (State.PENDING, False, "<b>goal</b>\n⏳ <i>unconfirmed</i>"),
        (State.RETRACTED, False, "<s><b>goal</b></s>"),
        (State.CONFIRMED, True, "<b>goal</b>\n✅ <i>stands after all</i>"),
    ],
)
def test_each_state_has_its_mark(state: State, restored: bool, html: str) -> None:
    assert render_message("<b>goal</b>", state, is_restored=restored) == html


@pytest.mark.parametrize("state", State)
def test_the_longest_text_fits_with_its_mark(state: State) -> None:
    parsed = parse(render_message(render_body(alert(text=LONG)), state, is_restored=True))

    assert len(parsed.text) <= 4096


def test_a_text_with_code_and_strikes_is_struck_as_a_whole() -> None:
    html = render_message("<s>a</s> <pre>b</pre>\n<b>c</b>", State.RETRACTED)

    assert html == "<s>a b\n<b>c</b></s>"


FALLEN = Facts(
    match="Arsenal 1–0 Chelsea",
    score="1–0",
    home="Arsenal",
    away="Chelsea",
    team="Chelsea",
    player="Heung-Min Son",
    minute="16",
    action_type="Goal",
    reason="Offside",
)


@pytest.mark.parametrize(
    ("taken_back", "kind", "reply"),
    [
        (
            replace(retracted(), facts=FALLEN),
            "goal",
            "❌ Chelsea: no goal, 1–0 (offside)\n16' Heung-Min Son · Arsenal 1–0 Chelsea",
        ),
        (retracted(reason="Offside"), "goal", "❌ No goal (offside)\nArsenal 0–0 Chelsea"),
        (retracted(reason="VAR"), "my_kind", "❌ No goal (VAR)\nArsenal 0–0 Chelsea"),
        (retracted(), "yellow_card", "❌ Yellow card cancelled\nArsenal 0–0 Chelsea"),
        (retracted(is_follow_up=True), "my_kind", "❌ Taken back\nArsenal 0–0 Chelsea"),
        (replace(retracted(), facts=Facts(action_type="Corner")), "x", "❌ Corner cancelled"),
        (retracted(reason="Was not confirmed"), "goal", "❌ Goal was not confirmed\nArsenal 0–0 Chelsea"),
        (replace(retracted(), facts=Facts(action_type="Corner", score="1–0", minute="3")), "x", "❌ Corner cancelled\n3'"),
        (replace(retracted(), facts=Facts(action_type="Goal", score="1–0", shootout="3–2")), "x", "❌ No goal"),
        (replace(retracted(), facts=Facts(match="A&B 0–0 <C>", action_type="Goal")), "x", "❌ No goal\nA&B 0–0 <C>"),
    ],
)
def test_the_reply_says_what_is_no_longer_so_and_the_score_now(taken_back: Alert, kind: str, reply: str) -> None:
    assert parse(render_retraction(taken_back, kind)).text == reply


def test_the_reply_to_what_stands_after_all_names_it() -> None:
    assert parse(render_restoration(alert())).text == "✅ Goal stands\nArsenal 1–0 Chelsea"


def test_a_summary_has_a_line_for_each_and_strikes_what_fell_since() -> None:
    facts = Facts(minute="12", player="Kane", team="Arsenal", action_type="Goal")
    lines = [news(alert(facts=facts)), news(minor(text="<b>card</b>\nmore", facts=Facts(minute="20")))]
    fallen = news(replace(retracted(), facts=replace(facts, minute="30")))

    html = render_digest(alert(), [*lines, fallen])

    assert html.split("\n")[1:] == ["• 12' ⚽ Kane (Arsenal)", "• 20' <b>card</b>", "• <s>30' ⚽ Kane (Arsenal)</s>"]


@pytest.mark.parametrize("end", [" 20'", " (20')", ""])
def test_a_line_of_several_names_its_minute_once(end: str) -> None:
    checked = news(minor(text=f"📺 <b>Video check</b>{end}\nmore", facts=Facts(minute="20")))

    assert render_digest(alert(), [checked]).split("\n")[1:] == ["• 20' 📺 <b>Video check</b>"]


@given(whole_html(), st.sampled_from(State))
def test_whatever_a_text_is_made_of_its_spoiler_hides_all_but_the_match(text: str, state: State) -> None:
    one = alert(text=f"x{text}x")

    parsed = parse(hide_in_spoiler(one, render_message(render_body(one), state)))

    first = parsed.text.split("\n")[0]
    hidden = [entity for entity in parsed.entities if entity["type"] == "spoiler"]
    assert first == "🔔 Arsenal v Chelsea"
    assert [(e["offset"], e["length"]) for e in hidden] == [(utf16(first) + 1, utf16(parsed.text) - utf16(first) - 1)]


def test_the_longest_text_behind_a_spoiler_fits_and_is_hidden_to_its_end() -> None:
    long = replace(alert(text=LONG), fixture=replace(FIXTURE, home=Team("h", "H" * 90), away=Team("a", "A" * 90)))

    parsed = parse(hide_in_spoiler(long, render_message(render_body(long), State.PENDING)))

    (hidden,) = (entity for entity in parsed.entities if entity["type"] == "spoiler")
    assert utf16(parsed.text) == 4096 and parsed.text.endswith("…")
    assert hidden["offset"] + hidden["length"] == 4096  # type: ignore[operator]


@pytest.mark.parametrize(("language", "title"), [("en", "🧪 Test"), ("de", "🧪 Test")])
def test_a_sample_behind_a_spoiler_says_once_that_it_is_one(language: str, title: str) -> None:
    one = make_sample_alert(ChatRef(42), "1", in_each_language(sample_alert_text), NOW)

    with use_language(language):
        parsed = parse(hide_in_spoiler(one, render_message(render_body(one), State.CONFIRMED)))

    hidden = [entity["offset"] for entity in parsed.entities if entity["type"] == "spoiler"]
    assert parsed.text.split("\n")[0] == title and parsed.text.count(title) == 1
    assert hidden == [utf16(title) + 1]


def test_what_telegram_refuses_to_read_goes_as_plain_text_that_is_hidden_still() -> None:
    assert (
        to_plain(hide_in_spoiler(alert(), "<b>1–0</i> & more")) == "🔔 Arsenal v Chelsea\n<tg-spoiler>1–0 &amp; more</tg-spoiler>"
    )


@pytest.mark.parametrize(
    ("timezone", "expected"),
    [("UTC", "Kick-off 15:00 UTC"), ("America/New_York", "Kick-off 10:00"), ("Asia/Kolkata", "Kick-off 20:30")],
)
def test_a_kick_off_is_told_in_the_chats_time(timezone: str, expected: str) -> None:
    kickoff = dt.datetime(2026, 11, 22, 15, tzinfo=dt.UTC)
    lineups = replace(
        alert(text="Kick-off 15:00 UTC"), fixture=replace(FIXTURE, kickoff=kickoff), facts=Facts(kickoff="15:00 UTC")
    )

    body = render_body(lineups, timezone=timezone)

    # Each reader's own time, and the chat's in an app that cannot show that.
    assert visible_text(body) == expected
    assert f'<tg-time unix="{int(kickoff.timestamp())}" format="t">' in body


@pytest.mark.parametrize(
    ("timezone", "text", "shown", "unix"),
    [
        ("UTC", "2026-08-22 02:00 UTC", "22 August, 02:00 UTC", 1787364000),
        ("America/New_York", "2026-08-22 02:00 UTC", "21 August, 22:00", 1787364000),
        ("America/New_York", "2026-08-22", "22 August", None),
        ("UTC", "2026-13-45 and 2026-08-22 25:61 UTC", "2026-13-45 and 2026-08-22 25:61 UTC", None),
    ],
)
def test_a_date_is_told_in_the_chats_time_and_what_is_none_stays(timezone: str, text: str, shown: str, unix: int | None) -> None:
    moved = alert(text=f"Moved to {text}.", facts=Facts(kickoff_date="2026-08-22 02:00 UTC"))

    body = render_body(moved, timezone=timezone)

    assert visible_text(body) == f"Moved to {shown}."
    assert ("<tg-time" in body, f'unix="{unix}" format="wdt"' in body) == (unix is not None, unix is not None)


@pytest.mark.parametrize(
    ("timezone", "shown"),
    [
        ("UTC", "22 August, 14:00 UTC, not 21 August, 14:00 UTC. Kick-off 14:00 UTC"),
        ("Europe/Berlin", "22 August, 16:00, not 21 August, 16:00. Kick-off 16:00"),
    ],
)
def test_a_date_that_ends_with_the_time_of_the_kick_off_is_one_tag(timezone: str, shown: str) -> None:
    moved = replace(
        alert(text="2026-08-22 14:00 UTC, not 2026-08-21 14:00 UTC. Kick-off 14:00 UTC"),
        fixture=replace(FIXTURE, kickoff=dt.datetime(2026, 8, 22, 14, tzinfo=dt.UTC)),
        facts=Facts(kickoff="14:00 UTC", kickoff_date="2026-08-22 14:00 UTC", kickoff_before="2026-08-21 14:00 UTC"),
    )

    body = render_body(moved, timezone=timezone)

    found = parse(body)
    assert found.text == shown
    assert [found.text[one["offset"] :][: one["length"]] for one in found.entities] == re.split(", not |\\. Kick-off ", shown)


def test_dates_and_times_of_an_alert_that_names_no_kick_off_stay_as_its_rule_wrote_them() -> None:
    assert render_body(alert(text="2026-08-22 at 14:00 UTC"), timezone="Asia/Kolkata") == "2026-08-22 at 14:00 UTC"


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "es",
            [
                "❌ <b>Alemania: no es gol</b>, 1–1 (fuera de juego)\n80' Kane · Alemania 1–1 Inglaterra",
                "✅ <b>Alemania: gol válido</b>, 1–1\n80' Kane · Alemania 1–1 Inglaterra",
            ],
        ),
        (
            "de",
            [
                "❌ <b>Deutschland: kein Tor</b>, 1:1 (Abseits)\n80' Kane · Deutschland 1:1 England",
                "✅ <b>Deutschland: Tor zählt</b>, 1:1\n80' Kane · Deutschland 1:1 England",
            ],
        ),
    ],
)
def test_what_is_taken_back_and_stands_is_said_in_the_language_that_is_spoken(language: str, lines: list[str]) -> None:
    names = {"match": "Germany 1–1 England", "score": "1–1", "home": "Germany", "away": "England", "team": "Germany"}
    fell = replace(
        retracted(2), kind="goal", facts=Facts(player="Kane", minute="80", action_type="Goal", reason="Offside", **names)
    )
    with use_language(language):
        assert [render_retraction(fell, "goal"), render_restoration(fell)] == lines


def test_a_name_from_the_right_is_kept_to_itself_in_a_summary() -> None:
    facts = Facts(player="ערן זהבי", team="מכבי", minute="12", action_type="Goal")
    digest = render_digest(alert(3), [news(replace(alert(1), facts=facts))])

    assert "12' ⚽ \u2068ערן זהבי\u2069 (\u2068מכבי\u2069)" in digest


@pytest.mark.parametrize(
    ("kind", "action_type", "expected"),
    [
        ("goal", "Beach Ball", "No goal"),
        ("own_goal", "Beach Ball", "No goal"),
        ("yellow_card", "Beach Ball", "Yellow card cancelled"),
        ("red_card", "Beach Ball", "Red card cancelled"),
        ("penalty", "Beach Ball", "Penalty cancelled"),
        ("substitution", "Beach Ball", "Substitution cancelled"),
        ("full_time", "Beach Ball", "The match is not over"),
        ("mine", "Goal", "No goal"),
        ("mine", "Yellow Card", "Yellow card cancelled"),
        ("mine", "Red Card", "Red card cancelled"),
        ("mine", "Penalty Awarded", "Penalty cancelled"),
        ("mine", "Penalty Missed", "The missed penalty does not count"),
        ("mine", "Substitution In", "Substitution cancelled"),
        ("mine", "End Match", "The match is not over"),
        ("mine", "Beach Ball", "Beach ball cancelled"),
        ("mine", "", "Taken back"),
    ],
)
def test_the_reply_names_what_the_chat_was_sent_or_else_what_happened(kind: str, action_type: str, expected: str) -> None:
    fell = replace(retracted(), facts=Facts(action_type=action_type))

    assert render_retraction(fell, kind) == f"❌ <b>{expected}</b>"


@pytest.mark.parametrize(
    ("kind", "action_type", "expected"),
    [
        ("goal", "Beach Ball", "Goal stands"),
        ("own_goal", "Beach Ball", "Goal stands"),
        ("yellow_card", "Beach Ball", "The yellow card stands"),
        ("red_card", "Beach Ball", "The red card stands"),
        ("penalty", "Beach Ball", "The penalty stands"),
        ("mine", "Goal", "Goal stands"),
        ("mine", "Yellow Card", "The yellow card stands"),
        ("mine", "Red Card", "The red card stands"),
        ("mine", "Penalty Awarded", "The penalty stands"),
        ("mine", "Beach Ball", "Stands after all"),
    ],
)
def test_the_reply_says_what_counts_again(kind: str, action_type: str, expected: str) -> None:
    assert render_restoration(alert(kind=kind, facts=Facts(action_type=action_type))) == f"✅ <b>{expected}</b>"


def test_an_alert_that_only_corrects_messages_does_not_name_what_it_has_become() -> None:
    follow_up = alert(kind="mine", is_follow_up=True, facts=Facts(action_type="Red Card"))

    assert render_restoration(follow_up) == "✅ <b>Stands after all</b>"


@pytest.mark.parametrize(
    ("reason", "shown"),
    [("Offside", "(offside)"), ("VAR", "(VAR)"), ("Foul in build-up", "(foul in build-up)"), ("Foul <b>", "(foul &lt;b&gt;)")],
)
def test_a_reason_is_written_as_inside_a_sentence(reason: str, shown: str) -> None:
    fell = replace(retracted(), facts=Facts(action_type="Goal", reason=reason))

    assert render_retraction(fell, "goal") == f"❌ <b>No goal</b> {shown}"


@pytest.mark.parametrize(
    ("reason", "title"),
    [("", "While the connection was down"), ("joined", "Earlier in this match"), ("quiet", "While it was quiet")],
)
def test_a_digest_says_why_its_lines_come_late(reason: str, title: str) -> None:
    digest = alert(facts=Facts(match="Arsenal 1–0 Chelsea", reason=reason))

    assert render_digest(digest, []) == f"📋 <b>{title}</b> · Arsenal 1–0 Chelsea"


@pytest.mark.parametrize(
    ("action_type", "line"),
    [
        ("Goal", "⚽ Saka"),
        ("Yellow Card", "🟨 Saka"),
        ("Red Card", "🟥 Saka"),
        ("Penalty Awarded", "❗ Saka"),
        ("Penalty Missed", "❌ Saka (penalty missed)"),
        ("Substitution In", "🔁 Saka"),
        ("Beach <Ball>", "Beach &lt;Ball&gt; Saka"),
    ],
)
def test_a_line_shows_what_happened_by_its_sign_or_its_word(action_type: str, line: str) -> None:
    facts = Facts(player="Saka", action_type=action_type)

    assert render_digest(alert(), [news(alert(facts=facts))]).split("\n")[1] == f"• {line}"


@pytest.mark.parametrize(
    ("action_type", "sub_action_type", "line"),
    [
        ("Goal", "Own Goal", "⚽ Saka (Chelsea, own goal)"),  # of a player of Chelsea, for Arsenal
        ("Goal", "Penalty", "⚽ Saka (Arsenal, penalty)"),
        ("Goal", "Header", "⚽ Saka (Arsenal)"),
        ("Red Card", "Second Yellow", "🟥 Saka (Arsenal, second yellow)"),
        ("Penalty Missed", "Header", "❌ Saka (Arsenal, penalty missed)"),
    ],
)
def test_a_line_says_how_it_happened_and_names_the_players_own_team(action_type: str, sub_action_type: str, line: str) -> None:
    facts = Facts(
        player="Saka", team="Arsenal", opponent="Chelsea", action_type=action_type, sub_action_type=sub_action_type, minute="12"
    )

    assert render_line(alert(facts=facts)) == f"12' {line}"


@pytest.mark.parametrize(
    ("period", "stage"), [("", " · 60'"), ("second half", " · 60'"), ("half time", " · half time"), ("A <b>", " · A &lt;b&gt;")]
)
def test_the_state_of_a_match_has_its_minute_or_where_it_stands_and_who_scored(period: str, stage: str) -> None:
    facts = Facts(match="Arsenal 1–0 Chelsea", minute="60", period=period, scorers="Kane 23'")

    assert render_match_state(alert(facts=facts)) == f"📋 <b>The match so far</b> · Arsenal 1–0 Chelsea{stage}\nKane 23'"


def test_a_line_without_player_or_text_is_the_word_for_what_happened() -> None:
    bare = news(minor(text="", facts=Facts(minute="45+1", action_type="Half <Time>")))

    assert render_digest(alert(), [bare]).split("\n")[1] == "• 45+1' Half &lt;Time&gt;"


BURST = AlertKey("bursts", "1790000000")


def test_one_line_of_a_burst_is_the_alert_that_it_is() -> None:
    digest = replace(alert(), key=BURST)
    waiting = news(pending(text="<b>goal</b>"))

    assert render_digest(digest, [news(alert(text="<b>goal</b>"))]) == "<b>goal</b>"
    assert render_digest(digest, [waiting]) == "<b>goal</b>\n⏳ <i>unconfirmed</i>"


def test_several_lines_of_a_burst_have_their_own_score_and_state() -> None:
    facts = Facts(match="Arsenal 1–0 Chelsea", minute="12", player="Saka", action_type="Goal")
    lines = [news(alert(facts=facts)), news(pending(facts=facts)), news(replace(retracted(), facts=facts))]

    html = render_digest(replace(alert(), key=BURST), lines)

    assert html.split("\n") == [
        "🔔 <b>Just now</b>",
        "• 12' ⚽ Saka · Arsenal 1–0 Chelsea",
        "• ⏳ 12' ⚽ Saka · Arsenal 1–0 Chelsea",
        "• <s>12' ⚽ Saka · Arsenal 1–0 Chelsea</s>",
    ]
    assert render_digest(replace(alert(), key=BURST), lines[2:]).split("\n")[1].startswith("• <s>")


def test_a_burst_behind_a_spoiler_shows_its_title_alone() -> None:
    digest = replace(alert(), key=BURST)

    assert hide_in_spoiler(digest, "🔔 <b>Just now</b>\n• goal") == "🔔 <b>Just now</b>\n<tg-spoiler>• goal</tg-spoiler>"


def test_a_body_is_the_rules_text_or_the_one_that_was_sent_or_the_bare_facts() -> None:
    facts = Facts(action_type="Goal", player="Saka")

    assert render_body(alert(text="rule", facts=facts), "sent") == "rule"
    assert render_body(alert(text="", facts=facts), "sent") == "sent"
    assert render_body(alert(text="", facts=facts)) == "Goal Saka"


def test_replies_are_joined_line_by_line() -> None:
    assert join_replies(["a", "b"]) == "a\nb"
    assert len(join_replies(["x" * 3000, "y" * 3000])) == 4096


def test_what_telegram_does_not_take_inside_of_a_spoiler_is_left_out_and_the_rest_stays() -> None:
    html = hide_in_spoiler(
        alert(), '<pre>a</pre> <code>b</code> <tg-spoiler>c</tg-spoiler> <span class="tg-spoiler">d</span> <b>e</b>'
    )

    assert html == "🔔 Arsenal v Chelsea\n<tg-spoiler>a b c d <b>e</b></tg-spoiler>"


@pytest.mark.parametrize("tag", ["s", "strike", "del", "pre", "code", "blockquote"])
def test_what_telegram_does_not_take_inside_of_strikethrough_is_left_out(tag: str) -> None:
    assert render_message(f"<{tag}>a</{tag}>", State.RETRACTED) == "<s>a</s>"
