from collections.abc import Callable
from datetime import timedelta

import click
import pytest

from bot.commands.common import read_duration, read_minute, read_statuses


def test_what_is_written_is_read() -> None:
    assert (read_minute(None), str(read_minute("45+2"))) == (None, "45+2")
    assert read_duration("90s", "--lead") == timedelta(seconds=90)
    assert (read_statuses(""), read_statuses("503, 429")) == ((), (503, 429))


@pytest.mark.parametrize(
    ("read", "option"),
    [
        (lambda: read_minute("soon", "--at"), "--at"),
        (lambda: read_duration("soon", "--lead"), "--lead"),
        (lambda: read_statuses("503,99"), "--refuse"),
        (lambda: read_statuses("soon"), "--refuse"),
    ],
)
def test_what_cannot_be_read_is_wrong_usage_of_its_option(read: Callable[[], object], option: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        read()

    assert refused.value.param_hint == option
