"""Frame -> packet or control message. With `encode` and `decode_fixtures` the only modules that know the vendor's JSON.

A frame that is as documented is read straight into typed structs; any other is read again value by value, so that a wrong type
in an optional field costs that field and not the packet (feed documentation, sections 2.1, 3 and 10).
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from functools import lru_cache
from typing import Annotated, Any

import msgspec

from bot.errors import FrameUnreadable
from bot.feed import loose
from rules.action import Packet, PeriodScore, Player, SendType, Side, Summary, Team

Count = Annotated[int, msgspec.Meta(ge=0, le=loose.LARGEST)]
_NOTHING = msgspec.Raw()
_LONGEST = 2000
"""Bytes of a value that is remembered, at most."""


class ControlKind(enum.StrEnum):
    """What a frame without data is for."""

    ACCEPTED = "accepted"
    HEARTBEAT = "heartbeat"
    REFUSED = "refused"
    NOTICE = "notice"


class Control(msgspec.Struct, frozen=True):
    """A frame that carries no data; `text` is the server's own."""

    kind: ControlKind
    text: str = ""


class _Team(msgspec.Struct, rename="camel", gc=False):
    id: str | None = None
    name: str | None = None
    home_team: bool | None = None


class _Player(msgspec.Struct, rename="camel", gc=False):
    id: str | None = None
    name: str | None = None
    full_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class _Action(msgspec.Struct, rename="camel", gc=False):
    action_id: str = ""
    fixture_action_type: str = ""
    send_type: str = ""
    fixture_id: str | None = None
    timestamp: str | None = None
    fixture_action_sub_type: str | None = None
    fixture_seq_num: Count | None = None
    period: Count | None = None
    clock_time: str | None = None
    team: msgspec.Raw = _NOTHING
    player: _Player | None = None
    related_fixture_action_ids: tuple[str, ...] | None = None
    metadata: dict[str, Any] | None = None
    delay_status: str | None = None


class _Period(msgspec.Struct, rename="camel", gc=False):
    id: Count | None = None
    label: str | None = None
    type: str | None = None
    end: str | None = None
    home_team_score: Count | None = None
    away_team_score: Count | None = None
    home_team_period_score: Count | None = None
    away_team_period_score: Count | None = None


class _Summary(msgspec.Struct, rename="camel", gc=False):
    home_team_score: Count | None = None
    away_team_score: Count | None = None
    current_period: Count | None = None
    current_status: str | None = None
    collection_status: str | None = None
    current_clock_time: str | None = None
    periods: msgspec.Raw = _NOTHING
    finished: bool | None = None


class _Frame(msgspec.Struct, rename="camel", gc=False):
    fixture_action: _Action | None = None
    fixture_summary: _Summary | None = None
    finished: bool | None = None


_FAST = msgspec.json.Decoder(_Frame)
_TEAM = msgspec.json.Decoder(_Team | None)
_PERIODS = msgspec.json.Decoder(tuple[_Period, ...] | None)
_LOOSE = msgspec.json.Decoder()
_SEND_TYPES = {send_type.value: send_type for send_type in SendType}
_BROKEN = (msgspec.DecodeError, UnicodeError, RecursionError)
_ACCEPTED = re.compile(r"authori[sz]", re.IGNORECASE)
_REFUSED = re.compile(r"\b(not|fail|failed|denied|rejected|refused|invalid)\b", re.IGNORECASE)
_HEARTBEAT = re.compile(r"\s*heartbeat", re.IGNORECASE)
_BARE_REFUSAL = re.compile(r"\{?\s*(the )?supplied (authentication|token)", re.IGNORECASE)


def decode(frame: str | bytes, received: dt.datetime | None = None, fixture_id: str = "") -> Packet | Control:
    """Read one frame; raise FrameUnreadable and nothing else.

    `received` stands in for a timestamp that is absent or cannot be read, `fixture_id` (the connection's) for an absent one.
    """
    frame = loose.without_nul(frame)
    try:
        read = _FAST.decode(frame)
        if read.fixture_action is not None:
            return _packet(read, read.fixture_action, received, fixture_id)
    except msgspec.ValidationError:
        pass
    except _BROKEN:
        return _bare(frame)
    return _loosely(frame, received, fixture_id)


