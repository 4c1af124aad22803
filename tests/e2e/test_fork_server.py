"""A forked process is one like any other, and does not outlive the tests."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bot.feed.encode import encode_packet
from bot.feed.recording import RecordingWriter
from tests.e2e.fork_server import ask_for_fork, fork_touchline, run_touchline
from tests.e2e.stage import read_pipe
from tests.packets import KICKOFF, Story
from tests.waiting import DEADLINE


def test_a_command_has_its_own_folder_environment_and_exit_code(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text('telegram: {admins: ["${ADMIN_OF_THIS_TEST}"]}\n')
    refused, taken = (run_touchline(["check"], tmp_path, dict(os.environ) | {"ADMIN_OF_THIS_TEST": who}) for who in ("Ann", "7"))

    assert (refused[0], taken[0]) == (1, 0)
    assert refused[2].startswith("config.yaml:1:") and "0 mistakes" in taken[1]


@pytest.fixture
def endless(tmp_path: Path) -> list[str]:
    """A command that does not end by itself."""
    with RecordingWriter(tmp_path / "match.jsonl") as writer:
        writer.write(KICKOFF, encode_packet(Story().packet("Start Match")))
    return ["simulate", "--port", "0", "match.jsonl"]


async def test_a_process_is_killed_when_the_tests_are_gone(tmp_path: Path, endless: list[str]) -> None:
    forked = fork_touchline(endless, tmp_path, dict(os.environ))
    out, err = await read_pipe(forked.stdout), await read_pipe(forked.stderr)
    async with asyncio.timeout(DEADLINE):
        assert b"feed:" in await out.readline()
        forked.control.close()

        assert b"stream_url" in await out.read() and await err.read() == b""


@pytest.mark.parametrize("has_started", [False, True], ids=["before it starts", "before they read its id"])
async def test_a_process_is_killed_even_if_the_tests_are_gone_at_once(
    tmp_path: Path, endless: list[str], has_started: bool
) -> None:
    stdout, stderr, control = ask_for_fork(endless, tmp_path, dict(os.environ))
    out, err = await read_pipe(stdout), await read_pipe(stderr)
    async with asyncio.timeout(DEADLINE):
        if has_started:
            assert b"feed:" in await out.readline()
        control.close()

        await out.read()  # the pipe is at its end: nobody writes to it any more
        assert await err.read() == b""
