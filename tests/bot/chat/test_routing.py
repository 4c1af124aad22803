"""Which feature a command or a button belongs to."""

from __future__ import annotations

import pytest

from bot.chat.dialogue import ChatContext, DialogueResult, Screen
from bot.chat.routing import Command, Feature, Router


def answer(_context: ChatContext, _args: object) -> DialogueResult:
    return DialogueResult(Screen("answer"))


def show(_context: ChatContext, _data: str) -> Screen:
    return Screen("shown")


@pytest.mark.parametrize(
    "twice",
    [
        (Feature(buttons={"k": answer}), Feature(buttons={"k": answer})),
        (Feature(buttons={"k": answer}), Feature(screens={"k": show})),
        (Feature(buttons={"k": answer}), Feature(toggles={"k": lambda *_: DialogueResult(Screen(""))})),
        (Feature(screens={"k": show}), Feature(screens={"k": show})),
        (Feature(commands={"k": Command(answer)}), Feature(commands={"k": Command(answer)})),
    ],
)
def test_two_features_cannot_claim_one_command_or_one_prefix_of_button_data(twice: tuple[Feature, Feature]) -> None:
    with pytest.raises(ValueError, match="k"):
        Router(twice)


def test_the_menu_lists_the_described_commands_in_the_order_of_the_features() -> None:
    router = Router(
        (
            Feature(commands={"b": Command(answer, "B"), "hidden": Command(answer)}),
            Feature(commands={"a": Command(None, "A", is_private_only=True)}),
        )
    )

    assert router.menu == (("b", "B"), ("a", "A"))
    assert router.find_command("a") is None and router.find_command("hidden") is answer
