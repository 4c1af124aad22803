"""(an entry with all that decides) -> the one thing to do for it now. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar

import msgspec

from bot.languages.speaking import speaking
from bot.outbox import pins
from bot.outbox.bell import has_bell
from bot.outbox.burst import fallen, is_burst, line_name, perhaps_told
from bot.outbox.decide import Decision, decide, first_for, revision_for
from bot.outbox.entry import UNREACHABLE, Entry, Job, News, Pin, Reason
from bot.store.model import Chat
from bot.telegram import render
from rules.alert import EXTRAS, Alert, Importance, State
from rules.timeline import Timeline


class Scene(msgspec.Struct, frozen=True):
    """What the picture of a message shows, in which language; `veiled`: until it is tapped."""

    timeline: Timeline
    language: str
    veiled: bool
    png: bytes = b""
    """The picture itself, once it is drawn; empty where none can be."""


class Send(msgspec.Struct, frozen=True):
    """A new message. `entry` is what is known of the chat once it is sent, but for the message's id."""

    entry: Entry
    alert: Alert
    html: str
    silent: bool
    reason: Reason
    bell: bool = False
    """True: the button of the mutes stands below it."""
    scene: Scene | None = None
    """None: words alone."""


class Edit(msgspec.Struct, frozen=True):
    """The message changes; `entry` holds the reply that follows."""

    entry: Entry
    alert: Alert
    html: str
    reason: Reason
    bell: bool = False
    scene: Scene | None = None


class Reply(msgspec.Struct, frozen=True):
    """A reply to the message."""

    entry: Entry
    alert: Alert
    html: str
    silent: bool
    reason: Reason


class Pinning(msgspec.Struct, frozen=True):
    """The message is pinned, or unpinned."""

    entry: Entry
    alert: Alert
    on: bool
    reason: Reason = Reason.REVISION


class Settle(msgspec.Struct, frozen=True):
    """Nothing is sent."""

    entry: Entry
    reason: Reason


Request = Send | Edit | Reply | Pinning
"""What is asked of Telegram."""
Step = Request | Settle
Value = TypeVar("Value", bound=msgspec.Struct)


def next_step(job: Job, now: dt.datetime) -> Step:
    """What to do for one chat, in its language: the latest revision counts, and a reply follows its edit."""
    with speaking(job.chat.language):
        return _dressed(_next_step(job, now), job.chat)


def perhaps(step: Step) -> Entry | None:
    """What its chat may have seen from when a message leaves until its answer comes; None where that need not be known.

    Cards and pictures are shown anew until one is known to have arrived, and what they show does not fall.
    """
    if not isinstance(step, Send) or step.alert.kind in EXTRAS:
        return None
    return _with(step.entry, message_id=None, unsure=True)


def _dressed(step: Step, chat: Chat) -> Step:
    """What the chat's own settings put around a message; a reply has no button, and what shows how a match stands neither."""
    if isinstance(step, Settle | Pinning):
        return step
    html = render.veiled(step.alert, step.html) if chat.spoilers else step.html
    if isinstance(step, Reply):
        return _with(step, html=html)
    timeline, bell = step.alert.timeline, has_bell(chat) and step.alert.kind not in EXTRAS
    scene = Scene(timeline, chat.language, chat.spoilers) if timeline else None
    return _with(step, html=html, bell=bell, scene=scene)


def _next_step(job: Job, now: dt.datetime) -> Step:
    decision = decide(job.entry, job.news, job.chat, now, superseded=job.superseded)
    if job.entry.told:
        return _revise(job, decision, now)
    if decision.alert is not None:
        return _send(job, decision.alert, now)
    return _doubt(job, decision.reason, now) if job.entry.unsure else _pass_over(job, decision.reason)


def _doubt(job: Job, reason: Reason, now: dt.datetime) -> Step:
    """It may have been told, and is not told again: then it was, by a message that cannot be reached. What fell is said now."""
    if _line_fell(job):
        return _send(job, job.news.candidates[0], now)
    entry = _with(job.entry, message_id=UNREACHABLE, unsure=bool(job.news.lines) and not is_burst(job.entry.key))
    if not job.news.fired:
        known = _with(job, entry=entry)
        return _revise(known, decide(entry, job.news, job.chat, now), now)
    return Settle(_with(entry, reason=reason.value, seq=job.news.seq), reason)


def _line_fell(job: Job) -> bool:
    """Tell whether a summary that may stand in the chat tells what fell: it is sent anew, since no edit reaches it."""
    return job.entry.unsure and any(news.state is State.RETRACTED for news in job.lines)


def _pass_over(job: Job, reason: Reason) -> Settle:
    """Never told; the rule is kept so that the same news stays untold."""
    chosen = first_for(job.news, job.chat)
    seq = job.news.seq if reason is Reason.UNNAMED else job.entry.seq
    return Settle(_with(job.entry, reason=reason.value, rule=chosen.rule if chosen else "", seq=seq), reason)


