"""Every English text that the bot says outside alerts, as Telegram's HTML; what is put into one is escaped here."""

from __future__ import annotations

import html
from collections.abc import Sequence

from bot.store.model import Scope, Subscription

HELP = (
    "⚽ <b>Touchline</b> tells this chat about goals, cards and results as they happen, "
    "and takes back what did not count.\n\n"
    "/subscribe – follow a team, a competition, a match or everything\n"
    "/unsubscribe – stop following\n"
    "/subscriptions – what this chat follows\n"
    "/alerts – choose what to hear about\n"
    "/today – the matches of the day\n"
    "/timeline – a match in a picture\n"
    "/live – the matches in play\n"
    "/mute, /unmute – silence for a while\n"
    "/delay – everything some seconds later, against spoilers\n"
    "/quiet – quiet hours of every day\n"
    "/timezone – in whose time you read kick-offs\n"
    "/channel – choose for a channel of yours\n"
    "/test – a sample alert\n"
    "/why – in reply to an alert: why it was told\n"
    "/help – this list\n\n"
    "Say it in one line if you like: <code>/subscribe Arsenal</code>, <code>/alerts +yellow_card -var</code>."
)
WELCOME_BACK = "👋 I am back. What this chat follows is as it was: /subscriptions."
WELCOME_GROUP = (
    "👋 Hello! An administrator chooses what this group hears about: /subscribe. Everybody can ask for /today and /help."
)

COMMANDS = {
    "subscribe": "Follow a team, a competition, a match or all",
    "unsubscribe": "Stop following",
    "subscriptions": "What this chat follows",
    "alerts": "Choose what to hear about",
    "today": "The matches of the day",
    "live": "The matches in play",
    "timeline": "A match in a picture",
    "mute": "Silence for an hour, or for this match",
    "unmute": "Hear again",
    "delay": "Everything some seconds later: no spoilers",
    "quiet": "Quiet hours of every day",
    "timezone": "In whose time you read kick-offs",
    "channel": "Choose for a channel of yours",
    "test": "A sample alert",
    "why": "In reply to an alert: why it was told",
    "help": "What I can do",
}

PRIVATE = frozenset({"channel"})
"""Commands that make sense in a private chat only."""

ONLY_ADMINISTRATORS = "Only this group's administrators can change that; /subscriptions and /today are for everybody."
FIXED = "What this chat hears is set in the bot's configuration and cannot be changed here."
SLOWLY = "That is faster than I can answer. I hear you again in a few seconds."
STALE = "This button is out of date. Please send the command again."
UNKNOWN_COMMAND = "I do not know this command. /help lists what I can do."
NOT_UNDERSTOOD = "I did not find that among the known teams, competitions and matches. Try /subscribe, or see /help."
TROUBLE = "Something went wrong on my side. Please try again in a moment."
CHOOSE_TIMELINE = "<b>Which match shall I draw?</b>"
NOTHING_TO_DRAW = "None of the matches that this chat follows has begun. /today shows when they do."
NO_PICTURES = "I draw no pictures here."
NO_FIXTURES = (
    "No fixtures are known at the moment. Please try again in a little while; <code>/subscribe all</code> works already."
)

CHOOSE = "<b>What shall this chat follow?</b>\nTap a competition, or send <code>/subscribe</code> and a name."
CHOOSE_STOP = "<b>This chat follows:</b>\nTap what it shall no longer follow."
NOTHING_FOLLOWED = "This chat follows nothing yet. /subscribe changes that."
STOPPED_ALL = "This chat follows nothing any more. /subscribe changes that."
CHOOSE_KINDS = "<b>What shall this chat hear about?</b>\nTap to switch on and off."
EVERY_KIND = "This chat hears about everything now."
NO_KIND = "This chat hears about nothing now. /alerts changes that."

CHOOSE_MUTE = "<b>Silence for how long?</b>\nOr send <code>/mute 45m</code>. What comes meanwhile is not told later."
NO_MATCH_NOW = "No match that this chat follows is being played. <code>/mute 2h</code> works at any time."
UNMUTED = "This chat hears again."
NOT_MUTED = "This chat is not muted. /mute changes that."
NOT_A_DELAY = "A delay is a whole number of seconds from 0 to 300, such as <code>/delay 30</code>."
NOT_QUIET = (
    "Quiet hours are such as <code>/quiet 23:00-07:00</code>, with <code>silent</code> or <code>hold</code> after it, "
    "or <code>/quiet off</code>."
)
QUIET_OFF = "This chat has no quiet hours any more."
RULE_FIRED = "the rule fired"
SUMMARY_WHY = "This message sums up what came while it could not be told."
WHY_WHAT = "Send /why as a reply to an alert, and I say why it was told."
WHY_UNKNOWN = "I do not know that message as an alert of mine, or it is too long ago."

ALL_MATCHES = "All matches"
LOUDNESS = "🔔 What rings …"
EVERYTHING = "Everything"
NOTHING = "Nothing"
BACK = "◀ Back"
EARLIER = "◀"
LATER = "▶"
MATCHES = "📅 Matches"
TEAMS = "👕 Teams"
DONE = "✔ Done"

KINDS = {
    "goal": "Goals",
    "red_card": "Red cards",
    "yellow_card": "Yellow cards",
    "penalty": "Penalties",
    "shootout": "Shootouts",
    "var": "Video checks",
    "kick_off": "Kick-off",
    "half_time": "Half time",
    "full_time": "Full time",
    "substitution": "Substitutions",
    "lineups": "Line-ups",
    "status": "Postponed, abandoned …",
}


