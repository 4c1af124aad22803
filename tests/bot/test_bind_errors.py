import asyncio
import errno
import socket

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.errors import explain_bind_error


async def test_an_address_of_another_machine_is_said_in_plain_words() -> None:
    with pytest.raises(OSError) as refused:
        await asyncio.start_server(lambda *_: None, "192.0.2.1", 0)

    assert explain_bind_error(refused.value) == "this machine has no such address"


def test_the_error_of_python_3_13_without_a_number_is_said_in_the_same_words() -> None:
    error = OSError("could not bind on any address out of [('192.0.2.1', 8080)]")

    assert explain_bind_error(error) == "this machine has no such address"


def test_a_name_that_nobody_knows_is_said_in_plain_words() -> None:
    assert (
        explain_bind_error(socket.gaierror(socket.EAI_NONAME, "Name or service not known")) == "the host's name cannot be found"
    )


@pytest.mark.parametrize("host", ["bot..example.org", "a" * 70])
@pytest.mark.parametrize("command", [["console", "--password", "secret"], ["simulate", "opener"]])
def test_a_name_that_no_host_can_have_is_said_in_plain_words(command: list[str], host: str) -> None:
    done = CliRunner().invoke(main, [*command, "--host", host, "--port", "0"])

    assert (done.exit_code, done.exception.__class__) == (1, SystemExit)
    assert "the host's name cannot be found" in done.output


def test_what_has_no_words_of_ours_is_said_as_the_system_says_it() -> None:
    assert explain_bind_error(OSError(errno.ENOTSUP, "Not supported")) == "Not supported"
    assert explain_bind_error(OSError("something else")) == "something else"
