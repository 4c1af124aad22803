"""`/rules`: what is in effect, history, roll back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Container, Sequence
from pathlib import Path
from typing import Any

import structlog
from babel.dates import format_date
from telegram import Document, Message, Update
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, MessageHandler, filters

from bot.chat.dialogue import (
    Button,
    ButtonRow,
    HandlerContext,
    Screen,
    UpdateOrigin,
    arrange_rows,
    make_button,
    make_page_buttons,
    read_origin,
    select_page,
)
from bot.chat.features import rules_proposal as dialogue
from bot.chat.features import rules_proposal as words
from bot.chat.features.rules_proposal import (
    _MAX_FILE_NAME_LENGTH,
    MAX_FILE_SIZE,
    OpenProposals,
    RulesProposal,
    fit_lines,
    shorten,
)
from bot.chat.replies import ReplySender
from bot.chat.texts import escape_text
from bot.config.rule_versions import ActiveRules, RuleOrigin, RulesOutdated, RuleVersion, RuleVersions
from bot.i18n.language import current_locale
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext
from bot.replay.dry_run import DryRunRequest, DryRunResult
from rules.engine.rule import Rule, compare_rules
from rules.loading.loader import RulesInvalid

RunDryRun = Callable[[DryRunRequest], Awaitable[DryRunResult]]

log = structlog.get_logger()


class AdminMessageFilter(filters.MessageFilter):
    """A message that an admin wrote in private."""

    def __init__(self, admins: Container[int]) -> None:
        super().__init__()
        self._admins = admins

    def filter(self, message: Message) -> bool:
        """Tell whether it is one."""
        user = message.from_user
        return message.chat.type == ChatType.PRIVATE and user is not None and user.id in self._admins


class AdminRulesHandlers:
    """Hears the admins, tries what they send, applies what they choose."""

    def __init__(
        self,
        book: RuleVersions,
        admins: Container[int],
        preview: RunDryRun,
        matches: Callable[[], Sequence[Path]],
        replies: ReplySender,
    ) -> None:
        """`matches` names the recordings of the last matches, to try rules on."""
        self._book, self._admins, self._preview, self._matches, self._replies = book, admins, preview, matches, replies
        self._proposals = OpenProposals()

    def handlers(self) -> list[BaseHandler[Update, HandlerContext, None]]:
        """To be added before all others: those take every button. What comes from anybody else is left to them."""
        ours = filters.UpdateType.MESSAGE & AdminMessageFilter(self._admins)
        return [
            CommandHandler("rules", self.show, ours),
            MessageHandler(ours & filters.Document.ALL, self.sent),
            CallbackQueryHandler(self.pressed, pattern=r"^r:"),
        ]

    async def show(self, update: Update, ptb_context: HandlerContext) -> None:
        """`/rules`: what is in effect."""
        if origin := read_origin(update):
            await self._replies.send(origin, self._overview())

    def _overview(self, page: int = 0) -> Screen:
        return show_rules(self._book.standing, self._book.config.path.name, page)

    async def sent(self, update: Update, ptb_context: HandlerContext) -> None:
        """A file: read it, try it, show what it would change."""
        origin, message = read_origin(update), update.effective_message
        if origin and message and message.document:
            await self._replies.send(origin, await self._answer(message.document))

    async def _answer(self, document: Document) -> Screen:
        name = " ".join((document.file_name or "").split())[-_MAX_FILE_NAME_LENGTH:]
        if not name.lower().endswith((".yaml", ".yml")):
            return Screen(words.not_yaml_text())
        if (document.file_size or 0) > MAX_FILE_SIZE:
            return Screen(words.file_too_big_text(MAX_FILE_SIZE))
        try:
            content = bytes(await (await document.get_file()).download_as_bytearray())
        except TelegramError as error:
            log.warning("rules_file_not_fetched", reason=str(error))
            return Screen(words.not_fetched_text())
        return await self._read(name, content)

    async def _read(self, name: str, content: bytes) -> Screen:
        if len(content) > MAX_FILE_SIZE:
            return Screen(words.file_too_big_text(MAX_FILE_SIZE))
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return Screen(words.not_utf8_text())
        return await self._proposed(text or "\n", name, RuleOrigin.SENT)

    async def _proposed(self, text: str, name: str, how: RuleOrigin) -> Screen:
        """Try rules against those in effect, and offer to apply them. An empty text stands for the files' rules."""
        standing = self._book.standing
        before = standing.ruling.text if standing.ruling else ""
        recordings = tuple(map(str, self._matches()))
        tried = await self._preview(DryRunRequest(str(self._book.config.path), text, name, before, recordings))
        if tried.checked.mistakes:
            return Screen(words.render_mistakes(name, tried.checked.mistakes))
        try:
            difference = compare_rules(standing.rules, self._book.rules_of(text, name))
        except RulesInvalid as error:
            return Screen(words.render_mistakes(name, error.mistakes))
        proposal = RulesProposal(text, name, how, standing.fingerprint)
        self._proposals.add(proposal)
        return dialogue.show_proposal(proposal, difference, tried)

    async def pressed(self, update: Update, ptb_context: HandlerContext) -> None:
        """A button of ours."""
        query, origin = update.callback_query, read_origin(update)
        if query is None:
            return
        if origin is None or not self._may(origin):
            await self._replies.acknowledge(query, outdated_rules_button_text() if origin is None else admins_only_text())
            return
        if (query.data or "").startswith("r:g:"):
            await self._replies.acknowledge(query, words.checking_text())
        user = (query.from_user.id, query.from_user.full_name)
        reply = await self._turn(query.data or "", user)
        if not (query.data or "").startswith("r:g:"):
            await self._replies.acknowledge(query, reply if isinstance(reply, str) else "")
        if isinstance(reply, Screen):
            await self._replies.edit(query, reply)

    def _may(self, origin: UpdateOrigin) -> bool:
        return origin.type == ChatType.PRIVATE and origin.user_id in self._admins

    async def _turn(self, data: str, user: tuple[int, str]) -> Screen | str:
        """The new screen, or the sentence that says why there is none."""
        _, what, rest = (*data.split(":", 2), "", "")[:3]
        if what == "h":
            return show_rule_history(await self._book.history.recent())
        if what == "p" and rest.isdecimal():
            return self._overview(int(rest))
        if what in ("g", "u") and rest.isdecimal():
            return await (self._look(int(rest)) if what == "g" else self._undo(int(rest), user))
        proposal = self._proposals.take(rest) if what in ("a", "x") else None
        if proposal is None:
            return outdated_rules_button_text()
        return await self._applied(proposal, user) if what == "a" else Screen(words.nothing_changed_text())

    async def _look(self, ruling_id: int) -> Screen:
        """What going back to a ruling would change."""
        ruling = await self._book.history.get(ruling_id)
        return (
            await self._proposed(ruling.text, ruling.name, RuleOrigin.ROLLED_BACK)
            if ruling
            else Screen(outdated_rules_button_text())
        )

    async def _undo(self, ruling_id: int, user: tuple[int, str]) -> Screen | str:
        """Put into effect what was before the ruling that is in effect."""
        rulings = await self._book.history.recent(2)
        if not rulings or rulings[0].id != ruling_id:
            return outdated_rules_button_text()
        before = rulings[1] if len(rulings) > 1 else None
        text, name = (before.text, before.name) if before else ("", self._book.config.path.name)
        return await self._applied(RulesProposal(text, name, RuleOrigin.ROLLED_BACK, self._book.standing.fingerprint), user)

    async def _applied(self, proposal: RulesProposal, user: tuple[int, str]) -> Screen | str:
        try:
            ruling: RuleVersion = await self._book.apply(proposal.text, proposal.name, proposal.how, proposal.seen, user)
        except RulesOutdated:
            return rules_outdated_text()
        except RulesInvalid as error:
            return Screen(words.render_mistakes(proposal.name, error.mistakes))
        return show_applied(ruling, len(self._book.standing.rules.rules))


