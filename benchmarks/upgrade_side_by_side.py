"""An upgrade in the middle of matches: processes of 0.1 and of this version share a PostgreSQL database and are killed in turn.

    python -m benchmarks.upgrade_side_by_side

Two feeds, two senders and a chat process work between the stepped feed and the strict Bot API of the tests. All begin as 0.1.
One after the other is killed (SIGKILL) at a chosen point of a goal, and a new one takes its place, in three orders. The first new
process migrates the database under the others. After every kill each chat has to show the truth. In the end no chat has a goal
twice, except where a kill lost Telegram's answer (docs/delivery.md), and a goal that fell stands nowhere.

The old version is read from this repository's git history, so a shallow clone does not suffice. It uses the dependencies that are
installed for the new one.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.code_figures import extract_revision
from bot.fake_telegram import Message
from tests.e2e.crew import CHATS, ROLES, Crew, Point, crew, fixture, reach
from tests.e2e.goals import Match, first_line
from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN, Process
from tests.e2e.story import TAKEN_BACK, ask, tap
from tests.fakes.bot_api import FakeBotApi
from tests.postgres import MISSING, Server, programs
from tests.postgres import running as postgres_running
from tests.waiting import add_witness, report_witnesses, until

OLD_COMMIT = "aabb548"
"""The last commit of 0.1."""

ROOT = Path(__file__).parent.parent
OLD, NEW = "0.1", "new"

PERSON = 401
"""Talks to the chat process of both versions, and alone follows the last match."""
CARD, BURSTS = 301, 302
"""Chats of the configuration: one has a match card, which both versions edit; one gets news of two matches in bursts."""
MORE_CHATS = (
    f'{{chat: {CARD}, subscribe: [{{match: "{fixture(0).name}"}}], kinds: [full_time, card]}}',
    f'{{chat: {BURSTS}, subscribe: [{{match: "{fixture(0).name}"}}, {{match: "{fixture(1).name}"}}], bursts: true}}',
)
GOALS = [8, 8, 8, 8, 8]
"""Of each match; the last one is the person's."""


class Kill(NamedTuple):
    """Where a process is killed, and of which version it is; one of the new version takes its place."""

    point: Point
    version: str


SCENES = {
    "feeds and senders in turn, the chat process last": (
        Kill(Point.ALL_SENT, OLD),
        Kill(Point.LEFT, OLD),
        Kill(Point.UNCOMMITTED, NEW),
        Kill(Point.ARRIVED, NEW),
        Kill(Point.UNCOMMITTED, OLD),
        Kill(Point.ANSWERED, OLD),
        Kill(Point.CHAT, OLD),
    ),
    "senders, feeds, chat process: as the handbook says": (
        Kill(Point.ARRIVED, OLD),
        Kill(Point.REACHING, OLD),
        Kill(Point.EVERYWHERE, NEW),
        Kill(Point.POSITION_NOT_SAVED, OLD),
        Kill(Point.ALL_SENT, OLD),
        Kill(Point.CHAT, OLD),
    ),
    "chat process, feeds, senders": (
        Kill(Point.CHAT, OLD),
        Kill(Point.POSITION_NOT_SAVED, OLD),
        Kill(Point.UNCOMMITTED, OLD),
        Kill(Point.EVERYWHERE, OLD),
        Kill(Point.ANSWERED, OLD),
    ),
}
"""Each begins with 0.1 alone and ends with the new version alone.

The first kill is at a point that locks no table: the new process migrates the database then.
"""

FEED_POINTS = (Point.UNCOMMITTED, Point.POSITION_NOT_SAVED, Point.ALL_SENT)
ANSWER_LOST = (Point.LEFT, Point.ARRIVED, Point.ANSWERED, Point.EVERYWHERE)


