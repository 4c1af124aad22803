import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.fake_telegram.html import parse, utf16
from bot.i18n.shorten import shorten, text_length
from bot.telegram.html import (
    CAPTION_LIMIT,
    TEXT_LIMIT,
    cut,
    mark_styles,
    remove_tags,
    split_lines,
    time_tag,
    to_one_line,
    to_plain,
    to_terminal,
)

PIECES = st.sampled_from(["<b>", "</b>", "<i>", "</i>", "&amp;", "&lt;", "goal", "⚽", "é", "\n", "x" * 50])


@st.composite
def whole_html(draw: st.DrawFn) -> str:
    """Text whose tags are closed in order."""
    made, open_tags = [], []
    for piece in draw(st.lists(PIECES, max_size=40)):
        if piece.startswith("</"):
            made += [f"</{open_tags.pop()}>"] if open_tags else []
            continue
        open_tags += [piece[1]] if piece.startswith("<") else []
        made.append(piece)
    return "".join(made) + "".join(f"</{tag}>" for tag in reversed(open_tags))


@given(whole_html(), st.integers(1, 120))
def test_a_text_that_is_cut_is_short_enough_and_still_whole(source: str, limit: int) -> None:
    assert utf16(parse(cut(source, limit)).text) <= limit


@given(whole_html())
def test_a_text_that_fits_stays_as_it_is(source: str) -> None:
    assert cut(source) == source


@given(st.lists(st.text(alphabet="a⚽ ", min_size=1, max_size=15), min_size=1), st.integers(10, 20))
def test_a_text_in_parts_has_all_its_lines_and_no_part_is_too_long(lines: list[str], limit: int) -> None:
    parts = split_lines("\n".join(lines), limit)

    assert "\n".join(parts).split("\n") == [shorten(line, limit) for line in lines]
    assert all(0 < text_length(part) <= limit for part in parts)


@given(st.text(alphabet="<>&/b i=\"'x"))
def test_plain_text_is_never_refused(source: str) -> None:
    assert parse(to_plain(source)).entities == []


@given(st.text())
def test_length_is_counted_as_telegram_does(text: str) -> None:
    assert text_length(text) == utf16(text)


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("<code>x</code> <b>y</b>", "x <b>y</b>"),
        ("<s>x</s>", "x"),
        ("a < b", "a < b"),
        ('<a href="u">x</a>', '<a href="u">x</a>'),
    ],
)
def test_tags_go_and_what_they_enclose_stays(source: str, left: str) -> None:
    assert remove_tags(source, {"s", "code"}) == left


@pytest.mark.parametrize(
    ("source", "limit", "short"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("<b>abcdefg</b>", 6, "<b>abcde…</b>"),
        ("<b><i>abcdefg</i></b>", 4, "<b><i>abc…</i></b>"),
        ("<b>ab</b>cdefg", 4, "<b>ab</b>c…"),
        ("&amp;&amp;&amp;&amp;", 3, "&amp;&amp;…"),
        ("⚽⚽𝐀𝐀", 5, "⚽⚽𝐀…"),
        ("a < b < c", 5, "a < …"),
    ],
)
def test_a_text_is_cut_between_characters_and_its_open_tags_are_closed(source: str, limit: int, short: str) -> None:
    assert cut(source, limit) == short


def test_plain_text_keeps_the_spoiler_that_hides_all_but_the_first_line() -> None:
    assert to_plain("<b>A & B</b>\n<tg-spoiler><i>1–0</i></tg-spoiler>") == "A &amp; B\n<tg-spoiler>1–0</tg-spoiler>"
    assert to_plain('<b>"1"</b> <tg-spoiler>x</tg-spoiler>') == "&quot;1&quot; x"


@pytest.mark.parametrize(
    ("tags", "style"),
    [
        (("<b>", "</b>"), "bold"),
        (("<strong>", "</strong>"), "bold"),
        (("<i>", "</i>"), "italic"),
        (("<em>", "</em>"), "italic"),
        (("<u>", "</u>"), "underline"),
        (("<ins>", "</ins>"), "underline"),
        (("<s>", "</s>"), "strike"),
        (("<strike>", "</strike>"), "strike"),
        (("<del>", "</del>"), "strike"),
        (("<code>", "</code>"), "cyan"),
        (("<pre>", "</pre>"), "cyan"),
        (("<blockquote>", "</blockquote>"), "dim"),
        (("<tg-spoiler>", "</tg-spoiler>"), "reverse"),
        (('<span class="tg-spoiler">', "</span>"), "reverse"),
        (('<a href="https://x.y">', "</a>"), "blue underline link https://x.y"),
        (("<a>", "</a>"), "blue underline"),
    ],
)
def test_a_terminal_shows_each_tag_as_a_style(tags: tuple[str, str], style: str) -> None:
    text = to_terminal(f"a{tags[0]}b &amp;{tags[1]}c")

    assert text.plain == "ab &c"
    assert [(span.start, span.end, str(span.style)) for span in text.spans] == [(1, 4, style)]


def test_styles_in_each_other_add_up_and_tags_that_are_not_known_are_ignored() -> None:
    text = to_terminal("<b>a<i>b</i></b><x>c</x><span>d</span></i>e")

    assert text.plain == "abcde"
    assert [(span.start, span.end, str(span.style)) for span in text.spans] == [(0, 1, "bold"), (1, 2, "bold italic")]


def test_one_line_has_dots_for_lines_and_marks_what_is_struck_through() -> None:
    assert to_one_line("<s>Goal &amp; more</s>\n<b>1–0</b>") == "~~Goal & more~~ · 1–0"


def test_an_output_without_styles_marks_what_is_struck_through_and_what_is_hidden() -> None:
    assert mark_styles("<s>a</s> <b>b</b>\n<tg-spoiler>c</tg-spoiler>") == "<s>~~a~~</s> <b>b</b>\n<tg-spoiler>||c||</tg-spoiler>"


@pytest.mark.parametrize(("with_day", "form"), [(False, "t"), (True, "wdt")])
def test_a_time_is_a_tag_in_whole_seconds_around_what_older_apps_show(with_day: bool, form: str) -> None:
    instant = dt.datetime(2026, 8, 22, 2, 0, 0, 900_000, tzinfo=dt.UTC)

    assert time_tag(instant, "02:00", with_day=with_day) == f'<tg-time unix="1787364000" format="{form}">02:00</tg-time>'


def test_a_message_and_a_caption_are_as_long_as_telegram_takes() -> None:
    assert (TEXT_LIMIT, CAPTION_LIMIT) == (4096, 1024)
    assert len(cut("x" * 5000)) == 4096 and cut("x" * 4096) == "x" * 4096


@pytest.mark.parametrize(
    ("source", "limit", "left"),
    [
        ("<b>a</b><i>bcdef</i>", 4, "<b>a</b><i>bc…</i>"),
        ("&#x41;&#66;cdef", 4, "&#x41;&#66;c…"),
        ("&nosuch;bcdefgh", 4, "…"),
        ("</b>abcdef", 4, "</b>abc…"),
    ],
)
def test_entities_and_tags_are_never_cut_apart(source: str, limit: int, left: str) -> None:
    assert cut(source, limit) == left
