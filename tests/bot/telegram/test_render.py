import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.chat.features.sample import sample_alert_text
from bot.i18n.language import in_each_language, use_language
from bot.outbox.outbox import make_sample_alert
from bot.subscribers import ChatRef
from bot.telegram.html import to_plain
from bot.telegram.render import hide_in_spoiler, render_body, render_digest, render_message, render_restoration, render_retraction
from rules.engine.alert import Alert, Facts, State
from rules.football.action import Team
from tests.bot.news import NOW, alert, minor, news, retracted
from tests.bot.telegram.test_html import whole_html
from tests.fakes.telegram_html import parse, utf16
from tests.packets import FIXTURE

LONG = "<b>" + "goal &amp; " * 2000 + "</b>"


@pytest.mark.parametrize(
    ("state", "restored", "html"),
    [
        (State.CONFIRMED, False, "<b>goal</b>"),
        (State.PENDING, False, "<b>goal</b>\n⏳ <i>awaiting confirmation</i>"),
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


@pytest.mark.parametrize(
    ("taken_back", "kind", "reply"),
    [
        (retracted(reason="Offside"), "goal", "❌ Goal disallowed (offside) · Arsenal 0–0 Chelsea"),
        (retracted(reason="VAR"), "my_kind", "❌ Goal disallowed (VAR) · Arsenal 0–0 Chelsea"),
        (retracted(), "yellow_card", "❌ Yellow card taken back · Arsenal 0–0 Chelsea"),
        (retracted(is_follow_up=True), "my_kind", "❌ Taken back · Arsenal 0–0 Chelsea"),
        (replace(retracted(), facts=Facts(action_type="Corner")), "x", "❌ Corner taken back"),
        (replace(retracted(), facts=Facts(match="A&B 0–0 <C>", action_type="Goal")), "x", "❌ Goal disallowed · A&B 0–0 <C>"),
    ],
)
def test_the_reply_says_what_is_no_longer_so_and_the_score_now(taken_back: Alert, kind: str, reply: str) -> None:
    assert parse(render_retraction(taken_back, kind)).text == reply


def test_the_reply_to_what_stands_after_all_names_it() -> None:
    assert parse(render_restoration(alert())).text == "✅ The goal stands after all · Arsenal 1–0 Chelsea"


def test_a_summary_has_a_line_for_each_and_strikes_what_fell_since() -> None:
    facts = Facts(minute="12", player="Kane", team="Arsenal", action_type="Goal")
    lines = [news(alert(facts=facts)), news(minor(text="<b>card</b>\nmore", facts=Facts(minute="20")))]
    fallen = news(replace(retracted(), facts=replace(facts, minute="30")))

    html = render_digest(alert(), [*lines, fallen])

    assert html.split("\n")[1:] == ["• 12' ⚽ Kane (Arsenal)", "• 20' <b>card</b>", "• <s>30' ⚽ Kane (Arsenal)</s>"]


def test_a_line_of_several_names_its_minute_once() -> None:
    checked = news(minor(text="📺 <b>Video check</b> 20'\nmore", facts=Facts(minute="20")))

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


@pytest.mark.parametrize(("language", "title"), [("en", "🧪 Sample"), ("de", "🧪 Probe")])
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
    ("timezone", "told"),
    [("UTC", "Kick-off 15:00 UTC"), ("America/New_York", "Kick-off 10:00"), ("Asia/Kolkata", "Kick-off 20:30")],
)
def test_a_kick_off_is_told_in_the_chats_time(timezone: str, told: str) -> None:
    kickoff = dt.datetime(2026, 11, 22, 15, tzinfo=dt.UTC)
    lineups = replace(
        alert(text="Kick-off 15:00 UTC"), fixture=replace(FIXTURE, kickoff=kickoff), facts=Facts(kickoff="15:00 UTC")
    )

    assert render_body(lineups, timezone=timezone) == told


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "es",
            [
                "❌ <b>Gol anulado</b> (fuera de juego) · A 1–1 (6–5 pen.) B",
                "✅ <b>El gol al final vale</b> · A 1–1 (6–5 pen.) B",
            ],
        ),
        ("de", ["❌ <b>Tor aberkannt</b> (Abseits) · A 1–1 (6–5 i. E.) B", "✅ <b>Das Tor zählt doch</b> · A 1–1 (6–5 i. E.) B"]),
    ],
)
def test_what_is_taken_back_and_stands_is_said_in_the_language_that_is_spoken(language: str, lines: list[str]) -> None:
    fell = replace(retracted(2), kind="goal", facts=Facts(match="A 1–1 (6–5 pens) B", shootout="6–5", reason="Offside"))
    with use_language(language):
        assert [render_retraction(fell, "goal"), render_restoration(fell)] == lines


def test_a_name_from_the_right_is_kept_to_itself_in_a_summary() -> None:
    facts = Facts(player="ערן זהבי", team="מכבי", minute="12", action_type="Goal")
    told = render_digest(alert(3), [news(replace(alert(1), facts=facts))])

    assert "12' ⚽ \u2068ערן זהבי\u2069 (\u2068מכבי\u2069)" in told