def _bare(frame: str | bytes) -> Control:
    """A refusal may come as bare text in braces (section 1.4); whatever else is not JSON is unreadable."""
    words = frame[:200] if isinstance(frame, str) else frame[:200].decode(errors="replace")
    if _BARE_REFUSAL.match(words):
        return Control(ControlKind.REFUSED, words.strip("{} \r\n"))
    raise FrameUnreadable("not-json", f"{len(frame)} characters that are not JSON")


def _loosely(frame: str | bytes, received: dt.datetime | None, fixture_id: str) -> Packet | Control:
    try:
        data = _LOOSE.decode(frame)
    except _BROKEN:
        return _bare(frame)
    if isinstance(data, str):
        return Control(ControlKind.REFUSED, data)
    if not isinstance(data, dict):
        raise FrameUnreadable("not-an-object", f"the frame is {type(data).__name__}")
    if "fixtureAction" not in data:
        return _control(data)
    action = _loose_action(data["fixtureAction"])
    read = _Frame(action, _loose_summary(data.get("fixtureSummary")), loose.boolean(data.get("finished")))
    return _packet(read, action, received, fixture_id)


def _control(data: dict[str, Any]) -> Control:
    message = loose.text(data.get("message"))
    level = loose.text(data.get("level")).upper()
    if _HEARTBEAT.match(message):
        return Control(ControlKind.HEARTBEAT, message)
    error = loose.text(data.get("errorMessage")) or loose.text(data.get("error"))
    status = loose.number(data.get("status"))
    if error or level == "ERROR" or "error" in data or ("status" in data and (status is None or status >= 400)):
        return Control(ControlKind.REFUSED, error or message or f"status {loose.text(data.get('status'))}")
    if _ACCEPTED.search(message):
        return Control(ControlKind.REFUSED if _REFUSED.search(message) else ControlKind.ACCEPTED, message)
    if not message:
        raise FrameUnreadable("incomplete", "an object with neither fixtureAction nor message")
    return Control(ControlKind.NOTICE, message)


def _packet(frame: _Frame, action: _Action, received: dt.datetime | None, fixture_id: str) -> Packet:
    at = loose.instant(action.timestamp) or received
    of = action.fixture_id or fixture_id
    if not (action.action_id and action.fixture_action_type and action.send_type and of and at):
        raise FrameUnreadable("incomplete", "the action lacks its id, type, send type, fixture or time")
    if fixture_id and of != fixture_id and of.casefold() != fixture_id.casefold():
        raise FrameUnreadable("other-fixture", f"the packet is of fixture {of[:40]}")
    summary = frame.fixture_summary
    team, side = _team(action.team) if action.team else (None, None)
    return Packet(  # in the order of its fields, which costs half of what names cost
        fixture_id or of,
        action.action_id,
        action.fixture_action_type,
        _SEND_TYPES.get(action.send_type) or SendType.of(action.send_type),
        at,
        action.fixture_action_sub_type or "",
        action.fixture_seq_num,
        action.period or 0,
        _clock(action.clock_time) or 0,
        team,
        side,
        _player(action.player) if action.player else None,
        action.related_fixture_action_ids or (),
        action.metadata or {},
        bool(action.delay_status),
        bool(frame.finished or (summary and summary.finished)),
        _summary(summary) if summary else Summary(),
    )


def _player(player: _Player) -> Player | None:
    """`name`, else `fullName`, else first and last name (section 3.2: no soccer packet with a player is documented)."""
    name = player.name or player.full_name or " ".join(filter(None, (player.first_name, player.last_name)))
    return Player(player.id or "", name) if name or player.id else None


def _summary(summary: _Summary) -> Summary:
    return Summary(  # in the order of its fields, which costs half of what names cost
        summary.home_team_score,
        summary.away_team_score,
        summary.current_period,
        summary.current_status or "",
        summary.collection_status or "",
        _clock(summary.current_clock_time),
        _periods(summary.periods) if summary.periods else (),
    )


