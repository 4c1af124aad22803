"""The dialogues of the documentation, one function a sheet: what is said and pressed, and when a look is taken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable

from docs.screens.shown import Sheet
from docs.screens.stage import ADMIN, ME, Stage

GROUP, CHANNEL = -1_000_000_000_500, -1_001_234_567_890

FIRST_GOAL, BETWEEN, SECOND_PENDING, SECOND, VIDEO, FALLEN, HALF_TIME = (
    dt.timedelta(minutes=9, seconds=30),
    dt.timedelta(minutes=24),
    dt.timedelta(minutes=26, seconds=6),
    dt.timedelta(minutes=26, seconds=30),
    dt.timedelta(minutes=27, seconds=34),
    dt.timedelta(minutes=27, seconds=40),
    dt.timedelta(minutes=50),
)
"""After the kick-off of Argentina v Saudi Arabia."""

RULE = b"""extends: default
rules:
  - name: late goals of Argentina
    match: {action_type: Goal, team: Argentina, minute: {from: 80}}
    alert:
      kind: goal
      text: "VAMOS! {{ match }}, {{ player }} {{ minute }}'"
"""


async def alert(stage: Stage) -> Sheet:
    """A goal that is told at once, confirmed, and taken back."""
    await stage.play(BETWEEN)
    await stage.say("/subscribe Argentina")
    await stage.play(SECOND_PENDING)
    at_once = stage.screen("told at once")
    await stage.play(SECOND)
    confirmed = stage.screen("confirmed: edited in place")
    await stage.play(FALLEN)
    return Sheet("alert", "The life of an alert", (at_once, confirmed, stage.screen("taken back: struck, and a reply")))


async def choosing(stage: Stage) -> Sheet:
    """By buttons, from competitions to a team that is ticked."""
    await stage.say("/subscribe")
    competitions = stage.screen("competitions", last=2)
    await stage.tap("World Cup")
    teams = stage.screen("teams, or all of it", last=2)
    await stage.tap("Argentina")
    await stage.tap("France")
    return Sheet("choosing", "Choosing by buttons", (competitions, teams, stage.screen("ticked: one message, no litter", last=2)))


async def searching(stage: Stage) -> Sheet:
    """In words: sure, among several, and near."""
    await stage.say("/subscribe world cup")
    await stage.say("Madrid")
    known = stage.screen("a name is enough", last=4)
    await stage.say("/subscribe Argentinia")
    near = stage.screen("nearly right", last=2)
    await stage.tap("Argentina")
    await stage.say("/subscriptions")
    return Sheet("searching", "Choosing in words", (known, near, stage.screen("what is followed", last=2)))


async def alerts(stage: Stage) -> Sheet:
    """Which kinds, and what rings."""
    await stage.say("/subscribe Argentina")
    await stage.say("/alerts")
    kinds = stage.screen("/alerts: what is heard", last=2)
    await stage.tap("Yellow cards")
    await stage.tap("Sounds")
    await stage.tap("Red cards")
    rings = stage.screen("with sound, or silent", last=2)
    await stage.tap("Alerts")
    await stage.tap("Options")
    return Sheet("alerts", "Which alerts, and how they come", (kinds, rings, stage.screen("options", last=2)))


async def today(stage: Stage) -> Sheet:
    """The matches of the day, and those in play."""
    await stage.say("/timezone Madrid")
    await stage.say("/subscribe France")
    await stage.play(FIRST_GOAL)
    await stage.say("/today")
    day = stage.screen("/today", last=2)
    await stage.tap("▶")
    tomorrow = stage.screen("▶ the day after", last=2)
    await stage.say("/live")
    return Sheet(
        "today", "The matches of the day, and those in play", (day, tomorrow, stage.screen("/live: a tap follows", last=2))
    )


async def peace(stage: Stage) -> Sheet:
    """Mute, quiet hours, delay."""
    await stage.say("/subscribe Argentina")
    await stage.play(FIRST_GOAL)
    await stage.say("/mute")
    await stage.say("mute Argentina for an hour")
    mute = stage.screen("/mute, and a match for an hour", last=4)
    await stage.say("/quiet 23:00-07:00 hold")
    await stage.say("/quiet")
    quiet = stage.screen("/quiet", last=4)
    await stage.say("/delay")
    await stage.tap("30")
    return Sheet("peace", "Silence, quiet hours, delay", (mute, quiet, stage.screen("/delay", last=2)))


async def timezone(stage: Stage) -> Sheet:
    """Whose time a chat reads."""
    await stage.say("/timezone")
    zones = stage.screen("/timezone", last=2)
    await stage.say("/timezone Brazil")
    several = stage.screen("a country has several", last=2)
    await stage.tap("Paulo")
    return Sheet("timezone", "Whose time a chat reads", (zones, several, stage.screen("chosen", last=2)))


async def why(stage: Stage) -> Sheet:
    """Why an alert was told, and why it was taken back; a sample and its way."""
    await stage.say("/subscribe Argentina")
    await stage.play(SECOND)
    goal = stage.api.chat(ME).last
    await stage.say("/why", reply_to=goal.id)
    told = stage.screen("/why, in reply to an alert", last=3)
    await stage.tap("Details")
    details = stage.screen("its details", last=1)
    await stage.play(FALLEN)
    await stage.say("/why", reply_to=stage.api.chat(ME).last.id)
    fallen = stage.screen("… to what took it back", last=2)
    await stage.say("/test")
    await stage.say("/why", reply_to=stage.api.chat(ME).last.id)
    return Sheet("why", "Why an alert was told", (told, details, fallen, stage.screen("/test, by the way of real ones", last=4)))


async def timeline(stage: Stage) -> Sheet:
    """The match as a picture."""
    await stage.say("/subscribe Argentina")
    await stage.play(HALF_TIME)
    await stage.say("/timeline")
    return Sheet("timeline", "A match as a picture", (stage.screen("/timeline", last=2),))


async def inline(stage: Stage) -> Sheet:
    """A match card in any chat."""
    await stage.play(SECOND)
    return Sheet("inline", "In any chat", await stage.inline("arg"))


async def hello(stage: Stage) -> Sheet:
    """From nothing to a team with its goals only, and the question for the time zone."""
    await stage.say("/start")
    first = stage.screen("/start", last=2)
    await stage.say("argentina")
    followed = stage.screen("a name is enough", last=2)
    await stage.tap("Only goals")
    goals = stage.screen("only its goals: one tap", last=1)
    await stage.tap("Done")
    zone = stage.screen("asked once", last=1)
    return Sheet("hello", "The first minute", (first, followed, goals, zone))


async def languages(stage: Stage) -> Sheet:
    """The first minute in the other languages."""
    screens = []
    for number, language in enumerate(("es", "de", "fr", "pt", "it"), 50):
        stage.api.languages[number] = language
        await stage.say("/start", number, number)
        await stage.say("argentina", number, number)
        screens.append(stage.screen(language, chat=number, last=4))
    return Sheet("languages", "The first minute in other languages", tuple(screens))


async def settings(stage: Stage) -> Sheet:
    """Everything that a chat can choose, on one screen; an unknown command, and help."""
    await stage.say("/subscribe Argentina")
    await stage.say("/settings")
    every = stage.screen("/settings", last=2)
    await stage.say("/subscrbe France")
    misspelt = stage.screen("nearly right", last=2)
    await stage.say("/help")
    return Sheet("settings", "All settings, and help", (every, misspelt, stage.screen("/help", last=2)))


async def channel(stage: Stage) -> Sheet:
    """A channel, from the private chat of its administrator."""
    found = stage.api.chat(CHANNEL, kind="channel", title="Daily Goals")
    found.username, found.admins = "dailygoals", {ME, int(str(stage.api.me["id"]))}
    await stage.say("/channel @dailygoals")
    menu = stage.screen("/channel, in private", last=2)
    await stage.tap("⚽ Follow a team")
    await stage.tap("World Cup")
    await stage.tap("Argentina")
    chosen = stage.screen("chosen for the channel", last=1)
    await stage.play(SECOND)
    return Sheet(
        "channel",
        "For a channel",
        (menu, chosen, stage.screen("the channel", chat=CHANNEL, title=found.title, below="1,204 subscribers")),
    )


async def group(stage: Stage) -> Sheet:
    """A group: administrators choose, everybody asks; a channel is chosen for from a private chat."""
    chat = stage.api.chat(GROUP, title="Friends of football")
    chat.admins |= {ADMIN}
    stage.api.my_chat_member(GROUP, ADMIN, "left", "member")
    await stage.api.until(lambda: chat.messages)
    hello = stage.screen("added to a group", chat=GROUP, title=chat.title, below="12 members")
    await stage.say("/subscribe Argentina", GROUP, ME)
    await stage.say("/subscribe Argentina", GROUP, ADMIN)
    return Sheet(
        "group",
        "In a group",
        (hello, stage.screen("administrators choose", chat=GROUP, title=chat.title, below="12 members", last=4)),
    )


async def rules(stage: Stage) -> Sheet:
    """An admin sends rules: read, compared, applied, taken back."""
    await stage.send("rules.yaml", RULE, ADMIN)
    sent = stage.screen("a file: read and compared", chat=ADMIN, last=2)
    await stage.tap("Apply", ADMIN, ADMIN)
    applied = stage.screen("applied", chat=ADMIN, last=2)
    await stage.say("/rules", ADMIN, ADMIN)
    await stage.tap("History", ADMIN, ADMIN)
    return Sheet("rules", "Changing the rules", (sent, applied, stage.screen("/rules, and their history", chat=ADMIN, last=2)))


async def bell(stage: Stage) -> Sheet:
    """The small button under an alert."""
    await stage.play(BETWEEN)
    await stage.say("/subscribe Argentina")
    await stage.play(SECOND)
    await stage.tap("🔕")
    opened = stage.screen("🔕 under an alert, opened", last=1)
    await stage.tap("match")
    muted = stage.screen("this match is muted", last=1)
    await stage.say("/unmute")
    return Sheet("bell", "Silence, from under an alert", (opened, muted, stage.screen("heard again", last=2)))


async def spoilers(stage: Stage) -> Sheet:
    """What happened is hidden until it is tapped."""
    await stage.play(BETWEEN)
    await stage.say("/subscribe Argentina")
    await stage.say("/spoilers on")
    switched = stage.screen("/spoilers on", last=2)
    await stage.play(SECOND)
    hidden = stage.screen("told, and hidden", last=1)
    await stage.play(FALLEN)
    return Sheet("spoilers", "Without spoilers", (switched, hidden, stage.screen("what fell, too", last=2)))


async def bursts(stage: Stage) -> Sheet:
    """Goals of several matches at once, in one message."""
    await stage.say("/subscribe all")
    await stage.say("/alerts")
    await stage.tap("Options")
    await stage.tap("Combine")
    switched = stage.screen("switched on", last=1)
    await stage.play(VIDEO)
    return Sheet("bursts", "Several matches at once", (switched, stage.screen("the first at once, the others together", last=2)))


async def card(stage: Stage) -> Sheet:
    """One message a match, pinned and kept as the match stands."""
    await stage.say("/subscribe Argentina")
    await stage.say("/alerts none")
    await stage.say("/alerts +card +picture")
    asked = stage.screen("/alerts +card +picture", last=2)
    await stage.play(FIRST_GOAL)
    early = stage.screen("the card, pinned", last=1)
    await stage.play(HALF_TIME)
    return Sheet("card", "A living match card", (asked, early, stage.screen("half time: edited, and a picture", last=2)))


async def forms(stage: Stage) -> Sheet:
    """What a match card can be: chosen, as a picture, and as a table."""
    await stage.say("/subscribe Argentina")
    await stage.say("/alerts none")
    await stage.say("/alerts card as picture")
    chosen = stage.screen("/alerts card as picture", last=2)
    other = 51
    for typed in ("/subscribe Argentina", "/alerts none", "/alerts card table"):
        await stage.say(typed, other, other)
    await stage.play(HALF_TIME)
    return Sheet(
        "forms",
        "What a match card can be",
        (chosen, stage.screen("a picture", last=1), stage.screen("a table", chat=other, last=1)),
    )


async def language(stage: Stage) -> Sheet:
    """In which language the chat is spoken to."""
    await stage.say("/subscribe Argentina")
    await stage.say("/language")
    languages = stage.screen("/language", last=2)
    await stage.tap("Español")
    chosen = stage.screen("chosen", last=1)
    await stage.play(SECOND)
    await stage.say("/today")
    return Sheet("language", "In its own language", (languages, chosen, stage.screen("from now on", last=3)))


async def tastes(stage: Stage) -> Sheet:
    """One subscription in a way of its own."""
    await stage.say("/subscribe Argentina")
    await stage.say("/subscribe Premier League")
    await stage.say("/subscriptions")
    followed = stage.screen("/subscriptions", last=2)
    await stage.tap("Per-team")
    which = stage.screen("per-team settings", last=1)
    await stage.tap("Argentina")
    await stage.tap("Yellow cards")
    return Sheet("tastes", "One subscription by itself", (followed, which, stage.screen("Argentina hears more", last=1)))


DIALOGUES: tuple[Callable[[Stage], Awaitable[Sheet]], ...] = (
    hello, languages, settings, alert, choosing, searching, alerts, tastes, today, bell, peace, spoilers, bursts, card,
    forms, timeline, why, timezone, language, group, channel, inline, rules,
)  # fmt: skip
