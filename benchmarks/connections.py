"""A thousand fixtures live in one process, the simulator in another: memory and packets a second beside a bare websockets client.

    python -m benchmarks.connections            # --fixtures 1000 --packets 100 --live 66 --seconds 60

The bare client does nothing but receive, with the same options. Every contestant has a process of its own, and a new simulator.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from websockets.asyncio.client import connect

from bot.clock import SystemClock
from bot.feed.connection import FeedConnection
from bot.feed.request_limit import FeedRequestLimiter
from bot.feed.simulator.script import Script, ScriptFrame, script_from_packets, script_from_recording
from bot.feed.simulator.server import Simulator
from bot.sharing import tune_garbage_collection
from rules.football.action import Fixture, Packet
from rules.loading.loader import load_pack
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import SHIPPED_SCENARIOS, load_scenario
from tests.fakes.feed import feed_settings
from tests.fakes.match_process import MatchProcess
from tests.recordings import MISSING, PATHS

SETTLE = 15.0
"""Seconds from the simulator's start to the first packets: all must be connected by then."""
STEADY, EVERY = 50, 0.4
"""Packets of each fixture at a steady rate, and the seconds between them; then memory is measured."""
REST = 6.0
"""Seconds from the last steady packet to the burst."""

APART = dt.timedelta(seconds=23.7)
"""Between matches that are played from the same recording: they would all score at the same instant."""

QUIET = 8
"""Seconds between the everyday actions of a shipped scenario: a recorded match sends about as many."""


def log_nothing() -> None:
    """What is logged is not what is measured."""
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def burst(fixtures: int, count: int) -> list[Script]:
    """Fixtures that send some packets at a steady rate, then so many at the same instant."""
    match = list(build_packets(load_scenario("final"), quiet_interval=20))[: STEADY + count]
    begin = next(packet.at for packet in match if packet.period_id)
    dues = [EVERY * number for number in range(STEADY)] + [EVERY * STEADY + REST] * count
    instants = [begin + dt.timedelta(seconds=due) for due in dues]
    scripts = []
    for number in range(fixtures):
        fixture = Fixture(f"fixture-{number}", kickoff=begin, status="Live")
        told = [_own(packet, number, at) for packet, at in zip(match, instants, strict=True)]
        scripts.append(script_from_packets(fixture, told))
    return scripts


def _own(packet: Packet, number: int, at: dt.datetime) -> Packet:
    """The packet as another match would have it, with teams and periods of its own."""
    team = replace(packet.team, id=f"{packet.team.id[:-4]}{number:04}") if packet.team else None
    periods = tuple(replace(period, label=f"{period.label} {number}") for period in packet.summary.periods)
    summary = replace(packet.summary, periods=periods)
    return replace(packet, fixture_id=f"fixture-{number}", at=at, team=team, summary=summary)


