"""Names and texts in a syntax that is not understood here are warned of with the cure."""

from __future__ import annotations

import pytest

from rules.loading.document import Report, compose, mapping_items
from rules.loading.foreign_syntax import describe_name, warn_of_text
from rules.loading.values import Reader
from rules.loading.yaml_problem import shorten
from tests.rules.loading.test_other_words import MATCH, find_sentences

WILDCARDS = "there are no wildcards, names are compared whole: write the name, or several as [A, B]"
EXPRESSIONS = "regular expressions are not understood, names are compared whole: write the name, or several as [A, B]"
QUOTES = "the quotation marks are part of the name: take them out"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("{{ home }}", "nothing is filled in here, only in texts: write the name itself"),
        ("{% if x %}", "nothing is filled in here, only in texts: write the name itself"),
        ("“Arsenal”", QUOTES),
        ("„Arsenal“", QUOTES),
        ("«Arsenal»", QUOTES),
        ("‘Arsenal’", QUOTES),
        ("'Arsenal'", QUOTES),
        ('"Arsenal" "Chelsea"', f"{QUOTES}; between several names a comma is missing"),
        ("not Arsenal", "for all others write {not: Arsenal}"),
        ("!Arsenal", "for all others write {not: Arsenal}"),
        ("- Arsenal", "for all others write {not: Arsenal}"),
        ("~Arsenal", "for all others write {not: Arsenal}"),
        ("NOT Arsenal", "for all others write {not: Arsenal}"),
        ("/arsenal/", EXPRESSIONS),
        ("/arsenal/i", EXPRESSIONS),
        ("Arsenal.*", EXPRESSIONS),
        ("^Arsenal", EXPRESSIONS),
        ("Arsenal$", EXPRESSIONS),
        ("Arsenal\\b", EXPRESSIONS),
        ("Arsenal*", WILDCARDS),
        ("Arsenal?", WILDCARDS),
        ("%Arsenal", WILDCARDS),
        ("Arsenal, Chelsea", "this is one name; for any of several write [Arsenal, Chelsea]"),
        ("Arsenal; Chelsea", "this is one name; for any of several write [Arsenal, Chelsea]"),
        ("Arsenal | Chelsea | Spurs", "this is one name; for any of several write [Arsenal, Chelsea, Spurs]"),
        ("Arsenal or Chelsea", "this is one name; for any of several write [Arsenal, Chelsea]"),
        ("Arsenal oder Chelsea", "this is one name; for any of several write [Arsenal, Chelsea]"),
        ("Arsenal ou Chelsea", "this is one name; for any of several write [Arsenal, Chelsea]"),
        ("Arsenal v Chelsea", "this is a match: write fixture: Arsenal v Chelsea, or one team"),
        ("Arsenal - Chelsea", "this is a match: write fixture: Arsenal v Chelsea, or one team"),
        ("Arsenal vs. Chelsea", "this is a match: write fixture: Arsenal v Chelsea, or one team"),
        ("Arsenal @ Chelsea", "this is a match: write fixture: Arsenal v Chelsea, or one team"),
        ("Arsenal against Chelsea", "this is a match: write fixture: Arsenal v Chelsea, or one team"),
        ("Arsenal x Chelsea", "this is a match: write fixture: Arsenal v Chelsea, or one team"),
    ],
)
def test_a_name_that_no_team_has_is_explained_by_its_shape(name: str, sentence: str) -> None:
    assert describe_name("team", name) == sentence


@pytest.mark.parametrize(
    "name",
    ["Arsenal", "1. FC Köln", "N'Golo Kanté", "Saint-Étienne", "Brighton & Hove Albion", "A/B", "Orlando", "Vitória", "4:2 FC"],
)
def test_a_name_that_a_team_may_have_is_not_warned_of(name: str) -> None:
    assert describe_name("team", name) == ""


@pytest.mark.parametrize(
    ("key", "name", "sentence"),
    [
        ("player", "Kane, Harry", "this is one name; for any of several write [Kane, Harry]; one player is written Harry Kane"),
        ("player", "A, B, C", "this is one name; for any of several write [A, B, C]"),
        ("player", "Kane; Harry", "this is one name; for any of several write [Kane, Harry]"),
        ("player", "Kane - Harry", ""),
        ("fixture", "Arsenal v Chelsea", ""),
        ("fixture", "Arsenal - Chelsea", "a match is written with v between the teams: Arsenal v Chelsea"),
        ("fixture", "Arsenal:Chelsea", "a match is written with v between the teams: Arsenal v Chelsea"),
        ("fixture", "Arsenal", "a match is written as Arsenal v Chelsea, or by its id; for every match of a team use team"),
        ("fixture", "f1", ""),
    ],
)
def test_a_player_and_a_match_are_written_in_one_way(key: str, name: str, sentence: str) -> None:
    assert describe_name(key, name) == sentence


