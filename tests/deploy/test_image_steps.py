"""What the image's steps are given: pip's own settings, and the folders that are seen inside. The steps themselves need root."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from deploy.image_steps import NotSoError, pip_places, pip_variables, running
from deploy.roots import Mount


def test_what_pip_is_told_here_it_is_told_inside_and_a_variable_counts_more_than_a_file() -> None:
    listed = (
        ":env:.cert='/etc/own.crt'\nglobal.cert='/etc/all.crt'\nglobal.extra-index-url='\\nfile:///a/simple\\nfile:///b/simple'\n"
    )

    assert pip_variables(listed) == {"PIP_CERT": "/etc/own.crt", "PIP_EXTRA_INDEX_URL": "file:///a/simple file:///b/simple"}


def test_of_an_index_on_disk_the_files_beside_its_pages_are_seen_too() -> None:
    variables = {
        "PIP_INDEX_URL": "https://index.example/simple file:///opt/index/simple",
        "PIP_CERT": "/etc/own.crt",
        "X": "180 /",
    }

    assert pip_places(variables) == [Path("/etc/own.crt"), Path("/opt/index")]


def test_a_file_is_mounted_on_a_file_that_is_made_for_it_and_nobody_writes_to_it(tmp_path: Path) -> None:
    file = tmp_path / "own.crt"
    file.touch()

    assert Mount(file, "/etc/own.crt").commands("/root") == [
        "mkdir -p $(dirname /root/etc/own.crt) && touch /root/etc/own.crt",
        f"mount --bind {file} /root/etc/own.crt",
        "mount -o remount,ro,bind /root/etc/own.crt",
    ]


def test_a_folder_that_may_be_written_is_only_mounted(tmp_path: Path) -> None:
    assert Mount(tmp_path, "/data", writable=True).commands("/root") == [
        "mkdir -p /root/data",
        f"mount --bind {tmp_path} /root/data",
    ]


async def test_what_runs_is_stopped_by_a_signal_and_all_that_it_printed_is_kept() -> None:
    async with running(
        ["sh", "-c", "trap 'echo bye; exit 0' TERM; echo error >&2; echo begun; while :; do sleep 0.01; done"]
    ) as sh:
        await sh.says("begun")
        code = await sh.stop(signal.SIGTERM)

    assert (code, sorted(sh.output.split())) == (0, ["begun", "bye", "error"])


async def test_what_ends_without_the_words_is_named_with_what_it_said() -> None:
    async with running(["sh", "-c", "echo other; exit 3"]) as sh:
        with pytest.raises(NotSoError, match="it ended and has not said begun:\nother"):
            await sh.says("begun")

        assert await sh.stop(signal.SIGTERM) == 3


async def test_what_still_runs_is_killed_at_the_end() -> None:
    async with running(["sleep", "1000"]) as sleep:
        pass

    assert await sleep.stop(signal.SIGTERM) == -signal.SIGKILL
