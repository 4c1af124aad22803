"""The words in a picture."""

from __future__ import annotations

from msgspec.structs import replace

from bot.i18n.language import use_language
from bot.media.labels import MatchLabels, stage_text, translate_labels
from rules.football.timeline import Stage
from tests.bot.media.timelines import full


def words_in(language: str) -> MatchLabels:
    with use_language(language):
        return translate_labels()


def test_a_picture_speaks_the_language_in_which_it_is_ordered() -> None:
    said = [(words.full_time, words.own_goal, words.locale) for words in map(words_in, ("en", "de", "fr"))]

    assert said == [
        ("Full time", "own goal", "en_GB"),
        ("Abpfiff", "Eigentor", "de"),
        ("Fin du match", "but contre son camp", "fr"),
    ]


def test_a_match_that_was_not_played_on_says_so_in_the_language_and_an_unknown_word_stays() -> None:
    lost = replace(full(), stage=Stage.LOST, status="Abandoned")

    assert [stage_text(lost, words_in(language)) for language in ("en", "es")] == ["Abandoned", "Suspendido"]
    assert stage_text(replace(lost, status="Frozen"), words_in("es")) == "Frozen"
