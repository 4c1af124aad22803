"""One subscription by itself: its kinds, what rings, whether it waits, scorers alone. Pure.

Button data: `xs:PAGE` lists the subscriptions, `x:TOKEN` shows one, `xb:TOKEN` its loudness; `xk:TOKEN:KIND` switches a kind,
`xr:TOKEN:KIND` turns one from the chat's way to ringing to silent, `xw:TOKEN` waiting, `xg:TOKEN` scorers alone; `xx:TOKEN` makes
all as in the chat.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from bot.chats import kinds, texts
from bot.chats import taste_words as words
from bot.chats.guide import short, token
from bot.chats.keyboards import button, page_of, rows, turner
from bot.chats.reply import Button, Reply, Tune, Turn, View
from bot.chats.search import Fit, fit
from bot.store.model import Subscription
from bot.store.taste import AS_CHAT, Taste, with_taste
from rules.alert import EXTRAS

_WAITS = {None: True, True: False, False: None}
_SIGNS = "+-−–"
_SAID: dict[str, Callable[[Taste], Taste]] = {
    "wait": lambda taste: replace(taste, waits=True),
    "now": lambda taste: replace(taste, waits=False),
    "scorers": lambda taste: replace(taste, scorers=True),
    "usual": lambda _: AS_CHAT,
}
"""Words that may follow a name, beside kinds with their sign."""


def listed(view: View, page: int = 0) -> Reply:
    """What the chat follows, each a tap away from its own screen."""
    page, shown = page_of(view.subscriptions, page)
    found = [button(_label(one), f"x:{token(one)}") for one in shown]
    last = (Button(texts.done_button(), "done"),)
    return Reply(words.choose_which(), (*rows(found), *turner(len(view.subscriptions), page, "xs"), last))


def screen(view: View, one: Subscription) -> Reply:
    """Every kind on offer, ticked where this subscription hears it, and the rest of its taste."""
    ear, name = with_taste(view.chat, one.taste), token(one)
    offered = [button(texts.kind(k), f"xk:{name}:{short(k)}", ticked=ear.takes(k)) for k in _offered(view)]
    more = (
        (Button(words.rings(), f"xb:{name}"),),
        (button(words.waits(one.taste.waits), f"xw:{name}"),),
        (button(words.scorers(), f"xg:{name}", ticked=ear.scorers),),
        *(((Button(words.as_the_chat(), f"xx:{name}"),),) if one.taste.own else ()),
        (Button(texts.back(), "xs:0"), Button(texts.done_button(), "done")),
    )
    return Reply(words.screen(one), (*rows(offered, 2), *more))


def loudness(view: View, one: Subscription) -> Reply:
    """The kinds that this subscription hears, each with how it sounds."""
    ear, name = with_taste(view.chat, one.taste), token(one)
    heard = [button(f"{_sign(one.taste, k)}{texts.kind(k)}", f"xr:{name}:{short(k)}") for k in _offered(view) if ear.takes(k)]
    return Reply(words.loudness(one), (*rows(heard, 2), (Button(texts.back(), f"x:{name}"),)))


def shown(draw: Callable[[View, Subscription], Reply]) -> Callable[[View, str], Reply | None]:
    """Draw a screen of the subscription that button data names; None where it is not followed any more."""
    return lambda view, name: draw(view, one) if (one := _named(view, name)) else None


def pages(view: View, page: str) -> Reply | None:
    """The page of the list that button data names."""
    return listed(view, int(page)) if page.isdecimal() and view.subscriptions else None


def switched(view: View, data: str) -> Turn | None:
    """A kind was tapped; None where it, or the subscription, is not offered any more."""
    name, _, wanted = data.partition(":")
    one, kind = _named(view, name), kinds.of_token(view, wanted)
    if one is None or kind is None or kind in EXTRAS:
        return None
    on = not with_taste(view.chat, one.taste).takes(kind)
    return _tuned(view, one, switch(view, one.taste, kind, on=on), screen)


def sounded(view: View, data: str) -> Turn | None:
    """A kind's loudness was tapped: as in the chat, ringing, silent, in turn."""
    name, _, wanted = data.partition(":")
    one, kind = _named(view, name), kinds.of_token(view, wanted)
    if one is None or kind is None or kind in EXTRAS:
        return None
    taste = one.taste
    ring, silent = taste.ring - {kind}, taste.silent - {kind}
    if kind in taste.ring:
        silent |= {kind}
    elif kind not in taste.silent:
        ring |= {kind}
    return _tuned(view, one, replace(taste, ring=ring, silent=silent), loudness)


