import pytest

from rules.football.minute import Minute, Period, find_minute, parse_period


@pytest.mark.parametrize(
    ("clock", "period", "printed"),
    [
        (0, Period.FIRST_HALF, "1"),
        (38 * 60 + 34, Period.FIRST_HALF, "39"),
        (44 * 60 + 59, Period.FIRST_HALF, "45"),
        (45 * 60 + 10, Period.FIRST_HALF, "45+1"),
        (45 * 60, Period.SECOND_HALF, "46"),
        (91 * 60 + 51, Period.SECOND_HALF, "90+2"),
        (90 * 60 + 49, Period.EXTRA_FIRST, "91"),
        (105 * 60 + 2, Period.EXTRA_FIRST, "105+1"),
        (120 * 60 + 46, Period.EXTRA_SECOND, "120+1"),
    ],
)
def test_elapsed_time_is_printed_as_football_writes_it(clock: int, period: Period, printed: str) -> None:
    assert str(find_minute(clock, period)) == printed


@pytest.mark.parametrize("period", [Period.BEFORE, Period.SHOOTOUT])
def test_a_period_without_a_clock_has_no_minute(period: Period) -> None:
    assert find_minute(0, period) is None


def test_added_time_lies_between_two_minutes() -> None:
    assert Minute(45) < Minute(45, 2) < Minute(46)


@pytest.mark.parametrize("text", ["45+2", "45+2'", " 45+2 "])
def test_a_minute_is_read_as_it_is_printed(text: str) -> None:
    assert Minute.parse(text) == Minute(45, 2)


@pytest.mark.parametrize(("text", "minute"), [("7", Minute(7)), ("120+12", Minute(120, 12)), ("90'", Minute(90))])
def test_a_minute_without_or_with_much_added_time_is_read_too(text: str, minute: Minute) -> None:
    assert Minute.parse(text) == minute


def test_added_time_runs_on_in_the_total() -> None:
    assert (Minute(45, 2).total, Minute(46).total) == (47, 46)


@pytest.mark.parametrize(
    ("kind", "label", "period_id", "period"),
    [
        ("Regular", "1st half", 1, Period.FIRST_HALF),
        ("Regular", "2nd half", 2, Period.SECOND_HALF),
        ("Regular", "", 9, Period.SECOND_HALF),
        ("Shootout", "", 3, Period.SHOOTOUT),
        ("", "Shoot-out", 3, Period.SHOOTOUT),
        ("", "Penalties", 3, Period.SHOOTOUT),
        ("ExtraTime", "1st half extra time", 4, Period.EXTRA_FIRST),
        ("ExtraTime", "First half", 4, Period.EXTRA_FIRST),
        ("ExtraTime", "2nd half extra time", 3, Period.EXTRA_SECOND),
        ("ExtraTime", "Second half", 3, Period.EXTRA_SECOND),
        ("ExtraTime", "", 3, Period.EXTRA_FIRST),
        ("ExtraTime", "", 4, Period.EXTRA_SECOND),
    ],
)
def test_a_period_is_what_its_type_and_label_say_and_its_id_where_they_do_not(
    kind: str, label: str, period_id: int, period: Period
) -> None:
    assert parse_period(kind, label, period_id) is period


@pytest.mark.parametrize("text", ["", "half time", "45+", "-3", "4500"])
def test_what_is_not_a_minute_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a minute such as"):
        Minute.parse(text)
