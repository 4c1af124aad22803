"""Texts that would take long or become large are refused when they are filled, whatever the samples reach."""

from __future__ import annotations

import pytest

from rules.engine.alert import Facts
from rules.engine.text import AlertText, TextError

FACTS = Facts(match="Arsenal 1–0 Chelsea", score="1–0", player="Saka", team="Arsenal")


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' * 500000000 }}",
        "{{ 500000000 * 'a' }}",
        "{{ [1] * 500000000 }}",
        "{{ '%0900000000d' % 1 }}",
        "{{ '%*d' % (900000000, 1) }}",
        "{{ '%0900000000d'|format(1) }}",
        "{{ player.center(900000000) }}",
        "{{ player|center(900000000) }}",
        "{{ player|center(width=900000000) }}",
        "{{ player.zfill(900000000) }}",
        "{{ '{:>900000000}'.format(1) }}",
        "{{ '{:>{}}'.format(1, 900000000) }}",
        "{{ player|indent(900000000) }}",
        "{{ 9 ** (9 ** 9) }}",
        "{{ 10 ** 100000 }}",
        "{% for a in 'a' * 900 %}{% for b in 'a' * 900 %}{% for c in 'a' * 900 %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in 'a' * 9000 %}{% for b in 'a' * 9000 %}{% endfor %}{% endfor %}",
        "{% macro f(n) %}{{ f(n + 1) }}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
        "{% for a in 'a' * 900 %}" + "x" * 200 + "{% endfor %}",
        "{{ ('a' * 9000).replace('a', 'b' * 9000) }}",
        "{{ ('a' * 9000)|replace('a', 'b' * 9000) }}",
        "{{ ('a' * 9000)|join('b' * 9000) }}",
        "{{ ('b' * 9000).join('a' * 9000) }}",
        "{% macro d(x, n) %}{{ d(x ~ x, n + 1) if n < 100 else x }}{% endmacro %}{{ d('aaaaaaaaaa', 0) }}",
        "{% macro d(x, n) %}{{ d(x + x, n + 1) if n < 100 else x }}{% endmacro %}{{ d('aaaaaaaaaa', 0) }}",
        "{% macro d(x, n) %}{{ d(x * x, n + 1) if n < 100 else x }}{% endmacro %}{{ d(99, 0) }}",
    ],
)
def test_what_would_take_long_is_refused(source: str) -> None:
    with pytest.raises(TextError, match="could not be filled"):
        AlertText(source).render(FACTS)


@pytest.mark.parametrize(
    "source", ["{{ '{:>900000000}'.format(1) }}", "{{ '{:>{}}'.format(1, '900000000') }}", "{{ '{:>900000000}'.format_map({}) }}"]
)
def test_a_large_width_is_refused_before_memory_is_taken_for_it(source: str) -> None:
    with pytest.raises(TextError, match="it formats with too large a width"):
        AlertText(source).render(FACTS)


def test_a_text_may_format_with_small_widths() -> None:
    assert AlertText("{{ '{{{:*>8}}}'.format(player) }}").render(FACTS) == "{****Saka}"


@pytest.mark.parametrize("source", ["{{ " + "(" * 20000 + "1" + ")" * 20000 + " }}", "x" * 30000, "{{ " + "9" * 9000 + " }}"])
def test_a_text_that_cannot_be_compiled_is_one_sentence(source: str) -> None:
    with pytest.raises(TextError, match="the text is not a template"):
        AlertText(source).render(FACTS)


def test_a_loop_that_calls_itself_is_refused() -> None:
    with pytest.raises(TextError, match="recursive loops are not allowed"):
        AlertText("{% for a in [[1]] recursive %}{{ loop(a) }}{% endfor %}")


def test_a_branch_that_no_sample_reaches_is_refused_when_it_is_reached() -> None:
    text = AlertText("{% if player == 'Saka' %}{{ 'a' * 500000000 }}{% else %}fine{% endif %}")

    assert text.render(Facts(player="Rice")) == "fine"
    with pytest.raises(TextError):
        text.render(FACTS)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{{ '⚽' * 3 }} {{ player|upper }}", "⚽⚽⚽ SAKA"),
        ("{{ player ~ ' (' ~ team ~ ')' }}", "Saka (Arsenal)"),
        ("{{ '%02d' % 7 }} {{ '%s'|format(player) }}", "07 Saka"),
        ("{% for word in [player, team] %}{{ loop.index }}/{{ loop.length }} {{ word }} {% endfor %}", "1/2 Saka 2/2 Arsenal"),
        ("{{ match.split(' ')|first }} {{ match.replace('Arsenal', 'AFC') }}", "Arsenal AFC 1–0 Chelsea"),
        ("{% for letter in player %}{{ letter }}-{% endfor %} {{ player|replace('a', 'o') }}", "S-a-k-a- Soko"),
        ("{{ [player, team]|join(', ') }} {{ '<b>' ~ player }}", "Saka, Arsenal &lt;b&gt;Saka"),
    ],
)
def test_what_texts_do_is_allowed(source: str, shown: str) -> None:
    assert AlertText(source).render(FACTS) == shown


