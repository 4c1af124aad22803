"""The labels of a picture."""

from __future__ import annotations

from msgspec.structs import replace

from bot.i18n.language import use_language
from bot.media.labels import MatchLabels, stage_text, translate_labels
from rules.football.timeline import Stage
from tests.bot.media.timelines import full


def labels_in(language: str) -> MatchLabels:
    with use_language(language):
        return translate_labels()


def test_the_labels_are_in_the_current_language() -> None:
    texts = [(labels.full_time, labels.own_goal, labels.locale) for labels in map(labels_in, ("en", "de", "fr"))]

    assert texts == [
        ("Full time", "own goal", "en_GB"),
        ("Abpfiff", "Eigentor", "de"),
        ("Fin du match", "but contre son camp", "fr"),
    ]


def test_the_status_of_a_match_that_is_not_finished_is_translated_and_an_unknown_one_is_kept() -> None:
    lost = replace(full(), stage=Stage.LOST, status="Abandoned")

    assert [stage_text(lost, labels_in(language)) for language in ("en", "es")] == ["Abandoned", "Suspendido definitivamente"]
    assert stage_text(replace(lost, status="Frozen"), labels_in("es")) == "Frozen"
