"""`touchline explain`, from packets to what is printed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.feed.encode import encode_packet, packet_to_object
from bot.feed.recording import RecordingWriter
from tests.packets import Story

RULES = """rules:
- {name: late goals, match: {action_type: Goal, minute: {from: 85}}, alert: {kind: goal, text: 'late'}}
- {name: goals, match: {action_type: Goal}, alert: {kind: goal, text: '{{ player }} {{ score }}'}}
- {name: cards, match: {action_type: Red Card}, alert: {kind: red_card, text: 'card'}}
"""


@pytest.fixture
def story() -> Story:
    """A pending goal, confirmed, and a throw-in."""
    story = Story()
    story.goal(send="Pending", minute=67)
    story.goal(player="B. Saka", score=(1, 0))
    story.add("Throw In", minute=68)
    return story


def run_explain(tmp_path: Path, *options: str | Path) -> Result:
    (tmp_path / "config.yaml").write_text(RULES)
    return CliRunner().invoke(main, ["explain", "--config", str(tmp_path / "config.yaml"), *map(str, options)])


def write_action(tmp_path: Path, data: object) -> Path:
    path = tmp_path / "action.json"
    path.write_text(json.dumps(data))
    return path


def test_the_last_of_several_packets_is_explained(tmp_path: Path, story: Story) -> None:
    path = write_action(tmp_path, [packet_to_object(packet) for packet in story.packets[:2]])

    result = run_explain(tmp_path, path)

    assert result.exit_code == 0, result.output
    assert "67' Goal, confirmed: B. Saka, Arsenal" in result.output
    assert "✗ minute: from 85; it is 67" in result.output
    assert "✓ goals: fires" in result.output
    assert 'not evaluated, because "goals" fired before: cards' in result.output
    assert '"goals" sends: goal, major (loud)\n    B. Saka 1–0' in result.output


def test_json_says_the_same(tmp_path: Path, story: Story) -> None:
    result = run_explain(tmp_path, "--json", write_action(tmp_path, packet_to_object(story.packets[0])))

    (printed,) = json.loads(result.output)["told"]
    assert [(rule["name"], rule["verdict"]) for rule in printed["rules"]] == [
        ("late goals", "does not fire"),
        ("goals", "fires"),
        ("cards", "not asked"),
    ]
    assert printed["rules"][1]["checks"][0] == {
        "key": "send_type", "wanted": "Pending, Confirmed, Updated", "seen": "Pending", "holds": True, "groups": [],
    }  # fmt: skip


def test_a_minute_of_a_recording_is_explained_and_a_quiet_one_says_so(tmp_path: Path, story: Story) -> None:
    recording = tmp_path / "match.jsonl"
    with RecordingWriter(recording) as writer:
        for packet in story.packets:
            writer.write(packet.at, encode_packet(packet))

    assert run_explain(tmp_path, "--recording", recording, "--minute", "67").output.count("67' Goal") == 2
    assert (
        run_explain(tmp_path, "--recording", recording, "--action", "g", "--minute", "67", "--all").output.count("action g,") == 2
    )
    quiet = run_explain(tmp_path, "--recording", recording, "--minute", "68")
    assert (quiet.exit_code, "in minute 68: Throw In (1)" in quiet.output) == (1, True)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "this is not JSON"),
        ("[]", "the list is empty"),
        ("3", "this is no packet"),
        ('{"message": "x"}', "carries no action"),
    ],
)
def test_a_file_that_holds_no_action_is_one_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "action.json"
    path.write_text(content)

    result = run_explain(tmp_path, path)

    assert (result.exit_code, sentence in result.output, "Traceback" in result.output) == (1, True, False)


@pytest.mark.parametrize(
    "options", [(), ("--recording", "x"), ("--minute", "half past"), ("opener",), ("opener", "--recording", "final")]
)
def test_wrong_usage_exits_with_2(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert run_explain(tmp_path, *options).exit_code == 2


def explain_with_shipped_rules(*options: str | Path, code: int = 0) -> list[str]:
    """Return the lines that `explain` prints with the shipped rules, or those of --config."""
    result = CliRunner().invoke(main, ["explain", *map(str, options)])
    assert result.exit_code == code, result.output
    return result.output.splitlines()


def test_a_line_is_explained_without_a_file_in_fewer_than_thirty_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = explain_with_shipped_rules("88' goal Saka (Arsenal)")

    assert len(lines) < 30
    assert lines[0].startswith("88' Goal, pending: Arsenal") and "✓ goals: fires  goals.yaml:6:5" in lines
    # The confirmation says what it changes, and nothing of the rules again.
    assert lines[-4].startswith('"goals" sends: goal, major (loud)') and "88' Saka" in lines[-2]
    assert sum("✓ goals: fires" in line for line in lines) == 1


def test_earlier_lines_are_played_first_and_teams_and_competition_can_be_told(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        """extends: default
rules:
- name: derby
  match: {action_type: Goal, fixture: Arsenal v Chelsea, competition: FA Cup}
  alert: {kind: goal, text: '{{ score }}'}
