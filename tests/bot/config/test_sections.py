"""How sections are read: what types mean, what a secret shows, and that every mistake is found."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
import yaml

from bot.config.sections import SecretStr, Section, list_fields, read_section
from bot.config.values import Integer, NameList, Text, between
from rules.loading.document import Report


class Inner(Section, frozen=True):
    """A section inside another one."""

    size: Annotated[Integer, between(1, 9)]
    """Needed."""


class Outer(Section, frozen=True):
    """A section with a value of each shape."""

    word: Text = "none"
    maybe: Inner | None = None
    many: tuple[Inner, ...] = ()
    names: NameList = ()
    by_name: dict[Text, NameList] = msgspec.field(default_factory=dict)

    def check(self) -> None:
        if self.word == "many" and not self.many:
            raise ValueError("the word is many, and there is none")


def read(text: str) -> Outer | tuple[str, ...]:
    """Read a document; return its mistakes if it has any."""
    report = Report()
    node = yaml.compose(text)
    assert node is not None
    value = read_section(Outer, node, report)
    assert (value is None) is bool(report.mistakes)
    return value or tuple(mistake.partition(">:")[2] for mistake in report.mistakes)


def test_each_shape_is_read_as_its_type_says() -> None:
    assert read("{}") == Outer()
    assert read("{maybe: null, names: a}") == Outer(names=("a",))
    assert read("{maybe: {size: 3}, many: [{size: 1}], names: [a, b], by_name: {x: [y, z]}}") == Outer(
        maybe=Inner(3), many=(Inner(1),), names=("a", "b"), by_name={"x": ("y", "z")}
    )


def test_every_mistake_is_found_at_its_place() -> None:
    text = "wrod: a\nmaybe: {size: 10}\nmany: [{}, 7, {size: x}]\nnames: []\nby_name: {x: {y: z}}\n"

    assert read(text) == (
        '1:1: unknown key "wrod", did you mean "word"?',
        "2:15: maybe.size: must be at most 9",
        "3:8: many.size: this is needed and not there",
        "3:12: many: a mapping is expected here (in a list)",
        '3:22: many.size: "x" is not a whole number',
        "4:8: names: the list is empty",
        "5:14: by_name.x: one text is expected here",
    )


def test_values_that_contradict_each_other_are_a_mistake_of_their_section() -> None:
    assert read("word: many") == ("1:1: the word is many, and there is none",)


def test_a_default_that_can_change_is_not_shared() -> None:
    assert list_fields(Outer)["by_name"].default == {}
    assert Outer().by_name is not Outer().by_name


@pytest.mark.parametrize("shown", [str, repr, "{}".format, "{!r}".format])
def test_a_secret_is_never_shown(shown: type[str]) -> None:
    secret = SecretStr("hunter2")

    assert "hunter2" not in shown(secret)
    assert secret.get_secret_value() == "hunter2"
    assert secret == SecretStr("hunter2") and secret != SecretStr("hunter3") and len({secret, SecretStr("hunter2")}) == 1
