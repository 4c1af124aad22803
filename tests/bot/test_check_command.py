"""`touchline check`: which files it reads, how it prints what it finds, and how it ends."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.feed.simulator.server import Simulator
from tests.bot.feed.simulator.test_script import script

RULES = "- {name: corners, match: {action_type: Corner, team: 'Arsenal, Chelsea'}, alert: {kind: corners, text: x}}\n"
BROKEN = "feed:\n  tokn: a\nchats: @all\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("FEED_TOKEN", "TELEGRAM_BOT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    Path("rules.d").mkdir()
    Path("rules.d/a.yaml").write_text(RULES, encoding="utf-8")
    Path("config.yaml").write_text("include: rules.d/*.yaml\n", encoding="utf-8")
    Path("broken.yaml").write_text(BROKEN, encoding="utf-8")
    return tmp_path


def check(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, ["check", *words], input=given)


def test_the_files_that_were_read_are_listed() -> None:
    done = check()

    assert done.exit_code == 0
    assert done.stdout.splitlines()[-2:] == ["read: config.yaml, rules.d/a.yaml", "config.yaml: 1 rule, 0 mistakes, 1 warning"]


def test_warnings_end_with_1_where_that_is_asked_for() -> None:
    assert (check().exit_code, check("--strict").exit_code) == (0, 1)


def test_several_files_are_checked_and_a_file_of_rules_is_one() -> None:
    done = check("config.yaml", "rules.d/a.yaml", "broken.yaml", "nowhere.yaml")

    assert done.exit_code == 1
    counts = [line for line in done.output.splitlines() if line.endswith(("mistakes", "mistake", "warning"))]
    assert counts == [
        "config.yaml: 1 rule, 0 mistakes, 1 warning",
        "rules.d/a.yaml: 1 rule, 0 mistakes, 1 warning",
        "broken.yaml: 2 mistakes",
    ]
    assert "nowhere.yaml: there is no such file" in done.output


def test_a_list_of_rules_is_no_configuration_where_a_configuration_is_needed() -> None:
    Path("config.yaml").write_text(RULES, encoding="utf-8")

    assert (check().exit_code, check("config.yaml").exit_code) == (1, 0)


def test_standard_input_is_a_file() -> None:
    done = check("-", given=BROKEN)

    assert done.exit_code == 1
    assert done.output.splitlines()[0] == 'standard input:2:3: unknown key "tokn", did you mean "token"?'


def test_json_has_the_parts_of_every_finding() -> None:
    result = json.loads(check("--format", "json").stdout)

    assert result["files"] == ["config.yaml", "rules.d/a.yaml"]
    assert (result["rules"], result["mistakes"], result["warnings"], result["notes"]) == (1, 0, 1, 0)
    (finding,) = result["findings"]
    assert (finding["file"], finding["line"], finding["column"], finding["severity"]) == ("rules.d/a.yaml", 1, 54, "warning")
    assert finding["message"].startswith('rule "corners": team "Arsenal, Chelsea": this is one name')


def test_a_file_that_cannot_be_read_is_a_finding_too() -> None:
    result = json.loads(check("nowhere.yaml", "--format", "json").stdout)

    assert (result["mistakes"], result["findings"][0]["line"]) == (1, 1)


def test_a_code_host_gets_annotations() -> None:
    first, second = check("broken.yaml", "--format", "github").stdout.splitlines()

    assert first == '::error file=broken.yaml,line=2,col=3::unknown key "tokn", did you mean "token"?'
    assert second == '::error file=broken.yaml,line=3,col=8::a text that begins with @ goes in quotes: "@all"'


def test_sarif_has_the_form_that_readers_expect() -> None:
    log = json.loads(check("broken.yaml", "config.yaml", "--format", "sarif").stdout)

    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning"]
    assert {result["ruleId"] for result in run["results"]} <= {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "broken.yaml"}, "region": {"startLine": 2, "startColumn": 3}}


def test_run_prints_what_check_prints() -> None:
    ran, checked = CliRunner().invoke(main, ["run", "--config", "broken.yaml"]), check("broken.yaml")

    assert ran.exit_code == 1
    assert ran.output.splitlines() == checked.output.splitlines()[:-1]


def test_run_names_every_missing_token_at_its_place() -> None:
    Path("config.yaml").write_text("feed:\n  token: ${FEED_TOKEN}\n", encoding="utf-8")

    ran = CliRunner().invoke(main, ["run"])

    first, second = ran.output.splitlines()
    assert ran.exit_code == 1
    assert first.startswith("config.yaml:2:10: the feed token is missing: ")
    assert second.startswith("config.yaml: the telegram token is missing: ")


def feed_config(api: str, more: str) -> str:
    return f"feed: {{token: feed-token, api_url: '{api}'}}\ntelegram: {{token: '123456:{'a' * 35}'}}\n{more}"


MISSPELT = "- {name: goals, match: {action_type: Goal, team: Arsenall}, alert: {kind: goal, text: x}}\n"


def write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


async def check_with_fixtures(*words: str) -> Result:
    """Run the command beside a simulator that runs in this event loop."""
    return await asyncio.to_thread(check, "--with-fixtures", "--files-only", *words)


async def test_names_are_compared_with_the_fixtures_of_the_feed() -> None:
    async with Simulator([script()], 0, "feed-token").serve() as urls:
        write("rules.d/a.yaml", MISSPELT)
        chats = "chats: [{chat: -5, subscribe: [{team: Arsenal}, {competition: Premir League}]}]\n"
        write("config.yaml", feed_config(urls.api, f"include: rules.d/*.yaml\n{chats}"))
        done, strict = await check_with_fixtures(), await check_with_fixtures("--strict")
        alone = await check_with_fixtures("rules.d/a.yaml")

    arsenall = 'rule "goals": warning: no fixture of the next 14 days has a team Arsenall; did you mean Arsenal?'
    assert [line for line in done.stdout.splitlines() if "no fixture" in line] == [
        "config.yaml:4:63: warning: no fixture of the next 14 days is of a competition Premir League; "
        "did you mean Premier League?",
        f"rules.d/a.yaml:1:50: {arsenall}",
    ]
    assert (done.exit_code, strict.exit_code) == (0, 1)
    # A file of rules names no feed: that of the configuration is asked.
    assert f"rules.d/a.yaml:1:50: {arsenall}" in alone.stdout


async def test_a_feed_that_cannot_be_asked_is_said_beside_everything_else(refusing_port: int) -> None:
    write("config.yaml", feed_config(f"http://127.0.0.1:{refusing_port}", f"rules:\n{MISSPELT}"))
    away = await check_with_fixtures()
    write("config.yaml", f"rules:\n{MISSPELT}")
    without_token = await check_with_fixtures()

    assert away.exit_code == without_token.exit_code == 1
    assert "config.yaml: 1 rule, 0 mistakes" in away.output
    assert "--with-fixtures: the fixtures cannot be read: 127.0.0.1 cannot be reached" in away.output
    assert "--with-fixtures: config.yaml: the feed token is missing" in without_token.output


def test_a_configuration_without_names_asks_no_feed() -> None:
    Path("config.yaml").write_text("chats: [{chat: -5, subscribe: all}]\n")
    done = check("--with-fixtures", "--files-only")

    assert done.exit_code == 0 and "--with-fixtures" not in done.output