@pytest.mark.parametrize(
    ("allowed", "refused", "why"),
    [
        ("{{ ('a' * 20000)|length }}", "{{ ('a' * 20001)|length }}", "it repeats a text or a list too often"),
        ("{{ (20000 * 'a')|length }}", "{{ (20001 * 'a')|length }}", "it repeats a text or a list too often"),
        ("{{ ([1, 2] * 10000)|length }}", "{{ ([1, 2] * 10001)|length }}", "it repeats a text or a list too often"),
        (
            "{{ ('a' * 10000 ~ 'b' * 10000)|length }}",
            "{{ ('a' * 10000 ~ 'b' * 10001)|length }}",
            "it makes too long a text or list",
        ),
        ("{{ ('a' * 9999 + 'b' * 9999)|length }}", "{{ ('a' * 9999 + 'b' * 19999)|length }}", "it makes too long a text or list"),
        ("{{ ([1] * 9999 + [1] * 9999)|length }}", "{{ ([1] * 9999 + [1] * 19999)|length }}", "it makes too long a text or list"),
        ("{{ (2 ** 2048) > 0 }}", "{{ (2 ** 2049) > 0 }}", "it computes too large a number"),
        ("{{ ((-2) ** 2048) > 0 }}", "{{ ((-2) ** 2049) > 0 }}", "it computes too large a number"),
        ("{{ (2 ** 2047 * 2 ** 2047) > 0 }}", "{{ (2 ** 2048 * 2 ** 2048) > 0 }}", "it computes too large a number"),
        ("{{ player|center(1000)|length }}", "{{ player|center(1001)|length }}", "it takes too large a number"),
        ("{{ player|center(width=1000)|length }}", "{{ player|center(width=1001)|length }}", "it takes too large a number"),
        ("{{ 1.5|round(-1000) }}", "{{ 1.5|round(-1001) }}", "it takes too large a number"),
        ("{{ 1.5|round(3) }}", "{{ 1.5|round(1000.5) }}", "it takes too large a number"),
        ("{{ match.split(' ', 1000) }}", "{{ match.split(' ', 1001) }}", "it takes too large a number"),
        ("{{ '%999d' % 1 }}", "{{ '%1000d' % 1 }}", "it formats with too large a width"),
        ("{{ '%999d'|format(1) }}", "{{ '%1000d'|format(1) }}", "it formats with too large a width"),
        ("{{ '{:>999}'.format(1) }}", "{{ '{:>1000}'.format(1) }}", "it formats with too large a width"),
        ("{{ 1 % 1000 }}", "{{ '%*d' % (1, 1) }}", "it formats with too large a width"),
        ("{% for a in [1] * 4990 %}{% endfor %}", "{% for a in [1] * 5000 %}{% endfor %}", "it takes too many steps"),
        (
            "{{ ('a' * 99)|replace('a', 'b' * 200)|length }}",
            "{{ ('a' * 9999)|replace('a', 'b' * 101)|length }}",
            "replace makes too long a text",
        ),
        ("{{ ('a' * 99)|join('b' * 100) }}", "{{ ('a' * 9999)|join('b' * 101) }}", "join makes too long a text"),
        ("{{ ('a' * 99)|indent(100) }}", "{{ ('a' * 9999)|indent(101) }}", "indent makes too long a text"),
        ("{{ 'x' * 9999 }}", "{{ 'x' * 9999 }}{{ 'x' * 9999 }}{{ 'x' * 3 }}", "it makes too long a text"),
    ],
)
def test_each_limit_is_where_it_is_said_to_be_and_says_what_is_too_large(allowed: str, refused: str, why: str) -> None:
    AlertText(allowed).render(FACTS)
    with pytest.raises(TextError) as error:
        AlertText(refused).render(FACTS)

    assert str(error.value) == f"the text could not be filled: {why}"


@pytest.mark.parametrize("method", ["center", "ljust", "rjust", "zfill", "expandtabs", "translate"])
def test_a_method_whose_result_may_be_of_any_size_is_refused_by_its_name(method: str) -> None:
    with pytest.raises(TextError, match=f"the method {method} is not allowed in texts"):
        AlertText(f"{{{{ player.{method}(1) }}}}").render(FACTS)


def test_a_source_is_twenty_thousand_characters_at_most() -> None:
    AlertText("x" * 20_000)
    with pytest.raises(TextError, match="it is longer than 20,000 characters"):
        AlertText("x" * 20_001)


def test_every_rendering_has_its_own_steps() -> None:
    text = AlertText("{% for a in [1] * 3000 %}{% endfor %}{{ player }}")

    assert [text.render(FACTS) for _ in range(3)] == ["Saka"] * 3


@pytest.mark.parametrize("name", ["range", "lipsum", "dict", "cycler", "joiner", "namespace"])
def test_what_makes_something_out_of_nothing_is_not_known(name: str) -> None:
    with pytest.raises(TextError, match=f"'{name}' is undefined"):
        AlertText(f"{{{{ {name}(3) }}}}").render(FACTS)


def test_a_variable_that_is_misspelt_is_an_error_and_what_is_said_of_markup_is_escaped() -> None:
    with pytest.raises(TextError, match="'plyer' is undefined"):
        AlertText("{{ plyer }}").render(FACTS)
    assert AlertText("{{ '<b>' }}").render(FACTS) == "&lt;b&gt;"
