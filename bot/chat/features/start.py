"""`/start` and `/help`."""

from __future__ import annotations

from bot.chat.dialogue import ChatContext, DialogueResult, Screen
from bot.chat.routing import Command, Feature
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _


def show_help(context: ChatContext, _args: tuple[str, ...]) -> DialogueResult:
    """`/start`, `/help`: what the bot is for, and every command."""
    about = _(
        "⚽ <b>Touchline</b> tells this chat about goals, cards and results as they happen, and takes back what did not count."
    )
    # From the router's table, so that a new command cannot be missing here.
    lines = [f"/{name} – {_(description)}" for name, description in context.commands]
    one_line = _("Say it in one line if you like: <code>/subscribe Arsenal</code>, <code>/alerts +yellow_card -var</code>.")
    return DialogueResult(Screen("\n".join([about, "", *lines, "", one_line])))


FEATURE = Feature(commands={"start": Command(show_help), "help": Command(show_help, N_("What I can do"))})
