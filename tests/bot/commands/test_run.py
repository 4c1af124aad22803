"""How many files and connections a running bot may have open."""

from __future__ import annotations

import resource

import pytest
from structlog.testing import capture_logs

from bot.commands.run import raise_file_limit


def test_the_limit_of_the_shell_is_raised_as_far_as_the_system_allows() -> None:
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        raise_file_limit()
        raised = resource.getrlimit(resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))

    assert raised == (16_384 if hard == resource.RLIM_INFINITY else min(hard, 16_384), hard)


@pytest.mark.parametrize(("limit", "warns"), [(64, True), (4096, False)])
def test_a_limit_that_is_too_low_is_told_in_a_sentence(limit: int, warns: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    with capture_logs() as lines:
        raise_file_limit()

    assert [line["event"] for line in lines] == ["few_files_allowed"] * warns
    assert all("only 64 files" in line["reason"] for line in lines)
