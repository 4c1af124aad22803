"""How many examples hypothesis tries of each law: `make test` tries few of them, tests/stress.sh many."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def register_profiles() -> None:
    """Register `usual`, which is loaded, and `thorough` (`pytest --hypothesis-profile=thorough`)."""
    # Every run draws new examples, so what one run does not try, another does. An example for which a law fails is kept in
    # .hypothesis, and tried first in every run until the law holds for it.
    settings.register_profile("usual", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=30)
    settings.register_profile("thorough", settings.get_profile("usual"), max_examples=100)
    settings.load_profile("usual")


def try_examples(number: int) -> settings:
    """Try so many examples of a law under the profile `thorough`, and under `usual` as many fewer as of other laws."""
    return settings(max_examples=max(1, number * settings().max_examples // 100))
