"""How much each run tries: `make test` takes few examples of each law and a fifth of the recordings, tests/stress.sh more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.recordings import FOLDER, PATHS, name_of, needs_recordings

_THOROUGH = 100


def register_profiles() -> None:
    """Register `usual`, which is loaded, and `thorough` (`pytest --hypothesis-profile=thorough`)."""
    # Every run draws new examples, so what one run does not try, another does. An example for which a law fails is kept in
    # .hypothesis, and tried first in every run until the law holds for it.
    settings.register_profile("usual", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=20)
    settings.register_profile("thorough", settings.get_profile("usual"), max_examples=_THOROUGH)
    settings.load_profile("usual")


def try_examples(number: int) -> settings:
    """Try so many examples of a law under the profile `thorough`, and under `usual` as many fewer as of other laws."""
    return settings(max_examples=max(1, number * settings().max_examples // _THOROUGH))


def choose_seeds(usual: int, thorough: int) -> range:
    """Return the seeds from 1 on that a test of chance tries: so many in a usual run, and more under `thorough`."""
    return range(1, 1 + (thorough if settings().max_examples >= _THOROUGH else usual))


def some_recordings(test: Callable[[Path], object]) -> pytest.MarkDecorator:
    """Run a test with `path` for every fifth recording, and under `thorough` for every one: each plays for seconds."""
    paths = PATHS if settings().max_examples >= _THOROUGH else PATHS[::5]
    missing = [pytest.param(FOLDER, marks=needs_recordings)]
    return pytest.mark.parametrize("path", paths or missing, ids=[name_of(path) for path in paths] or ["none"])(test)
