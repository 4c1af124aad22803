"""Where the temporary files of tests are: in memory, where that has room for them and programs may be started from it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.temporary import find_memory_folder


@pytest.fixture
def has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=8 << 30))
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=0))


@pytest.mark.usefixtures("has_room")
def test_a_folder_with_room_is_taken_and_an_absent_one_is_none(tmp_path: Path) -> None:
    assert find_memory_folder(tmp_path) == str(tmp_path)
    assert find_memory_folder(tmp_path / "absent") is None


@pytest.mark.usefixtures("has_room")
def test_a_folder_without_room_as_a_container_has_it_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=64 << 20))

    assert find_memory_folder(tmp_path) is None


@pytest.mark.usefixtures("has_room")
def test_a_folder_from_which_no_program_may_be_started_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_NOEXEC))

    assert find_memory_folder(tmp_path) is None
