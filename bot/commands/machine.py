"""Checks what `touchline run` needs of this machine: installed drivers, free ports, rights to files. Changes nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterator
from pathlib import Path

from bot.cluster.roles import ALL_ROLES, NEEDS_POSTGRES, Role, are_enough_alone
from bot.config.addresses import PLAIN_SQLITE_URL
from bot.config.load import Config
from bot.errors import explain_bind_error
from bot.installation import advise_install, is_installed
from rules.engine.rule import SourceLocation
from rules.loading.document import Finding, Severity

_HEALTH_TIMEOUT = 1.0
"""Seconds to ask what listens on a port that is taken."""


def find_machine_trouble(config: Config, roles: Collection[Role] = ALL_ROLES) -> list[Finding]:
    """Return what would stop a process with these roles on this machine, each at the setting that needs it."""
    found = [*_check_storage(config, roles), *_check_console(config, roles), *_check_ports(config, roles), *_check_rights(config)]
    return sorted(found, key=lambda one: (tuple(Severity).index(one.severity), one.location))


def _check_storage(config: Config, roles: Collection[Role]) -> Iterator[Finding]:
    at = config.locate("storage.url")
    if not config.storage.url.startswith("sqlite"):
        if not is_installed("postgres"):
            advice = advise_install("postgres")
            yield Finding(at, f"storage.url: PostgreSQL needs asyncpg, which is not installed: install it with {advice}")
        # Here for the same reason as in `_read_sqlite_file`.
        from bot.storage.database import list_certificate_files

        for certificate in list_certificate_files(config.storage.url):
            if not (certificate.is_file() and _may(certificate, os.R_OK)):
                yield Finding(at, f"storage.url: there is no file {certificate} that this user may read; correct the address")
        return
    if not are_enough_alone(roles):
        yield Finding(at, NEEDS_POSTGRES)
    if (file := _read_sqlite_file(config.storage.url)) and (trouble := _explain_unwritable(file)):
        yield Finding(at, f"storage.url: {trouble}")


def _read_sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite database; None for one in memory."""
    if plain := PLAIN_SQLITE_URL.fullmatch(url):
        name = plain[1]
    else:
        # It imports SQLAlchemy, which takes longer than all else that `check` does.
        from bot.storage.database import parse_database_url

        name = parse_database_url(url).database or ""
    return Path(name) if name not in ("", ":memory:") else None


def _check_console(config: Config, roles: Collection[Role]) -> Iterator[Finding]:
    if config.http.console and Role.CONSOLE in roles and not is_installed("console"):
        advice = advise_install("console")
        yield Finding(
            config.locate("http.console"), f"the console needs NiceGUI, which is not installed: install it with {advice}"
        )


def _check_ports(config: Config, roles: Collection[Role]) -> Iterator[Finding]:
    for key, address in list_addresses(config, roles).items():
        try:
            try_to_listen(address)
        except (OSError, UnicodeError) as error:
            yield _describe_taken_port(config.locate(key), key, address, error)


def list_addresses(config: Config, roles: Collection[Role] = ALL_ROLES) -> dict[str, str]:
    """Return the addresses, HOST:PORT, that a process with these roles listens on, each by its setting."""
    addresses = {"http.listen": config.http.listen} if config.http.listen else {}
    if config.http.console and Role.CONSOLE in roles:
        addresses["http.console.listen"] = config.http.console.listen
    if config.telegram.webhook and Role.CHAT in roles:
        addresses["telegram.webhook.listen"] = config.telegram.webhook.listen
    return addresses


def try_to_listen(address: str) -> None:
    """Listen on HOST:PORT for a moment. Raises OSError if that is not possible, UnicodeError for what is no host's name."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    socket.create_server((host.strip("[]"), int(port)), family=family).close()


def _describe_taken_port(at: SourceLocation, key: str, address: str, error: OSError | UnicodeError) -> Finding:
    if key == "http.listen" and _is_touchline(address):
        # The usual case of a check before a reload: it shall not look like a mistake, nor fail with --strict.
        return Finding(
            at, f"{key}: a Touchline runs at {address}; a second one on this machine needs a port of its own", "", Severity.NOTE
        )
    sentence = f"{key}: cannot listen on {address}: {explain_bind_error(error)}; stop what listens there, or choose another"
    return Finding(at, sentence, "", Severity.WARNING)


def _is_touchline(address: str) -> bool:
    """Return True if the health page of a Touchline answers at an address of this machine."""
    import http.client  # it reads e-mails, and is needed only where a port is taken

    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=_HEALTH_TIMEOUT)
    try:
        # By what it answers: any program may listen on this port.
        connection.request("GET", "/healthz")
        return connection.getresponse().read(10) == b"alive\n"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _check_rights(config: Config) -> Iterator[Finding]:
    if config.storage.last_matches:
        folder = Path(config.storage.last_matches_folder)
        if trouble := _explain_unwritable(folder, is_folder=True):
            at = config.locate("storage.last_matches_folder")
            yield Finding(at, f"storage.last_matches_folder: {trouble}; without it, no match is kept", "", Severity.WARNING)
    # Root may read everything, so a check by root says nothing about the user that the bot runs as.
    if os.geteuid() == 0:
        for at, file in config.list_files_read():
            mode = file.stat()
            if mode.st_uid == 0 and not mode.st_mode & 0o044:
                sentence = (
                    f"only root may read {file}: if Touchline runs as another user, let that one read it, too (chmod or chown)"
                )
                yield Finding(at, sentence, "", Severity.NOTE)


def _explain_unwritable(path: Path, *, is_folder: bool = False) -> str:
    """Return why a file, or the files of a folder, cannot be written or made by this user; empty if they can."""
    if path.exists():
        if path.is_dir() is not is_folder:
            return f"{path} is {'a file; name a folder' if is_folder else 'a folder; name a file in it'}"
        if not _may(path, os.R_OK | os.W_OK | (os.X_OK if is_folder else 0)):
            return f"this user may not read and write {path}: give them the right to, or name another"
        if is_folder:
            return ""
    # A database has its logs and its lock beside it. A folder is made with those above it.
    folder = path.parent
    while is_folder and not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        return f"there is no folder {folder}: make it, or name another"
    if not _may(folder, os.W_OK | os.X_OK):
        begins = "" if path.is_absolute() else f" ({path} begins in the current folder: check from where Touchline runs)"
        return f"this user may not make files in {folder.resolve()}: give them the right to, or name another folder{begins}"
    return ""


def _may(path: Path, rights: int) -> bool:
    # By the effective user, as the kernel decides when a file is opened.
    return os.access(path, rights, effective_ids=os.access in os.supports_effective_ids)
