"""PgBouncer in front of a real server: session pooling works, transaction pooling is refused in a sentence."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.errors import StorageUnavailable, StorageUnusable
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.driver import CHATS_CHANNEL
from bot.subscribers import Chat, ChatRef
from tests import supervisor
from tests.ports import find_free_ports
from tests.postgres import Server, unprivileged
from tests.waiting import until

PROGRAM = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no PgBouncer here: install the package pgbouncer")


def start_pgbouncer(folder: Path, server: Server, port: int, pool_mode: str, more: str) -> subprocess.Popen[bytes]:
    """Start PgBouncer in front of a server, as its user; what it says is in the file `log`."""
    folder.chmod(0o755)
    (folder / "users.txt").write_text('"touchline" ""\n')
    settings = folder / "pgbouncer.ini"
    settings.write_text(f"""
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
    with (folder / "log").open("wb") as log:
        return supervisor.start([str(PROGRAM), str(settings)], signal.SIGKILL, child=unprivileged(), stderr=log)


@asynccontextmanager
async def pgbouncer(server: Server, pool_mode: str, more: str = "") -> AsyncIterator[int]:
    """Run PgBouncer in front of a server, and yield its port once it listens there."""
    (port,) = find_free_ports(1)
    with tempfile.TemporaryDirectory(prefix="bouncer-") as path:
        log, process = Path(path, "log"), start_pgbouncer(Path(path), server, port, pool_mode, more)

        def listens() -> bool:
            assert process.poll() is None, log.read_text()
            return f"listening on 127.0.0.1:{port}" in log.read_text()

        try:
            await until(listens)
            yield port
        finally:
            with process:
                process.send_signal(signal.SIGTERM)


async def test_session_pooling_works_with_notifications(postgres: Server) -> None:
    notified = asyncio.Event()
    with postgres.database() as url:
        async with pgbouncer(postgres, "session") as port:
            name = url.partition("@/")[2].partition("?")[0]
            db = await Database.open(f"postgresql://touchline@127.0.0.1:{port}/{name}")
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
    with postgres.database() as url:
        async with pgbouncer(postgres, "transaction", more) as port:
            name = url.partition("@/")[2].partition("?")[0]
            with pytest.raises(
                StorageUnusable, match=rf"127\.0\.0\.1:{port}/{name} is a pooler that gives .* pool_mode = session"
            ):
                await Database.open(f"postgresql://touchline@127.0.0.1:{port}/{name}")


async def test_the_poolers_own_words_and_its_port_are_in_the_sentence(postgres: Server) -> None:
    sentence = r"127\.0\.0\.1:{port}/nowhere cannot be reached: .*database \"nowhere\" does not exist"
    async with pgbouncer(postgres, "session") as port:
        with pytest.raises(StorageUnavailable, match=sentence.replace("{port}", str(port))):
            await Database.open(f"postgresql://touchline@127.0.0.1:{port}/nowhere")
