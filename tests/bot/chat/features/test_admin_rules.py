"""Admins change the rules from a private chat; nobody else can."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bot.chat import handlers
from bot.chat.application import ROUTER, build_handlers, on_error
from bot.chat.features.admin_rules import build_admin_rules_handlers
from bot.chat.features.rules_proposal import MAX_FILE_SIZE
from bot.chat.replies import ReplySender
from bot.chat.services import ChatServices
from bot.chat.update_order import UpdateOrder, UpdateRepository
from bot.clock import ManualClock
from bot.config.load import load_config
from bot.config.rule_versions import RuleVersionRepository, RuleVersions
from bot.config.sent_rules import parse_sent_rules
from bot.fake_telegram import Message, RefusedError
from bot.replay.comparison import AlertMessages, Comparison, Difference, DifferenceKind
from bot.replay.dry_run import DryRunRequest, DryRunResult, RulesCheck
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from rules.engine.alert import SHIPPED_KINDS
from rules.engine.rule import RuleSet
from rules.football.catalogue import Catalogue, load_catalogue
from rules.loading.loader import RulesInvalid
from tests.bot.chat.conftest import ADMIN, World, answering, application
from tests.bot.chat.fixtures import NOW
from tests.fakes.bot_api import FakeBotApi
from tests.sqlite import new_sqlite

OTHER_ADMIN, STRANGER, GROUP = 8, 42, -100
GOALS = "rules: [{name: goals, match: {action_type: Goal}, alert: {kind: goal, text: Goal}}]\n"
CORNERS = b"[{name: corners, match: {action_type: Corner}, alert: {kind: corner, text: Corner}}]\n"
BOTH = GOALS.encode() + b"texts: {unused: x}\n"
MISSPELT = b"[{name: goals, match: {action_type: Gaol}, alert: {kind: goal, text: Goal}}]\n"
OUTDATED = "This button is outdated. Send /rules or the file again."
ADDED = Difference(
    DifferenceKind.ADDED,
    "2026-11-22T14:00:00Z",
    "f1",
    "a1",
    "11",
    None,
    AlertMessages("corners", "corner", ("send: <b>Corner</b> & co",)),
)

MANY = b"".join(
    b"- {name: r%d, match: {action_type: Corner, minute: %d}, alert: {kind: c, text: x}}\n" % (number, number + 1)
    for number in range(60)
)


class RulesWorld(World):
    """A world with versions of the rules; a dry run answers what the test says."""

    def set_up(self, folder: Path, db: Database) -> None:
        self.path, self.db = folder / "config.yaml", db
        self.path.write_text(GOALS)
        self.dry_run_requests: list[DryRunRequest] = []
        self.comparison: Comparison | None = Comparison((ADDED,), 3)
        self.admins: set[int | None] = {ADMIN, OTHER_ADMIN}
        self.used: list[RuleSet] = []
        self.unknown_names: list[str] = []
        self.rule_versions = RuleVersions(RuleVersionRepository(db), ManualClock(NOW), load_config(self.path, {}), self._use)

    async def list_unknown_names(self) -> list[str]:
        return list(self.unknown_names)

    def is_admin(self, user_id: int | None) -> bool:
        return user_id in self.admins

    def _use(self, rules: RuleSet, _: Catalogue) -> None:
        self.used.append(rules)

    async def run_dry_run(self, request: DryRunRequest) -> DryRunResult:
        self.dry_run_requests.append(request)
        try:
            parse_sent_rules(request.text, request.name, load_catalogue()) if request.text else None
        except RulesInvalid as error:
            return DryRunResult(RulesCheck(error.mistakes))
        return DryRunResult(RulesCheck(), self.comparison, 2)

    async def send_file(self, user_id: int, content: bytes, name: str = "sent.yaml", size: int | None = None) -> Message:
        before = len(self.api.chat(user_id).messages)
        self.api.send_document(user_id, user_id, name, content, size=size)
        await self.api.until(lambda: len(self.api.chat(user_id).messages) > before)
        return self.api.chat(user_id).last

    def list_active_rules(self) -> list[str]:
        return [rule.name for rule in self.rule_versions.active.rules.rules]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[RulesWorld]:
    db = await Database.open(new_sqlite(tmp_path))
    async with FakeBotApi() as api:
        app = application(api)
        made = RulesWorld(api, app, ChatRepository(db), SubscriptionRepository(db))
        made.set_up(tmp_path, db)
        await made.rule_versions.load(made.rule_versions.config)
        replies = ReplySender(app.bot)
        app.add_handlers(
            build_admin_rules_handlers(
                made.rule_versions,
                made.is_admin,
                made.run_dry_run,
                lambda: [tmp_path / "one.jsonl.gz"],
                replies,
                made.list_unknown_names,
            )
        )
        services = ChatServices(
            chats=made.chats,
            subscriptions=made.chats,
            directory=made.directory,
            list_kinds=lambda: SHIPPED_KINDS,
            clock=made.clock,
            replies=replies,
            commands=ROUTER.menu,
            is_admin=made.is_admin,
        )
        app.add_handlers(build_handlers(services, UpdateOrder(UpdateRepository(db, "here"))))
        app.add_error_handler(partial(on_error, replies))
        async with answering(app):
            yield made
    await db.close()


async def test_the_rules_in_effect_are_shown(world: RulesWorld) -> None:
    shown = await world.ask(ADMIN, ADMIN, "/rules")

    assert shown.text.splitlines()[:2] == [
        "1 rule from config.yaml, since 22 Nov 2026 14:00 UTC",
        "• goals – goal · config.yaml:1",
    ]
    assert shown.labels == ["🕘 History"]


async def test_names_that_no_fixture_has_stand_above_the_rules(world: RulesWorld) -> None:
    world.unknown_names = ["⚠️ config.yaml:1: rule goals: no fixture of the next 14 days has a team A & B"]
    shown = await world.ask(ADMIN, ADMIN, "/rules")

    assert shown.text.splitlines()[1:3] == [world.unknown_names[0], "• goals – goal · config.yaml:1"]


async def test_a_sent_file_is_shown_as_a_difference_and_changes_nothing_yet(world: RulesWorld) -> None:
    shown = await world.send_file(ADMIN, CORNERS)

    assert "➕ corners\n➖ goals" in shown.text and world.list_active_rules() == ["goals"]
    assert "1 added, 0 dropped, 0 reworded, 3 unchanged over 2 matches.\n➕ 11' Corner & co" in shown.text
    assert shown.labels == ["✔ Apply", "✖ Discard"]


async def test_the_file_is_tried_against_the_rules_in_effect(world: RulesWorld) -> None:
    await world.send_file(ADMIN, CORNERS)
    await world.tap(ADMIN, ADMIN, "✔ Apply")
    await world.send_file(ADMIN, BOTH)

    assert [request.active_text for request in world.dry_run_requests] == ["", CORNERS.decode()]
    assert world.dry_run_requests[0].recordings[0].endswith("one.jsonl.gz")


async def test_a_button_applies_it_and_the_overview_says_who_did(world: RulesWorld) -> None:
    await world.send_file(ADMIN, CORNERS)
    await world.tap(ADMIN, ADMIN, "✔ Apply")
    done = world.api.chat(ADMIN).last.text
    shown = await world.ask(OTHER_ADMIN, OTHER_ADMIN, "/rules")

    assert (
        done == "✅ sent.yaml is in effect, 1 rule. Nothing is sent again." and world.used[-1] is world.rule_versions.active.rules
    )
    assert shown.text.startswith("1 rule from sent.yaml, sent in Telegram, applied by User 7 (7), since 22 Nov 2026")
    assert shown.labels == ["↩ Roll back", "🕘 History"]


async def test_another_button_discards_it(world: RulesWorld) -> None:
    message = await world.send_file(ADMIN, CORNERS)
    token = message.button("✔ Apply").data
    await world.tap(ADMIN, ADMIN, "✖ Discard")

    assert message.text == "Nothing was changed." and world.list_active_rules() == ["goals"]
    assert await world.press(ADMIN, ADMIN, message, token) == OUTDATED


async def test_a_button_rolls_it_back(world: RulesWorld) -> None:
    await world.send_file(ADMIN, CORNERS)
    await world.tap(ADMIN, ADMIN, "✔ Apply")
    undo = world.api.chat(ADMIN).last.button("↩ Roll back").data
    message = world.api.chat(ADMIN).last
    await world.press(ADMIN, ADMIN, message, undo)

    assert world.list_active_rules() == ["goals"] and world.rule_versions.active.from_files
    assert await world.press(ADMIN, ADMIN, message, undo) == OUTDATED and world.list_active_rules() == ["goals"]


async def test_the_history_says_who_and_when_and_leads_back(world: RulesWorld) -> None:
    for content, name in ((CORNERS, "corners.yaml"), (BOTH, "both.yaml")):
        await world.send_file(ADMIN, content, name)
        await world.tap(ADMIN, ADMIN, "✔ Apply")
    await world.ask(OTHER_ADMIN, OTHER_ADMIN, "/rules")
    await world.tap(OTHER_ADMIN, OTHER_ADMIN, "🕘 History")
    history = world.api.chat(OTHER_ADMIN).last.text
    await world.tap(OTHER_ADMIN, OTHER_ADMIN, "corners.yaml")
    await world.api.until(lambda: "✔ Apply" in world.api.chat(OTHER_ADMIN).last.labels)
    await world.tap(OTHER_ADMIN, OTHER_ADMIN, "✔ Apply")

    assert history.splitlines()[0] == "✅ 22 Nov 2026 14:00 UTC – both.yaml, applied by User 7 (7)"
    assert world.list_active_rules() == ["corners"] and (await world.rule_versions.repository.recent(1))[0].user_id == OTHER_ADMIN


async def test_every_mistake_is_shown_and_nothing_can_be_applied(world: RulesWorld) -> None:
    shown = await world.send_file(ADMIN, MISSPELT, "bad <b>.yaml")

    assert shown.text.splitlines() == [
        "❌ bad <b>.yaml is refused, nothing was changed: 1 mistake.",
        'bad <b>.yaml:1:37: rule "goals": unknown action type "Gaol", did you mean "Goal"?',
    ]
    assert shown.labels == []


async def test_a_thousand_mistakes_fit_into_one_message(world: RulesWorld) -> None:
    shown = await world.send_file(ADMIN, b"\n".join(b"- {name: r%d, match: {}}" % number for number in range(1000)))

    assert shown.text.endswith("more lines") and len(shown.text) < 4096


@pytest.mark.parametrize(
    ("content", "name", "size", "answer"),
    [
        (CORNERS, "sent.txt", None, "Send the rules as a file whose name ends in .yaml or .yml."),
        (b"\xff\xfe", "sent.yaml", None, "This file is not text in UTF-8."),
        (b"x" * (MAX_FILE_SIZE + 1), "sent.yaml", None, "This file is too big: 256 KiB at most."),
        (b"x" * (MAX_FILE_SIZE + 1), "sent.yaml", 10, "This file is too big: 256 KiB at most."),
        (b"", "sent.yaml", None, "❌ sent.yaml is refused, nothing was changed: 1 mistake."),
    ],
    ids=["not YAML", "not text", "too big", "bigger than said", "empty"],
)
async def test_a_file_that_is_no_rules_file_is_refused_with_a_sentence(
    world: RulesWorld, content: bytes, name: str, size: int | None, answer: str
) -> None:
    assert (await world.send_file(ADMIN, content, name, size)).text.splitlines()[0] == answer


async def test_a_file_that_telegram_does_not_deliver_is_answered_with_a_sentence(world: RulesWorld) -> None:
    world.api.fail("getFile", RefusedError(400, "Bad Request: file is too big"))

    assert (await world.send_file(ADMIN, CORNERS)).text == "Telegram didn't give me the file. Please send it again."


async def test_a_file_that_changes_nothing_offers_no_button(world: RulesWorld) -> None:
    shown = await world.send_file(ADMIN, GOALS.encode())

    assert "It changes no rule." in shown.text and shown.labels == []


async def test_without_matches_the_difference_of_the_rules_is_shown(world: RulesWorld) -> None:
    world.comparison = None

    assert "Not tried on matches: none is stored yet." in (await world.send_file(ADMIN, CORNERS)).text


async def test_a_proposal_that_was_compared_with_other_rules_is_not_applied(world: RulesWorld) -> None:
    mine = await world.send_file(ADMIN, CORNERS)
    await world.send_file(OTHER_ADMIN, GOALS.replace("text: Goal", "text: GOAL").encode())
    await world.tap(OTHER_ADMIN, OTHER_ADMIN, "✔ Apply")

    assert (
        await world.press(ADMIN, ADMIN, mine, mine.button("✔ Apply").data)
        == "The rules have changed since. Check /rules and send the file again."
    )
    assert world.list_active_rules() == ["goals"]


async def test_nobody_but_admins_can_send_rules(world: RulesWorld) -> None:
    refused = await world.ask(STRANGER, STRANGER, "/rules")
    world.api.send_document(STRANGER, STRANGER, "sent.yaml", CORNERS)
    await world.wait_until_idle()

    assert refused.text.startswith(handlers.unknown_command_text("rules")) and world.dry_run_requests == []
    assert not world.api.calls("getFile") and len(world.api.chat(STRANGER).messages) == 1


async def test_an_admins_button_does_nothing_for_anybody_else(world: RulesWorld) -> None:
    message = await world.send_file(ADMIN, CORNERS)
    data = message.button("✔ Apply").data

    assert await world.press(ADMIN, STRANGER, message, data) == "Only the bot's admins can change its rules."
    assert world.list_active_rules() == ["goals"]


async def test_a_former_admin_can_change_nothing(world: RulesWorld) -> None:
    message = await world.send_file(ADMIN, CORNERS)
    world.admins.discard(ADMIN)

    assert (
        await world.press(ADMIN, ADMIN, message, message.button("✔ Apply").data) == "Only the bot's admins can change its rules."
    )
    assert (await world.ask(ADMIN, ADMIN, "/rules")).text.startswith(handlers.unknown_command_text("rules"))


async def test_in_a_group_an_admin_changes_nothing(world: RulesWorld) -> None:
    world.api.send_document(GROUP, ADMIN, "sent.yaml", CORNERS)
    world.api.say(GROUP, ADMIN, "/rules")
    await world.wait_until_idle()

    assert world.dry_run_requests == [] and not world.api.calls("sendMessage")


@pytest.mark.parametrize("data", ["r:", "r:a:", "r:a:0123", "r:u:1", "r:u:x", "r:p:-1", "r:zzz"])
async def test_a_forged_or_old_button_says_that_it_is_out_of_date(world: RulesWorld, data: str) -> None:
    message = await world.ask(ADMIN, ADMIN, "/rules")

    assert await world.press(ADMIN, ADMIN, message, data) == OUTDATED


async def test_many_rules_are_shown_page_by_page(world: RulesWorld) -> None:
    await world.send_file(ADMIN, MANY)
    await world.tap(ADMIN, ADMIN, "✔ Apply")
    await world.ask(ADMIN, ADMIN, "/rules")
    await world.tap(ADMIN, ADMIN, "▶")

    assert "• r25 – c · sent.yaml:26" in world.api.chat(ADMIN).last.text
    assert "2 / 3" in world.api.chat(ADMIN).last.labels
