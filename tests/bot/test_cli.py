"""The command line as somebody new to it would use it: real processes, mistakes included."""

import asyncio
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bot.cli import INTERNAL_ERROR_TEXT, CommandGroup, main
from bot.feed.encode import encode_packet
from bot.feed.recording import RecordingWriter
from bot.feed.simulator.server import Simulator, SimulatorUrls
from bot.logs import configure_logging
from tests.bot.feed.simulator.test_script import script
from tests.e2e.fork_server import run_touchline
from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN, configuration, starting
from tests.fakes.bot_api import FakeBotApi
from tests.packets import FIXTURE, KICKOFF, Story

pytestmark = pytest.mark.whole_process

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(getattr(main, "commands", {}))
NOWHERE = "http://127.0.0.1:9"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.endswith("TOKEN")} | {"PYTHONPATH": str(ROOT)}


class EndedCommand:
    """How a command ended. Whatever it was, it showed neither a traceback nor a secret."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        assert "Traceback" not in out + err, err
        assert not any(secret in out + err for secret in (BOT_TOKEN, FEED_TOKEN)), err

    @property
    def lines(self) -> list[str]:
        return [line for line in self.err.splitlines() if not line.startswith("{")]


def run_command(folder: Path, *words: str | Path, code: int = 1, python: bool = False) -> EndedCommand:
    """Run a command to its end in this folder; with `python`, by a Python that starts for it, which takes longer."""
    command = [*map(str, words)]
    if python:
        finished = subprocess.run(
            [sys.executable, "-m", "bot", *command], capture_output=True, text=True, cwd=folder, env=ENVIRONMENT
        )
        done = EndedCommand(finished.returncode, finished.stdout, finished.stderr)
    else:
        done = EndedCommand(*run_touchline(command, folder, ENVIRONMENT))
    assert done.code == code, done.out + done.err
    return done


async def run_command_beside(folder: Path, *words: str | Path, code: int = 1, python: bool = False) -> EndedCommand:
    """Run a command while this process goes on: the fakes that it talks to run here."""
    return await asyncio.to_thread(run_command, folder, *words, code=code, python=python)


def config(folder: Path, text: str = "", **sections: str) -> Path:
    """A configuration with both tokens written in it and nobody at the other end."""
    path = folder / "config.yaml"
    feed = sections.get("feed", f'{{token: {FEED_TOKEN}, api_url: "{NOWHERE}", stream_url: "ws://127.0.0.1:9"}}')
    telegram = sections.get("telegram", f'{{token: "{BOT_TOKEN}", api_url: "{NOWHERE}"}}')
    storage, http = sections.get("storage", "sqlite:///touchline.db"), sections.get("http", "null")
    path.write_text(f'feed: {feed}\ntelegram: {telegram}\nstorage: {{url: "{storage}"}}\nhttp: {{listen: {http}}}\n{text}')
    return path


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@asynccontextmanager
async def feed(token: str = FEED_TOKEN) -> AsyncIterator[SimulatorUrls]:
    async with Simulator([script()], 0, token).serve() as urls:
        yield urls


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself(tmp_path: Path, command: str) -> None:
    done = run_command(tmp_path, *command.split(), "--help", code=0, python=not command)

    assert done.out.startswith("Usage: ")
    assert done.err == ""
    assert command or all(name in done.out for name in COMMANDS)


@pytest.mark.parametrize(
    "words", ["", "ran", "run --sped 3", "simulate", "replay", "record", "demo --seconds x", "simulate --port 99999 x"]
)
def test_wrong_usage_is_explained_and_ends_with_2(tmp_path: Path, words: str) -> None:
    assert "Usage: " in run_command(tmp_path, *words.split(), code=2).err


def test_five_mistakes_are_five_sentences_each_at_its_place(tmp_path: Path) -> None:
    bad = ROOT / "tests" / "bad"
    (tmp_path / "five-mistakes.yaml").write_bytes((bad / "five-mistakes.yaml").read_bytes())

    done = run_command(tmp_path, "check", "--config", "five-mistakes.yaml", python=True)
    assert done.lines == [*(bad / "five-mistakes.txt").read_text().splitlines(), "five-mistakes.yaml: 5 mistakes"]


def test_the_example_is_without_mistakes(tmp_path: Path) -> None:
    assert "0 mistakes" in run_command(tmp_path, "check", "--config", ROOT / "config.example.yaml", code=0).out


@pytest.mark.parametrize("command", ["run", "check", "fixtures", "record 1"])
def test_a_configuration_that_is_not_there_is_one_sentence(tmp_path: Path, command: str) -> None:
    (line,) = run_command(tmp_path, *command.split()).lines

    assert line.startswith("config.yaml: there is no such file; copy ")
    assert f"{ROOT}/config.example.yaml to this place" in line and "touchline init" in line


@pytest.mark.parametrize(
    ("section", "name", "command"),
    [("telegram", "TELEGRAM_BOT_TOKEN", "run"), ("feed", "FEED_TOKEN", "run"), ("feed", "FEED_TOKEN", "fixtures")],
)
def test_a_missing_token_is_one_sentence_that_says_where_to_put_it(tmp_path: Path, section: str, name: str, command: str) -> None:
    config(tmp_path, **{section: "{}"})

    (line,) = run_command(tmp_path, command).lines
    assert re.match(rf"config.yaml:\d+:\d+: the {section} token is missing: ", line)
    assert f"`token:` under `{section}:`" in line
    assert name in line


def test_the_password_of_a_database_is_not_shown(tmp_path: Path) -> None:
    config(tmp_path, storage="postgresql://anna:hunter2hunter2@[nowhere/touchline")

    done = run_command(tmp_path, "run")
    assert "hunter2" not in done.out + done.err


def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    config(tmp_path, storage="sqlite:////nowhere/at/all.db")

    (line,) = run_command(tmp_path, "run").lines
    assert line.startswith("storage.url: /nowhere/at/all.db cannot be opened")


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "touchline.db")) as made, made as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    config(tmp_path)

    (line,) = run_command(tmp_path, "run").lines
    assert line.startswith("the database was written by a newer Touchline")
    with closing(sqlite3.connect(tmp_path / "touchline.db")) as left:
        assert left.execute("SELECT * FROM alembic_version").fetchall() == [("9999",)]


async def test_a_bot_token_that_telegram_refuses_is_one_sentence(tmp_path: Path) -> None:
    async with FakeBotApi("987654321:another") as telegram, feed() as urls:
        configuration(tmp_path, urls.stream, urls.api, telegram)
        config(tmp_path, telegram=f'{{token: "{BOT_TOKEN}", api_url: "{telegram.url}"}}')
        done = await run_command_beside(tmp_path, "run", python=True)

    assert done.lines == ["Telegram refuses the bot token: put the one that @BotFather gave at telegram.token"]


async def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path, taken_port: int) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram:
        config(tmp_path, telegram=f'{{token: "{BOT_TOKEN}", api_url: "{telegram.url}"}}', http=f"127.0.0.1:{taken_port}")
        done = await run_command_beside(tmp_path, "run")

    (line,) = done.lines
    assert line == f"http.listen: cannot listen on 127.0.0.1:{taken_port}: the port is taken; choose another, or null for none"


async def test_roles_need_a_database_that_several_processes_can_share(tmp_path: Path) -> None:
    config(tmp_path)
    done = await run_command_beside(tmp_path, "run", "--role", "feed,send")

    (line,) = done.lines
    assert line.startswith("several processes need PostgreSQL: put storage.url: postgresql://")


async def test_a_role_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    config(tmp_path)
    done = await run_command_beside(tmp_path, "run", "--role", "fed", code=2)

    assert "'fed' is none of feed, chat, send" in done.lines[-1]


async def test_fixtures_are_listed_and_searched(tmp_path: Path) -> None:
    async with feed() as urls:
        config(tmp_path, feed=f'{{token: {FEED_TOKEN}, api_url: "{urls.api}", stream_url: "{urls.stream}"}}')
        every, found, none = [
            (await run_command_beside(tmp_path, "fixtures", *w, code=0)).out for w in ([], ["ARSÉNAL"], ["Leeds"])
        ]
        misspelt = await run_command_beside(tmp_path, "fixtures", "Chelsae", code=0)

    assert every == found
    assert every.splitlines()[0].split()[0] == "KICK-OFF"
    assert FIXTURE.title in every
    assert FIXTURE.id in every
    assert none == misspelt.out == "no fixtures\n"
    assert misspelt.err == 'the feed has no fixture "Chelsae" within 7 days; did you mean "Chelsea"?\n'


async def test_fixtures_of_a_feed_that_refuses_or_is_away_are_one_sentence(tmp_path: Path) -> None:
    async with feed("another-token") as urls:
        config(tmp_path, feed=f'{{token: {FEED_TOKEN}, api_url: "{urls.api}"}}')
        refused = await run_command_beside(tmp_path, "fixtures")
    away = await run_command_beside(tmp_path, "fixtures")

    assert [len(done.lines) for done in (refused, away)] == [1, 1]
    assert refused.lines[0].startswith("the fixtures cannot be read: HTTP 401")


async def test_a_recorded_match_can_be_replayed(tmp_path: Path) -> None:
    async with feed() as urls:
        config(tmp_path, feed=f'{{token: {FEED_TOKEN}, api_url: "{urls.api}", stream_url: "{urls.stream}"}}')
        recorded = await run_command_beside(tmp_path, "record", "--folder", "kept", FIXTURE.id, code=0)
    replayed = run_command(tmp_path, "replay", "--json", recorded.out.strip(), code=0)

    rows = [json.loads(line) for line in replayed.out.splitlines()]
    assert {row["kind"] for row in rows} >= {"goal", "full_time"}


async def test_a_match_that_is_over_is_replayed_straight_from_the_feed(tmp_path: Path) -> None:
    async with feed() as urls:
        config(tmp_path, feed=f'{{token: {FEED_TOKEN}, api_url: "{urls.api}", stream_url: "{urls.stream}"}}')
        replayed = await run_command_beside(tmp_path, "replay", "--json", "--from-feed", FIXTURE.id, code=0)
        unknown = await run_command_beside(tmp_path, "replay", "--from-feed", "nobody")

    rows = [json.loads(line) for line in replayed.out.splitlines()]
    assert {row["kind"] for row in rows} >= {"goal", "full_time"}
    assert unknown.lines == ["the fixtures cannot be read: HTTP 404: Not found"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notes.jsonl", b"dear diary\n", "notes.jsonl:1: this line is not of a recording"),
        ("empty.jsonl", b"", "empty.jsonl: there is no "),
        ("cut.jsonl.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abc", "cut.jsonl.gz: the recording"),
        ("folder/", None, "folder: there is no recording"),
        ("missing.jsonl", None, 'there is no match "missing.jsonl": name a recording'),
    ],
)
@pytest.mark.parametrize("command", ["replay", "simulate --port 0"])
def test_what_is_no_recording_is_one_sentence(tmp_path: Path, command: str, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    elif name.endswith("/"):
        (tmp_path / name).mkdir()

    (line,) = run_command(tmp_path, *command.split(), name).lines
    assert line.startswith(words)


def test_a_simulator_on_a_taken_port_says_so(tmp_path: Path, taken_port: int) -> None:
    with RecordingWriter(tmp_path / "match.jsonl") as writer:
        writer.write(KICKOFF, encode_packet(Story().packet("Start Match")))

    (line,) = run_command(tmp_path, "simulate", "--port", str(taken_port), "match.jsonl").lines
    assert line == f"127.0.0.1:{taken_port} cannot be listened on: the port is taken"


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("silent", ["", "getMe", "getUpdates", "sendMessage"])
async def test_run_ends_however_it_is_asked_to_and_whoever_does_not_answer(tmp_path: Path, how: str, silent: str) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, silent_feed() as port:
        if silent:
            telegram.hang(silent, times=None)
        url = f"127.0.0.1:{port}"
        async with starting(configuration(tmp_path, f"ws://{url}", f"http://{url}", telegram)) as bot:
            telegram.say(42, 42, "/subscribe all")
            await telegram.until(lambda: telegram.calls(silent or "sendMessage"))
            code = await bot.end(how)

    assert (code, "Traceback" in bot.output) == (0, False), bot.output


@click.group(cls=CommandGroup)
def fragile() -> None:
    """A program with a fault."""
    configure_logging([BOT_TOKEN])


@fragile.command()
def play() -> None:
    """Fail."""
    raise RuntimeError(f"https://api.telegram.org/bot{BOT_TOKEN}/getMe failed")


def test_a_fault_of_our_own_is_logged_without_its_secrets_and_ends_with_70() -> None:
    done = CliRunner().invoke(fragile, ["play"])

    assert done.exit_code == 70
    assert "RuntimeError" in done.stderr
    assert done.stderr.splitlines()[-1] == INTERNAL_ERROR_TEXT
    assert BOT_TOKEN.split(":")[1] not in done.output


@asynccontextmanager
async def silent_feed() -> AsyncIterator[int]:
    """A port that takes connections and says nothing."""
    gone = asyncio.Event()

    async def take(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        gone.set()
        server.close()


def test_an_encoding_that_lacks_letters_ends_no_command() -> None:
    done = CliRunner(charset="latin-1").invoke(main, ["replay", "two-goals"])

    assert done.exit_code == 0, done.output
    assert "1?0" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("word", ["--help", "schema"])
def test_a_full_disk_under_the_output_is_reported_in_a_sentence(word: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bot", word], stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=ENVIRONMENT
        )

    assert (done.returncode, done.stderr) == (1, "the output cannot be written: no space left on device\n")
