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
GAOL = b"[{name: goals, match: {action_type: Gaol}, alert: {kind: goal, text: Goal}}]\n"
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


class Rules(World):
    """A world with versions of the rules; a dry run answers what the test says."""

    def begin(self, folder: Path, db: Database) -> None:
        self.path, self.db = folder / "config.yaml", db
        self.path.write_text(GOALS)
        self.asked: list[DryRunRequest] = []
        self.comparison: Comparison | None = Comparison((ADDED,), 3)
        self.admins: set[int | None] = {ADMIN, OTHER_ADMIN}
        self.used: list[RuleSet] = []
        self.unknown_names: list[str] = []
        self.book = RuleVersions(RuleVersionRepository(db), ManualClock(NOW), load_config(self.path, {}), self._use)

    async def list_unknown_names(self) -> list[str]:
        return list(self.unknown_names)

    def is_admin(self, user_id: int | None) -> bool:
        return user_id in self.admins

    def _use(self, rules: RuleSet, _: Catalogue) -> None:
        self.used.append(rules)

    async def trial(self, request: DryRunRequest) -> DryRunResult:
        self.asked.append(request)
        try:
            parse_sent_rules(request.text, request.name, load_catalogue()) if request.text else None
        except RulesInvalid as error:
            return DryRunResult(RulesCheck(error.mistakes))
        return DryRunResult(RulesCheck(), self.comparison, 2)

    async def send(self, user_id: int, content: bytes, name: str = "sent.yaml", size: int | None = None) -> Message:
        before = len(self.api.chat(user_id).messages)
        self.api.send_document(user_id, user_id, name, content, size=size)
        await self.api.until(lambda: len(self.api.chat(user_id).messages) > before)
        return self.api.chat(user_id).last

    def now(self) -> list[str]:
        return [rule.name for rule in self.book.active.rules.rules]


@pytest.fixture
async def rules(tmp_path: Path) -> AsyncIterator[Rules]:
    db = await Database.open(new_sqlite(tmp_path))
    async with FakeBotApi() as api:
        app = application(api)
        around = Rules(api, app, ChatRepository(db), SubscriptionRepository(db))
        around.begin(tmp_path, db)
        await around.book.load(around.book.config)
        replies = ReplySender(app.bot)
        app.add_handlers(
            build_admin_rules_handlers(
                around.book,
                around.is_admin,
                around.trial,
                lambda: [tmp_path / "one.jsonl.gz"],
                replies,
                around.list_unknown_names,
            )
        )
        services = ChatServices(
            chats=around.chats,
            subscriptions=around.chats,
            directory=around.directory,
            list_kinds=lambda: SHIPPED_KINDS,
            clock=around.clock,
            replies=replies,
            commands=ROUTER.menu,
            is_admin=around.is_admin,
        )
        app.add_handlers(build_handlers(services, UpdateOrder(UpdateRepository(db, "here"))))
        app.add_error_handler(partial(on_error, replies))
        async with answering(app):
            yield around
    await db.close()


async def test_the_rules_in_effect_are_shown(rules: Rules) -> None:
    shown = await rules.ask(ADMIN, ADMIN, "/rules")

    assert shown.text.splitlines()[:2] == [
        "1 rule from config.yaml, since 22 Nov 2026 14:00 UTC",
        "• goals – goal · config.yaml:1",
    ]
    assert shown.labels == ["🕘 History"]


async def test_names_that_no_fixture_has_stand_above_the_rules(rules: Rules) -> None:
    rules.unknown_names = ["⚠️ config.yaml:1: rule goals: no fixture of the next 14 days has a team A & B"]
    shown = await rules.ask(ADMIN, ADMIN, "/rules")

    assert shown.text.splitlines()[1:3] == [rules.unknown_names[0], "• goals – goal · config.yaml:1"]


async def test_a_sent_file_is_shown_as_a_difference_and_changes_nothing_yet(rules: Rules) -> None:
    shown = await rules.send(ADMIN, CORNERS)

    assert "➕ corners\n➖ goals" in shown.text and rules.now() == ["goals"]
    assert "1 added, 0 dropped, 0 reworded, 3 unchanged over 2 matches.\n➕ 11' Corner & co" in shown.text
    assert shown.labels == ["✔ Apply", "✖ Discard"]


