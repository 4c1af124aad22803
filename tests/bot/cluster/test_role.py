"""The roles of a process, read from the command line."""

import pytest

from bot.cluster.roles import ALL_ROLES, Role, are_enough_alone, read_roles


@pytest.mark.parametrize(
    ("words", "roles"),
    [
        ((), ALL_ROLES),
        (("feed",), {Role.FEED}),
        (("feed,send",), {Role.FEED, Role.SEND}),
        (("feed", "chat, send", "console"), ALL_ROLES),
    ],
)
def test_roles_are_a_list_or_repeated_and_none_are_all(words: tuple[str, ...], roles: frozenset[Role]) -> None:
    assert read_roles(words) == roles


def test_a_role_that_does_not_exist_is_named_beside_those_that_do() -> None:
    with pytest.raises(ValueError, match="'fed' is none of feed, chat, send, console"):
        read_roles(["feed,fed"])


def test_a_process_can_be_alone_without_the_console_and_without_nothing_else() -> None:
    assert are_enough_alone(read_roles(["feed,chat,send"]))
    assert not are_enough_alone(read_roles(["feed,chat,console"]))