def _send(job: Job, alert: Alert, now: dt.datetime) -> Send | Settle:
    body, rule = _body(job, alert), alert.rule
    if job.news.lines:
        lines = _lines(job)
        if not lines:
            return Settle(_with(job.entry, reason=Reason.UNWANTED.value), Reason.UNWANTED)
        body, rule = render.summary(alert, lines), "\n".join(line_name(news, job.entry.key) for news in lines)
    entry = _seen(job, alert, body, rule, restored=False)
    entry = _with(entry, rings=job.rings) if is_burst(entry.key) else entry
    entry = pins.sent(_with(entry, reason=Reason.FIRST.value, reply=None, unsure=False), alert)
    silent = not entry.rings or job.chat.hushed(now)
    return Send(entry, alert, render.message(body, alert.state), silent, Reason.FIRST)


def _revise(job: Job, decision: Decision, now: dt.datetime) -> Step:
    if decision.alert is None:
        return _rest(job, now)
    entry, alert, reason = job.entry, _told_by(decision.alert, job.entry), decision.reason
    if pins.to_send_anew(entry) or _line_fell(job):
        return _send(job, alert, now)
    body = render.summary(alert, job.lines) if job.news.lines else _body(job, alert)
    rule = _told_lines(job) if job.news.lines else alert.rule
    restored = reason is Reason.RESTORED or (entry.restored and alert.state is not State.RETRACTED)
    after = _with(_seen(job, alert, body, rule, restored=restored), reason=reason.value)
    html = render.message(body, alert.state, restored=restored)
    if reason is Reason.RESTORED and entry.message_id == UNREACHABLE:  # what stands is told whole: no edit reaches the message
        return Send(_with(after, unsure=False), alert, html, not after.rings or job.chat.hushed(now), reason)
    after = pins.edited(_with_reply(after, job, alert, html, reason), alert)
    same = alert.timeline is None and html == render.message(entry.body, entry.state, restored=entry.restored)
    if after.reply is None and entry.message_id == UNREACHABLE:
        return Settle(_with(after, reason=entry.reason), reason)
    if same and after.reply is None:
        return Settle(after, reason)
    return Edit(after, alert, html, reason)


def _with_reply(after: Entry, job: Job, alert: Alert, html: str, reason: Reason) -> Entry:
    """Graver news rings unless its kind is silent here; what is taken back or restored rings where the news did."""
    before = job.entry
    if is_burst(before.key):
        return _with_fallen(after, job)
    if reason is Reason.GRAVER:
        return _with(after, reply=html, reply_rings=job.chat.sounds(alert.kind, important=True))
    if reason is Reason.RETRACTION:
        return _with(after, reply=render.retraction(alert, before.kind), reply_rings=before.rings)
    if reason is Reason.RESTORED:
        return _with(after, reply=render.restoration(alert), reply_rings=before.rings)
    return after


def _with_fallen(after: Entry, job: Job) -> Entry:
    """What falls in a burst is answered as what falls by itself, as loudly as the burst was told."""
    replies = [render.retraction(line.candidates[0], line.candidates[0].kind) for line in fallen(job.entry, job.lines)]
    if not replies:
        return _with(after, rings=job.entry.rings)
    due = [job.entry.reply] if job.entry.reply else []
    return _with(after, rings=job.entry.rings, reply=render.replies([*due, *replies]), reply_rings=job.entry.rings)


def _told_lines(job: Job) -> str:
    """The lines of a summary as its entry remembers them."""
    return "\n".join(line_name(line, job.entry.key) for line in job.lines) if is_burst(job.entry.key) else job.entry.rule


def _rest(job: Job, now: dt.datetime) -> Reply | Pinning | Settle:
    entry = job.entry
    alert = revision_for(entry, job.news, job.chat)
    if alert and entry.pin in (Pin.DUE, Pin.OFF):
        return Pinning(pins.done(entry), alert, on=entry.pin is Pin.DUE)
    if entry.reply is None or alert is None:
        return Settle(entry, Reason.DUPLICATE)
    after = _with(entry, reply=None)
    silent = not entry.reply_rings or job.chat.hushed(now)
    return Reply(after, _told_by(alert, entry), entry.reply, silent, Reason(entry.reason))


def _body(job: Job, alert: Alert) -> str:
    return render.body_of(alert, job.entry.body, job.chat.timezone)


def _lines(job: Job) -> tuple[News, ...]:
    """Of the old news, what the chat would have been told, or may have been; what a burst holds was decided when it was held."""
    if is_burst(job.entry.key):
        return job.lines
    seen = perhaps_told(job.entry)
    return tuple(news for news in job.lines if news.key in seen or first_for(news, job.chat))


def _told_by(alert: Alert, entry: Entry) -> Alert:
    """What takes news back is no rule's own: it speaks for the rule that told it."""
    if alert.rule and alert.kind:
        return alert
    return msgspec.structs.replace(alert, rule=alert.rule or entry.rule, kind=entry.kind, gravity=entry.gravity)


def _seen(job: Job, alert: Alert, body: str, rule: str, *, restored: bool) -> Entry:
    sounds = job.chat.sounds(alert.kind, important=alert.importance is Importance.MAJOR)
    rings = job.entry.rings if alert.state is State.RETRACTED else sounds
    told = _with(job.entry, rule=rule, kind=alert.kind, rings=rings, gravity=alert.gravity)
    return _with(told, state=alert.state, seq=job.news.seq, body=body, restored=restored)


def _with(value: Value, **changes: Any) -> Value:
    return msgspec.structs.replace(value, **changes)