def waited(view: View, name: str) -> Turn | None:
    """Waiting was tapped: as in the chat, wait, do not, in turn."""
    one = _named(view, name)
    return _tuned(view, one, replace(one.taste, waits=_WAITS[one.taste.waits]), screen) if one else None


def scored(view: View, name: str) -> Turn | None:
    """Scorers alone were tapped."""
    one = _named(view, name)
    if one is None:
        return None
    on = not with_taste(view.chat, one.taste).scorers
    return _tuned(view, one, replace(one.taste, scorers=None if on == view.chat.scorers else on), screen)


def reset(view: View, name: str) -> Turn | None:
    """As in the chat again."""
    one = _named(view, name)
    return _tuned(view, one, AS_CHAT, screen) if one else None


def switch(view: View, taste: Taste, kind: str, *, on: bool) -> Taste:
    """A taste with one kind switched; one that hears what the chat hears has no kinds of its own."""
    ear = with_taste(view.chat, taste)
    now = {k for k in _offered(view) if ear.takes(k)} - {kind} | ({kind} if on else set())
    as_chat = now == {k for k in _offered(view) if view.chat.takes(k)}
    return replace(taste, kinds=None if as_chat else frozenset(now), scorers=None)


def said(view: View, said: tuple[str, ...]) -> Turn | None:
    """`/alerts NAME [+kind -kind | wait | now | scorers | usual] …`; None where the words name nothing that is followed."""
    at = next((n for n, word in enumerate(said) if word[0] in _SIGNS or (n and word.casefold() in _SAID)), len(said))
    one = _meant(view, " ".join(said[:at]))
    if one is None:
        return None
    taste = one.taste
    for word in said[at:]:
        found = _read(view, taste, word)
        if found is None:
            return Turn(Reply(texts.unknown_kind(word, _offered(view))))
        taste = found
    if at == len(said):
        return Turn(screen(view, one))
    heard = [k for k in _offered(view) if with_taste(view.chat, taste).takes(k)]
    return Turn(Reply(words.tuned(one, texts.kinds_in_a_row(heard))), (Tune(replace(one, taste=taste)),))


def _read(view: View, taste: Taste, word: str) -> Taste | None:
    """A taste after one more word; None for a word that says nothing."""
    if change := _SAID.get(word.casefold()):
        return change(taste)
    kind = kinds.kind_of(word.lstrip(_SIGNS), _offered(view))
    return switch(view, taste, kind, on=word[0] == "+") if kind else None


def _offered(view: View) -> tuple[str, ...]:
    """The kinds that a subscription may hear in a way of its own: cards and pictures are the chat's."""
    return tuple(kind for kind in view.kinds if kind not in EXTRAS)


def _meant(view: View, name: str) -> Subscription | None:
    """The one subscription that a name fits without doubt."""
    hits = [(how, one) for one in view.subscriptions if (how := fit(name, texts.label(one))) is not None and how < Fit.INSIDE]
    best = [one for how, one in hits if how == min(how for how, _ in hits)]
    return best[0] if len(best) == 1 else None


def _named(view: View, name: str) -> Subscription | None:
    return next((one for one in view.subscriptions if token(one) == name), None)


def _label(one: Subscription) -> str:
    return f"{words.SIGN} {texts.label(one)}" if one.taste.own else texts.label(one)


def _sign(taste: Taste, kind: str) -> str:
    return "🔔 " if kind in taste.ring else "🔕 " if kind in taste.silent else ""


def _tuned(view: View, one: Subscription, taste: Taste, draw: Callable[[View, Subscription], Reply]) -> Turn:
    after = replace(one, taste=taste)
    return Turn(draw(view, after), (Tune(after),))