def escape(text: str) -> str:
    """Make something from outside safe inside Telegram's HTML."""
    return html.escape(text, quote=False)


def kind(name: str) -> str:
    """A kind of alert in words; one that an operator's rule invented is read from its name."""
    return KINDS.get(name) or name.replace("_", " ").capitalize()


def label(subscription: Subscription) -> str:
    """What is followed, as plain text."""
    return ALL_MATCHES.lower() if subscription.scope is Scope.ALL else subscription.name or subscription.key.lstrip("~")


def followed(subscription: Subscription) -> str:
    return f"✅ This chat follows <b>{escape(label(subscription))}</b> now. /alerts chooses what it hears about."


def followed_already(subscription: Subscription) -> str:
    return f"This chat follows <b>{escape(label(subscription))}</b> already."


def done(followed: Sequence[Subscription], stopped: Sequence[Subscription]) -> str:
    """What a press did, as plain text for the note that Telegram shows; empty when nothing was followed or stopped."""
    parts = [f"✅ {label(s)}" for s in followed[:1]] + [f"✖ {label(s)}" for s in stopped[:1]]
    return " ".join(parts)[:190]


def stopped(subscription: Subscription) -> str:
    return f"This chat does not follow <b>{escape(label(subscription))}</b> any more."


def not_followed(wanted: str) -> str:
    return f"This chat does not follow “{escape(wanted)}”. /subscriptions lists what it follows."


def not_begun(wanted: str) -> str:
    return f"No match of “{escape(wanted)}” is being played or was just played. /today shows the matches of the day."


def which(wanted: str) -> str:
    return f"Which one do you mean by “{escape(wanted)}”?"


def more_hits(count: int) -> str:
    return f"There are {count} more; a longer name finds fewer."


def not_known(wanted: str) -> str:
    return f"“{escape(wanted)}” is not among the known fixtures."


def near(wanted: str) -> str:
    return f"{not_known(wanted)} Did you mean one of these?"


def no_near(wanted: str) -> str:
    return f"{not_known(wanted)} /subscribe without a name shows what is."


def following(subscriptions: tuple[Subscription, ...], shown: int) -> str:
    """The list of what a chat follows, cut after `shown` lines."""
    lines = [f"• {escape(label(s))}{_scope(s)}" for s in subscriptions[:shown]]
    rest = [f"… and {len(subscriptions) - shown} more"] if len(subscriptions) > shown else []
    return "\n".join(["<b>This chat follows:</b>", *lines, *rest])


def _scope(subscription: Subscription) -> str:
    return " <i>(competition)</i>" if subscription.scope is Scope.COMPETITION else ""


def hears(kinds: tuple[str, ...]) -> str:
    """The kinds that a chat hears about, in one line."""
    return f"It hears about: {escape(', '.join(kind(k).lower() for k in kinds)) or 'nothing'}. /alerts changes that."


def unknown_kind(word: str, kinds: tuple[str, ...]) -> str:
    known = ", ".join(f"<code>{escape(k)}</code>" for k in kinds)
    return f"There are no alerts called “{escape(word)}”. There are: {known}."


def hears_when(*, waits: bool) -> str:
    return " It waits until things are confirmed." if waits else ""


def kinds_now(kinds: tuple[str, ...]) -> str:
    return f"Done. This chat hears about: {escape(', '.join(kind(k).lower() for k in kinds)) or 'nothing'}."


def competition(name: str) -> str:
    return f"<b>{escape(name)}</b>\nTap the teams to follow, or take the whole competition."


def matches_of(name: str) -> str:
    return f"<b>{escape(name)}</b>\nTap the matches to follow."


def not_a_mute(wanted: str) -> str:
    return f"“{escape(wanted)}” is no time that I understand. Try <code>/mute 1h</code> or <code>/mute match</code>."


def muted(until: str) -> str:
    return f"🔇 This chat is muted until {escape(until)}. /unmute ends it; what comes meanwhile is not told later."


def choose_delay(now: int) -> str:
    return f"<b>How much later shall everything come?</b>\nNow: {now} s. Up to 300 s, such as <code>/delay 45</code>."


def delayed(seconds: int) -> str:
    return f"Everything comes {seconds} s later now, corrections too." if seconds else "Everything comes at once now."


def choose_quiet(now: str, timezone: str) -> str:
    return (
        f"<b>Quiet hours</b>\nNow: {escape(now) or 'none'}, in {escape(timezone)} time. "
        "<code>/quiet 23:00-07:00 silent</code> lets nothing ring, <code>hold</code> tells it in one message when they end."
    )


def quiet_now(span: str, timezone: str, *, hold: bool) -> str:
    what = "news is told in one message for each match when they end" if hold else "nothing rings"
    return f"🌙 Quiet hours are {escape(span)} ({escape(timezone)}): {what}. /quiet off ends them."


def why(rule: str, kind: str) -> str:
    return f"The rule <b>{escape(rule)}</b> told this chat ({escape(kind.lower())})."


def whole(name: str) -> str:
    return f"All of {name}"


def day(date: str) -> str:
    return f"<b>{escape(date)}</b>"


def no_matches(date: str) -> str:
    return f"<b>{escape(date)}</b>\nNo matches are known for this day."


def times_are(timezone: str) -> str:
    return f"<i>Times: {escape(timezone)}</i>"