async def test_the_file_is_tried_against_the_rules_in_effect(rules: Rules) -> None:
    await rules.send(ADMIN, CORNERS)
    await rules.tap(ADMIN, ADMIN, "✔ Apply")
    await rules.send(ADMIN, BOTH)

    assert [request.active_text for request in rules.asked] == ["", CORNERS.decode()]
    assert rules.asked[0].recordings[0].endswith("one.jsonl.gz")


async def test_a_button_applies_it_and_the_overview_says_who_did(rules: Rules) -> None:
    await rules.send(ADMIN, CORNERS)
    await rules.tap(ADMIN, ADMIN, "✔ Apply")
    done = rules.api.chat(ADMIN).last.text
    shown = await rules.ask(OTHER_ADMIN, OTHER_ADMIN, "/rules")

    assert done == "✅ sent.yaml is in effect, 1 rule. Nothing is sent again." and rules.used[-1] is rules.book.active.rules
    assert shown.text.startswith("1 rule from sent.yaml, sent in Telegram, applied by User 7 (7), since 22 Nov 2026")
    assert shown.labels == ["↩ Roll back", "🕘 History"]


async def test_another_button_discards_it(rules: Rules) -> None:
    message = await rules.send(ADMIN, CORNERS)
    token = message.button("✔ Apply").data
    await rules.tap(ADMIN, ADMIN, "✖ Discard")

    assert message.text == "Nothing was changed." and rules.now() == ["goals"]
    assert await rules.press(ADMIN, ADMIN, message, token) == OUTDATED


async def test_a_button_rolls_it_back(rules: Rules) -> None:
    await rules.send(ADMIN, CORNERS)
    await rules.tap(ADMIN, ADMIN, "✔ Apply")
    undo = rules.api.chat(ADMIN).last.button("↩ Roll back").data
    message = rules.api.chat(ADMIN).last
    await rules.press(ADMIN, ADMIN, message, undo)

    assert rules.now() == ["goals"] and rules.book.active.from_files
    assert await rules.press(ADMIN, ADMIN, message, undo) == OUTDATED and rules.now() == ["goals"]


async def test_the_history_says_who_and_when_and_leads_back(rules: Rules) -> None:
    for content, name in ((CORNERS, "corners.yaml"), (BOTH, "both.yaml")):
        await rules.send(ADMIN, content, name)
        await rules.tap(ADMIN, ADMIN, "✔ Apply")
    await rules.ask(OTHER_ADMIN, OTHER_ADMIN, "/rules")
    await rules.tap(OTHER_ADMIN, OTHER_ADMIN, "🕘 History")
    history = rules.api.chat(OTHER_ADMIN).last.text
    await rules.tap(OTHER_ADMIN, OTHER_ADMIN, "corners.yaml")
    await rules.api.until(lambda: "✔ Apply" in rules.api.chat(OTHER_ADMIN).last.labels)
    await rules.tap(OTHER_ADMIN, OTHER_ADMIN, "✔ Apply")

    assert history.splitlines()[0] == "✅ 22 Nov 2026 14:00 UTC – both.yaml, applied by User 7 (7)"
    assert rules.now() == ["corners"] and (await rules.book.repository.recent(1))[0].user_id == OTHER_ADMIN


async def test_every_mistake_is_shown_and_nothing_can_be_applied(rules: Rules) -> None:
    shown = await rules.send(ADMIN, GAOL, "bad <b>.yaml")

    assert shown.text.splitlines() == [
        "❌ bad <b>.yaml is refused, nothing was changed: 1 mistake.",
        'bad <b>.yaml:1:37: rule "goals": unknown action type "Gaol", did you mean "Goal"?',
    ]
    assert shown.labels == []


