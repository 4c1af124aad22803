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


@pytest.mark.parametrize("text", ["action_types: [", "- Goal", "sub_action_types: Goal"])
def test_what_is_no_catalogue_is_refused_with_what_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match=r"^this is not a catalogue of action types: .+"):
        load_catalogue().extend(text)


def test_an_empty_catalogue_adds_nothing() -> None:
    shipped = load_catalogue()
    names = shipped.extend("")

    assert names.action_type_names == shipped.action_type_names
    assert names.sub_action_type_names == shipped.sub_action_type_names


def test_an_added_entry_replaces_the_one_of_its_name_and_has_all_that_it_says() -> None:
    names = load_catalogue().extend(
        "action_types: [{name: Goal, aliases: [Tor], gravity: 9, scores: true, disallows: [Corner], key: true}]\n"
        "sub_action_types: [{name: Header, aliases: [Kopfball]}]"
    )

    goal = names.find_type("tor")
    assert (goal.name, goal.severity, goal.changes_score, goal.disallows, goal.is_remembered) == (
        "Goal", 9, True, ("Corner",), True,
    )  # fmt: skip
    assert names.resolve_names("TOR", " kopfball") == ("Goal", "Header")


def test_the_catalogue_knows_its_names_and_aliases_and_no_others() -> None:
    names = load_catalogue()

    assert names.has_type("goal") and names.has_type("own goal") and not names.has_type("Header")
    assert names.has_sub_type("HEADER") and not names.has_sub_type("Goal")
    assert "Goal" in names.action_type_names and "Own Goal" not in names.action_type_names
    assert "Header" in names.sub_action_type_names
