"""Every benchmark can be imported, and none that plays recordings needs a traceback to say that there are none."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from benchmarks import first_message, replaying, summary
from benchmarks.connections import live
from benchmarks.latency import Held
from bot.feed.encode import encode_packet
from bot.feed.match_source import open_matches, read_packets_of
from bot.feed.recording import RecordedFrame
from rules.scenarios.parser import SHIPPED_SCENARIOS
from tests import supervisor
from tests.e2e.fork_server import run_touchline
from tests.packets import FIXTURE, KICKOFF, Story

ROOT = Path(__file__).parent.parent
BENCHMARKS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))
NEED_EXTRA = {"rules": "rule_engine", "pictures": "matplotlib", "fanout": "aiolimiter"}
"""Benchmarks that need the extra `bench`, which is not in requirements.lock, each with a module of it."""


def _run(module: str, *arguments: str, recordings: Path, **environment: str) -> tuple[int, str, str]:
    """Run a benchmark to its end; its exit code, and what it wrote to stdout and stderr."""
    environment |= {"PATH": "/usr/bin:/bin", "TOUCHLINE_RECORDINGS": str(recordings)}
    return run_touchline(["-m", module, *arguments], ROOT, environment)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_can_be_imported(name: str) -> None:
    assert importlib.import_module(f"benchmarks.{name}").__doc__


@pytest.mark.whole_process
@pytest.mark.parametrize(("name", "module"), NEED_EXTRA.items())
def test_a_benchmark_without_its_extra_says_so_in_one_sentence(tmp_path: Path, name: str, module: str) -> None:
    if find_spec(module):
        pytest.skip("the extra bench is installed")
    code, output, errors = _run(f"benchmarks.{name}", recordings=tmp_path)

    assert (code, output) == (1, "")
    assert errors.startswith("this benchmark needs ") and module in errors and errors.count("\n") == 1


@pytest.mark.whole_process
def test_a_benchmark_that_has_to_have_recordings_says_so_in_one_sentence(tmp_path: Path) -> None:
    code, output, errors = _run("benchmarks.bad_days", recordings=tmp_path)

    assert (code, output) == (1, "")
    assert errors == f"there are no recordings in {tmp_path}: set TOUCHLINE_RECORDINGS to their folder\n"


@pytest.mark.slow
def test_without_recordings_the_shipped_scenarios_are_played_side_by_side() -> None:
    number = len(SHIPPED_SCENARIOS)
    first, second, *_, again = live(number + 1, [])

    assert [script.fixture.id for script in (first, second, again)] == ["fixture-0", "fixture-1", f"fixture-{number}"]
    assert first.fixture.title == again.fixture.title != second.fixture.title
    assert len(first.frames) == len(again.frames) > 500
    assert {frame.frame["fixtureAction"]["fixtureId"] for frame in again.frames} == {f"fixture-{number}"}
    assert again.frames[-1].at > first.frames[-1].at


@pytest.mark.whole_process
def test_the_feed_of_the_latency_benchmark_starts_without_recordings(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.connections", "--role=matches", "--live=2"]
    environment = {"TOUCHLINE_RECORDINGS": str(tmp_path)}
    with supervisor.start(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline()

    assert address.startswith("ws://")


@pytest.mark.whole_process
def test_an_upgrade_beside_a_version_that_the_clone_does_not_have_ends_with_one_sentence(tmp_path: Path) -> None:
    code, output, errors = _run("benchmarks.upgrade_side_by_side", recordings=tmp_path, GIT_DIR=str(tmp_path))

    assert (code, output) == (1, "")
    assert errors == "commit aabb548, the last one of 0.1, is not in this clone; fetch the whole history: git fetch --unshallow\n"


def test_the_limits_of_the_latency_benchmark_note_whom_they_hold_back() -> None:
    limits = Held()
    for _ in range(3):
        limits.record_send(7, 0.0)

    assert limits.next_chat_send_at(7, 0.0) > 0.0 and limits.next_chat_send_at(8, 0.0) == 0.0
    assert limits.held == {7}


@pytest.mark.whole_process
def test_a_latency_benchmark_in_which_nothing_happens_says_so(tmp_path: Path) -> None:
    code, output, errors = _run("benchmarks.latency", "--live=0", "--settle=0", "--seconds=0", recordings=tmp_path)

    assert (code, output) == (1, "")
    assert errors.splitlines()[-1].startswith("no alert came within 0 s, so nothing was measured")


def test_the_summary_fails_if_a_benchmark_does_and_prints_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    programs = {
        "works": "print('Python alone                    0.03      11')",
        "fails": "raise SystemExit('there is no network')",
        "silent": "print('nothing to count')",
    }
    (tmp_path / "benchmarks").mkdir()
    for name, program in programs.items():
        (tmp_path / "benchmarks" / f"{name}.py").write_text(program)
    benchmarks = {name: summary.Benchmark(name, (), summary.read_starting) for name in programs}
    monkeypatch.setattr(summary, "BENCHMARKS", benchmarks)
    monkeypatch.setattr(summary, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["summary"])

    with pytest.raises(SystemExit, match=r"^failed, with the reasons above: fails, silent$"):
        summary.main()
    output, errors = capsys.readouterr()
    assert "| Python alone: processor s, MB | 0.03, 11 |" in output
    assert "there is no network" in errors and "printed no figures" in errors


def test_the_summary_reads_what_the_benchmarks_print() -> None:
    sending = (
        "\nwithout a limit           a second  of bare  of library  ms of processor\n"
        "bare loop                   12,677     1.00        3.41             0.08\n"
        "\n1,000 a second allowed beside 2 busy loops  a second    share        429s\n"
        "Touchline                                     973.9    0.974           0\n"
    )
    latency = "to the outbox: median 1.35 ms, p99 5.50 ms, of 57\nto the request, held back by Telegram's limits: none\n"
    starting = "                               processor, s      MB\ntouchline check                0.24      45\n"

    assert summary.read_sending(sending) == {
        "bare loop: messages a second, ms each": "12,677, 0.08",
        "Touchline, 1,000 a second allowed, busy cores: share, 429s": "0.974, 0",
    }
    assert summary.read_latency(latency) == {"frame to the outbox: ms, median and p99": "1.35, 5.50"}
    assert summary.read_feed("bare {'µs of CPU a packet': 8.8, 'seconds': 2}\n") == {
        "packets, websockets alone: µs of CPU a packet": "8.8"
    }
    assert summary.read_starting(starting) == {"touchline check: processor s, MB": "0.24, 45"}
    replaying = "200 copies of 14 matches, 134,843 packets, --jobs 1: 60.1 s, processor 60.0 s, 445 µs a packet\n"
    assert summary.read_replaying(replaying) == {"replay of 200 recordings, --jobs 1: s, µs a packet": "60.1, 445"}
    demo = f"on a fresh clone: 18.2 s\nthe second time: {first_message.NO_INDEX}\n"
    assert summary.read_first_message(demo) == {
        "make demo to its first message, on a fresh clone: s": "18.2",
        "make demo to its first message, the second time: s": first_message.NO_INDEX,
    }


def test_copies_of_a_match_have_ids_of_their_own_in_their_packets_and_in_one_list(tmp_path: Path) -> None:
    fixture = msgspec.structs.replace(FIXTURE, id="the-match")
    source = replaying.Source(fixture, (RecordedFrame(KICKOFF, encode_packet(Story(fixture).packet("Goal"))),))
    packets = replaying.write_copies([source], 2, tmp_path)
    first, second = open_matches([tmp_path])

    ids = [{packet.fixture_id for packet in read_packets_of(match)} for match in (first, second)]
    assert packets == 2
    assert len(ids[0] | ids[1]) == 2 and ids[0] | ids[1] == set(first.read_fixtures())
