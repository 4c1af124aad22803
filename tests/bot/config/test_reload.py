"""The configuration changes while matches run: a good one is taken over, a bad one refused."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.config.load import Config, load_config
from bot.config.models import ConfigSections, Section
from bot.config.reload import (
    RESTART_REQUIRED,
    ConfigReloader,
    FileStates,
    find_restart_required,
    format_refusal,
    read_restart_settings,
)
from bot.errors import StorageUnusable
from tests.fakes.metric_changes import MetricChanges
from tests.tasks import cancel_tasks
from tests.waiting import DEADLINE, until

GOALS = "rules: [{name: goals, match: {action_type: Goal}, alert: {kind: goal, text: Goal}}]\n"
CARDS = "rules: [{name: cards, match: {action_type: Red Card}, alert: {kind: red_card, text: Red}}]\n"
MORE = "- {name: corners, match: {action_type: Corner}, alert: {kind: corner, text: Corner}}\n"
MISSPELT = "rules: [{name: goals, match: {action_type: Gaol}, alert: {kind: goal, text: Goal}}]\n"


class World:
    """A configuration on disk, its reloader, and what came of it."""

    def __init__(self, folder: Path, text: str = GOALS) -> None:
        self.path = folder / "config.yaml"
        self.path.write_text(text)
        self.applied: list[Config] = []
        self.refusals: list[str] = []
        self.accepted = 0
        self.failing, self.attempts = False, 0
        self.reloader = ConfigReloader(load_config(self.path, {}), {}, self._apply, self._refused, self._accepted)

    async def _apply(self, config: Config) -> None:
        self.attempts += 1
        if self.failing:
            raise StorageUnusable("the database failed")
        self.applied.append(config)

    def _refused(self, sentence: str) -> None:
        self.refusals.append(sentence)

    def _accepted(self) -> None:
        self.accepted += 1

    def names(self) -> list[str]:
        return [rule.name for rule in self.reloader.config.rules.rules]

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        watching = asyncio.create_task(self.reloader.run())
        try:
            yield
        finally:
            await cancel_tasks(watching)


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_good_file_is_taken_over(world: World) -> None:
    world.path.write_text(CARDS)

    assert await world.reloader.reload()
    assert (world.names(), len(world.applied), world.refusals) == (["cards"], 1, [])


async def test_a_bad_file_is_refused_with_its_sentences_and_the_last_good_one_stays(world: World) -> None:
    world.path.write_text(MISSPELT)

    assert not await world.reloader.reload()
    assert (world.names(), world.applied) == (["goals"], [])
    assert world.refusals[0].startswith("The changed configuration is refused; the last good one stays.\n")
    assert 'config.yaml:1:44: rule "goals": unknown action type "Gaol", did you mean "Goal"?' in world.refusals[0]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a remark\n"])
async def test_a_file_that_was_emptied_is_not_taken_for_the_shipped_rules(world: World, text: str) -> None:
    world.path.write_text(text)
    await world.reloader.reload()

    assert world.names() == ["goals"] and "nothing is written" in world.refusals[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("telegram: {token: '1:x'}\n", "the feed token is missing"),
        ("feed: {token: ''}\ntelegram: {token: '1:x'}\n", "the feed token is missing"),
        ("feed: {token: '${LOST}'}\ntelegram: {token: '1:x'}\n", "the feed token is missing"),
        ("feed: {token_file: emptied}\ntelegram: {token: '1:x'}\n", "the feed token is missing"),
        ("feed: {token: abc}\n", "the telegram token is missing"),
    ],
)
async def test_a_file_that_lost_a_token_is_refused_as_at_the_start(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "emptied").touch()
    world = World(tmp_path, f"feed: {{token: abc}}\ntelegram: {{token: '1:x'}}\n{GOALS}")
    world.path.write_text(text + CARDS)

    assert not await world.reloader.reload()
    assert (world.names(), world.applied, world.accepted) == (["goals"], [], 0)
    assert sentence in world.refusals[0]


async def test_a_token_that_was_always_missing_is_not_asked_for_in_a_reload(world: World) -> None:
    world.path.write_text(f"feed: {{token: abc}}\n{CARDS}")

    assert await world.reloader.reload()


async def test_a_file_that_is_gone_changes_nothing(world: World) -> None:
    world.path.unlink()

    assert not await world.reloader.reload()
    assert world.names() == ["goals"] and "there is no such file" in world.refusals[0]


async def test_what_is_refused_and_what_is_accepted_is_reported_and_counted(world: World) -> None:
    changes = MetricChanges()
    for text in (MISSPELT, MISSPELT, GOALS, MISSPELT):
        world.path.write_text(text)
        await world.reloader.reload()

    assert (len(world.refusals), world.accepted) == (3, 1)
    assert changes("touchline_reloads_total", result="refused") == 3
    assert changes("touchline_reloads_total", result="accepted") == 1


async def test_what_the_database_does_not_take_is_no_mistake_and_is_applied_once_it_can_be(world: World) -> None:
    world.failing = True
    world.path.write_text(CARDS)
    with capture_logs() as logs:
        assert not await world.reloader.reload()
        async with world.watching():
            await until(lambda: world.attempts > 1)
            assert (world.names(), world.accepted) == (["goals"], 0)
            world.failing = False
            await until(lambda: world.accepted == 1)

    assert (world.names(), world.refusals) == (["cards"], [])
    assert [line["event"] for line in logs] == ["configuration_waits_for_database", "configuration_reloaded"]


async def test_a_file_that_is_put_back_while_the_database_fails_is_applied_instead(world: World) -> None:
    world.failing = True
    world.path.write_text(CARDS)
    await world.reloader.reload()
    world.path.write_text(GOALS)
    await world.reloader.reload()
    world.failing = False
    async with world.watching():
        await until(lambda: world.applied != [])

    assert [config.rules.rules[0].name for config in world.applied] == ["goals"]


@pytest.mark.parametrize("returns_before_the_mistake", [True, False])
async def test_a_mistake_takes_back_what_may_be_half_stored(world: World, returns_before_the_mistake: bool) -> None:
    world.failing = True
    world.path.write_text(CARDS)
    await world.reloader.reload()
    world.failing = not returns_before_the_mistake
    world.path.write_text(MISSPELT)
    await world.reloader.reload()
    world.failing = False
    async with world.watching():
        await until(lambda: world.applied != [])

    assert [config.rules.rules[0].name for config in world.applied] == ["goals"]
    assert (len(world.refusals), world.accepted) == (1, 0)


async def test_an_untouched_file_is_not_read_again(world: World) -> None:
    await world.reloader.reload_if_changed()

    assert world.applied == [] and world.refusals == []


async def test_a_written_file_is_noticed(world: World) -> None:
    async with world.watching():
        world.path.write_text(CARDS)
        await until(lambda: world.names() == ["cards"])


async def test_a_file_replaced_by_another_of_its_name_is_noticed_as_editors_do_it(world: World) -> None:
    other = world.path.with_name("config.yaml.new")
    other.write_text(CARDS)
    async with world.watching():
        other.replace(world.path)
        await until(lambda: world.names() == ["cards"])


async def test_a_new_included_file_is_noticed_and_a_mistake_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rules.d").mkdir()
    world = World(tmp_path, f"include: rules.d/*.yaml\n{GOALS}")
    async with world.watching():
        (tmp_path / "rules.d" / "more.yaml").write_text(MORE)
        await until(lambda: world.names() == ["goals", "corners"])
        (tmp_path / "rules.d" / "more.yaml").write_text(MORE.replace("Corner}", "Cornr}", 1))
        await until(lambda: [sentence for sentence in world.refusals if "more.yaml:1:" in sentence])

    assert world.names() == ["goals", "corners"]


async def test_a_folder_that_a_change_names_is_watched_from_then_on(tmp_path: Path) -> None:
    (tmp_path / "later").mkdir()
    world = World(tmp_path)
    async with world.watching():
        world.path.write_text(f"include: later/*.yaml\n{GOALS}")
        await until(lambda: len(world.applied) == 1)
        (tmp_path / "later" / "more.yaml").write_text(MORE)
        await until(lambda: world.names() == ["goals", "corners"])


async def test_a_hangup_reloads_though_nothing_changed(world: World) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, world.reloader.request_reload)
    async with world.watching():
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: world.accepted)
    asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)

    assert len(world.applied) == 1


async def test_a_hangup_while_a_file_is_written_waits_until_it_is_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.config.reload._DEBOUNCE_SECONDS", 0.0)
    looks, read_states = 0, world.reloader._read_states

    async def look() -> FileStates:
        nonlocal looks
        looks += 1
        if looks == 2:
            world.path.write_text(f"{GOALS}# whole\n")
        return await read_states()

    monkeypatch.setattr(world.reloader, "_read_states", look)
    world.path.write_text(CARDS)
    world.reloader.request_reload()
    reloading = asyncio.create_task(world.reloader._reload_on_request())
    await until(lambda: world.accepted)
    reloading.cancel()

    assert [[rule.name for rule in config.rules.rules] for config in world.applied] == [["goals"]]


async def test_a_reload_does_not_wait_for_threads_that_look_up_names(world: World) -> None:
    loop, answered = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(1))
    lookup = loop.run_in_executor(None, answered.wait, DEADLINE)
    world.path.write_text(CARDS)
    await world.reloader.reload_if_changed()
    is_still_looked_up = not lookup.done()
    answered.set()
    await lookup

    assert is_still_looked_up and world.names() == ["cards"]


def test_a_long_refusal_is_cut_to_one_message() -> None:
    refusal = format_refusal([f"config.yaml:{line}:1: " + "x" * 100 for line in range(100)])

    assert len(refusal) < 4096 and refusal.endswith("more")


def test_what_waits_for_the_next_start_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("http: {listen: 127.0.0.1:1}\nschedule: {connect_before_kickoff: 5m}\n")
    (tmp_path / "b.yaml").write_text("http: {listen: 127.0.0.1:2}\ntelegram: {token: '1:x'}\nstorage: {keep: 2d}\n")
    before, after = load_config(tmp_path / "a.yaml", {}), load_config(tmp_path / "b.yaml", {})

    assert find_restart_required(read_restart_settings(before), after) == ("telegram.token", "storage.keep", "http.listen")


@pytest.mark.parametrize(
    ("tokens", "waits"),
    [
        (["1:second"], []),
        (["2:first", "2:second"], ["telegram.token", "telegram.token"]),
        (["2:first", "1:first"], ["telegram.token"]),
        (["2:first", "1:second"], ["telegram.token"]),
    ],
)
async def test_what_waits_is_found_by_what_the_process_started_with(tmp_path: Path, tokens: list[str], waits: list[str]) -> None:
    world = World(tmp_path, f"telegram: {{token: '1:first'}}\n{GOALS}")
    with capture_logs() as logs:
        for token in tokens:
            world.path.write_text(f"telegram: {{token: '{token}'}}\n{GOALS}")
            assert await world.reloader.reload()

    assert [line["setting"] for line in logs if line["event"] == "restart_required"] == waits


def test_every_setting_that_waits_exists() -> None:
    for section, keys in RESTART_REQUIRED.items():
        model = ConfigSections.model_fields[section].annotation
        assert model is not None and set(keys) <= set(model.model_fields)


def test_the_documentation_names_everything_that_waits() -> None:
    page = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
    whole = {section for section, keys in RESTART_REQUIRED.items() if f"`{section}`" in page}
    named = [f"{section}.{key}" for section, keys in RESTART_REQUIRED.items() if section not in whole for key in keys]

    assert [setting for setting in named if f"`{setting}`" not in page] == []


def test_the_documentation_names_everything_that_takes_effect_at_once() -> None:
    page = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
    at_once, _, _ = page.partition("**These take effect at once:**")[2].partition("**These take effect at the next start:**")
    sections = {name: field.annotation for name, field in ConfigSections.model_fields.items()}
    settings = {
        f"{section}.{key}"
        for section, model in sections.items()
        if isinstance(model, type) and issubclass(model, Section) and f"all of `{section}`" not in at_once
        for key in model.model_fields.keys() - set(RESTART_REQUIRED.get(section, ()))
        if key != "token_file"  # read as the token
    }

    assert {setting for setting in settings if f"`{setting}`" not in at_once} == set()


def test_a_mistake_as_long_as_the_file_is_shown_cut() -> None:
    text = format_refusal(["config.yaml:1:1: " + "9" * 6000, "second"])

    assert "config.yaml:1:1: 999" in text and "second" in text and len(text) < 4096


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to itself"])
async def test_what_is_no_file_is_refused_at_once_and_holds_up_no_later_reload(world: World, kind: str) -> None:
    world.path.unlink()
    if kind == "pipe":
        os.mkfifo(world.path)
    elif kind == "folder":
        world.path.mkdir()
    else:
        world.path.symlink_to("/dev/zero" if kind == "device" else world.path)

    async with asyncio.timeout(DEADLINE):
        assert not await world.reloader.reload()
    assert world.names() == ["goals"] and "it cannot be read" in world.refusals[0]


@pytest.mark.parametrize(
    "named",
    ["telegram: {token_file: pipe}", "feed: {token_file: pipe}", "catalogue: pipe", "include: [pipe]", "tls: {ca_file: pipe}"],
)
async def test_a_file_that_the_configuration_names_is_no_pipe_either(world: World, named: str) -> None:
    os.mkfifo(world.path.parent / "pipe")
    world.path.write_text(f"{named}\n")

    async with asyncio.timeout(DEADLINE):
        assert not await world.reloader.reload()
    assert "it is a pipe or a device" in world.refusals[0]


@pytest.mark.parametrize(
    "named",
    [
        "include: ['rules/**.yaml']",
        'include: "rules/\\0*.yaml"',
        'include: "rules/\\0.yaml"',
        'catalogue: "a\\0b"',
        'telegram: {token_file: "a\\0b"}',
    ],
)
async def test_a_name_that_the_system_does_not_take_ends_no_watch(world: World, named: str) -> None:
    world.path.write_text(f"{named}\n{GOALS}")
    is_accepted = await world.reloader.reload()
    await world.reloader.reload_if_changed()
    world.path.write_text(CARDS)
    await world.reloader.reload_if_changed()

    # A later Python takes some of them, and a pattern may match nothing.
    assert is_accepted is not bool(world.refusals)
    assert world.names() == ["cards"]


@pytest.mark.parametrize("failure", [PermissionError(13, "Permission denied"), ValueError("a mistake of ours")])
async def test_an_error_while_the_files_are_read_ends_no_watch(
    world: World, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    failures: list[Exception] = []

    def fail(_sources: object) -> object:
        failures.append(failure)
        raise failure

    async with world.watching():
        with monkeypatch.context() as patched:
            patched.setattr("bot.config.reload.read_file_states", fail)
            world.reloader.request_reload()
            # By the request and by the watching.
            await until(lambda: len(failures) > 1)
        world.path.write_text(CARDS)
        world.reloader.request_reload()
        await until(lambda: world.names() == ["cards"])