def test_a_warning_of_a_name_has_its_key_and_is_the_only_one() -> None:
    assert find_sentences(MATCH.format("team: Arsenal*")) == [f'team "Arsenal*": {WILDCARDS}']


def warnings_of(written: str) -> list[str]:
    """Return what is said of a text as it is written in YAML."""
    report = Report()
    ((_, node),) = mapping_items(compose(f"a: {written}", "f.yaml", report))
    warn_of_text(Reader(report), node, node.value)
    return [line.partition("warning: ")[2] for line in report.warnings]


@pytest.mark.parametrize(
    ("text", "sign", "tag"),
    [
        ("a **b** c", "**b**", "<b>…</b>"),
        ("a __b__ c", "__b__", "<b>…</b>"),
        ("a ~~b~~ c", "~~b~~", "<s>…</s>"),
        ("a ||b|| c", "||b||", "<tg-spoiler>…</tg-spoiler>"),
        ("a [b](https://x.y) c", "[b](https://x.y)", '<a href="…">…</a>'),
        ("a [b](tg://user?id=1)", "[b](tg://user?id=1)", '<a href="…">…</a>'),
        ("a `b` c", "`b`", "<code>…</code>"),
        ("a *b* c", "*b*", "<b>…</b>"),
        ("a *b c* d", "*b c*", "<b>…</b>"),
        ("a _b_ c", "_b_", "<i>…</i>"),
        ("a _b c_ d", "_b c_", "<i>…</i>"),
        ("**{{ player }}** and `b`", "**{{ player }}**", "<b>…</b>"),
    ],
)
def test_markdown_is_sent_as_it_is_written(text: str, sign: str, tag: str) -> None:
    assert warnings_of(f"'{text}'") == [f"Telegram shows {sign} as it is written: write {tag}"]


@pytest.mark.parametrize(
    "text",
    [
        "2 * 3 * 4",
        "snake_case_name",
        "a_b_c",
        "<b>a</b>",
        '<a href="https://x_y_z">*</a>',
        "{{ home_team_name }}",
        "{% if a_b %}*{% endif %} *",
        "{# **a** #}",
        "[a] (b)",
    ],
)
def test_what_only_looks_like_markdown_is_not_warned_of(text: str) -> None:
    assert warnings_of(f"'{text}'") == []


@pytest.mark.parametrize(
    ("text", "sign", "name"),
    [
        ("{player}", "{player}", "player"),
        ("{ player }}", "{ player }}", "player"),
        ("{ { player } }", "{ { player } }", "player"),
        ("$player", "$player", "player"),
        ("%player%", "%player%", "player"),
        ("%(player)s", "%(player)s", "player"),
        ("{plyer}", "{plyer}", "player"),
    ],
)
def test_another_form_of_a_variable_is_sent_as_it_is_written(text: str, sign: str, name: str) -> None:
    assert warnings_of(f"'a {text} b'") == [f"{sign} is sent as it is written: write {{{{ {name} }}}}"]


@pytest.mark.parametrize("text", ["{something}", "5$player", "50%player%", "{{ player }}", "$5"])
def test_what_is_no_variable_in_another_form_is_not_warned_of(text: str) -> None:
    assert warnings_of(f"'{text}'") == []


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            r"'a\nb'",
            r"\n is no line break in single quotes, it is sent as it is written: use double quotes, or | with a line for each",
        ),
        (
            r"a\nb",
            r"\n is no line break without quotes, it is sent as it is written: use double quotes, or | with a line for each",
        ),
        ("|\n  a\\nb", r"\n is no line break in a block, it is sent as it is written: begin a new line instead"),
    ],
)
def test_a_line_break_that_is_none_is_explained(written: str, sentence: str) -> None:
    assert warnings_of(written) == [sentence]
    assert warnings_of(r'"a\nb"') == []


@pytest.mark.parametrize(
    ("text", "is_warned_of"), [("“a b”", True), ("„a“", True), ("‘a’", True), ("“a” b", False), ("N’Golo", False)]
)
def test_curly_quotes_around_a_text_are_part_of_it(text: str, is_warned_of: bool) -> None:
    sentence = "the curly quotes are part of the text: YAML's own quotes are \" and '"

    assert warnings_of(text) == ([sentence] if is_warned_of else [])


def test_a_text_is_shown_up_to_a_number_of_letters() -> None:
    assert (shorten("a" * 30, 30), shorten("a" * 31, 30)) == ("a" * 30, "a" * 29 + "…")
