import pytest

from rules.football.names import normalise


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("H. Çalhanoğlu", "h. calhanoglu"),
        ("Nyköbing  FC", "nykobing fc"),
        ("E. Zukanović", "e. zukanovic"),
        ("Łódź", "lodz"),
        ("Højbjerg", "HOJBJERG"),
    ],
)
def test_names_are_found_as_people_type_them(written: str, typed: str) -> None:
    assert normalise(written) == normalise(typed)
