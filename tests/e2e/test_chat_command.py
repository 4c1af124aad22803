"""`touchline chat`: the whole product in one process, typed in a terminal or by a script."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.fork_server import run_touchline
from tests.ports import find_free_ports
from tests.shown import assert_in_order
from tests.waiting import DEADLINE

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"}
# Whatever the machine does, both goals stand in the end: what falls at once might never have been sent.
DERBY = """\
match: Arsenal v Chelsea
events:
  - 10' goal Saka (Arsenal)
  - 30' goal Palmer (Chelsea)
"""
RULES = """\
extends: default
rules:
  - name: goals of the rival
    match: {action_type: Goal, team: Chelsea}
    alert: {kind: goal, importance: minor, text: "rival scores, {{ score }}"}
"""


def _run_script(folder: Path, script: str, *words: str, code: int = 0) -> list[str]:
    """Type a script into `touchline chat` and return the lines that it shows."""
    ended, out, err = run_touchline(["chat", *words], folder, ENVIRONMENT, script)
    assert ended == code, out + err
    return (out + err).splitlines()


def test_people_and_a_group_follow_a_match_by_the_rules_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "derby.yaml").write_text(DERBY, encoding="utf-8")
    (tmp_path / "config.yaml").write_text(RULES, encoding="utf-8")
    lines = _run_script(
        tmp_path,
        """\
# A comment is not sent.
/as anna in family
/language de
/press Español
/as you
/status
/subscribe Arsenal
/wait 10' Saka
/wait rival scores, 1–1
/press 🔕
/press 1 hour
""",
        "--match", "derby.yaml", "--seconds", "6",
    )  # fmt: skip

    # A button answers with a notice, and edits its message; the first person is an admin.
    assert_in_order(
        lines, ["anna in family> /language de", "✉ to family", "✅ Deutsch", "anna in family> /press Español", "✎ to family"]
    )
    assert_in_order(lines, ["you> /status", "✉ to you", "you> /subscribe Arsenal", "[1]–0 Chelsea"])
    assert_in_order(lines, ["you> /press 1 hour", "  💬 "])
    assert not any("A comment" in line and "✉" in line for line in lines)
    # The operator's own rule is in effect, and it is silent.
    rival = next(number for number, line in enumerate(lines) if "│ rival scores, 1–1" in line)
    assert "🔕 silent" in lines[rival - 1]


@pytest.mark.parametrize(
    ("script", "words", "sentence"),
    [
        ("/press Nothing\n", (), 'there is no button "Nothing"'),
        ("", ("--match", "openr"), 'there is no match "openr": did you mean "opener"?'),
    ],
)
def test_what_cannot_be_done_ends_a_script_with_a_sentence(
    script: str, words: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _run_script(tmp_path, script, *words, code=1)[-1] == sentence


@asynccontextmanager
async def _terminal(folder: Path, *words: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int, asyncio.StreamReader]]:
    """Run `touchline chat` in a terminal of its own."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bot", "chat", *words]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=ENVIRONMENT, start_new_session=True
    )
    os.close(theirs)
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(ours), "rb", 0)
    )
    try:
        async with asyncio.timeout(DEADLINE):
            yield process, ours, reader
    finally:
        transport.close()
        os.close(ours)
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_in_a_terminal_the_prompt_says_who_types_and_a_served_chat_needs_no_bot(tmp_path: Path) -> None:
    port, next_port = find_free_ports(2)
    async with _terminal(tmp_path, "--serve", "--port", str(port)) as (process, keyboard, screen):
        shown = (await screen.readuntil(b"you> ")).decode()
        os.write(keyboard, b"/as anna\n")
        await screen.readuntil(b"anna> ")
        os.write(keyboard, b"\x04")

        # The shell's prompt gets a line of its own.
        await screen.readuntil(b"\n")
        assert await process.wait() == 0
    assert re.search(rf"stream_url: ws://127\.0\.0\.1:{port}\b", shown) and f"api_url: http://127.0.0.1:{next_port}" in shown
