"""The mute of single matches: what /mute match does, and how /unmute ends what is muted. Pure.

Button data: `mm:TOKEN` mutes a match, `mq:PAGE` turns the list of those to choose from, `mu:TOKEN` hears one again, `mu:chat`
ends the mute of the whole chat, `mu:all` all mutes.
"""

from __future__ import annotations

from msgspec.structs import replace

from bot.chats import hour_words
from bot.chats import mute_words as words
from bot.chats.guide import Choice, over
from bot.chats.hours import when
from bot.chats.keyboards import button, page_of, rows, turner
from bot.chats.live import playing_now
from bot.chats.reply import Button, Reply, Settle, Turn, View
from bot.store.model import Chat, Scope, covers

_MOST = 30
"""Mutes that are listed; what else there is ends by itself, or all together."""


def mute_match(view: View) -> Turn:
    """`/mute match`: the match in play that the chat follows, or buttons where there are several."""
    heard = _heard(view)
    if not heard:
        return Turn(Reply(hour_words.no_match_now()))
    return _muted(view, heard[0]) if len(heard) == 1 else Turn(which(view))


def which(view: View, page: int = 0) -> Reply:
    """The matches in play that the chat follows, a tap away from being silent."""
    heard = _heard(view)
    page, shown = page_of(heard, page)
    taps = rows([button(choice.name, f"mm:{choice.token}") for choice in shown])
    return Reply(words.which_match(), (*taps, *turner(len(heard), page, "mq")))


def turned(view: View, page: str) -> Reply | None:
    """The page that button data names; None for data that names none."""
    return which(view, int(page)) if page.isdecimal() else None


def picked(view: View, token: str) -> Turn | None:
    """A match was tapped to be muted; None when it is not known any more."""
    choice = view.guide.choice(token)
    return _muted(view, choice) if choice and choice.scope is Scope.MATCH else None


def unmute(view: View, said: tuple[str, ...]) -> Turn:
    """`/unmute [all]`: end the one thing that is muted, or ask which."""
    if " ".join(said).casefold() == "all" or not muted(view):
        return _all_heard(view)
    whole, *others = muted(view)
    if not others:
        return heard_again(view, whole.data.removeprefix("mu:")) or _all_heard(view)
    return Turn(Reply(words.what_is_muted(), rows([*muted(view)[:_MOST], Button(words.all_of_it(), "mu:all")])))


def heard_again(view: View, what: str) -> Turn | None:
    """Something muted was tapped; None when it is not known any more."""
    if what == "all":
        return _all_heard(view)
    if what == "chat":
        return Turn(Reply(hour_words.unmuted()), (Settle(replace(view.chat, muted_until=None)),))
    choice = view.guide.choice(what)
    if choice is None or choice.scope is not Scope.MATCH:
        return None
    return Turn(Reply(words.match_heard(choice.name)), (Settle(hear_match(view.chat, choice.id)),))


def muted(view: View) -> tuple[Button, ...]:
    """What is muted now, as buttons that end it: the whole chat first, then matches that are not over."""
    until = view.chat.muted_until
    whole = (button(words.whole_chat(when(view, until)), "mu:chat"),) if until and until > view.now else ()
    matches = (choice for choice in view.guide.upcoming(view.now) if choice.id in view.chat.muted_matches)
    return (*whole, *(button(choice.name, f"mu:{choice.token}") for choice in matches))


def mute(chat: Chat, fixture_id: str) -> Chat:
    """The chat, hearing no news of a match."""
    return replace(chat, muted_matches=chat.muted_matches | {fixture_id})


def hear_match(chat: Chat, fixture_id: str) -> Chat:
    """The chat, hearing a match again."""
    return replace(chat, muted_matches=chat.muted_matches - {fixture_id})


def _heard(view: View) -> list[Choice]:
    """The matches in play that the chat follows and has not muted; all of them where it has muted each."""
    playing = [choice for choice in view.guide.matches if _concerns(view, choice)]
    return [choice for choice in playing if choice.id not in view.chat.muted_matches] or playing


def _muted(view: View, choice: Choice) -> Turn:
    return Turn(Reply(words.match_muted(choice.name)), (Settle(mute(view.chat, choice.id)),))


def _all_heard(view: View) -> Turn:
    nothing = not muted(view)
    chat = replace(view.chat, muted_until=None, muted_matches=frozenset())
    return Turn(Reply(hour_words.not_muted())) if nothing else Turn(Reply(hour_words.unmuted()), (Settle(chat),))


def _concerns(view: View, choice: Choice) -> bool:
    fixture = choice.fixture
    if fixture is None or over(fixture, view.now) or not playing_now(view, fixture):
        return False
    return any(covers(subscription, fixture) for subscription in view.subscriptions)