def live(matches: int, recordings: Sequence[Path] = PATHS) -> list[Script]:
    """Matches side by side, from somewhere in their midst on: recorded ones, or shipped scenarios if there is no recording."""
    played = [script_from_recording(path) for path in recordings[:matches]] or [
        _from_scenario(name) for name in SHIPPED_SCENARIOS
    ]
    scripts = []
    for number in range(matches):
        script = played[number % len(played)]
        fixture = replace(script.fixture, id=f"fixture-{number}")
        late, started = APART * (number // len(played)), script.play_started_at
        frames = tuple(ScriptFrame(told.at + late * (told.at > started), _of(told.frame, fixture.id)) for told in script.frames)
        scripts.append(Script(fixture, frames))
    return scripts


def _from_scenario(name: str) -> Script:
    scenario = load_scenario(name)
    return script_from_packets(scenario.fixture, build_packets(scenario, quiet_interval=QUIET))


def warn_without_recordings() -> None:
    """Say on standard error that the shipped scenarios stand in for the recordings, where these are absent."""
    if not PATHS:
        print(
            f"{MISSING}; the shipped scenarios are played instead, so the figures are not those of docs/benchmarks.md",
            file=sys.stderr,
        )


def _of(frame: dict[str, Any], fixture_id: str) -> dict[str, Any]:
    return frame | {"fixtureAction": frame["fixtureAction"] | {"fixtureId": fixture_id}}


async def serve(scripts: Sequence[Script], lead: float) -> None:
    """The vendor's side; it prints where it listens."""
    async with Simulator(scripts, 1.0, lead=dt.timedelta(seconds=lead)).serve() as urls:
        print(urls.stream, flush=True)
        await asyncio.Event().wait()


def rss() -> int:
    """Bytes of memory in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Meter:
    """Counts packets; memory after the steady ones, time over the burst."""

    def __init__(self, fixtures: int, count: int) -> None:
        self.fixtures, self.steady, self.all = fixtures, fixtures * STEADY, fixtures * (STEADY + count)
        self.count, self.before = 0, rss()
        self.began = self.cpu = self.memory = 0.0
        self.report: dict[str, float] = {}
        self.done = asyncio.Event()

    def tick(self) -> None:
        self.count += 1
        if self.count == self.steady:
            self.memory = (rss() - self.before) / self.fixtures / 1024
        elif self.count == self.steady + 1:
            self.began, self.cpu = time.perf_counter(), time.process_time()
        elif self.count == self.all:
            self._finish(time.perf_counter() - self.began, time.process_time() - self.cpu)

    def _finish(self, spent: float, cpu: float) -> None:
        burst = self.all - self.steady
        self.report = {"KiB a connection": round(self.memory, 1), "packets a second": round(burst / spent)}
        self.report |= {"µs of CPU a packet": round(cpu / burst * 1e6, 1)}
        self.report |= {"KiB after the burst": round((rss() - self.before) / self.fixtures / 1024, 1)}
        self.done.set()


async def bare(url: str, fixtures: int, count: int) -> dict[str, float]:
    """websockets alone."""
    meter = Meter(fixtures, count)

    async def receive(number: int) -> None:
        path = f"{url}/media/soccer/fixtures/fixture-{number}/actions"
        options: dict[str, Any] = {"compression": None, "ping_interval": None, "proxy": None}
        async with connect(path, **options) as socket:
            await socket.send('{"authToken": "t"}')
            await socket.recv()
            async for frame in socket:
                if len(frame) > 200:  # not a heartbeat
                    meter.tick()

    return await _measured([receive(n) for n in range(fixtures)], meter)


async def connections(url: str, fixtures: int, count: int) -> dict[str, float]:
    """Our connections: decoded, in order, watched."""
    meter, clock = Meter(fixtures, count), SystemClock()
    gate = FeedRequestLimiter(clock, 1000)

    async def take(packet: Packet, received: dt.datetime) -> None:
        meter.tick()

    def one(number: int) -> FeedConnection:
        return FeedConnection(f"fixture-{number}", lambda: feed_settings(url), clock, take, limiter=gate)

    return await _measured([one(n).run() for n in range(fixtures)], meter)


async def line(url: str, fixtures: int, count: int) -> dict[str, float]:
    """All the way to the outbox, with the shipped rules and a chat that takes everything."""
    meter = Meter(fixtures, count)
    following = MatchProcess(load_pack(), feed_settings(url), SystemClock())
    async with following.open():
        following.follower._limiter = FeedRequestLimiter(SystemClock(), 1000)
        take = following.pipeline.process

        async def counted(packet: Packet, received: float = 0.0) -> Any:
            moment = await take(packet, received)
            meter.tick()
            return moment

        following.pipeline.process = counted  # type: ignore[method-assign]
        work = [following.follower.follow(Fixture(f"fixture-{n}", status="Live")) for n in range(fixtures)]
        return await _measured(work, meter)


async def _measured(work: Sequence[Any], meter: Meter) -> dict[str, float]:
    tasks = [asyncio.create_task(one) for one in work]
    done = asyncio.create_task(meter.done.wait())
    ended, _ = await asyncio.wait([done, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in ended:
        task.result()  # an error is raised here: without this it would be waited for ever
    await done
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return meter.report


async def busy(url: str, matches: int, seconds: int) -> dict[str, float]:
    """Share of one core that so many matches at real rates take."""
    following = MatchProcess(load_pack(), feed_settings(url), SystemClock())
    async with following.open():
        following.follower._limiter = FeedRequestLimiter(SystemClock(), 1000)
        tasks = [asyncio.create_task(following.follower.follow(Fixture(f"fixture-{n}", status="Live"))) for n in range(matches)]
        await asyncio.sleep(15)
        began, cpu, position = time.perf_counter(), time.process_time(), _packets(following)
        await asyncio.sleep(seconds)
        cpu, spent, position = time.process_time() - cpu, time.perf_counter() - began, _packets(following) - position
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return {"% of a core": round(cpu / spent * 100, 2), "packets a second": round(position / spent, 1)}


def _packets(following: MatchProcess) -> int:
    return sum(status.position for status in following.follower.connection_statuses())


CONTESTANTS = {"bare": bare, "connections": connections, "line": line}


def _run(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.connections", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  (our own program)


def contest(role: str, *words: str, server: str = "burst") -> dict[str, Any]:
    """One contestant against a new simulator."""
    simulator = _run("--role", server, *words)
    assert simulator.stdout  # noqa: S101  (it is a pipe)
    try:
        url = simulator.stdout.readline().strip()
        done = _run("--role", role, "--url", url, *words).communicate(timeout=600)[0]
        found: dict[str, Any] = json.loads(done)
        return found
    finally:
        simulator.kill()
        simulator.wait()


def main() -> None:
    """Run all contestants, or play one part."""
    parser = argparse.ArgumentParser()
    for name, default in (("fixtures", 1000), ("packets", 100), ("live", 66), ("seconds", 60)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--role", default="")
    parser.add_argument("--url", default="")
    given = parser.parse_args()
    if given.role:
        log_nothing()
        tune_garbage_collection()  # as the process does that is run
        play(given)
        return
    warn_without_recordings()
    words = [f"--{name}={getattr(given, name)}" for name in ("fixtures", "packets", "live", "seconds")]
    for role in CONTESTANTS:
        print(role, contest(role, *words), flush=True)
    print(given.live, "live matches", contest("busy", *words, server="matches"), flush=True)


def play(given: argparse.Namespace) -> None:
    """One part, in a process of its own."""
    if given.role == "burst":
        asyncio.run(serve(burst(given.fixtures, given.packets), SETTLE))
    elif given.role == "matches":
        asyncio.run(serve(live(given.live), -1200.0))
    elif given.role == "busy":
        print(json.dumps(asyncio.run(busy(given.url, given.live, given.seconds))))
    else:
        print(json.dumps(asyncio.run(CONTESTANTS[given.role](given.url, given.fixtures, given.packets))))


if __name__ == "__main__":
    main()
