from __future__ import annotations

import asyncio
import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.console.pages.playground import render_bubble, to_safe_html
from bot.console.playground import (
    PhoneEvent,
    PhoneMessage,
    PlayRequest,
    pack_link,
    play,
    play_in_child,
    show_phone,
    unpack_link,
)
from bot.console.rule_tests import RuleTestRequest, run_rule_tests
from tests.waiting import DEADLINE

RULES = """
rules:
  - name: goals
    match: {action_type: Goal, send_type: Confirmed}
    alert: {kind: goal, importance: %s, text: "{{ minute }} %s"}
"""


@pytest.mark.slow
async def test_a_match_ends_with_its_score_and_what_fell_is_struck_and_a_final_with_its_shootout() -> None:
    played = await play(PlayRequest("opener"))
    chat = show_phone(played.events, len(played.moments) - 1)

    assert played.title == "Argentina v Saudi Arabia"
    assert (played.moments[-1].score, played.moments[-1].minute) == ("1–2", "FT")
    assert [message.html.startswith("<s>") for message in chat].count(True) == 3
    answer = next(message for message in chat if message.quote)
    assert "Argentina [2]–0 Saudi Arabia" in answer.quote

    final = await play(PlayRequest("final"))
    assert final.moments[-1].score == "3–3 (4–2 pens)"


@pytest.mark.slow
async def test_every_setting_changes_what_the_phone_shows() -> None:
    plain = await play(PlayRequest("opener"))
    german = await play(PlayRequest("opener", language="de"))
    hidden = await play(PlayRequest("opener", spoilers=True))
    late = await play(PlayRequest("opener", delay=90))
    every = await play(PlayRequest("opener", every_kind=True))

    assert "Saudi-Arabien" in german.events[-1].html
    goals = [event for event in hidden.events if event.kind == "goal"]
    sent = [event for event in hidden.events if event.operation == "send"]
    assert goals and all("tg-spoiler" in event.html for event in goals)
    assert sent and all(event.is_silent for event in sent)
    assert late.events[0].moment > plain.events[0].moment
    assert len(every.events) > len(plain.events)


async def test_rules_and_a_scenario_that_are_typed_are_played() -> None:
    request = PlayRequest(
        scenario="match: Arsenal v Chelsea\nevents:\n  - 12' goal Saka (Arsenal)\n", rules=RULES % ("minor", "!")
    )
    played = await play(request)

    assert [(event.html, event.is_silent, event.rule) for event in played.events] == [("12 !", True, "goals")]


async def test_the_slider_stops_at_each_change_of_the_listing() -> None:
    played = await play(PlayRequest(match="moved"))

    assert [(event.moment, event.rule) for event in played.events[:2]] == [(0, "kick-off moved"), (1, "kick-off moved")]


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (PlayRequest(rules="rules: [{name: x}]"), "rules:1:"),
        (PlayRequest(scenario="match: Arsenal"), "scenario:1:"),
        (PlayRequest(scenario="nonsense"), "scenario:1:1: a scenario is a mapping"),
    ],
)
async def test_a_mistake_is_told_at_its_place(request_: PlayRequest, sentence: str) -> None:
    played = await play(request_)

    assert played.events == ()
    assert played.mistakes[0].startswith(sentence)


@pytest.mark.whole_process
async def test_a_match_is_played_in_a_process_of_its_own_and_only_those_that_are_offered() -> None:
    played = await play_in_child(PlayRequest("opener"), seconds=DEADLINE)

    assert played == await play(PlayRequest("opener"))
    assert (await play_in_child(PlayRequest("/etc/passwd"))).mistakes == ("/etc/passwd: there is no such match here",)


async def test_a_match_that_takes_too_long_is_given_up() -> None:
    assert "took too long" in (await play_in_child(PlayRequest("final"), seconds=0.01)).mistakes[0]


async def test_a_machine_that_allows_no_further_process_is_a_mistake_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)

    played, tested = await play_in_child(PlayRequest("opener")), await run_rule_tests(RuleTestRequest("", ""))
    assert played.mistakes == ("the match cannot be played, since no process can be started: Resource temporarily unavailable",)
    assert tested.mistakes == ("the tests cannot be started: Resource temporarily unavailable",)


def test_the_phone_shows_what_had_left_by_a_moment() -> None:
    events = [
        PhoneEvent(0, "send", 1, "one", rule="goals"),
        PhoneEvent(1, "edit", 1, "<s>one</s>"),
        PhoneEvent(1, "reply", 2, "no goal", is_silent=True, reply_to=1),
        PhoneEvent(3, "send", 3, "three"),
    ]

    assert show_phone(events, -1) == ()
    assert show_phone(events, 0) == (PhoneMessage(1, "one", False, rule="goals"),)
    assert show_phone(events, 2) == (
        PhoneMessage(1, "<s>one</s>", False, 1, rule="goals"),
        PhoneMessage(2, "no goal", True, reply_to=1, quote="one"),
    )
    assert len(show_phone(events, 9)) == 3


@given(
    st.builds(
        PlayRequest,
        match=st.text(),
        scenario=st.text(),
        rules=st.text(),
        spoilers=st.booleans(),
        delay=st.integers(0, 300),
        minute=st.integers(0, 999),
    )
)
def test_a_link_holds_all_of_it(request_: PlayRequest) -> None:
    assert unpack_link(pack_link(request_)) == request_


@given(st.text())
def test_a_link_that_was_not_made_here_is_none(word: str) -> None:
    assert unpack_link(word) is None or isinstance(unpack_link(word), PlayRequest)


def test_a_link_that_unpacks_to_more_than_anybody_types_is_none() -> None:
    assert unpack_link(pack_link(PlayRequest(rules="x" * 1_000_000))) is None


@given(st.text(alphabet="<>&;/\"'absctgpoilercodeimgonload= ", max_size=60))
def test_no_text_becomes_markup_but_telegrams_own(text: str) -> None:
    shown = to_safe_html(text)
    for tag in ("b", "i", "u", "s", "code", "pre", "em", "strong", "del", "tg-spoiler", "blockquote"):
        shown = shown.replace(f"<{tag}>", "").replace(f"</{tag}>", "")

    assert "<" not in shown


def test_a_bubble_says_rule_sound_and_edits() -> None:
    shown = render_bubble(PhoneMessage(7, "<b>Goal</b> <img src=x>", True, 2, quote="<s>", rule="r<b>"))

    assert "<b>Goal</b> &lt;img src=x&gt;" in shown
    assert '<div class="quote">&lt;s&gt;</div>' in shown
    assert "r&lt;b&gt; · 🔕 silent · edited 2×" in shown
