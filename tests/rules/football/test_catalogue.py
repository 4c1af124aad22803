import pytest

from rules.football.catalogue import load_catalogue


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (("Own Goal", ""), ("Goal", "Own Goal")),
        (("second yellow card", ""), ("Red Card", "Second Yellow")),
        (("Video Check Started", "Other"), ("Video Check Underway", "Other")),
        ((" GOAL ", "header"), ("Goal", "Header")),
        (("Beach  Ball", "On The Pitch"), ("Beach Ball", "On The Pitch")),
    ],
)
def test_dialects_become_one_pair(told: tuple[str, str], seen: tuple[str, str]) -> None:
    assert load_catalogue().resolve_names(*told) == seen


def test_an_unknown_type_means_nothing_in_particular() -> None:
    meaning = load_catalogue().find_type("Beach Ball")

    assert (meaning.changes_score, meaning.disallows, meaning.severity, meaning.is_remembered) == (False, (), 0, False)


def test_an_operator_extends_the_catalogue() -> None:
    names = load_catalogue().extend("action_types: [{name: Goal Annulled, is: [Goal Disallowed, '']}]")

    assert names.resolve_names("goal annulled") == ("Goal Disallowed", "")
    assert names.resolve_names("Own Goal") == ("Goal", "Own Goal")


def test_a_file_of_another_shape_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="not a catalogue of action types"):
        load_catalogue().extend("action_types: [{nam: Goal}]")
