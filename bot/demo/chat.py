"""`touchline chat`: simulator, fake Telegram and the whole application in one process, and a chat typed in the terminal."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import math
import os
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from pydantic import SecretStr

from bot.app.application import StopSignal, run_until_stopped
from bot.config.load import Config, load_config
from bot.config.models import HttpSettings
from bot.demo.chat_view import ChatView, NumberedButton
from bot.demo.play import pace_script
from bot.errors import UserMistake, explain_file_error
from bot.fake_telegram import FakeBotApi
from bot.feed.match_source import open_matches
from bot.feed.simulator.script import Script, script_from_match
from bot.feed.simulator.server import Simulator, SimulatorUrls
from rules.football.names import normalise

FEED_TOKEN = "chat"  # noqa: S105  (of the simulator in this process)
BOT_TOKEN = "1:chat"  # noqa: S105  (of the fake Telegram in this process)

_FIRST_PERSON_ID = 1001
_FIRST_GROUP_ID = -1_002_000_000_001

_KICKOFF_AHEAD = dt.timedelta(minutes=1)
"""From the start to the listed kick-off: near enough that a match is connected as soon as somebody follows it."""

_REFRESH_EVERY = dt.timedelta(seconds=2)

_QUIET_SECONDS = 2.0
"""Seconds without a request after which everything about a match that is over counts as sent."""

_GIVE_UP_SECONDS = 20.0
"""Seconds without a request after which a script waits in vain."""

_ANSWER_TIMEOUT = 10.0
"""Seconds that the next line of a script waits for an answer: some messages of a group get none."""

HELP = """\
Type what you would type in Telegram, for example /start. A number presses the button with that number.
  /as NAME            go on as somebody else; /as NAME in GROUP: in a group
  /press WORDS        press the newest button with these words
  /reply NUMBER TEXT  answer the message with this number, for example /reply 5 /why
  /file PATH          send a file, such as rules for /rules
  @touchline_bot TEXT ask for inline cards
  /wait WORDS         go on once the chat shows these words; for scripts
  /quit               end (also Ctrl-D)"""

ReadLine = Callable[[str], Awaitable[str | None]]
"""Shows a prompt and returns the next line; None at the end of the input."""


class ChatOptions(msgspec.Struct, frozen=True):
    """The options of the command line."""

    matches: tuple[str, ...]
    seconds: float = 60.0
    config_path: Path | None = None
    """The configuration whose rules and chats are tried; None for the shipped rules."""
    language: str = "en"
    serve: bool = False
    """True: no application here, another process is to connect."""
    feed_port: int = 0
    telegram_port: int = 0


class Speaker(msgspec.Struct, frozen=True):
    """The person who types, and the chat."""

    name: str
    user_id: int
    chat_id: int
    group: str = ""

    def __str__(self) -> str:
        return f"{self.name} in {self.group}" if self.group else self.name


async def run_chat(options: ChatOptions, view: ChatView, read_line: ReadLine, *, is_script: bool) -> None:
    """Run until the input ends or somebody types /quit. Raises UserMistake where it cannot start, or a /wait is in vain.

    `is_script`: the lines do not come from a person, so each waits for the answer to the one before, and the match is played
    to its end.
    """
    paced = [pace_script(script_from_match(match), options.seconds) for match in open_matches(options.matches)]
    scripts = [script.move_kickoff(script.play_started_at + _KICKOFF_AHEAD) for script in paced]
    # Playback begins at the first frame, and each match when somebody follows it: nobody misses the first goal while typing.
    lead = max(script.play_started_at - script.begins_at for script in scripts)
    simulator = Simulator(scripts, token=FEED_TOKEN, lead=lead, starts_when_followed=True)
    telegram = FakeBotApi(BOT_TOKEN, port=options.telegram_port)
    async with telegram, simulator.serve(port=options.feed_port) as urls:
        session = ChatSession(telegram, simulator, view, options.language)
        view.show_note(_describe_matches(scripts))
        view.show_note(HELP)
        if options.serve:
            view.show_note(_describe_addresses(telegram, urls))
            await session.run(read_line, is_script=is_script)
            return
        async with _run_application(options, telegram, urls) as running:
            talking = asyncio.ensure_future(session.run(read_line, is_script=is_script))
            try:
                await asyncio.wait({talking, running}, return_when=asyncio.FIRST_COMPLETED)
                # An application that ends by itself was stopped by Ctrl-C, or could not start.
                await (talking if talking.done() else running)
            finally:
                talking.cancel()
                await asyncio.gather(talking, return_exceptions=True)


@asynccontextmanager
async def _run_application(
    options: ChatOptions, telegram: FakeBotApi, urls: SimulatorUrls
) -> AsyncIterator[asyncio.Future[None]]:
    """Run the application of `touchline run` between the two servers, on a database of its own that is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="touchline-chat-") as folder:
        path = options.config_path
        if path is None:
            path = Path(folder, "config.yaml")
            path.write_text("# The shipped rules.\n", encoding="utf-8")

        def load(path: Path, env: Mapping[str, str], sources: set[Path]) -> Config:
            # Also at every change of the file: the rules can be edited while a match is on.
            return _connect_here(load_config(path, env, sources), telegram, urls, Path(folder))

        config, stop = load(path, os.environ, set()), StopSignal()
        running = asyncio.ensure_future(run_until_stopped(config, stop=stop, load=load))
        try:
            yield running
        finally:
            stop.request()
            await asyncio.gather(running, return_exceptions=True)


