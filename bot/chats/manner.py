"""How alerts come: with buttons, behind spoilers. A part of /alerts, and /spoilers. Pure.

Button data: `fs` shows the screen, `f:NAME` switches one of `SWITCHES`; `g:on` and `g:off` are those of /spoilers.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from bot.chats import loud_words, texts
from bot.chats import manner_words as words
from bot.chats.keyboards import button
from bot.chats.reply import Button, Reply, Settle, Turn, View
from bot.chats.taste_words import scorers
from bot.store.model import Chat

SWITCHES: dict[str, Callable[[], str]] = {
    "buttons": words.buttons,
    "spoilers": words.spoilers,
    "bursts": words.bursts,
    "scorers": scorers,
}
"""By setting of the chat, its label."""
_WORDS = {"on": True, "off": False}


def screen(view: View, chat: Chat) -> Reply:
    """Every switch, ticked where it is on; a channel has no buttons to speak of."""
    names = [name for name in SWITCHES if name != "buttons" or chat.kind != "channel"]
    switches = tuple((button(SWITCHES[name](), f"f:{name}", ticked=getattr(chat, name)),) for name in names)
    return Reply(words.choose(), (*switches, (Button(loud_words.kinds_back(), "ks"), Button(texts.done_button(), "done"))))


def switched(view: View, name: str) -> Turn | None:
    """One switch was tapped; None for data that was never ours."""
    if name not in SWITCHES:
        return None
    chat = replace(view.chat, **{name: not getattr(view.chat, name)})
    return Turn(screen(view, chat), (Settle(chat),))


def spoilers(view: View, said: tuple[str, ...]) -> Turn:
    """`/spoilers [on | off]`: hide scores until they are tapped, or no longer."""
    on = _WORDS.get(" ".join(said).casefold())
    if on is None:
        row = (Button(words.switch_off(), "g:off") if view.chat.spoilers else Button(words.switch_on(), "g:on"),)
        return Turn(Reply(words.spoilers_now(on=view.chat.spoilers), (row,)))
    chat = replace(view.chat, spoilers=on)
    return Turn(Reply(words.spoilers_on() if on else words.spoilers_off()), (Settle(chat),))


def buttons(view: View, said: str) -> Turn | None:
    """`/mute buttons on | off`; None for anything else."""
    what, _, how = said.partition(" ")
    on = _WORDS.get(how.strip()) if what == "buttons" else None
    if on is None:
        return None
    return Turn(Reply(words.buttons_on() if on else words.buttons_off()), (Settle(replace(view.chat, buttons=on)),))
