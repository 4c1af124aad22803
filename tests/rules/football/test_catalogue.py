import pytest

from rules.football.catalogue import load_catalogue


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        (("Own Goal", ""), ("Goal", "Own Goal")),
        (("second yellow card", ""), ("Red Card", "Second Yellow")),
        (("Video Check Started", "Other"), ("Video Check Underway", "Other")),
        ((" GOAL ", "header"), ("Goal", "Header")),
        (("Beach  Ball", "On The Pitch"), ("Beach Ball", "On The Pitch")),
    ],
)
def test_dialects_become_one_pair(sent: tuple[str, str], canonical: tuple[str, str]) -> None:
    assert load_catalogue().resolve_names(*sent) == canonical


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


DOCUMENTED = {
    1: "Match Conditions",
    2: "Team Colours",
    3: "Lineups",
    4: "Start Match",
    5: "End Match",
    6: "Start Period",
    7: "End Period",
    8: "Start Clock",
    9: "Stop Clock",
    10: "Adjust Clock",
    13: "Substitution In",
    14: "Substitution Out",
    15: "Possession Gained",
    22: "Status Updated",
    51: "Video Check Underway",
    52: "Timeout",
    56: "Match Start Delayed",
    58: "Play Stopped",
    61: "Video Check Over",
    62: "Injury",
    63: "Play Resumed",
    64: "Possible Video Check",
    66: "Closed Market",
    67: "Open Market",
    72: "Data Review Underway",
    73: "Data Review Over",
    106: "Penalty Awarded",
    107: "Yellow Card",
    129: "Corner Retake Awarded",
    130: "Corner Retaken",
    133: "Temporary Dismissal",
    134: "Temporary Dismissal Over",
}


def test_every_documented_id_has_its_name() -> None:
    catalogue = load_catalogue()

    assert {number: catalogue.find_type(name).id for number, name in DOCUMENTED.items()} == {n: n for n in DOCUMENTED}


@pytest.mark.parametrize(
    "name",
    [
        "Pass",
        "Cross",
        "Challenge",
        "Deflection",
        "Kick-off",
        "Penalty Kick",
        "Dropped Ball",
        "Caution",
        "Dismissal",
        "Added Time",
    ],
)
def test_every_type_that_the_documentation_mentions_is_known(name: str) -> None:
    assert load_catalogue().has_type(name)


@pytest.mark.parametrize(
    "name", ["Crowd Trouble", "Pitch Invasion", "Serious Injury", "(Serious) Injury", "Water Break", "Weather"]
)
def test_every_reason_of_a_delay_is_known(name: str) -> None:
    assert load_catalogue().has_sub_type(name)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (("Penalty Saved", ""), ("Penalty Missed", "Saved")),
        (("Penalty Missed", ""), ("Penalty Missed", "")),
        (("Penalty Kick", "saved"), ("Penalty Missed", "Saved")),
        (("Penalty Kick", "Missed"), ("Penalty Missed", "")),
        (("Penalty Kick", ""), ("Penalty Kick", "")),
        (("Penalty Kick", "Scored"), ("Goal", "Penalty")),
        (("Penalty", "Goal"), ("Goal", "Penalty")),
        (("Goal", "Penalty Kick"), ("Goal", "Penalty")),
        (("penalty scored", ""), ("Goal", "Penalty")),
        (("Penalty Awarded", "Scored"), ("Goal", "Penalty")),
        (("Penalty Awarded", "Foul"), ("Penalty Awarded", "Foul")),
        (("Caution", ""), ("Yellow Card", "")),
        (("Card", "Second Yellow Card"), ("Red Card", "Second Yellow")),
    ],
)
def test_a_penalty_and_a_card_may_come_in_many_dialects(sent: tuple[str, str], expected: tuple[str, str]) -> None:
    assert load_catalogue().resolve_names(*sent) == expected
