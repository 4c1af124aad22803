"""Alerts as the outbox stores them: JSON whose names two versions share during an upgrade."""

import msgspec
import pytest

from rules.engine.alert import Alert, ConditionResult
from rules.football.action import Fixture
from rules.football.timeline import Event, Kick

STORED_NAMES: list[tuple[type[msgspec.Struct], str]] = [
    (
        Alert,
        "key seq state at fixture facts home away rule kind importance gravity max_age text takes_back follow_up timeline over"
        " fault texts because received",
    ),
    (Fixture, "id home away competition kickoff status collection_status name deleted kickoff_known"),
    (Event, "side kind period minute player off score"),
    (Kick, "side player scored score"),
]


@pytest.mark.parametrize(("struct", "names"), STORED_NAMES)
def test_what_is_stored_keeps_its_names(struct: type[msgspec.Struct], names: str) -> None:
    assert [field.encode_name for field in msgspec.structs.fields(struct)] == names.split()


def test_a_stored_condition_result_without_groups_is_still_read() -> None:
    told = msgspec.json.decode('["minute", "from 80", "88", false]', type=ConditionResult)

    assert told == ConditionResult("minute", "from 80", "88", holds=False)
