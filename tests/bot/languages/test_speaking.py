"""Which language is spoken."""

import pytest

from bot.languages.speaking import known, speaking, spoken


@pytest.mark.parametrize(("tag", "code"), [("pt-BR", "pt"), ("DE", "de"), ("es_419", "es"), ("tlh", "en"), ("", "en")])
def test_a_tag_is_the_language_that_the_bot_speaks_or_english(tag: str, code: str) -> None:
    assert known(tag) == code


def test_a_language_is_spoken_while_the_block_runs() -> None:
    with speaking("de"):
        inside = spoken()

    assert (inside, spoken()) == ("de", "en")
