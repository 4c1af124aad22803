"""What the shared recordings send is what the golden files have: moving code changes no message."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import PACKS, WHOLE, digest, name_of, read_digests, read_golden, replay
from tests.recordings import PATHS, each_recording, needs_recordings

SAMPLE = [(pack, path) for number, pack in enumerate(PACKS) for path in (PATHS if pack == "default" else PATHS[number::6])]
"""All recordings under the default pack, two or three under each other one: `python -m tests.golden --check` takes all."""


@needs_recordings
@each_recording
def test_a_recording_sends_every_message_as_before(path: Path, tmp_path: Path) -> None:
    assert replay(WHOLE, [path], tmp_path) == read_golden(path)


@needs_recordings
@pytest.mark.parametrize(("pack", "path"), SAMPLE, ids=[f"{pack}-{name_of(path)}" for pack, path in SAMPLE])
def test_a_recording_sends_the_same_under_the_other_packs(pack: str, path: Path, tmp_path: Path) -> None:
    assert digest(replay(pack, [path], tmp_path)) == read_digests()[pack, name_of(path)]
