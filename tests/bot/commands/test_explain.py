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
    story.tell("Throw In", minute=68)
    return story


def explained(tmp_path: Path, *options: str | Path) -> Result:
    (tmp_path / "config.yaml").write_text(RULES)
    return CliRunner().invoke(main, ["explain", "--config", str(tmp_path / "config.yaml"), *map(str, options)])


def written(tmp_path: Path, data: object) -> Path:
    path = tmp_path / "action.json"
    path.write_text(json.dumps(data))
    return path


def test_the_last_of_several_packets_is_explained(tmp_path: Path, story: Story) -> None:
    path = written(tmp_path, [packet_to_object(packet) for packet in story.packets[:2]])

    result = explained(tmp_path, path)

    assert result.exit_code == 0, result.output
    assert "67' Goal, confirmed: B. Saka, Arsenal" in result.output
    assert "✗ minute: from 85; it is 67" in result.output
    assert "✓ goals: fires" in result.output
    assert 'not evaluated, because "goals" fired before: cards' in result.output
    assert '"goals" sends: goal, major\n    B. Saka 1–0' in result.output


def test_json_says_the_same(tmp_path: Path, story: Story) -> None:
    result = explained(tmp_path, "--json", written(tmp_path, packet_to_object(story.packets[0])))

    (told,) = json.loads(result.output)["told"]
    assert [(rule["name"], rule["verdict"]) for rule in told["rules"]] == [
        ("late goals", "does not fire"),
        ("goals", "fires"),
        ("cards", "not asked"),
    ]
    assert told["rules"][1]["checks"][0] == {
        "key": "send_type", "wanted": "Pending, Confirmed, Updated", "seen": "Pending", "holds": True, "groups": [],
    }  # fmt: skip


def test_a_minute_of_a_recording_is_explained_and_a_quiet_one_says_so(tmp_path: Path, story: Story) -> None:
    recording = tmp_path / "match.jsonl"
    with RecordingWriter(recording) as writer:
        for packet in story.packets:
            writer.write(packet.at, encode_packet(packet))

    assert explained(tmp_path, "--recording", recording, "--minute", "67").output.count("67' Goal") == 2
    assert explained(tmp_path, "--recording", recording, "--action", "g", "--minute", "67").output.count("action g,") == 2
    quiet = explained(tmp_path, "--recording", recording, "--minute", "68")
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

    result = explained(tmp_path, path)

    assert (result.exit_code, sentence in result.output, "Traceback" in result.output) == (1, True, False)


@pytest.mark.parametrize("options", [(), ("--recording", "x"), ("--minute", "half past")])
def test_wrong_usage_exits_with_2(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert explained(tmp_path, *options).exit_code == 2