class StartedProcess(Process):
    """A `python -m bot` of any checkout, started as a program of its own."""

    def __init__(self, name: str, started: asyncio.subprocess.Process) -> None:
        self._name, self._started, self.pid = name, started, started.pid
        self.code: int | None = None
        self.lines: list[str] = []
        pipes = [pipe for pipe in (started.stdout, started.stderr) if pipe]
        self._tasks = [*(asyncio.create_task(self._read_lines(pipe)) for pipe in pipes), asyncio.create_task(self._wait())]

    async def _read_lines(self, pipe: asyncio.StreamReader) -> None:
        async for line in pipe:
            self.lines.append(line.decode())

    async def _wait(self) -> None:
        self.code = await self._started.wait()

    async def end(self, how: str = "SIGTERM") -> int:
        """Stop it and return its exit code."""
        if self.code is None:
            self._started.send_signal(signal.Signals[how])
        return await self.wait()


class Play:
    """The processes with their versions, and what a person does meanwhile."""

    def __init__(self, sources: dict[str, Path], telegram: FakeBotApi) -> None:
        self.sources, self.telegram = sources, telegram
        self.versions: dict[int, str] = {}
        """By process id."""
        self.made: Crew

    # The processes.

    async def launch(self, role: str, config: Path, replaced: Process | None) -> Process:
        """Start 0.1 at the start and the new version in place of a killed process: 0.1 does not open a migrated database."""
        version = OLD if replaced is None else NEW
        environment = {**os.environ, "FEED_TOKEN": FEED_TOKEN, "TELEGRAM_BOT_TOKEN": BOT_TOKEN}
        environment["PYTHONPATH"] = str(self.sources[version])
        words = ("-m", "bot", "run", "--config", str(config), "--role", role)
        pipe = asyncio.subprocess.PIPE
        started = await asyncio.create_subprocess_exec(
            sys.executable, *words, cwd=config.parent, env=environment, stdout=pipe, stderr=pipe
        )
        process = StartedProcess(f"{version} {role}", started)
        add_witness(process)
        self.versions[process.pid] = version
        await process.says('"started"')
        if replaced is not None:
            # Leases of the killed process are up for grabs from the moment that it is replaced: the new one is there by then,
            # and gets its share.
            registered = "SELECT count(*) FROM leases WHERE name LIKE $1"
            await until(lambda: self.made.ask(registered, f"process:%:{process.pid}:%"))
            if role == "send":
                # 0.1 sends no note about a message that may have come twice: what it left unexplained stays so.
                self.made.explained_since = asyncio.get_running_loop().time()
        return process

    def describe_versions(self) -> str:
        """Return which version works as what now."""
        return ", ".join(f"{role} {self.versions[process.pid]}" for process, role in zip(self.made.processes, ROLES, strict=True))

    async def find_killed(self, kill: Kill, role: str) -> Process:
        """Return a process of the version that is to be killed, of feeds one that follows a match."""
        if role == "feed":
            return (await until(lambda: self._find_feeds(kill.version)))[0]
        return next(process for process in self.made.working_as(role) if self.versions[process.pid] == kill.version)

    async def _find_feeds(self, version: str) -> list[Process]:
        """Return the feeds of this version that follow a match; none while some match is nobody's."""
        # What a killed feed followed is taken over a moment later, and a new feed is handed over its share after that.
        made = self.made
        followed = "SELECT count(*) FROM leases WHERE name LIKE 'fixture:%' AND until > extract(epoch FROM now())"
        if await made.ask(followed) < len(made.matches):
            return []
        return [process for match in made.followed if self.versions[(process := await made.feed_of(match)).pid] == version]

    async def kill_at(self, kill: Kill, rng: random.Random) -> None:
        """Play the next goal, kill at the point, and wait until every chat shows the truth."""
        made = self.made
        if kill.point is Point.CHAT:
            await self.swap_chat_process()
        elif kill.point in FEED_POINTS:
            killed = await self.find_killed(kill, "feed")
            own = [match for match in made.followed if await made.feed_of(match) is killed]
            await reach(made, kill.point, self.choose_match(own), 1, rng)
        else:
            killed, match = await self.find_killed(kill, "send"), self.choose_match(made.followed)
            chats = [chat for chat in CHATS if kill.point is Point.EVERYWHERE or made.match_of(chat) is match]
            # A chat that was sent nothing for half a minute is nobody's. Then the one to be killed gets it, as it works alone.
            others = "SELECT count(*) = 0 FROM claims WHERE chat_id = ANY($1::bigint[]) AND sender NOT LIKE $2"
            await until(lambda: made.ask(others, chats, f"%:{killed.pid}:%"))
            if kill.point is Point.REACHING:
                await reach(made, kill.point, match, 1, rng, killed)
            else:
                async with made.alone(killed):
                    await reach(made, kill.point, match, rng.randint(1, 3), rng)
        await made.until_correct()
        made.killed_at.append(asyncio.get_running_loop().time())
        await made.finish_goals()

    def choose_match(self, matches: list[Match]) -> Match:
        """Return the one with the most packets still to come."""
        return max(matches, key=lambda match: len(self.made.feed.left(match.fixture.id)))

    # A person in a private chat.

    @property
    def match(self) -> Match:
        """The match that only the person follows."""
        return self.made.matches[-1]

    async def play_goal(self) -> Message:
        """Play a goal of the person's match to its end and return its message."""
        feed, fixture_id = self.made.feed, self.match.fixture.id
        line, _ = self.match.steps[feed.sent(fixture_id)]
        while self.match.steps[feed.sent(fixture_id)][0] == line:
            await feed.send_next(fixture=fixture_id)
            await until(lambda: not self.find_untrue())
        return next(message for message in self.alerts() if first_line(message) == line)

    def alerts(self) -> list[Message]:
        """Return what was sent to the person, without what answers commands."""
        begins = ("Goal ", "Full time", TAKEN_BACK)
        return [message for message in self.telegram.chat(PERSON).messages if message.text.startswith(begins)]

    def find_untrue(self) -> list[str]:
        """Return everything that is wrong in the person's chat."""
        return self.match.find_problems(self.alerts(), self.made.feed.sent(self.match.fixture.id), self.made.explained_since)

    async def begin_chat(self) -> None:
        """The person asks for the match: a feed follows it, whichever version heard the request."""
        await ask(self.telegram, PERSON, f"/subscribe {self.match.fixture.name}", PERSON)
        await self.made.feed.until_connected(fixture=self.match.fixture.id)

    async def swap_chat_process(self) -> None:
        """Press buttons, send commands and ask why across the kill of the chat process."""
        telegram, made = self.telegram, self.made
        alert = await self.play_goal()
        screen = await ask(telegram, PERSON, "/alerts", PERSON)
        # The third goal within ten minutes comes with its mute options open.
        if len(alert.labels) == 1:
            await tap(telegram, alert, "🔕", PERSON)
        await until(lambda: len(alert.labels) > 1)
        before = screen.labels
        await made.kill(made.working_as("chat")[0])
        await tap(telegram, alert, "This match", PERSON)
        muted = "SELECT muted_matches FROM chats WHERE chat_id = $1"
        await until(lambda: made.ask(muted, PERSON))
        await until(lambda: len(alert.labels) == 1)
        await ask(telegram, PERSON, "/unmute", PERSON)
        # The new version may draw the screen in another way than 0.1 did, and its first switch may be another one. Pressed four
        # times, the one of 0.1 is as it was.
        drawn, switch = [before], screen.buttons[0][0].data
        for _ in range(4):
            telegram.press(PERSON, PERSON, screen, switch)
            await until(lambda: screen.labels != drawn[-1])
            drawn.append(screen.labels)
        if drawn[1] == drawn[2] or drawn[1:3] != drawn[3:]:
            raise AssertionError(f"a switch of /alerts that was pressed four times shows {drawn[1:]}")
        telegram.say(PERSON, PERSON, "/why", reply_to=alert.id)
        await until(lambda: "action_type" in telegram.chat(PERSON).last.text)
        await self.play_goal()