def build_admin_rules_handlers(
    book: RuleVersions,
    admins: Container[int],
    preview: RunDryRun,
    matches: Callable[[], Sequence[Path]],
    replies: ReplySender,
) -> list[Any]:
    """The handlers to add to the application before those of `build_handlers`."""
    return list(AdminRulesHandlers(book, admins, preview, matches, replies).handlers())


RULES_PAGE_SIZE = 25

MAX_HISTORY_BUTTONS = 8
"""Rulings that the history offers."""


def show_rules(standing: ActiveRules, config_name: str, page: int = 0) -> Screen:
    """The rules in effect."""
    rules = standing.rules.rules
    page, shown = select_page(rules, page, RULES_PAGE_SIZE)
    turn = make_page_buttons(len(rules), page, "r:p", RULES_PAGE_SIZE)
    undo = () if standing.from_files else _make_roll_back_buttons(standing.ruling)
    return Screen(render_overview(standing, config_name, shown), (*turn, (*undo, Button(history_label(), "r:h"))))


def show_applied(ruling: RuleVersion, rules: int) -> Screen:
    """It is done, and can be undone."""
    return Screen(render_applied(ruling, rules), (_make_roll_back_buttons(ruling),))


def show_rule_history(rulings: Sequence[RuleVersion]) -> Screen:
    """What was in effect, the last first; each but the one in effect can be gone back to."""
    back = (Button(rules_back_label(), "r:p:0"),)
    if not rulings:
        return Screen(no_history_text(), (back,))
    lines = [f"{'✅' if at == 0 else '•'} {render_version_line(ruling)}" for at, ruling in enumerate(rulings)]
    offered = [
        make_button(f"↩ {ruling.name}, {format_utc_instant(ruling.at)}", f"r:g:{ruling.id}")
        for ruling in rulings[1 : MAX_HISTORY_BUTTONS + 1]
    ]
    return Screen(words.fit_lines(lines), (*arrange_rows(offered), back))


