"""Names in rules and in `chats:` are compared with the fixtures: what no fixture has is reported, with what may be meant."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Sequence
from pathlib import Path

import pytest
import structlog

from bot.chat.search import unknown_names
from bot.chat.search.nicknames import Nicknames
from bot.chat.search.unknown_names import KnownNames, NameCheck
from bot.config.load import load_config
from rules.engine.rule import NameReference, SourceLocation
from rules.football.action import Fixture, Team
from rules.loading.document import Finding
from rules.loading.loader import load_rules
from tests.bot.chat.fixtures import CUP, FIXTURES, LEAGUE, fixture
from tests.tasks import cancel_tasks
from tests.waiting import until

NEWCASTLE, SPURS = Team("t7", "Newcastle United"), Team("t8", "Tottenham Hotspur")
ENGLAND, ITALY = Team("c3", "Serie A", detail="Brazil"), Team("c4", "Serie A", detail="Italy")
KNOWN = (
    *FIXTURES,
    fixture("f7", NEWCASTLE, SPURS, LEAGUE, 3),
    fixture("f8", Team("t9", "Santos"), Team("t10", "Flamengo"), ENGLAND, 3),
    fixture("f9", Team("t11", "Roma"), Team("t12", "Lazio"), ITALY, 3),
)


def find(match: str, fixtures: Sequence[Fixture] = KNOWN) -> list[str]:
    """Return what is reported of a rule with this `match:`."""
    rules = load_rules(f"- {{name: goals, match: {{action_type: Goal, {match}}}, alert: {{kind: goal, text: x}}}}\n")
    return [one.sentence for one in KnownNames(fixtures, Nicknames()).find_unknown(rules.names)]


NO_FIXTURE = "no fixture of the next 14 days"
NO_TEAM = f"{NO_FIXTURE} has a team"


@pytest.mark.parametrize(
    ("match", "sentence"),
    [
        ("team: Newcastel", f"{NO_TEAM} Newcastel; did you mean Newcastle United?"),
        ("team: Newcastle", f"{NO_TEAM} Newcastle; did you mean Newcastle United?"),
        ("team: spurs", f"{NO_TEAM} spurs; did you mean Tottenham Hotspur?"),
        ("team: MUFC", f"{NO_TEAM} MUFC; did you mean Manchester United?"),
        ("team: Zzyzx", f"{NO_TEAM} Zzyzx"),
        ("team: Premier League", f"{NO_TEAM} Premier League, it is a competition: write competition: Premier League"),
        ("team: {not: Arsenall}", f"{NO_TEAM} Arsenall; did you mean Arsenal?"),
        ("team: [Arsenal, Chelsae]", f"{NO_TEAM} Chelsae; did you mean Chelsea?"),
        ("team: {id: t99}", f"{NO_TEAM} t99"),
        ("any: [{team: Arsenall}]", f"{NO_TEAM} Arsenall; did you mean Arsenal?"),
        (
            "competition: Premir League",
            f"{NO_FIXTURE} is of a competition Premir League; did you mean Premier League?",
        ),
        (
            "competition: Serie A (Itlay)",
            f"{NO_FIXTURE} is of a competition Serie A (Itlay); did you mean Serie A (Italy)?",
        ),
        (
            "fixture: Chelsea v Arsenall",
            f"{NO_FIXTURE} is Chelsea v Arsenall; did you mean Arsenal v Chelsea?",
        ),
        (
            "fixture: Arsenal v Roma",
            f"{NO_FIXTURE} is Arsenal v Roma",
        ),
    ],
)
def test_a_name_that_no_fixture_has_is_said(match: str, sentence: str) -> None:
    assert find(match) == [sentence]


def test_it_is_said_at_the_place_of_the_name() -> None:
    rules = load_rules("""
- name: goals
  match:
    any:
      - team: [Arsenal, Newcastel]
  alert: {kind: goal, text: x}
""")
    (found,) = KnownNames(KNOWN, Nicknames()).find_unknown(rules.names)

    assert str(found) == f'rules.yaml:5:25: rule "goals": warning: {NO_TEAM} Newcastel; did you mean Newcastle United?'


@pytest.mark.parametrize(
    "match",
    [
        "team: Arsenal", "team: fenerbahce", "team: {id: t1}", "team: t1", "competition: [Süper Lig, c1, Serie A (Italy)]",
        "fixture: Arsenal v Chelsea", "fixture: {id: f1}", "player: Nobody", "minute: {from: 80}", "team: {not: Chelsea}",
    ],
)  # fmt: skip
def test_what_a_fixture_has_and_what_no_list_of_fixtures_tells_is_not_warned_of(match: str) -> None:
    assert find(match) == []


def test_what_is_warned_of_for_its_shape_is_not_warned_of_again() -> None:
    assert find("team: 'Arsenal, Chelsea'") == []


def test_without_fixtures_nothing_is_said() -> None:
    assert find("team: Zzyzx", ()) == []


def test_a_team_that_plays_in_some_months_is_known() -> None:
    rules = load_rules("- {name: goals, match: {team: Newcastle United}, alert: {kind: goal, text: x}}\n")

    assert len(KnownNames(FIXTURES, Nicknames()).find_unknown(rules.names)) == 1
    assert KnownNames(FIXTURES, Nicknames(), KNOWN).find_unknown(rules.names) == ()


def test_what_chats_of_the_file_follow_is_compared_too(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("""
chats:
  - chat: -100
    subscribe:
      - team: Newcastel
      - {competition: Süper Lig, kinds: [goal]}
      - match: {id: f99}
      - team: Arsenal, Chelsea
  - {chat: -200, subscribe: {match: Arsenal v Chelsae}}
  - {chat: -300, subscribe: all}