def _team(raw: msgspec.Raw) -> tuple[Team | None, Side | None]:
    """What repeats in nearly every packet is read once, and kept once in memory."""
    data = bytes(raw)
    return _known_team(data) if len(data) <= _LONGEST else _read_team(data)


def _read_team(data: bytes) -> tuple[Team | None, Side | None]:
    team = _TEAM.decode(data)
    if team is None:
        return None, None
    side = None if team.home_team is None else Side.HOME if team.home_team else Side.AWAY
    return Team(team.id or "", team.name or "") if team.id or team.name else None, side


def _periods(raw: msgspec.Raw) -> tuple[PeriodScore, ...]:
    data = bytes(raw)
    return _known_periods(data) if len(data) <= _LONGEST else _read_periods(data)


def _read_periods(data: bytes) -> tuple[PeriodScore, ...]:
    return tuple(_period(period) for period in _PERIODS.decode(data) or ())


def _clock(words: str | None) -> int | None:
    return _known_clock(words) if words and len(words) <= len("120:00") else loose.clock(words)


_known_team = lru_cache(4096)(_read_team)
_known_periods = lru_cache(2048)(_read_periods)
_known_clock = lru_cache(8192)(loose.clock)


def _period(period: _Period) -> PeriodScore:
    return PeriodScore(
        id=period.id or 0,
        label=period.label or "",
        type=period.type or "",
        home=period.home_team_score,
        away=period.away_team_score,
        home_in=period.home_team_period_score,
        away_in=period.away_team_period_score,
        ended=bool(period.end),
    )


def _loose_action(value: Any) -> _Action:
    data = loose.mapping(value)
    related = (loose.text(item) for item in loose.items(data.get("relatedFixtureActionIds")))
    return _Action(
        action_id=loose.text(data.get("actionId")),
        fixture_action_type=loose.text(data.get("fixtureActionType")),
        send_type=loose.text(data.get("sendType")),
        fixture_id=loose.text(data.get("fixtureId")),
        timestamp=loose.text(data.get("timestamp")),
        fixture_action_sub_type=loose.text(data.get("fixtureActionSubType")),
        fixture_seq_num=loose.number(data.get("fixtureSeqNum")),
        period=loose.number(data.get("period")),
        clock_time=loose.text(data.get("clockTime")),
        team=_raw(_loose_team(data.get("team"))),
        player=_loose_player(data.get("player")),
        related_fixture_action_ids=tuple(filter(None, related)),
        metadata=loose.mapping(data.get("metadata")),
        delay_status=loose.text(data.get("delayStatus")),
    )


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _loose_team(value: Any) -> _Team | None:
    if isinstance(value, str):
        return _Team(name=loose.text(value))
    data = loose.mapping(value)
    return _Team(loose.text(data.get("id")), loose.text(data.get("name")), loose.boolean(data.get("homeTeam"))) if data else None


def _loose_player(value: Any) -> _Player | None:
    if isinstance(value, str):
        return _Player(name=loose.text(value))
    data = loose.mapping(value)
    return _Player(*(loose.text(data.get(key)) for key in ("id", "name", "fullName", "firstName", "lastName"))) if data else None


def _loose_summary(value: Any) -> _Summary:
    data = loose.mapping(value)
    return _Summary(
        home_team_score=loose.number(data.get("homeTeamScore")),
        away_team_score=loose.number(data.get("awayTeamScore")),
        current_period=loose.number(data.get("currentPeriod")),
        current_status=loose.status(data.get("currentStatus")),
        collection_status=loose.collection_status(data.get("collectionStatus")),
        current_clock_time=loose.text(data.get("currentClockTime")),
        periods=_raw([_loose_period(item) for item in loose.items(data.get("periods")) if isinstance(item, dict)]),
        finished=loose.boolean(data.get("finished")),
    )


def _loose_period(data: dict[str, Any]) -> _Period:
    scores = ("homeTeamScore", "awayTeamScore", "homeTeamPeriodScore", "awayTeamPeriodScore")
    return _Period(
        loose.number(data.get("id")),
        loose.text(data.get("label")),
        loose.text(data.get("type")),
        loose.text(data.get("end")),
        *(loose.number(data.get(key)) for key in scores),
    )