def find_wrong_elsewhere(play: Play) -> list[str]:
    """Return what is wrong, once everything was sent, in the chat with the match card and in the one that gets bursts."""
    final = play.made.matches[0].steps[-1][0].removeprefix("Full time ")
    cards = [message for message in play.telegram.chat(CARD).messages if message.text.startswith("Home 0")]
    wrong = [] if cards and f" {final} " in cards[-1].text else [f"the card does not show {final}"]
    wrong += ["the card is still pinned"] if any(card.pinned for card in cards) else []
    shown = [line for message in play.telegram.chat(BURSTS).messages for line in message.html.splitlines() if "<s>" not in line]
    for match in play.made.matches[:2]:
        standing = {line.removeprefix("Goal ") for line, _ in match.steps if line.startswith("Goal ")}
        standing -= {line.removeprefix("Goal ") for line, state in match.steps if state == "Deleted"}
        # The two matches have players of the same names, so each has to be there twice.
        wrong += [f"not told in a burst: {player}" for player in standing if sum(player in line for line in shown) < 2]
    return wrong


async def play_scene(kills: Sequence[Kill], sources: dict[str, Path], server: Server, rng: random.Random) -> list[str]:
    """Play one scene, print a row for each kill, and return what was wrong in the end."""
    with tempfile.TemporaryDirectory() as folder:
        async with FakeBotApi(BOT_TOKEN, strict_limits=True) as telegram:
            play = Play(sources, telegram)
            async with crew(Path(folder), server, telegram, GOALS, play.launch, MORE_CHATS) as made:
                play.made = made
                await play.begin_chat()
                for kill in kills:
                    await play.kill_at(kill, rng)
                    print(f"| {kill.version} | {kill.point.value} | {play.describe_versions()} |", flush=True)
                await made.feed.send_rest()
                try:
                    await made.until_correct()
                    await until(lambda: not play.find_untrue())
                    await until(lambda: not find_wrong_elsewhere(play))
                except AssertionError:
                    print(*made.find_problems(), *play.find_untrue(), *find_wrong_elsewhere(play), sep="\n")
                    raise
                return find_unexplained_doubles(kills, made.list_repeated())


