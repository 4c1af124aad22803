import pytest

from rules.football.names import isolate, normalise


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("H. Çalhanoğlu", "h. calhanoglu"),
        ("Nyköbing  FC", "nykobing fc"),
        ("E. Zukanović", "e. zukanovic"),
        ("Łódź", "lodz"),
        ("Højbjerg", "HOJBJERG"),
        ("Đorđević", "dordevic"),
        ("Guðmundsson", "gudmundsson"),
        ("Þórðarson", "thordarson"),
        ("Æbelø", "aebelo"),
        ("Le Bœuf", "le boeuf"),
        ("Işık", "isik"),
        ("Għarb", "gharb"),
        ("N’Golo", "n'golo"),
    ],
)
def test_names_are_found_as_people_type_them(written: str, typed: str) -> None:
    assert normalise(written) == normalise(typed)


@pytest.mark.parametrize("name", ["Arsenal", "Łódź", "東京", "\u2068מכבי\u2069", ""])
def test_a_name_written_from_the_left_or_isolated_already_stays_as_it_is(name: str) -> None:
    assert isolate(name) is name


@pytest.mark.parametrize("name", ["מכבי", "الأهلي", "FC الأهلي"])
def test_a_name_with_letters_from_the_right_is_isolated(name: str) -> None:
    assert isolate(name) == f"\u2068{name}\u2069"
