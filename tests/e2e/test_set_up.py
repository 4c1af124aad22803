"""The handbook's set-up of several processes on one machine, followed line by line from what ships."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bot.commands.environment_file import find_different_readings, read_environment_file
from tests.e2e.fork_server import fork_touchline, run_touchline
from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN, Process
from tests.e2e.story import ask, stepped
from tests.fakes.bot_api import FakeBotApi
from tests.ports import find_free_ports
from tests.postgres import Server, programs
from tests.waiting import add_witness

ROOT = Path(__file__).parents[2]
UNIT = (ROOT / "deploy" / "systemd" / "touchline@.service").read_text(encoding="utf-8")
ENVIRONMENTS = sorted((ROOT / "deploy" / "environment").iterdir())
PASSWORD = "p@ss/w#rd: $HOME & more"

TOOLS = {
    "sudo": '[ "$1" != -u ] || shift 2\nexec "$@"',
    # The server of the tests belongs to a user of the handbook's name already.
    "createuser": 'read -r word <"$PASSWORDS"; exec "$PROGRAMS/psql" -qc "CREATE ROLE walker LOGIN PASSWORD \'$word\'" postgres',
    "createdb": 'exec "$PROGRAMS/createdb" "$1" --owner=walker "$3"',
    "sudoedit": 'cat "$EDITED" >>"$1"',
}
"""What stands for programs that need another user or a person."""


def _block(page: str, heading: str) -> list[str]:
    """The commands below a heading of the handbook."""
    text = (ROOT / "docs" / "operate" / page).read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(heading)}\n.*?```sh\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert found
    return found[1].splitlines()


class Machine:
    """A folder that stands for /etc/touchline and for the checkout, with ports that are free here."""

    def __init__(self, folder: Path) -> None:
        self.etc, self.checkout, self._tools = folder / "etc", folder / "checkout", folder / "tools"
        self.etc.mkdir()
        self._tools.mkdir()
        for name, script in TOOLS.items():
            (self._tools / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            (self._tools / name).chmod(0o755)
        environments = self.checkout / "deploy" / "environment"
        environments.mkdir(parents=True)
        shipped = [read_environment_file(path)[0].value for path in ENVIRONMENTS]
        self.ports = dict(zip(shipped, map(str, find_free_ports(len(shipped))), strict=True))
        """By the port that ships, one that nobody has here: tests run beside each other."""
        for path in ENVIRONMENTS:
            (environments / path.name).write_text(self.translate(path.read_text(encoding="utf-8")), encoding="utf-8")
        self.units: list[str] = []

    def translate(self, text: str) -> str:
        """Return a text of the handbook, or of a file that ships, for this machine."""
        for port, free in self.ports.items():
            text = re.sub(rf"\b{port}\b", free, text)
        return text.replace("/etc/touchline", str(self.etc))

    def run(self, line: str, environment: dict[str, str]) -> str:
        """Run a line of the handbook as a shell does; return what it printed."""
        env = {**os.environ, **environment, "PATH": f"{self._tools}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-c", self.translate(line)], cwd=self.checkout, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start_unit(self, name: str) -> Process:
        """Start a unit as systemd does: its files of variables, then its command."""
        variables: dict[str, str] = {}
        for written in re.findall(r"^EnvironmentFile=-(.*)$", UNIT, re.MULTILINE):
            path = Path(self.translate(written).replace("%i", name))
            assert path.exists()
            variables |= {one.name: one.value for one in read_environment_file(path)}
        (command,) = re.findall(r"^ExecStart=\S+/touchline (.*)$", UNIT, re.MULTILINE)
        words = self.translate(command).replace("%i", name).split()
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        process = Process(f"touchline@{name}", fork_touchline(words, self.etc.parent, {**clean, **variables}))
        add_witness(process)
        return process


@pytest.mark.skipif(any(shutil.which(tool) is None for tool in ("curl", "install")), reason="no curl or install here")
async def test_the_set_up_with_systemd_is_followed_line_by_line(tmp_path: Path, postgres: Server) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "passwords").write_text(f"{PASSWORD}\n", encoding="utf-8")
    (tmp_path / "edited").write_text(
        # What the person types into the editor: the address of the tests' server has a socket in it.
        f"DATABASE_URL='{postgres.url('touchline').replace('touchline@', 'walker@')}'\nPGPASSWORD='{PASSWORD}'\n"
        f"FEED_TOKEN='{FEED_TOKEN}'\nTELEGRAM_BOT_TOKEN='{BOT_TOKEN}'\n",
        encoding="utf-8",
    )
    environment = {
        "PASSWORDS": str(tmp_path / "passwords"),
        "EDITED": str(tmp_path / "edited"),
        "PROGRAMS": str(programs()),
        "PGHOST": str(postgres.folder),
        "PGUSER": "touchline",
    }
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        example = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
        example = re.sub(r"  stream_url:.*\n(    - .*\n)+", f"  stream_url: {feed.urls.stream}\n", example)
        example = re.sub(r"  api_url: +#?.*\n(    - .*\n)+", f"  api_url: {feed.urls.api}\n", example)
        example = re.sub(r"api_url: https://api.telegram.org.*", f"api_url: {telegram.url}", example)
        (machine.etc / "config.yaml").write_text(example, encoding="utf-8")
        processes: list[Process] = []
        try:
            for line in _block("scaling.md", "Set it up with systemd"):
                if line.startswith("sudo touchline "):
                    words = machine.translate(line.partition("#")[0]).split()[2:]
                    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
                    code, output, errors = await asyncio.to_thread(run_touchline, words, tmp_path, clean)
                    assert (code, f"{machine.etc}/environment: 0 mistakes" in output) == (0, True), output + errors
                elif "systemctl enable" in line:
                    names = re.findall(r"touchline@(\S+)", line)
                    processes = [machine.start_unit(name) for name in names]
                    for process in processes:
                        await process.says('"started"')
                elif "systemctl" not in line:
                    printed = await asyncio.to_thread(machine.run, line, environment)
            answer = await ask(telegram, 77, "/help", 77)
            roles = [re.findall(r'"roles": "(\w+)"', process.output) for process in processes]
        finally:
            for process in processes:
                await process.end()
            postgres.run("dropdb", "--force", "--if-exists", "touchline")
            postgres.run("psql", "-c", "DROP ROLE IF EXISTS walker", "postgres")

    assert printed.split() == ["ready"] * len(ENVIRONMENTS)
    assert roles == [["feed"], ["feed"], ["send"], ["send"], ["chat"]]
    assert "/subscribe" in answer.text
    assert [process.output.count("Traceback") for process in processes] == [0] * len(processes)


def test_every_process_that_ships_has_a_port_of_its_own() -> None:
    ports = {path.name: {one.name: one.value for one in read_environment_file(path)}["HTTP_PORT"] for path in ENVIRONMENTS}
    units = re.findall(
        r"touchline@(\S+)", next(line for line in _block("scaling.md", "Set it up with systemd") if "enable" in line)
    )
    by_hand = re.findall(r"HTTP_PORT=(\d+) touchline run --role (\w+)", (ROOT / "docs/operate/scaling.md").read_text())

    # 8080 is the default, 8081 the console's, 8443 a webhook's.
    assert len(set(ports.values()) | {"8080", "8081", "8443"}) == len(ports) + 3
    assert sorted(ports) == sorted(f"{unit}.environment" for unit in units)
    assert [find_different_readings(path) for path in ENVIRONMENTS] == [[]] * len(ENVIRONMENTS)
    assert len(dict(by_hand)) == 3 == len({role for _, role in by_hand})
