"""Names in every script are drawn by a font that has their letters, in one line, and fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.media.fonts import BOLD, FALLBACK, FONT_FOLDER, find_font, fit_text, measure_width, read_coverage, shorten_name


@pytest.mark.parametrize(
    "name",
    [
        "Hakan Çalhanoğlu",
        "Łukasz Fabiański",
        "Jóannes Bjartalíð",
        "Ștefan Radu",
        "Артём Дзюба",
        "Γιώργος Καραγκούνης",
        "Nguyễn Quang Hải",
    ],
)
def test_latin_cyrillic_and_greek_are_drawn_as_they_are(name: str) -> None:
    assert find_font(name, BOLD) == (name, BOLD)


def test_letters_with_combining_accents_are_composed() -> None:
    assert find_font("Mandz\u030cukic\u0301", BOLD) == ("Mandžukić", BOLD)


@pytest.mark.parametrize("name", ["გიორგი", "Հենրիխ"])
def test_georgian_and_armenian_use_the_fallback_font(name: str) -> None:
    assert find_font(name, BOLD) == (name, FALLBACK)


@pytest.mark.parametrize("name", ["محمد صلاح", "ערן זהבי"])
def test_right_to_left_names_are_drawn_as_they_are(name: str) -> None:
    assert find_font(name, BOLD) == (name, FALLBACK)


@pytest.mark.parametrize(("name", "latin"), [("손흥민", "SonHeungMin"), ("Erling 🔥", "Erling :fire:")])
def test_letters_that_no_font_has_are_transliterated(name: str, latin: str) -> None:
    assert find_font(name, BOLD) == (latin, BOLD)


@pytest.mark.parametrize(
    "name", ["Son\nHeung-Min", "Son\u2028Heung-Min", "\u202eSon\u202c Heung-Min\u200f", "  Son   Heung-Min "]
)
def test_line_breaks_and_direction_marks_are_removed_from_a_name(name: str) -> None:
    assert find_font(name, BOLD)[0] == "Son Heung-Min"


@pytest.mark.parametrize(
    ("room", "shortened"),
    [(900, "Pierre-Emerick Aubameyang"), (320, "P. Aubameyang"), (150, "P. Auba…")],
)
def test_a_long_name_is_shortened_first_name_first(room: int, shortened: str) -> None:
    cut = shorten_name("Pierre-Emerick Aubameyang", BOLD, 37, room)

    assert cut == shortened or (shortened.endswith("…") and cut.endswith("…"))
    assert measure_width(cut, BOLD, 37) <= room


@pytest.mark.parametrize(
    ("room", "shortened"), [(260, "R. van der Vaart"), (225, "van der Vaart"), (150, "R. Vaart"), (100, "Vaart")]
)
def test_a_particle_is_kept_with_the_family_name(room: int, shortened: str) -> None:
    assert shorten_name("Rafael van der Vaart", BOLD, 37, room) == shortened


@given(st.text(max_size=60), st.integers(60, 500))
def test_any_text_fits_in_one_line(text: str, room: int) -> None:
    fitted = fit_text(text, 37, room)

    assert fitted.width <= room and fitted.text.isprintable()
    assert read_coverage(FONT_FOLDER / fitted.file).issuperset(map(ord, fitted.text))


def test_arabic_is_transliterated_if_letters_cannot_be_joined() -> None:
    words, file = find_font("محمد", BOLD, joined=False)

    assert words.isascii() and file == BOLD


def test_the_fonts_ship_with_their_licences_and_stay_small() -> None:
    files = {path.name: path.stat().st_size for path in FONT_FOLDER.iterdir()}

    assert {"LICENSE-SourceSansPro.txt", "LICENSE-DejaVu.txt"} <= set(files)
    assert sum(files.values()) < 2_000_000
