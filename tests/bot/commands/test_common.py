import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bot.cli import COMMANDS, COMMANDS_BY_USE, main
from bot.commands.common import (
    is_verbose,
    make_common_options,
    read_duration,
    read_log_settings,
    read_minute,
    read_statuses,
)
from bot.log_settings import LogSettings
from tests.e2e.fork_server import run_touchline


def test_what_is_written_is_read() -> None:
    assert (read_minute(None), str(read_minute("45+2"))) == (None, "45+2")
    assert read_duration("90s", "--lead") == timedelta(seconds=90)
    assert (read_statuses(""), read_statuses("503, 429")) == ((), (503, 429))


@pytest.mark.parametrize(
    ("read", "option"),
    [
        (lambda: read_minute("soon", "--at"), "--at"),
        (lambda: read_duration("soon", "--lead"), "--lead"),
        (lambda: read_statuses("503,99"), "--refuse"),
        (lambda: read_statuses("soon"), "--refuse"),
    ],
)
def test_what_cannot_be_read_is_wrong_usage_of_its_option(read: Callable[[], object], option: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        read()

    assert refused.value.param_hint == option


@pytest.mark.whole_process
@pytest.mark.parametrize("where", ["before", "after"])
def test_variables_of_a_file_are_taken_before_and_after_the_name_of_a_command(where: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# tokens\nexport FIRST='a b'\n\nSECOND=\"sqlite:///x.db\"\nTHIRD=file\n", encoding="utf-8")
    (tmp_path / "config.yaml").write_text(
        "feed: {token: '${FIRST}'}\nstorage: {url: '${SECOND}'}\nhttp: {listen: '127.0.0.1:${THIRD}'}\n", encoding="utf-8"
    )
    common = ["--env-file", ".env"]
    words = [*common, "check"] if where == "before" else ["check", *common]
    code, out, error = run_touchline(words, tmp_path, {**os.environ, "THIRD": "8080"})

    # The token has a space, the address is read, and what was set already stays: THIRD is no port in the file.
    assert (code, "a token is one word" in out + error, error.count("config.yaml:")) == (1, True, 2)


@pytest.mark.parametrize("words", [["--verbose", "probe"], ["probe", "--verbose"], ["probe"]])
def test_verbose_is_taken_before_and_after_the_name_of_a_command(words: list[str]) -> None:
    seen: list[bool] = []
    probe = click.Command(
        "probe", params=make_common_options(), callback=click.pass_context(lambda ctx: seen.append(is_verbose(ctx)))
    )
    group = click.Group(commands=[probe], params=make_common_options())

    assert CliRunner().invoke(group, words).exit_code == 0
    assert seen == ["--verbose" in words]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"A=1\nsecret", ":2: this line is not of the form NAME=value"), (b"\xff", "cannot be read: it is not text in UTF-8")],
)
def test_a_file_of_variables_that_cannot_be_read_is_a_sentence_without_its_values(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_bytes(content)
    result = CliRunner().invoke(main, ["check", "--env-file", str(tmp_path / ".env")])

    assert result.exit_code == 2 and sentence in result.output and "secret" not in result.output


def test_the_help_lists_every_command_once_by_its_use_and_cuts_no_sentence() -> None:
    listed = [name for names in COMMANDS_BY_USE.values() for name in names]
    shown = " ".join(CliRunner().invoke(main, ["--help"]).output.split())

    assert sorted(listed) == sorted(COMMANDS)
    assert all(line in shown for _, line in COMMANDS.values()) and all(f"{use}:" in shown for use in COMMANDS_BY_USE)


@pytest.mark.parametrize(
    ("words", "env", "expected"),
    [
        (["--log-format", "text", "--log-level", "error,feed=debug"], {}, LogSettings("text", 40, {"feed": 10})),
        ([], {"TOUCHLINE_LOG_FORMAT": "json", "TOUCHLINE_LOG_LEVEL": "warning"}, LogSettings("json", 30)),
        ([], {"TOUCHLINE_LOG_FORMAT": "json\n", "TOUCHLINE_LOG_LEVEL": " warning\n"}, LogSettings("json", 30)),
        (["--log-level", "debug"], {"TOUCHLINE_LOG_LEVEL": "warning"}, LogSettings("", 10)),
    ],
)
def test_logs_are_set_by_options_or_else_by_variables(
    words: list[str], env: dict[str, str], expected: LogSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.logs.configure_logging", lambda *_, **__: None)
    seen: list[LogSettings] = []
    probe = click.Command(
        "probe", params=make_common_options(), callback=click.pass_context(lambda ctx: seen.append(read_log_settings(ctx)))
    )

    assert CliRunner(env=env).invoke(probe, words).exit_code == 0
    assert seen == [expected]


@pytest.mark.parametrize("env", [{"TOUCHLINE_LOG_FORMAT": "xml"}, {"TOUCHLINE_LOG_LEVEL": "loud"}])
def test_an_invalid_format_or_level_in_a_variable_is_refused_in_a_sentence(env: dict[str, str]) -> None:
    done = CliRunner(env=env).invoke(main, ["schema"])

    assert (done.exit_code, "is none of" in done.output) == (2, True)
