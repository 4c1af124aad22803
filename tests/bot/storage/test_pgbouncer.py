"""PgBouncer in front of a real server: session pooling works, transaction pooling is refused in a sentence."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.errors import StorageUnavailable, StorageUnusable
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.driver import CHATS_CHANNEL
from bot.subscribers import Chat, ChatRef
from tests import supervisor
from tests.postgres import Server, unprivileged
from tests.waiting import until

PROGRAM = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no PgBouncer here: install the package pgbouncer")


@contextmanager
def pgbouncer(server: Server, pool_mode: str, more: str = "") -> Iterator[int]:
    """PgBouncer in front of a server, and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="bouncer-") as path:
        folder = Path(path)
        folder.chmod(0o755)
        (folder / "users.txt").write_text('"touchline" ""\n')
        (folder / "pgbouncer.ini").write_text(f"""
[databases]
* = host={server.folder}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = {pool_mode}
{more}
""")
        process = supervisor.start([str(PROGRAM), "-q", str(folder / "pgbouncer.ini")], signal.SIGKILL, child=unprivileged())
        try:
            yield port
        finally:
            with process:
                process.send_signal(signal.SIGTERM)


async def opened(url: str) -> Database:
    """Open a database as soon as the pooler in front of it answers."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await Database.open(url)
            except StorageUnavailable as error:
                if "Connect call failed" not in str(error) and "refused" not in str(error):
                    raise
                await asyncio.sleep(0.05)


async def test_session_pooling_works_with_notifications(postgres: Server) -> None:
    notified = asyncio.Event()
    with postgres.database() as url, pgbouncer(postgres, "session") as port:
        name = url.partition("@/")[2].partition("?")[0]
        db = await opened(f"postgresql://touchline@127.0.0.1:{port}/{name}")
        await db.listen(CHATS_CHANNEL, lambda _: notified.set())
        await asyncio.gather(*(ChatRepository(db).save(Chat(ChatRef(number))) for number in range(1, 31)))
        notified.clear()
        async with db.transaction() as tx:
            await tx.notify(CHATS_CHANNEL)
        await until(notified.is_set)
        found = len(await ChatRepository(db).get_all())
        await db.close()

    assert found == 30


@pytest.mark.parametrize("more", ["", "server_round_robin = 1"])
async def test_transaction_pooling_is_refused_in_a_sentence(postgres: Server, more: str) -> None:
    with postgres.database() as url, pgbouncer(postgres, "transaction", more) as port:
        name = url.partition("@/")[2].partition("?")[0]
        with pytest.raises(StorageUnusable, match=rf"127\.0\.0\.1:{port}/{name} is a pooler that gives .* pool_mode = session"):
            await opened(f"postgresql://touchline@127.0.0.1:{port}/{name}")


async def test_the_poolers_own_words_and_its_port_are_in_the_sentence(postgres: Server) -> None:
    sentence = r"127\.0\.0\.1:{port}/nowhere cannot be reached: .*database \"nowhere\" does not exist"
    with (
        pgbouncer(postgres, "session") as port,
        pytest.raises(StorageUnavailable, match=sentence.replace("{port}", str(port))),
    ):
        await opened(f"postgresql://touchline@127.0.0.1:{port}/nowhere")
