"""Files of variables: read as systemd reads them, and reported where the shell or Docker Compose would read something else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bot.cli import main
from bot.commands.environment_file import find_different_readings, parse_variables, read_environment_file
from bot.errors import UserMistake

QUOTED_ALIKE = [
    "A=plain",
    "A=postgresql://touchline@db:5432/touchline?sslmode=require",
    "A=a#b",
    "A='p$ss & w@rd/#; \"x\" `y`'",
    "A='two  blanks '",
    "A='back\\slash'",
    'A="two words"',
    "A=",
    "A=''",
]
"""What the handbook says to write: the same value for every reader."""

READ_DIFFERENTLY = [
    "A=p$HOME",
    'A="p$HOME"',
    "A=a&b",
    "A=a b",
    "A=a;b",
    "A=it's",
    "A=back\\slash",
    'A="back\\slash"',
    "A=#b",
    "A=a #b",
    "export A=b",
    "A = b",
    "A=~/b",
    "A='ends in a backslash\\'",
    "A='a'\"b\"",
    "A=a(b)",
]
"""What the shell runs, expands or cuts off, or one of the others reads in its own way."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "environment"


def read(file: Path, text: str) -> dict[str, str]:
    file.write_text(text, encoding="utf-8")
    return {one.name: one.value for one in read_environment_file(file)}


def read_by_shell(file: Path) -> str:
    """Return A as `set -a; . FILE` leaves it, for a program that is started then."""
    command = ["sh", "-c", 'set -a; . "$0"; exec env -0', str(file)]
    done = subprocess.run(command, env={"PATH": os.environ["PATH"], "HOME": "/nowhere"}, capture_output=True, check=False)
    variables = dict(line.partition("=")[::2] for line in done.stdout.decode().split("\0"))
    return variables.get("A", "") if not done.returncode else "(an error)"


def read_by_systemd(file: Path, folder: Path) -> str:
    """Return A as systemd reads it: what reads EnvironmentFile= reads os-release too, whose BUILD_ID tmpfiles can write."""
    release, result = folder / "release", folder / "result"
    release.write_text(file.read_text(encoding="utf-8").replace("A", "BUILD_ID", 1), encoding="utf-8")
    (folder / "rule.conf").write_text(f"f+ {result} 0644 - - - [%B]\n", encoding="utf-8")
    command = ["systemd-tmpfiles", "--create", str(folder / "rule.conf")]
    subprocess.run(command, env={**os.environ, "SYSTEMD_OS_RELEASE": str(release)}, check=True, capture_output=True)
    return result.read_text(encoding="utf-8")[1:-1]


@pytest.mark.parametrize("text", QUOTED_ALIKE)
def test_what_the_handbook_says_is_read_alike_by_the_shell(file: Path, text: str) -> None:
    value = read(file, f"{text}\n")["A"]

    assert (find_different_readings(file), read_by_shell(file)) == ([], value)


@pytest.mark.skipif(shutil.which("systemd-tmpfiles") is None, reason="no systemd here")
@pytest.mark.parametrize("text", [*QUOTED_ALIKE, *(text for text in READ_DIFFERENTLY if not text.startswith("export"))])
def test_everything_is_read_as_systemd_reads_it(file: Path, tmp_path: Path, text: str) -> None:
    value = read(file, f"{text}\n")["A"]

    assert read_by_systemd(file, tmp_path) == value


@pytest.mark.parametrize("text", READ_DIFFERENTLY)
def test_what_others_read_differently_is_a_warning_at_its_line(file: Path, text: str) -> None:
    read(file, f"# tokens\n{text}\n")

    (finding,) = find_different_readings(file)

    assert str(finding).startswith(f"{file}:2:1: warning: systemd, the shell and Docker read A differently: write A='…', ")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=20))
def test_of_a_value_that_all_read_alike_nothing_but_its_quotes_is_taken_off(text: str) -> None:
    try:
        found = parse_variables(f"A={text}\n", Path("environment"))
    except UserMistake:
        return
    if found[0].is_read_alike and len(found) == 1:
        bare = text.rstrip(" \t\n")
        is_quoted = len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\""
        assert found[0].value == (bare[1:-1] if is_quoted else bare)


def test_remarks_lines_that_go_on_and_the_ends_of_lines_are_read(file: Path) -> None:
    text = "\ufeff; a remark\n# another\n\n  FIRST=one  \nSECOND=two\\\nhalves\r\nTHIRD='over\ntwo lines'\n"
    text += 'FOURTH="a\\\nb"\nFIRST=last\n'

    assert read(file, text) == {"FIRST": "last", "SECOND": "twohalves", "THIRD": "over\ntwo lines", "FOURTH": "ab"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("A=1\nsecret", "2: this line is not of the form NAME=value"),
        ("1A=secret", "1: this line is not of the form NAME=value"),
        ("A='secret\nB=1\n", "1: the quote that begins here has no end"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_not_shown(file: Path, text: str, sentence: str) -> None:
    with pytest.raises(UserMistake) as refused:
        read(file, text)

    assert str(refused.value) == f"{file}:{sentence}"


def test_check_reads_the_file_beside_the_configuration_and_warns_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ})
    for name in ("FEED_TOKEN", "TELEGRAM_BOT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config.yaml"
    config.write_text("feed: {token: '${FEED_TOKEN}'}\nhttp: {listen: null}\nstorage: {url: 'sqlite://'}\n", encoding="utf-8")
    (tmp_path / "environment").write_text("FEED_TOKEN=a$b\n", encoding="utf-8")
    (tmp_path / "own").write_text("FEED_TOKEN='a$b'\n", encoding="utf-8")

    beside = json.loads(CliRunner().invoke(main, ["check", "--config", str(config), "--format", "json"]).stdout)
    named = CliRunner().invoke(main, ["check", "--config", str(config), "--env-file", str(tmp_path / "own")])

    assert [(found["file"], found["line"]) for found in beside["findings"] if "FEED_TOKEN" in found["message"]] == [
        (str(tmp_path / "environment"), 1)
    ]
    assert f"{tmp_path / 'own'}: 0 mistakes" in named.output.splitlines()
    assert "environment variable FEED_TOKEN" not in named.output
