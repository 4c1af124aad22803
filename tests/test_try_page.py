"""The page "Try it all on one machine": every command and example on it does what it says there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.fork_server import run_touchline
from tests.ports import find_free_ports
from tests.shown import assert_in_order
from tests.waiting import DEADLINE

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "try.md").read_text(encoding="utf-8")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def _write_files(folder: Path) -> None:
    """Write the files that the page names before a block of YAML."""
    for name, text in re.findall(r"`(\w+\.yaml)`:\n\n```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        (folder / name).write_text(text, encoding="utf-8")


def _type(words: list[str], script: str, folder: Path) -> str:
    """Type a script into a command and return what it shows."""
    code, out, err = run_touchline(words, folder, ENVIRONMENT, script)
    assert code == 0, out + err
    return out


@pytest.mark.whole_process
def test_the_chat_on_the_page_takes_place(tmp_path: Path) -> None:
    command, *lines = _blocks("console")[0].splitlines()
    script = "".join(line.removeprefix("you> ") + "\n" for line in lines if line.startswith("you> "))
    shown = _type([*shlex.split(command)[2:], "--seconds", "12"], script, tmp_path)

    assert_in_order(shown.splitlines(), [line for line in lines if line.startswith(("you>", "  "))])


@pytest.mark.whole_process
def test_the_commands_on_the_page_show_what_it_says(tmp_path: Path) -> None:
    _write_files(tmp_path)
    shown: dict[str, str] = {}
    expected: dict[str, list[str]] = {}
    for line in _blocks("console")[1].splitlines():
        if line.startswith("$ touchline "):
            command = line
            done = run_touchline(shlex.split(line)[2:], tmp_path, ENVIRONMENT)
            assert done[0] == 0, done[1:]
            shown[command], expected[command] = done[1], []
        else:
            expected[command].append(line)

    assert len(shown) == 4 and (tmp_path / "derby.png").exists()
    for command, lines in expected.items():
        assert_in_order(shown[command].splitlines(), lines)


@pytest.mark.whole_process
def test_a_bot_of_its_own_process_joins_the_chat_that_is_served(tmp_path: Path) -> None:
    addresses = next(block for block in _blocks("yaml") if block.startswith("feed:"))
    port, next_port = find_free_ports(2)
    (tmp_path / "config.yaml").write_text(addresses + "http: {listen: null}\n", encoding="utf-8")
    mine = tmp_path / "mine.yaml"
    mine.write_text((tmp_path / "config.yaml").read_text().replace("9000", str(port)).replace("9001", str(next_port)))
    bot = subprocess.Popen([sys.executable, "-m", "bot", "run", "--config", str(mine)], cwd=tmp_path, env=ENVIRONMENT)
    try:
        script = "/subscribe Argentina\n/wait 10' Messi\n/quit\n"
        shown = _type(["chat", "--serve", "--port", str(port), "--seconds", "12"], script, tmp_path)
    finally:
        bot.terminate()
        bot.wait(DEADLINE)

    # The addresses that it prints are those of the page.
    assert addresses in shown.replace(str(next_port), "9001").replace(str(port), "9000")
    # On a busy machine the goal may be confirmed before its first message leaves: then there is no edit.
    assert_in_order(shown.splitlines(), ["you> /subscribe Argentina", "✅ Following Argentina", "10' Messi"])


@pytest.mark.whole_process
def test_the_fake_telegram_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    (example,), (expected,) = _blocks("python"), _blocks("text")
    done = subprocess.run(
        [sys.executable, "-c", example],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
        timeout=DEADLINE,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, expected), done.stderr
