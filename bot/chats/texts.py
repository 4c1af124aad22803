"""What the bot says outside alerts, as Telegram's HTML, in the language spoken; what is put into a text is escaped here."""

from __future__ import annotations

import html
from collections.abc import Sequence

from bot.languages.grammar import inside, row
from bot.languages.speaking import counted as ngettext
from bot.languages.speaking import marked as N_
from bot.languages.speaking import translated as _
from bot.store.model import Scope, Subscription
from rules.bidi import isolated

COMMANDS = {
    "subscribe": N_("Follow a team, a competition, a match or all"),
    "unsubscribe": N_("Stop following"),
    "subscriptions": N_("What this chat follows"),
    "alerts": N_("Choose what to hear about"),
    "today": N_("The matches of the day"),
    "live": N_("The matches in play"),
    "timeline": N_("A match in a picture"),
    "mute": N_("Silence for an hour, or for this match"),
    "unmute": N_("Hear again"),
    "spoilers": N_("Hide scores until they are tapped"),
    "delay": N_("Everything some seconds later: no spoilers"),
    "quiet": N_("Quiet hours of every day"),
    "timezone": N_("In whose time you read kick-offs"),
    "language": N_("In which language I speak here"),
    "channel": N_("Choose for a channel of yours"),
    "test": N_("A sample alert"),
    "why": N_("In reply to an alert: why it was told"),
    "help": N_("What I can do"),
}
"""Every command in the order of the menu, with what it does."""

PRIVATE = frozenset({"channel"})
"""Commands that make sense in a private chat only."""

KINDS = {
    "goal": N_("Goals"),
    "red_card": N_("Red cards"),
    "yellow_card": N_("Yellow cards"),
    "penalty": N_("Penalties"),
    "shootout": N_("Shootouts"),
    "var": N_("Video checks"),
    "kick_off": N_("Kick-off"),
    "half_time": N_("Half time"),
    "full_time": N_("Full time"),
    "substitution": N_("Substitutions"),
    "lineups": N_("Line-ups"),
    "status": N_("Postponed, abandoned …"),
    "card": N_("Match card"),
    "picture": N_("Pictures"),
}

EARLIER = "◀"
LATER = "▶"


def escape(text: str) -> str:
    """Make something from outside safe inside Telegram's HTML; what is written from right to left stays in its place."""
    return html.escape(isolated(text), quote=False)


def help_() -> str:
    about = _(
        "⚽ <b>Touchline</b> tells this chat about goals, cards and results as they happen, and takes back what did not count."
    )
    lines = [f"/{name} – {_(words)}" for name, words in COMMANDS.items()]
    one_line = _("Say it in one line if you like: <code>/subscribe Arsenal</code>, <code>/alerts +yellow_card -var</code>.")
    return "\n".join([about, "", *lines, "", one_line])


def welcome_back() -> str:
    return _("👋 I am back. What this chat follows is as it was: /subscriptions.")


def welcome_group() -> str:
    return _(
        "👋 Hello! An administrator chooses what this group hears about: /subscribe. Everybody can ask for /today and /help."
    )


def only_administrators() -> str:
    return _("Only this group's administrators can change that; /subscriptions and /today are for everybody.")


def fixed() -> str:
    return _("What this chat hears is set in the bot's configuration and cannot be changed here.")


def slowly() -> str:
    return _("That is faster than I can answer. I hear you again in a few seconds.")


def stale() -> str:
    return _("This button is out of date. Please send the command again.")


def unknown_command() -> str:
    return _("I do not know this command. /help lists what I can do.")


def not_understood() -> str:
    return _("I did not find that among the known teams, competitions and matches. Try /subscribe, or see /help.")


def trouble() -> str:
    return _("Something went wrong on my side. Please try again in a moment.")


def choose_timeline() -> str:
    return _("<b>Which match shall I draw?</b>")


def nothing_to_draw() -> str:
    return _("None of the matches that this chat follows has begun. /today shows when they do.")


def no_pictures() -> str:
    return _("I draw no pictures here.")


def no_fixtures() -> str:
    return _(
        "No fixtures are known at the moment. Please try again in a little while; <code>/subscribe all</code> works already."
    )


def choose() -> str:
    return _("<b>What shall this chat follow?</b>\nTap a competition, or send <code>/subscribe</code> and a name.")


def choose_stop() -> str:
    return _("<b>This chat follows:</b>\nTap what it shall no longer follow.")


def nothing_followed() -> str:
    return _("This chat follows nothing yet. /subscribe changes that.")


def stopped_all() -> str:
    return _("This chat follows nothing any more. /subscribe changes that.")


def choose_kinds() -> str:
    return _("<b>What shall this chat hear about?</b>\nTap to switch on and off.")


def every_kind() -> str:
    return _("This chat hears about everything now.")


def no_kind() -> str:
    return _("This chat hears about nothing now. /alerts changes that.")


def rule_fired() -> str:
    return _("the rule fired")


def summary_why() -> str:
    return _("This message sums up what came while it could not be told.")


def why_what() -> str:
    return _("Send /why as a reply to an alert, and I say why it was told.")


def why_unknown() -> str:
    return _("I do not know that message as an alert of mine, or it is too long ago.")