def _make_roll_back_buttons(ruling: RuleVersion | None) -> ButtonRow:
    return (Button(roll_back_label(), f"r:u:{ruling.id}"),) if ruling else ()


def rules_hint_text() -> str:
    return _("Send me a YAML file to change them; nothing is applied before you say so.")


def rules_outdated_text() -> str:
    return _("Other rules have come into effect since. Please look at /rules and send the file again.")


def outdated_rules_button_text() -> str:
    return _("This button is out of date. Please send /rules or the file again.")


def admins_only_text() -> str:
    return _("Only the bot's admins can change its rules.")


def no_history_text() -> str:
    return _("The rules were never changed from here.")


def roll_back_label() -> str:
    return _("↩ Roll back")


def history_label() -> str:
    return _("🕘 History")


def rules_back_label() -> str:
    return _("◀ Back")


def render_overview(standing: ActiveRules, config_name: str, rules: Sequence[Rule]) -> str:
    """Where the rules come from, since when, by whom, and some of them."""
    count = len(standing.rules.rules)
    text = ngettext("<b>{count} rule</b> from {origin}", "<b>{count} rules</b> from {origin}", count)
    head = text.format(count=count, origin=_render_rules_origin(standing, config_name))
    return fit_lines([head, *map(_render_rule_line, rules), "", rules_hint_text()])


def _render_rules_origin(standing: ActiveRules, config_name: str) -> str:
    since = format_utc_instant(standing.since)
    if standing.from_files or standing.ruling is None:
        return _("{file}, since {time}").format(file=shorten(config_name), time=since)
    ruling = standing.ruling
    text = _("{file}, sent in Telegram, applied by {admin}, since {time}")
    return text.format(file=shorten(ruling.name), admin=_format_admin(ruling), time=since)


def _render_rule_line(rule: Rule) -> str:
    place = f"{Path(rule.location.file).name}:{rule.location.line}" if rule.location.file else ""
    return f"• {shorten(rule.name)} – <code>{escape_text(rule.alert.kind)}</code> · {shorten(place, 40)}"


def format_utc_instant(instant: dt.datetime) -> str:
    """A day and a time, in UTC."""
    return f"{format_date(instant, 'd MMM y', locale=current_locale())} {instant:%H:%M} UTC"


def _format_admin(ruling: RuleVersion) -> str:
    return f"{shorten(ruling.user_name, 40)} ({ruling.user_id})" if ruling.user_id is not None else _("nobody")


def render_version_line(ruling: RuleVersion) -> str:
    """One line of the history."""
    done = {RuleOrigin.SENT: _("{file}, applied by {admin}"), RuleOrigin.ROLLED_BACK: _("{file}, rolled back to by {admin}")}
    text = done.get(ruling.how, _("{file}, changed on disk"))
    return f"{format_utc_instant(ruling.at)} – {text.format(file=shorten(ruling.name), admin=_format_admin(ruling))}"


def render_applied(ruling: RuleVersion, rules: int) -> str:
    """What an admin reads when it is done."""
    text = ngettext(
        "✅ {file} is in effect, {count} rule. Nothing is sent again.",
        "✅ {file} is in effect, {count} rules. Nothing is sent again.",
        rules,
    )
    return text.format(file=shorten(ruling.name), count=rules)
