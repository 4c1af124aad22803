"""The current language."""

import pytest

from bot.i18n.language import current_language, find_language, use_language


@pytest.mark.parametrize(("tag", "code"), [("pt-BR", "pt"), ("DE", "de"), ("es_419", "es"), ("tlh", "en"), ("", "en")])
def test_a_tag_becomes_a_supported_language_or_english(tag: str, code: str) -> None:
    assert find_language(tag) == code


def test_use_language_applies_while_the_block_runs() -> None:
    with use_language("de"):
        inside = current_language()

    assert (inside, current_language()) == ("de", "en")
