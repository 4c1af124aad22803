from collections.abc import Iterator

import pytest

from bot.errors import DeliveryError, TokenRefused
from bot.telegram.responses import RESULT_LABELS, count_response
from tests.fakes.metric_changes import MetricChanges


def kinds(of: type[DeliveryError] = DeliveryError) -> Iterator[type[DeliveryError]]:
    """Every kind of error, the rarer ones too."""
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_answer_has_a_name_of_its_own() -> None:
    assert {kind for kind in kinds() if kind.__module__ == "bot.errors"} == set(RESULT_LABELS) - {None}
    assert len(set(RESULT_LABELS.values())) == len(RESULT_LABELS)


@pytest.mark.parametrize(
    ("op", "error", "answer"),
    [
        ("send", TokenRefused("401"), "token_refused"),
        ("wave", None, "ok"),
        ("wave", TokenRefused("401"), "token_refused"),
    ],
)
def test_an_answer_is_counted_whatever_was_asked(op: str, error: DeliveryError | None, answer: str) -> None:
    changes = MetricChanges()
    count_response(op, error)

    assert changes("touchline_telegram_requests_total", op=op, answer=answer) == 1