def find_unexplained_doubles(kills: Sequence[Kill], doubles: Sequence[tuple[int, int]]) -> list[str]:
    """Print how many messages came twice because their answer was lost; return those that came twice without a reason."""
    by_kill = Counter(number for _, number in doubles)
    for number, count in sorted(by_kill.items()):
        print(f"\nAt kill {number + 1} an answer was lost, and {count} message(s) came twice.")
    wrong = [f"kill {number + 1} lost no answer" for number in by_kill if kills[number].point not in ANSWER_LOST]
    return wrong + [f"kill {one[1] + 1} doubled several messages of a chat" for one, n in Counter(doubles).items() if n > 1]


async def run(sources: dict[str, Path]) -> list[str]:
    """Play all scenes; return what was wrong."""
    wrong, rng = list[str](), random.Random(1)
    with postgres_running() as server:
        for name, kills in SCENES.items():
            print(f"\n{name}:\n\n| killed | at the point | the processes then |\n| --- | --- | --- |")
            wrong += await play_scene(kills, sources, server, rng)
    print(f"\n{sum(map(len, SCENES.values()))} kills; after each of them {len(CHATS)} chats showed the truth.")
    return wrong


def main() -> None:
    """Run it, or say in a sentence what is missing."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            extract_revision(OLD_COMMIT, Path(folder))
        except subprocess.CalledProcessError:
            sys.exit(
                f"commit {OLD_COMMIT}, the last one of 0.1, is not in this clone; fetch the whole history: git fetch --unshallow"
            )
        if programs() is None:
            sys.exit(MISSING)
        try:
            wrong = asyncio.run(run({OLD: Path(folder), NEW: ROOT}))
        except AssertionError:
            print(report_witnesses(), file=sys.stderr)
            raise
    sys.exit("\n".join(wrong) or 0)


if __name__ == "__main__":
    main()