def all_matches() -> str:
    return _("All matches")


def loudness() -> str:
    return _("🔔 What rings …")


def everything() -> str:
    return _("Everything")


def nothing() -> str:
    return _("Nothing")


def back() -> str:
    return _("◀ Back")


def matches() -> str:
    return _("📅 Matches")


def done_button() -> str:
    return _("✔ Done")


def kind(name: str) -> str:
    """A kind of alert in words; one that an operator's rule invented is read from its name."""
    return _(KINDS[name]) if name in KINDS else name.replace("_", " ").capitalize()


def kinds_in_a_row(kinds: Sequence[str]) -> str:
    """Kinds as they stand inside of a sentence."""
    return escape(row([inside(kind(name)) for name in kinds]))


def label(subscription: Subscription) -> str:
    """What is followed, as plain text."""
    return _("all matches") if subscription.scope is Scope.ALL else subscription.name or subscription.key.lstrip("~")


def followed(subscription: Subscription) -> str:
    text = _("✅ This chat follows <b>{name}</b> now. /alerts chooses what it hears about.")
    return text.format(name=escape(label(subscription)))


def followed_already(subscription: Subscription) -> str:
    return _("This chat follows <b>{name}</b> already.").format(name=escape(label(subscription)))


def done(followed: Sequence[Subscription], stopped: Sequence[Subscription]) -> str:
    """What a press did, as plain text for the note that Telegram shows; empty when nothing was followed or stopped."""
    parts = [f"✅ {label(s)}" for s in followed[:1]] + [f"✖ {label(s)}" for s in stopped[:1]]
    return " ".join(parts)[:190]


def stopped(subscription: Subscription) -> str:
    return _("This chat does not follow <b>{name}</b> any more.").format(name=escape(label(subscription)))


def not_followed(wanted: str) -> str:
    return _("This chat does not follow “{name}”. /subscriptions lists what it follows.").format(name=escape(wanted))


def not_begun(wanted: str) -> str:
    text = _("No match of “{name}” is being played or was just played. /today shows the matches of the day.")
    return text.format(name=escape(wanted))


def which(wanted: str) -> str:
    return _("Which one do you mean by “{name}”?").format(name=escape(wanted))


def more_hits(count: int) -> str:
    text = ngettext(
        "There is {count} more; a longer name finds fewer.", "There are {count} more; a longer name finds fewer.", count
    )
    return text.format(count=count)


def near(wanted: str) -> str:
    return _("“{name}” is not among the known fixtures. Did you mean one of these?").format(name=escape(wanted))


def no_near(wanted: str) -> str:
    return _("“{name}” is not among the known fixtures. /subscribe without a name shows what is.").format(name=escape(wanted))


def following(subscriptions: tuple[Subscription, ...], shown: int) -> str:
    """The list of what a chat follows, cut after `shown` lines."""
    lines = [f"• {escape(label(s))}{_scope(s)}" for s in subscriptions[:shown]]
    rest = [and_more(len(subscriptions) - shown)] if len(subscriptions) > shown else []
    return "\n".join([_("<b>This chat follows:</b>"), *lines, *rest])


def and_more(count: int) -> str:
    return ngettext("… and {count} more", "… and {count} more", count).format(count=count)


def _scope(subscription: Subscription) -> str:
    own = " 🎚" if subscription.taste.own else ""
    return (f" <i>({_('competition')})</i>" if subscription.scope is Scope.COMPETITION else "") + own


def hears(kinds: tuple[str, ...]) -> str:
    """The kinds that a chat hears about, in one line."""
    if not kinds:
        return _("It hears about nothing. /alerts changes that.")
    return _("It hears about: {kinds}. /alerts changes that.").format(kinds=kinds_in_a_row(kinds))


def unknown_kind(word: str, kinds: tuple[str, ...]) -> str:
    known = row([f"<code>{escape(k)}</code>" for k in kinds])
    return _("There are no alerts called “{name}”. There are: {kinds}.").format(name=escape(word), kinds=known)


def hears_when(*, waits: bool) -> str:
    return f" {_('It waits until things are confirmed.')}" if waits else ""


def kinds_now(kinds: tuple[str, ...]) -> str:
    if not kinds:
        return no_kind()
    return _("Done. This chat hears about: {kinds}.").format(kinds=kinds_in_a_row(kinds))


def competition(name: str) -> str:
    return _("<b>{name}</b>\nTap the teams to follow, or take the whole competition.").format(name=escape(name))


def matches_of(name: str) -> str:
    return _("<b>{name}</b>\nTap the matches to follow.").format(name=escape(name))


def why(rule: str, kind: str) -> str:
    return _("The rule <b>{rule}</b> told this chat ({kind}).").format(rule=escape(rule), kind=escape(inside(kind)))


def whole(name: str) -> str:
    return _("All of {name}").format(name=name)


def day(date: str) -> str:
    return f"<b>{escape(date)}</b>"


def no_matches(date: str) -> str:
    return _("<b>{day}</b>\nNo matches are known for this day.").format(day=escape(date))


def times_are(timezone: str) -> str:
    return _("<i>Times: {timezone}</i>").format(timezone=escape(timezone))
