"""Which language is spoken."""

import pytest

from bot.i18n.language import current_language, find_language, use_language


@pytest.mark.parametrize(("tag", "code"), [("pt-BR", "pt"), ("DE", "de"), ("es_419", "es"), ("tlh", "en"), ("", "en")])
def test_a_tag_is_the_language_that_the_bot_speaks_or_english(tag: str, code: str) -> None:
    assert find_language(tag) == code


def test_a_language_is_spoken_while_the_block_runs() -> None:
    with use_language("de"):
        inside = current_language()

    assert (inside, current_language()) == ("de", "en")
