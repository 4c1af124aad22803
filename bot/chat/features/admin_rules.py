"""`/rules`: what is in effect, history, roll back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from telegram import Message, Update
from telegram.constants import ChatType
from telegram.ext import CallbackQueryHandler, CommandHandler, MessageHandler, filters

from bot.chat.dialogue import (
    MAX_NUMBER_LENGTH,
    Button,
    ButtonRow,
    Refusal,
    Screen,
    arrange_rows,
    make_button,
    make_page_buttons,
    select_page,
)
from bot.chat.features.rules_proposal import RulesProposal, RulesProposals, RunDryRun, fit_lines, quote, render_mistakes
from bot.chat.middleware import Handler, with_origin
from bot.chat.replies import ReplySender
from bot.chat.texts import back_label, escape_text
from bot.chat.update_origin import HandlerContext, UpdateOrigin, read_origin
from bot.config.rule_versions import ActiveRules, RuleOrigin, RulesOutdated, RuleVersion, RuleVersions
from bot.i18n.language import current_locale
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext
from rules.loading.loader import RulesInvalid

ListUnknownNames = Callable[[], Awaitable[Sequence[str]]]
"""Returns lines about names in the rules that no fixture has, in English like every message about a file."""

RULES_PAGE_SIZE = 25

MAX_HISTORY_BUTTONS = 8


def build_admin_rules_handlers(
    rule_versions: RuleVersions,
    is_admin: Callable[[int | None], bool],
    run_dry_run: RunDryRun,
    list_recordings: Callable[[], Sequence[Path]],
    replies: ReplySender,
    unknown_names: ListUnknownNames | None = None,
) -> list[Handler]:
    """Make the handlers for admins. Add them before those of `build_handlers`, which take every button and command."""
    proposals = RulesProposals(rule_versions, run_dry_run, list_recordings, replies)
    handlers = AdminRulesHandlers(rule_versions, is_admin, proposals, replies, unknown_names)
    from_admin = filters.UpdateType.MESSAGE & AdminMessageFilter(is_admin)
    # A document from anybody else reaches no handler: the bot does not download what strangers send.
    return [
        CommandHandler("rules", with_origin(handlers.on_rules), from_admin),
        MessageHandler(from_admin & filters.Document.ALL, with_origin(proposals.on_document)),
        CallbackQueryHandler(handlers.on_button, pattern=r"^r:"),
    ]


class AdminMessageFilter(filters.MessageFilter):
    """Lets the private messages of admins pass: for everybody else the command does not exist."""

    def __init__(self, is_admin: Callable[[int | None], bool]) -> None:
        super().__init__()
        self._is_admin_id = is_admin

    def filter(self, message: Message) -> bool:
        """Return True if an admin wrote the message in private."""
        # In private only, so that no group sees the rules, and by id: names of users can be changed and copied.
        user = message.from_user
        return message.chat.type == ChatType.PRIVATE and user is not None and self._is_admin_id(user.id)


class AdminRulesHandlers:
    """Shows admins the rules in effect and their history, and does what the buttons say."""

    def __init__(
        self,
        rule_versions: RuleVersions,
        is_admin: Callable[[int | None], bool],
        proposals: RulesProposals,
        replies: ReplySender,
        unknown_names: ListUnknownNames | None = None,
    ) -> None:
        self._unknown_names = unknown_names
        self._rule_versions, self._is_admin_id, self._proposals, self._replies = rule_versions, is_admin, proposals, replies

    async def on_rules(self, origin: UpdateOrigin, _message: Message, _ptb_context: HandlerContext) -> None:
        """`/rules`: show what is in effect."""
        await self._replies.send(origin, await self._show_rules())

    async def _show_rules(self, page: int = 0) -> Screen:
        warnings = await self._unknown_names() if self._unknown_names else ()
        return show_rules(self._rule_versions.active, self._rule_versions.config.path.name, page, warnings)

    async def on_button(self, update: Update, _ptb_context: HandlerContext) -> None:
        """Do what a button under a message about rules says."""
        query, origin = update.callback_query, read_origin(update)
        if query is None:
            return
        data = query.data or ""
        # A dry run takes many seconds, and Telegram takes no answer to a press after that: it is answered before.
        is_answered = origin is not None and self._is_admin(origin) and data.startswith("r:g:")
        if is_answered:
            await self._replies.acknowledge(query, _("Checking the file…"))
        try:
            if origin is None:
                raise OutdatedRulesButton
            if not self._is_admin(origin):
                # Somebody who was an admin when the message was sent.
                raise Refusal(_("Only the bot's admins can change its rules."))
            screen = await self._press(data, (query.from_user.id, query.from_user.full_name))
        except OutdatedRulesButton as refusal:
            if is_answered:
                await self._replies.edit(query, Screen(refusal.text))
            else:
                await self._replies.acknowledge(query, refusal.text)
            return
        except Refusal as refusal:
            await self._replies.acknowledge(query, refusal.text)
            return
        if not is_answered:
            await self._replies.acknowledge(query, "")
        await self._replies.edit(query, screen)

    def _is_admin(self, origin: UpdateOrigin) -> bool:
        return origin.type == ChatType.PRIVATE and self._is_admin_id(origin.user_id)

    async def _press(self, data: str, user: tuple[int, str]) -> Screen:
        """Return the new screen. The data is `r:ACTION:REST`."""
        _prefix, action, rest = (*data.split(":", 2), "", "")[:3]
        is_number = rest.isdecimal() and len(rest) <= MAX_NUMBER_LENGTH
        if action == "h":
            return show_rule_history(await self._rule_versions.repository.recent())
        if action == "p" and is_number:
            return await self._show_rules(int(rest))
        if action == "g" and is_number:
            return await self._propose_version(int(rest))
        if action == "u" and is_number:
            return await self._roll_back(int(rest), user)
        proposal = self._proposals.take(rest) if action in ("a", "x") else None
        if proposal is None:
            raise OutdatedRulesButton
        if action == "x":
            return Screen(_("Nothing was changed."))
        return await self._apply(proposal, user)

    async def _propose_version(self, version_id: int) -> Screen:
        """Show what going back to a version would change."""
        version = await self._rule_versions.repository.get(version_id)
        if version is None:
            raise OutdatedRulesButton
        return await self._proposals.propose(version.text, version.name, RuleOrigin.ROLLED_BACK)

    async def _roll_back(self, version_id: int, user: tuple[int, str]) -> Screen:
        """Put into effect what was before the version in effect."""
        fingerprint = self._rule_versions.active.fingerprint
        try:
            before = await self._rule_versions.find_previous(version_id)
        except RulesOutdated:
            raise OutdatedRulesButton from None
        return await self._apply(RulesProposal(before.text, before.name, RuleOrigin.ROLLED_BACK, fingerprint), user)

    async def _apply(self, proposal: RulesProposal, user: tuple[int, str]) -> Screen:
        try:
            version = await self._proposals.apply(proposal, user)
        except RulesInvalid as error:
            # Rolling back is not checked before, and old rules may no longer be valid.
            return Screen(render_mistakes(proposal.name, error.mistakes))
        return show_applied(version, len(self._rule_versions.active.rules.rules))


class OutdatedRulesButton(Refusal):
    """Raised for a button whose proposal or version is gone."""

    def __init__(self) -> None:
        super().__init__(_("This button is outdated. Send /rules or the file again."))


def show_rules(active: ActiveRules, config_name: str, page: int = 0, warnings: Sequence[str] = ()) -> Screen:
    """Show the rules in effect, where they come from, since when, and who applied them; first what is wrong with them."""
    rules = active.rules.rules
    page, shown = select_page(rules, page, RULES_PAGE_SIZE)
    heading = ngettext("<b>{count} rule</b> from {origin}", "<b>{count} rules</b> from {origin}", len(rules))
    lines = []
    for rule in shown:
        # The file's name without its folders: the path on the server is of no use in a chat.
        place = f"{Path(rule.location.file).name}:{rule.location.line}" if rule.location.file else ""
        lines.append(f"• {quote(rule.name)} – <code>{escape_text(rule.alert.kind)}</code> · {quote(place, 40)}")
    hint = _("Send me a YAML file to change them. Nothing is applied until you confirm.")
    html = fit_lines(
        [
            heading.format(count=len(rules), origin=_render_rules_origin(active, config_name)),
            *(quote(warning, 300) for warning in warnings),
            *lines,
            "",
            hint,
        ]
    )
    pages = make_page_buttons(len(rules), page, "r:p", RULES_PAGE_SIZE)
    # What the files say is changed in the files; there is nothing to take back here.
    roll_back = () if active.from_files else _make_roll_back_buttons(active.version)
    return Screen(html, (*pages, (*roll_back, Button(_("🕘 History"), "r:h"))))


def _render_rules_origin(active: ActiveRules, config_name: str) -> str:
    since, version = format_utc_instant(active.since), active.version
    if active.from_files or version is None:
        return _("{file}, since {time}").format(file=quote(config_name), time=since)
    text = _("{file}, sent in Telegram, applied by {admin}, since {time}")
    return text.format(file=quote(version.name), admin=_format_admin(version), time=since)


def show_applied(version: RuleVersion, rule_count: int) -> Screen:
    """Say that rules are in effect, with a button that takes them back."""
    text = ngettext(
        "✅ {file} is in effect, {count} rule. Nothing is sent again.",
        "✅ {file} is in effect, {count} rules. Nothing is sent again.",
        rule_count,
    )
    return Screen(text.format(file=quote(version.name), count=rule_count), (_make_roll_back_buttons(version),))


def _make_roll_back_buttons(version: RuleVersion | None) -> ButtonRow:
    return (Button(_("↩ Roll back"), f"r:u:{version.id}"),) if version else ()


def show_rule_history(versions: Sequence[RuleVersion]) -> Screen:
    """Show what was in effect, newest first, with buttons that go back to the older ones."""
    back = (Button(back_label(), "r:p:0"),)
    if not versions:
        return Screen(_("The rules have never been changed from Telegram."), (back,))
    # The newest version is the one in effect, also after a roll back, which is a version of its own.
    lines = [f"{'✅' if at == 0 else '•'} {render_version_line(version)}" for at, version in enumerate(versions)]
    buttons = [
        make_button(f"↩ {version.name}, {format_utc_instant(version.at)}", f"r:g:{version.id}")
        for version in versions[1 : MAX_HISTORY_BUTTONS + 1]
    ]
    return Screen(fit_lines(lines), (*arrange_rows(buttons), back))


def render_version_line(version: RuleVersion) -> str:
    """Return one line of the history."""
    if version.origin is RuleOrigin.SENT:
        text = _("{file}, applied by {admin}")
    elif version.origin is RuleOrigin.ROLLED_BACK:
        text = _("{file}, restored by {admin}")
    else:
        text = _("{file}, changed on disk")
    return f"{format_utc_instant(version.at)} – {text.format(file=quote(version.name), admin=_format_admin(version))}"


def _format_admin(version: RuleVersion) -> str:
    return f"{quote(version.user_name, 40)} ({version.user_id})" if version.user_id is not None else _("nobody")


def format_utc_instant(instant: dt.datetime) -> str:
    """Format a day and a time in UTC: operators compare it with their logs."""
    from babel.dates import format_date

    return f"{format_date(instant, 'd MMM y', locale=current_locale())} {instant:%H:%M} UTC"