async def test_a_thousand_mistakes_fit_into_one_message(rules: Rules) -> None:
    shown = await rules.send(ADMIN, b"\n".join(b"- {name: r%d, match: {}}" % number for number in range(1000)))

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
    rules: Rules, content: bytes, name: str, size: int | None, answer: str
) -> None:
    assert (await rules.send(ADMIN, content, name, size)).text.splitlines()[0] == answer


async def test_a_file_that_telegram_does_not_deliver_is_answered_with_a_sentence(rules: Rules) -> None:
    rules.api.fail("getFile", RefusedError(400, "Bad Request: file is too big"))

    assert (await rules.send(ADMIN, CORNERS)).text == "Telegram didn't give me the file. Please send it again."


async def test_a_file_that_changes_nothing_offers_no_button(rules: Rules) -> None:
    shown = await rules.send(ADMIN, GOALS.encode())

    assert "It changes no rule." in shown.text and shown.labels == []


async def test_without_matches_the_difference_of_the_rules_is_shown(rules: Rules) -> None:
    rules.comparison = None

    assert "Not tried on matches: none is stored yet." in (await rules.send(ADMIN, CORNERS)).text


async def test_a_proposal_that_was_compared_with_other_rules_is_not_applied(rules: Rules) -> None:
    mine = await rules.send(ADMIN, CORNERS)
    await rules.send(OTHER_ADMIN, GOALS.replace("text: Goal", "text: GOAL").encode())
    await rules.tap(OTHER_ADMIN, OTHER_ADMIN, "✔ Apply")

    assert (
        await rules.press(ADMIN, ADMIN, mine, mine.button("✔ Apply").data)
        == "The rules have changed since. Check /rules and send the file again."
    )
    assert rules.now() == ["goals"]


async def test_nobody_but_admins_can_send_rules(rules: Rules) -> None:
    refused = await rules.ask(STRANGER, STRANGER, "/rules")
    rules.api.send_document(STRANGER, STRANGER, "sent.yaml", CORNERS)
    await rules.idle()

    assert refused.text.startswith(handlers.unknown_command_text("rules")) and rules.asked == []
    assert not rules.api.calls("getFile") and len(rules.api.chat(STRANGER).messages) == 1


async def test_an_admins_button_does_nothing_for_anybody_else(rules: Rules) -> None:
    message = await rules.send(ADMIN, CORNERS)
    data = message.button("✔ Apply").data

    assert await rules.press(ADMIN, STRANGER, message, data) == "Only the bot's admins can change its rules."
    assert rules.now() == ["goals"]


async def test_a_former_admin_can_change_nothing(rules: Rules) -> None:
    message = await rules.send(ADMIN, CORNERS)
    rules.admins.discard(ADMIN)

    assert (
        await rules.press(ADMIN, ADMIN, message, message.button("✔ Apply").data) == "Only the bot's admins can change its rules."
    )
    assert (await rules.ask(ADMIN, ADMIN, "/rules")).text.startswith(handlers.unknown_command_text("rules"))


async def test_in_a_group_an_admin_changes_nothing(rules: Rules) -> None:
    rules.api.send_document(GROUP, ADMIN, "sent.yaml", CORNERS)
    rules.api.say(GROUP, ADMIN, "/rules")
    await rules.idle()

    assert rules.asked == [] and not rules.api.calls("sendMessage")


@pytest.mark.parametrize("data", ["r:", "r:a:", "r:a:0123", "r:u:1", "r:u:x", "r:p:-1", "r:zzz"])
async def test_a_forged_or_old_button_says_that_it_is_out_of_date(rules: Rules, data: str) -> None:
    message = await rules.ask(ADMIN, ADMIN, "/rules")

    assert await rules.press(ADMIN, ADMIN, message, data) == OUTDATED


async def test_many_rules_are_shown_page_by_page(rules: Rules) -> None:
    await rules.send(ADMIN, MANY)
    await rules.tap(ADMIN, ADMIN, "✔ Apply")
    await rules.ask(ADMIN, ADMIN, "/rules")
    await rules.tap(ADMIN, ADMIN, "▶")

    assert "• r25 – c · sent.yaml:26" in rules.api.chat(ADMIN).last.text
    assert "2 / 3" in rules.api.chat(ADMIN).last.labels
