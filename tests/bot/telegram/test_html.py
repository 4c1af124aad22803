import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.telegram.html import cut, remove_tags, text_length, to_plain
from tests.fakes.telegram_html import parse, utf16

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
