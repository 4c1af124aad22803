"""`touchline test`, from files to exit codes."""

from pathlib import Path

from click.testing import CliRunner, Result

from bot.cli import main

RULES = "rules:\n- {name: goals, match: {action_type: Goal}, alert: {kind: goal, text: '{{ player }} {{ score }}'}}\n"
TESTS = "rules: config.yaml\ntests:\n- {name: a win, match: A v B, events: [10' goal Saka (A)], expect: [%s]}\n"


def outcome_of(tmp_path: Path, tests: str, *options: str) -> Result:
    (tmp_path / "config.yaml").write_text(RULES)
    (tmp_path / "rules.test.yaml").write_text(tests)
    return CliRunner().invoke(main, ["test", str(tmp_path / "rules.test.yaml"), *options])


def test_what_is_as_expected_exits_with_0(tmp_path: Path) -> None:
    result = outcome_of(tmp_path, TESTS % "10' goal: Saka 1–0")

    assert (result.exit_code, result.output) == (0, "✓ a win\n1 test passed\n")


def test_what_differs_is_shown_and_exits_with_1(tmp_path: Path) -> None:
    result = outcome_of(tmp_path, TESTS % "10' goal: Rice")

    assert result.exit_code == 1
    assert result.output.splitlines()[1:] == [
        "    - 10' goal: Rice",
        "    + 10' goal (goals) confirmed loud: Saka 1–0",
        "1 of 1 test failed: - is missing, + is sent and not expected",
    ]


def test_without_rules_of_its_own_a_file_tests_the_configuration_in_use(tmp_path: Path) -> None:
    text = (TESTS % "goal").replace("rules: config.yaml\n", "")

    assert outcome_of(tmp_path, text, "--config", str(tmp_path / "config.yaml")).exit_code == 0


def test_mistakes_have_their_places_and_no_traceback(tmp_path: Path) -> None:
    for text, sentence in (
        ("tests:\n- {match: A v B}", "rules.test.yaml:2:3: a test needs expect"),
        ("pack: dramma\ntests: []", 'unknown pack "dramma", did you mean "drama"?'),
        ("rules: nowhere.yaml\ntests: []", "nowhere.yaml: there is no such file"),
    ):
        result = outcome_of(tmp_path, text)

        assert (result.exit_code, sentence in result.output) == (1, True), result.output
