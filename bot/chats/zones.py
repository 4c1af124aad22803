"""The dialogue of /timezone: in whose time a chat reads kick-offs. Pure.

Button data: `o:ZONE`.
"""

from __future__ import annotations

from msgspec.structs import replace

from bot.chats import place_words as words
from bot.chats.keyboards import button, rows
from bot.chats.places import COMMON, known, look_up
from bot.chats.reply import Button, Reply, Row, Settle, Turn, View
from bot.chats.times import clock_time


def timezone(view: View, said: tuple[str, ...]) -> Turn:
    """`/timezone [city | country | zone]`: act where there is no doubt, else ask."""
    wanted = " ".join(said)
    if not wanted:
        zone = view.chat.timezone
        return Turn(Reply(words.zone_now(zone, clock_time(view.now, zone)), _offered(COMMON, zone)))
    if known(wanted):
        return _settled(view, wanted)
    places = look_up(wanted)
    if places.sure:
        return _settled(view, places.sure)
    if not places.zones:
        return Turn(Reply(words.zone_unknown(wanted)))
    html = words.zone_near(wanted) if places.near else words.zone_which(wanted)
    return Turn(Reply(html, _offered(places.zones, view.chat.timezone)))


def picked(view: View, zone: str) -> Turn | None:
    """A zone was tapped; None for what is none."""
    return _settled(view, zone) if known(zone) else None


def label(zone: str) -> str:
    """`Buenos Aires` for `America/Argentina/Buenos_Aires`."""
    return zone.rpartition("/")[2].replace("_", " ")


def _settled(view: View, zone: str) -> Turn:
    html = words.zone_set(zone, clock_time(view.now, zone))
    return Turn(Reply(html), (Settle(replace(view.chat, timezone=zone)),))


def _offered(zones: tuple[str, ...], now: str) -> tuple[Row, ...]:
    buttons: list[Button] = [button(label(zone), f"o:{zone}", ticked=zone == now) for zone in zones]
    return rows(buttons, 2)