def _connect_here(config: Config, telegram: FakeBotApi, urls: SimulatorUrls, folder: Path) -> Config:
    """Return the configuration with the addresses of this process: nothing leaves the machine, and no real data is touched."""
    return dataclasses.replace(
        config,
        feed=config.feed.model_copy(
            update={"token": SecretStr(FEED_TOKEN), "stream_url": (urls.stream,), "api_url": (urls.api,)}
        ),
        telegram=config.telegram.model_copy(
            update={
                "token": SecretStr(BOT_TOKEN),
                "api_url": telegram.url,
                # The first person may use /rules and /status.
                "admins": (*config.telegram.admins, _FIRST_PERSON_ID),
                "webhook": None,
            }
        ),
        # The listing of a match of a minute changes within seconds: at the usual interval its changes would be missed.
        schedule=config.schedule.model_copy(update={"refresh_fixtures_every": _REFRESH_EVERY}),
        storage=config.storage.model_copy(
            update={"url": f"sqlite:///{folder / 'chat.db'}", "last_matches_folder": str(folder / "last-matches")}
        ),
        http=HttpSettings(listen=None),
    )


class ChatSession:
    """Several people in their chats, one of whom types at a time."""

    def __init__(self, telegram: FakeBotApi, simulator: Simulator, view: ChatView, language: str) -> None:
        self._telegram, self._simulator, self._view, self._language = telegram, simulator, view, language
        self._people: dict[str, int] = {}
        self._groups: dict[str, int] = {}
        self.speaker = self._find_speaker("you", "")

    async def run(self, read_line: ReadLine, *, is_script: bool) -> None:
        """Handle every line, until the input ends or /quit. Whatever changes in a chat meanwhile is shown."""

        async def watch() -> None:
            async for _ in self._telegram.changes():
                self._view.update(self._telegram, self.name_of)

        watching = asyncio.ensure_future(watch())
        try:
            while (line := await read_line(f"{self.speaker}> ")) is not None:
                if is_script:
                    self._view.show_typed(str(self.speaker), line)
                if line.strip() == "/quit":
                    return
                await self._handle(line.strip(), is_script=is_script)
                self._view.update(self._telegram, self.name_of)
            if is_script:
                # Until all matches that somebody follows are over, and every message about them has arrived.
                await _wait_until(lambda: self._is_quiet(_QUIET_SECONDS) and not self._is_playing())
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            self._view.update(self._telegram, self.name_of)

    def name_of(self, chat_id: int) -> str:
        """Return the name of a person or group, or the id of a chat of the configuration."""
        names = {number: name for name, number in (*self._people.items(), *self._groups.items())}
        return names.get(chat_id, str(chat_id))

    async def _handle(self, line: str, *, is_script: bool) -> None:
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        if not line or line.startswith("#"):
            return
        if line.isdecimal():
            await self._press(lambda: self._view.buttons.get(int(line)), f"there is no button {line}", is_script=is_script)
        elif word == "/press":
            await self._press(
                lambda: self._view.find_button(self.speaker.chat_id, rest), f'there is no button "{rest}"', is_script=is_script
            )
        elif word == "/as":
            name, _, group = rest.partition(" in ")
            if name.strip():
                self.speaker = self._find_speaker(name.strip(), group.strip())
                if is_script and group:
                    # The bot greets a group that it joins.
                    await _wait_until(lambda: self._count_answers() > 0, _ANSWER_TIMEOUT)
            else:
                self._view.show_note("say who: /as NAME, or /as NAME in GROUP")
        elif word == "/file":
            await self._send_file(Path(rest))
        elif word == "/wait":
            await self._wait_for(rest)
        elif line.startswith(f"@{self._telegram.me['username']}"):
            query = self._telegram.inline(self.speaker.user_id, rest)
            await _wait_until(lambda: query in self._telegram.inline_answers, _ANSWER_TIMEOUT)
            self._view.show_inline(self._telegram.inline_answers.get(query, []))
        else:
            await self._say(line, is_script=is_script)

    def _find_speaker(self, name: str, group: str) -> Speaker:
        """Return a person, whom Telegram knows from now on, in a private chat or in a group that the bot is a member of."""
        user_id = self._people.setdefault(name, _FIRST_PERSON_ID + len(self._people))
        self._telegram.names[user_id], self._telegram.languages[user_id] = name.title(), self._language
        if not group:
            self._telegram.chat(user_id, title=name.title())
            return Speaker(name, user_id, user_id)
        is_new = group not in self._groups
        chat_id = self._groups.setdefault(group, _FIRST_GROUP_ID - len(self._groups))
        chat = self._telegram.chat(chat_id, kind="supergroup", title=group)
        if is_new:
            # The person who opens a group is its administrator, and adds the bot.
            chat.admins.add(user_id)
            self._telegram.my_chat_member(chat_id, user_id, "left", "member")
        return Speaker(name, user_id, chat_id, group)

    async def _say(self, line: str, *, is_script: bool) -> None:
        answers, reply_to = self._count_answers(), None
        if found := re.fullmatch(r"/reply #?(\d+) (.+)", line):
            reply_to, line = int(found[1]), found[2]
        self._telegram.say(self.speaker.chat_id, self.speaker.user_id, line, reply_to=reply_to)
        if is_script:
            await _wait_until(lambda: self._count_answers() > answers, _ANSWER_TIMEOUT)

    async def _press(self, find: Callable[[], NumberedButton | None], missing: str, *, is_script: bool) -> None:
        """Press a button, and show what Telegram would show for a moment; a script waits for a button that is still to come."""
        if is_script:
            await _wait_until(lambda: find() is not None, _ANSWER_TIMEOUT)
        # A person reads of the mistake and goes on. A script has nobody to correct it, so it ends here.
        button = find()
        if button is None:
            if is_script:
                raise UserMistake(missing)
            self._view.show_note(missing)
        elif button.url:
            self._view.show_note(f"opens {button.url}")
        else:
            # A private chat has one person only, whoever types now.
            user_id = button.chat_id if button.chat_id > 0 else self.speaker.user_id
            query = self._telegram.press(button.chat_id, user_id, button.message_id, button.data)
            await _wait_until(lambda: self._telegram.answer(query) is not None, _ANSWER_TIMEOUT)
            self._view.update(self._telegram, self.name_of)
            answer = self._telegram.answer(query) or {}
            if text := answer.get("text"):
                self._view.show_popup(str(text), is_alert=bool(answer.get("show_alert")))

    async def _send_file(self, path: Path) -> None:
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            self._view.show_note(f"{path}: it cannot be read: {explain_file_error(error)}")
            return
        answers = self._count_answers()
        self._telegram.send_document(self.speaker.chat_id, self.speaker.user_id, path.name, content)
        await _wait_until(lambda: self._count_answers() > answers, _ANSWER_TIMEOUT)

    async def _wait_for(self, words: str) -> None:
        """Wait until a message of the bot in this chat shows some words; raise UserMistake once that cannot happen any more."""
        wanted, chat = normalise(words), self._telegram.chat(self.speaker.chat_id)

        def is_shown() -> bool:
            return any(wanted in normalise(message.text) for message in chat.messages)

        await _wait_until(lambda: is_shown() or (not self._is_playing() and self._is_quiet(_GIVE_UP_SECONDS)))
        if not is_shown():
            raise UserMistake(f'nothing more comes, and the chat of {self.speaker} never showed "{words}"')
        self._view.update(self._telegram, self.name_of)

    def _is_playing(self) -> bool:
        return self._simulator.has_begun and not self._simulator.has_ended

    def _is_quiet(self, seconds: float) -> bool:
        # Asking for updates goes on all the time, and is nothing that the bot says.
        spoken = [request.at for request in self._telegram.log if request.method.lower() != "getupdates"]
        return bool(spoken) and asyncio.get_running_loop().time() - spoken[-1] > seconds

    def _count_answers(self) -> int:
        """Return how many messages and edits of the bot are in the chat of the speaker."""
        chat = self._telegram.chat(self.speaker.chat_id)
        return sum(len(message.versions) for message in chat.everything if message.by_bot)


async def _wait_until(condition: Callable[[], bool], seconds: float = math.inf) -> None:
    """Wait until a condition holds, for `seconds` at most."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    # Looked at again and again: what it depends on includes the time itself.
    while not condition() and loop.time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


def _describe_matches(scripts: Sequence[Script]) -> str:
    titles = ", ".join(script.fixture.title for script in scripts)
    begins = "It begins" if len(scripts) == 1 else "Each begins"
    return f"A chat with the bot, on this machine alone. On: {titles}. {begins} when somebody follows it."


def _describe_addresses(telegram: FakeBotApi, urls: SimulatorUrls) -> str:
    return f"""\
For `touchline run` in another terminal, write into its configuration:

feed:
  token: {FEED_TOKEN}
  stream_url: {urls.stream}
  api_url: {urls.api}
telegram:
  token: "{BOT_TOKEN}"
  api_url: {telegram.url}
  admins: [{_FIRST_PERSON_ID}]
"""