""")
    found = KnownNames(KNOWN, Nicknames()).find_unknown(load_config(path, {}).chat_names)

    assert [f"{one.location.line}:{one.location.column} {one.sentence}" for one in found] == [
        "5:15 no fixture of the next 14 days has a team Newcastel; did you mean Newcastle United?",
        "7:21 no fixture of the next 14 days is f99",
        "9:37 no fixture of the next 14 days is Arsenal v Chelsae; did you mean Arsenal v Chelsea?",
    ]


def make_name(name: str, line: int = 1) -> NameReference:
    return NameReference("team", name, SourceLocation("/etc/touchline/config.yaml", line, 3), "goals")


class RunningCheck:
    """A name check as in a process, with what the process knows at the time."""

    def __init__(self) -> None:
        self.fixtures: tuple[Fixture, ...] = KNOWN
        self.names: tuple[NameReference, ...] = (make_name("Newcastel"), make_name("Arsenal"))
        self.check = NameCheck(lambda: self.fixtures, lambda: self.season, lambda: (self.names,), Nicknames())
        self.season: tuple[Fixture, ...] = ()

    async def run_once(self) -> list[str]:
        """Return what is logged after the fixtures were read."""
        with structlog.testing.capture_logs() as logged:
            checks = asyncio.create_task(self.check.run())
            self.check.request_check()
            await asyncio.sleep(0)  # it takes the request
            await self.check.find()  # after the comparison that was asked for
            await asyncio.sleep(0)
            await cancel_tasks(checks)
        return [f"{line['event']} {line.get('place', '')} {line.get('reason', line.get('count'))}" for line in logged]


async def test_each_name_is_logged_once_for_as_long_as_no_fixture_has_it() -> None:
    checks = RunningCheck()
    first, again = await checks.run_once(), await checks.run_once()
    checks.fixtures = (*KNOWN, fixture("f20", Team("t20", "Newcastel"), SPURS, CUP, 5))
    known = await checks.run_once()
    checks.fixtures = KNOWN
    gone = await checks.run_once()

    sentence = "no fixture of the next 14 days has a team Newcastel; did you mean Newcastle United?"
    assert first == [f"name_not_in_fixtures /etc/touchline/config.yaml:1:3 {sentence}"]
    assert (again, known, gone) == ([], [], first)


async def test_a_comparison_that_fails_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = RunningCheck()
    with monkeypatch.context() as broken:
        broken.setattr(unknown_names, "KnownNames", None)
        failing = asyncio.create_task(checks.check.run())
        with structlog.testing.capture_logs() as logged:
            checks.check.request_check()
            await until(lambda: bool(logged))
        is_running = not failing.done()
        await cancel_tasks(failing)

    assert is_running and [line["event"] for line in logged] == ["name_check_failed"]
    assert len(await checks.run_once()) == 1


async def test_a_file_for_another_feed_fills_no_log() -> None:
    checks = RunningCheck()
    checks.names = tuple(make_name(f"Nobody {number}", number) for number in range(1, 201))
    lines = await checks.run_once()

    assert len(lines) == 51 and lines[-1] == "more_names_not_in_fixtures  150"


async def test_admins_read_the_first_few_with_file_and_line() -> None:
    checks = RunningCheck()
    checks.names = tuple(make_name(name, line) for line, name in enumerate(["Newcastel"] * 7, 1))
    lines = await checks.check.list_lines()

    sentence = "no fixture of the next 14 days has a team Newcastel; did you mean Newcastle United?"
    assert lines == [*(f"⚠️ config.yaml:{line}: rule goals: {sentence}" for line in range(1, 6)), "… and 2 more"]


async def test_nothing_is_compared_again_while_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    before = KnownNames.find_unknown

    def count(known: KnownNames, names: Sequence[NameReference]) -> tuple[Finding, ...]:
        nonlocal compared
        compared += 1
        return before(known, names)

    monkeypatch.setattr(KnownNames, "find_unknown", count)
    checks = RunningCheck()
    await checks.check.find()
    await checks.check.find()
    checks.names = (make_name("Chelsae"),)
    changed = await checks.check.find()

    assert compared == 2 and [one.sentence.partition("; ")[2] for one in changed] == ["did you mean Chelsea?"]


def test_few_of_many_names_are_compared_letter_by_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    before = difflib.get_close_matches

    def count(word: str, known: Sequence[str], **more: float) -> list[str]:
        compared.append(len(known))
        return before(word, known, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(difflib, "get_close_matches", count)
    teams = [Team(f"x{number}", f"Atletico {chr(97 + number % 26)}{number} Town") for number in range(2000)]
    many = [fixture(f"m{number}", teams[2 * number], teams[2 * number + 1], CUP, 9) for number in range(1000)]
    wrong = [make_name(f"Newcastel{'!' * number}", number) for number in range(1, 101)]
    found = KnownNames((*KNOWN, *many), Nicknames()).find_unknown(wrong)

    assert len(found) == 100 and found[0].sentence.endswith("did you mean Newcastle United?")
    assert len(compared) == unknown_names._MAX_SUGGESTIONS and max(compared) <= 100
