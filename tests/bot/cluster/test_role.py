"""The roles of a process, read from the command line."""

import pytest

from bot.cluster.roles import ALL_ROLES, Role, read_roles


@pytest.mark.parametrize(
    ("words", "roles"),
    [
        ((), ALL_ROLES),
        (("feed",), {Role.FEED}),
        (("feed,send",), {Role.FEED, Role.SEND}),
        (("feed", "chat, send"), ALL_ROLES),
    ],
)
def test_roles_are_a_list_or_repeated_and_none_are_all(words: tuple[str, ...], roles: frozenset[Role]) -> None:
    assert read_roles(words) == roles


def test_a_role_that_does_not_exist_is_named_beside_those_that_do() -> None:
    with pytest.raises(ValueError, match="'fed' is none of feed, chat, send"):
        read_roles(["feed,fed"])