"""
    )
    config = ("--config", tmp_path / "config.yaml")
    same = explain_with_shipped_rules(
        *config, "10' goal Palmer (Chelsea); 88' goal Saka (Arsenal)", "--match", "Arsenal v Chelsea"
    )
    cup = explain_with_shipped_rules(
        *config, "88' goal Saka (Arsenal)", "--match", "Arsenal v Chelsea", "--competition", "FA Cup"
    )

    # The operator's rule is named with what is in its way, those of the packs are counted.
    assert same[2:4] == [f"✗ derby: does not fire  {tmp_path / 'config.yaml'}:3:3", "    ✗ competition: FA Cup; it is nothing"]
    assert not any(line.startswith("✗") for line in same[4:]) and any("[1]–1" in line for line in same)
    assert any(line.startswith("✓ derby: fires") for line in cup) and cup[-2].strip() == "1–0"


def test_one_rule_is_followed_through_a_match(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(RULES)
    lines = explain_with_shipped_rules("--config", tmp_path / "config.yaml", "opener", "--rule", "late goals")

    titles = [line for line in lines if "' Goal" in line]
    assert sum("48' Goal" in line for line in titles) == 1 and "    ✗ minute: from 85; it is 48" in lines
    assert not any("goals: fires" in line for line in lines) and lines[-1].endswith("nothing (--all shows them).")
    assert (
        'unknown rule "late goal", did you mean "late goals"?'
        in explain_with_shipped_rules("--config", tmp_path / "config.yaml", "opener", "--rule", "late goal", code=1)[-1]
    )


def test_a_change_of_the_list_of_fixtures_is_explained_too() -> None:
    lines = explain_with_shipped_rules("moved", "--rule", "kick-off moved")

    assert [line for line in lines if line.startswith("Kick-off Moved")] == [
        "Kick-off Moved, confirmed    Fulham 0–0 Everton"
    ] * 2


def test_where_nothing_is_sent_it_says_why_what_came_nearest_and_which_pack_would(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(RULES)
    lines = explain_with_shipped_rules("--config", tmp_path / "config.yaml", "30' yellow card Caicedo (Chelsea)")

    assert lines[2] == "· not shown: 3 that are for other actions"
    assert lines[3].startswith("No rule fires: nothing is sent. These packs have a rule for it: ") and "everything" in lines[3]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("88' gaol Saka (Arsenal)", '"gaol Saka" does not begin with a known event, did you mean "goal"?'),
        ("88' goal Saka", "goal needs its team in brackets"),
        ("90' full time", "90' full time: the feed sends nothing of its own about that"),
    ],
)
def test_a_line_that_cannot_be_read_is_a_sentence_without_a_place(line: str, sentence: str) -> None:
    assert explain_with_shipped_rules(line, code=1) == [sentence]
