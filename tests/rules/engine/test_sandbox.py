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
