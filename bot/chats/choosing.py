"""The dialogues of /subscribe, /unsubscribe and /subscriptions, and of a name sent without a command. Pure.

Button data: `s:TOKEN` follows one of several hits, `u:TOKEN:PAGE` stops following one, `l:PAGE` turns the list to stop from.
"""

from __future__ import annotations

from msgspec.structs import replace

from bot.chats import browse, texts
from bot.chats.guide import ALL, Choice, token
from bot.chats.keyboards import button, page_of, rows, turner
from bot.chats.reply import Button, Follow, Reply, Turn, Unfollow, View
from bot.chats.search import Fit, Found, find, fit, plain
from bot.chats.taste_words import each_by_itself
from bot.store.model import Scope, Subscription

HITS = 10
LINES = 60


def subscribe(view: View, wanted: str) -> Turn:
    """`/subscribe [name]`: act when there is no doubt, else ask."""
    if not wanted:
        return Turn(browse.home(view))
    if wanted.casefold() == "all":
        return follow(view, ALL)
    found = search(view, wanted)
    return follow(view, found.exact) if found.exact else Turn(asked(view, wanted, found))


def search(view: View, wanted: str) -> Found:
    """Look for a name among everything that can be followed."""
    guide = view.guide
    return find(wanted, (*guide.competitions, *guide.teams), guide.upcoming(view.now))


def asked(view: View, wanted: str, found: Found) -> Reply:
    """Offer what was found, or what is near, as buttons."""
    if found.exact or found.hits:
        hits = (found.exact,) if found.exact else found.hits
        rest = f"\n{texts.more_hits(len(hits) - HITS)}" if len(hits) > HITS else ""
        names = [plain(hit.name) for hit in hits]
        shown = [_offer(view, hit, alike=names.count(plain(hit.name)) > 1) for hit in hits[:HITS]]
        return Reply(texts.which(wanted) + rest, rows(shown))
    if found.near:
        return Reply(texts.near(wanted), rows([_offer(view, choice) for choice in found.near]))
    return Reply(texts.no_near(wanted))


def follow(view: View, choice: Choice) -> Turn:
    """Follow one thing and say so."""
    if view.follows(choice.subscriptions):
        return Turn(Reply(texts.followed_already(choice.subscription)))
    return Turn(Reply(texts.followed(choice.subscription)), (Follow(choice.subscription),))


def picked(view: View, wanted: str) -> Turn | None:
    """One of several hits was tapped; None when it is not known any more."""
    choice = browse.offered(view, wanted)
    return follow(view, choice) if choice else None


def heard(view: View, text: str) -> Turn:
    """A name without a command, in a private chat: offer what it may mean."""
    found = search(view, text)
    if not (found.exact or found.hits or found.near):
        return Turn(Reply(texts.not_understood()))
    return Turn(asked(view, text, found))


def unsubscribe(view: View, wanted: str) -> Turn:
    """`/unsubscribe [name]`: act when there is no doubt, else offer what is followed."""
    if not view.subscriptions:
        return Turn(Reply(texts.nothing_followed()))
    if not wanted:
        return Turn(stopping(view))
    if wanted.casefold() == "all":
        return Turn(Reply(texts.stopped_all()), tuple(Unfollow(s) for s in view.subscriptions))
    hits = _followed(view, wanted)
    if not hits:
        return Turn(Reply(texts.not_followed(wanted)))
    if len(hits) == 1:
        return Turn(Reply(texts.stopped(hits[0])), (Unfollow(hits[0]),))
    return Turn(Reply(texts.which(wanted), rows([_stop(s, 0) for s in hits[:HITS]])))


def stopping(view: View, page: int = 0) -> Reply:
    """What is followed, as buttons that stop it."""
    if not view.subscriptions:
        return Reply(texts.stopped_all())
    page, shown = page_of(view.subscriptions, page)
    turn = turner(len(view.subscriptions), page, "l")
    return Reply(texts.choose_stop(), (*rows([_stop(s, page) for s in shown]), *turn, (Button(texts.done_button(), "done"),)))


def stopped(view: View, wanted: str, page: int) -> Turn | None:
    """One of the followed was tapped; None when it is not followed any more."""
    gone = tuple(s for s in view.subscriptions if token(s) == wanted)
    if not gone:
        return None
    kept = tuple(s for s in view.subscriptions if s not in gone)
    return Turn(stopping(replace(view, subscriptions=kept), page), tuple(Unfollow(s) for s in gone))


def subscriptions(view: View) -> Turn:
    """`/subscriptions`: what the chat follows and what it hears about, and the way to each of it."""
    each = ((Button(each_by_itself(), "xs:0"),),) if view.subscriptions else ()
    return Turn(replace(done(view).reply, rows=each))


def done(view: View) -> Turn:
    """What was chosen, without any buttons."""
    if not view.subscriptions:
        return Turn(Reply(texts.nothing_followed()))
    kinds = tuple(kind for kind in view.kinds if view.chat.takes(kind))
    html = f"{texts.following(view.subscriptions, LINES)}\n\n{texts.hears(kinds)}{texts.hears_when(waits=view.chat.waits)}"
    return Turn(Reply(html))


def _followed(view: View, wanted: str) -> tuple[Subscription, ...]:
    """The subscriptions that fit a name best."""
    fits = [(how, s) for s in view.subscriptions if (how := fit(wanted, texts.label(s))) is not None]
    exact = tuple(s for how, s in fits if how is Fit.EXACT)
    return exact or tuple(s for _, s in fits)


def _offer(view: View, choice: Choice, *, alike: bool = False) -> Button:
    """The button of one hit; a team that has its name with another is shown with its competition."""
    label = browse.match_label(view, choice) if choice.scope is Scope.MATCH else choice.name
    label = f"🏆 {label}" if choice.scope is Scope.COMPETITION else label
    label = f"{label} · {view.guide.where(choice)}" if alike and choice.scope is Scope.TEAM else label
    return button(label, f"s:{choice.token}", ticked=bool(view.follows(choice.subscriptions)))


def _stop(subscription: Subscription, page: int) -> Button:
    return button(f"✖ {texts.label(subscription)}", f"u:{token(subscription)}:{page}")
