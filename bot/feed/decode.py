"""Decodes a frame of the feed into a packet or a control message; raises FrameUnreadable and nothing else.

A frame as documented is decoded straight into typed structs, which is fast. Where a value has a wrong type the frame is read
again value by value: that field is lost, the packet is not. Published samples contradict each other in types and spelling
(section 10), so that a strict reader would lose packets.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from bot.errors import FrameUnreadable
from bot.feed import lenient
from rules.football.action import Packet, PeriodScore, Player, SendType, Side, Summary, Team

Count = Annotated[int, msgspec.Meta(ge=0, le=lenient.MAX_EXACT_NUMBER)]

_NO_VALUE = msgspec.Raw()

_MAX_CACHED_BYTES = 2000
"""Larger values are not cached: the caches would hold whatever a broken feed sends."""

_MAX_CACHED_MATCHES = 2048
"""Most matches of which the latest periods are kept."""

_MAX_CACHED_TEAMS = 4096
"""Most teams that are kept."""

_MAX_CACHED_CLOCK = len("120:00")
_MAX_CACHED_CLOCKS = 8192
"""Characters of a clock that is kept, and most clocks: matches have the same 7200 of them."""


class ControlKind(enum.StrEnum):
    """The kinds of frames that carry no data."""

    ACCEPTED = "accepted"
    HEARTBEAT = "heartbeat"
    REFUSED = "refused"
    NOTICE = "notice"


class Control(msgspec.Struct, frozen=True):
    """A frame that carries no data; `text` is the server's message."""

    kind: ControlKind
    text: str = ""


# Only what is used is read: docs/feed.md says of every field what becomes of it. The structs have gc=False: they hold no cycles,
# and the garbage collector need not track several of them per frame.


class _TeamJson(msgspec.Struct, rename="camel", gc=False):
    id: str | None = None
    name: str | None = None
    home_team: bool | None = None


class _PlayerJson(msgspec.Struct, rename="camel", gc=False):
    id: str | None = None
    name: str | None = None
    full_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class _ActionJson(msgspec.Struct, rename="camel", gc=False):
    # In the order of the newest samples (section 11, F and G): the decoder looks for each key behind the one before.
    team: msgspec.Raw = _NO_VALUE  # raw, as the periods are: its bytes are the key under which it is cached
    period: Count | None = None
    metadata: dict[str, Any] | None = None  # its shape depends on the action (section 3.4)
    action_id: str = ""
    send_type: str = ""
    clock_time: str | None = None
    fixture_id: str | None = None
    timestamp: str | None = None
    fixture_seq_num: Count | None = None
    timeline_sequence: Decimal | None = None  # a float would not keep its digits (section 7)
    fixture_action_type: str = ""
    fixture_action_sub_type: str | None = None
    related_fixture_action_ids: tuple[str, ...] | None = None
    player: _PlayerJson | None = None
    delay_status: str | None = None


class _PeriodJson(msgspec.Struct, rename="camel", gc=False):
    id: Count | None = None
    label: str | None = None
    type: str | None = None
    end: str | None = None
    home_team_score: Count | None = None
    away_team_score: Count | None = None
    home_team_period_score: Count | None = None
    away_team_period_score: Count | None = None


class _SummaryJson(msgspec.Struct, rename="camel", gc=False):
    periods: msgspec.Raw = _NO_VALUE
    finished: bool | None = None
    away_team_score: Count | None = None
    current_period: Count | None = None
    current_status: str | None = None
    home_team_score: Count | None = None
    collection_status: str | None = None
    current_clock_time: str | None = None


class _FrameJson(msgspec.Struct, rename="camel", gc=False):
    trace_id: str | None = None
    finished: bool | None = None
    fixture_action: _ActionJson | None = None
    fixture_summary: _SummaryJson | None = None


_FRAME_DECODER = msgspec.json.Decoder(_FrameJson)

_TEAM_DECODER = msgspec.json.Decoder(_TeamJson | None)

_PERIODS_DECODER = msgspec.json.Decoder(tuple[_PeriodJson, ...] | None)

# By the word and never by `sendTypeId`: the samples contradict each other about the ids (section 4.2).
_SEND_TYPES_BY_VALUE = {send_type.value: send_type for send_type in SendType}

# ArithmeticError: a decimal number whose exponent has twenty digits.
_DECODE_ERRORS = (msgspec.DecodeError, ValueError, RecursionError, ArithmeticError)

# No page shows the control frames of this feed: they are known by words that other pages of the platform show (section 2.1).
_ACCEPTED_PATTERN = re.compile(r"authori[sz]", re.IGNORECASE)

_REFUSED_PATTERN = re.compile(r"\b(not|fail|failed|denied|rejected|refused|invalid)\b", re.IGNORECASE)

_HEARTBEAT_PATTERN = re.compile(r"\s*heartbeat", re.IGNORECASE)

# In the bytes, since the frame whose trace id is wanted is no JSON.
_TRACE_ID_PATTERN = re.compile(rb'"traceId"\s*:\s*"([0-9A-Za-z-]{1,64})"')

_BARE_REFUSAL_PATTERN = re.compile(r"\{?\s*(the )?supplied (authentication|token)", re.IGNORECASE)


def decode_frame(frame: str | bytes, received: dt.datetime | None = None, fixture_id: str = "") -> Packet | Control:
    """Decode one frame; raise FrameUnreadable and nothing else.

    `received` stands in for a timestamp that is absent or cannot be read, `fixture_id` (the connection's) for an absent one.
    """
    # PostgreSQL cannot store NUL, and a packet with one would block the outbox for ever.
    frame = lenient.remove_nul(frame)
    try:
        read = _FRAME_DECODER.decode(frame)
        if read.fixture_action is not None:
            return _make_packet(read, read.fixture_action, received, fixture_id)
    except _DECODE_ERRORS:
        pass  # a value has another type than documented, or one bad letter spoils the JSON
    return _decode_leniently(frame, received, fixture_id)


def find_trace_id(frame: str | bytes) -> str:
    """Return the `traceId` of a frame that cannot be decoded, for the log; empty where it has none."""
    found = _TRACE_ID_PATTERN.search(frame if isinstance(frame, bytes) else frame.encode(errors="replace"))
    return found[1].decode(errors="replace") if found else ""


def _decode_leniently(frame: str | bytes, received: dt.datetime | None, fixture_id: str) -> Packet | Control:
    """Decode a frame value by value, or a control frame."""
    try:
        data = lenient.parse_json(frame)
    except _DECODE_ERRORS:
        # Enough for the message; a proxy's error page has kilobytes.
        words = frame[:200] if isinstance(frame, str) else frame[:200].decode(errors="replace")
        # A refusal comes as bare text in braces (section 1.4); whatever else is not JSON is unreadable.
        if _BARE_REFUSAL_PATTERN.match(words):
            return Control(ControlKind.REFUSED, words.strip("{} \r\n"))
        raise FrameUnreadable("not-json", f"{len(frame)} characters that are not JSON") from None
    # No data and no heartbeat comes as a bare string, but a server's refusal may (section 2.1).
    if isinstance(data, str):
        return Control(ControlKind.REFUSED, data)
    if not isinstance(data, dict):
        raise FrameUnreadable("not-an-object", f"the frame is {type(data).__name__}")
    if "fixtureAction" not in data:
        return _read_control(data)
    action = _read_action(data["fixtureAction"])
    read = _FrameJson(
        lenient.as_text(data.get("traceId")),
        lenient.as_boolean(data.get("finished")),
        action,
        _read_summary_json(data.get("fixtureSummary")),
    )
    return _make_packet(read, action, received, fixture_id)


def _read_control(data: dict[str, Any]) -> Control:
    """Return the control message of an object without `fixtureAction`; raise FrameUnreadable if it has no message either."""
    message = lenient.as_text(data.get("message"))
    level = lenient.as_text(data.get("level")).upper()
    if _HEARTBEAT_PATTERN.match(message):
        return Control(ControlKind.HEARTBEAT, message)
    error = lenient.as_text(data.get("errorMessage")) or lenient.as_text(data.get("error"))
    status = lenient.as_number(data.get("status"))
    # Any of the signs that the documentation of this or another sport shows: an unseen refusal would look like silence.
    if error or level == "ERROR" or "error" in data or ("status" in data and (status is None or status >= 400)):
        return Control(ControlKind.REFUSED, error or message or f"status {lenient.as_text(data.get('status'))}")
    # A sentence such as "could not be authorised" has the word, too.
    if _ACCEPTED_PATTERN.search(message):
        return Control(ControlKind.REFUSED if _REFUSED_PATTERN.search(message) else ControlKind.ACCEPTED, message)
    # Counted and shown: it may be a new kind of frame that matters.
    if not message:
        raise FrameUnreadable("incomplete", "an object with neither fixtureAction nor message")
    return Control(ControlKind.NOTICE, message)


def _make_packet(frame: _FrameJson, action: _ActionJson, received: dt.datetime | None, fixture_id: str) -> Packet:
    at = lenient.as_instant(action.timestamp) or received
    packet_fixture = action.fixture_id or fixture_id
    # What no packet can do without: its action's id ties revisions together, the send type says what the revision means.
    if not (action.action_id and action.fixture_action_type and action.send_type and packet_fixture and at):
        raise FrameUnreadable("incomplete", "the action lacks its id, type, send type, fixture or time")
    # A server that mixes up streams would otherwise put another match's goals into this one.
    if fixture_id and packet_fixture != fixture_id and packet_fixture.casefold() != fixture_id.casefold():
        raise FrameUnreadable("other-fixture", f"the packet is of fixture {packet_fixture[:40]}")
    summary = frame.fixture_summary
    # Nearly always spelled as documented; the samples drift in letter case (section 10.12).
    send_type = _SEND_TYPES_BY_VALUE.get(action.send_type) or SendType.parse(action.send_type)
    team, side = _TEAMS[bytes(action.team)] if action.team else (None, None)
    timeline = action.timeline_sequence
    fixture_id = fixture_id or packet_fixture  # the connection's spelling, under which the match is followed
    return Packet(  # positional: keywords would double the cost of the busiest call of the process
        fixture_id,
        lenient.clean_id(action.action_id),
        lenient.clean_name(action.fixture_action_type),
        send_type,
        at,
        lenient.clean_name(action.fixture_action_sub_type) if action.fixture_action_sub_type else "",
        action.fixture_seq_num,
        action.period or 0,
        _CLOCKS[action.clock_time] or 0,
        team,
        side,
        _make_player(action.player) if action.player else None,
        tuple(map(lenient.clean_id, action.related_fixture_action_ids)) if action.related_fixture_action_ids else (),
        lenient.clean_values(action.metadata) if action.metadata else {},
        bool(action.delay_status),  # whatever the word: none has been seen for soccer (section 3.2)
        bool(frame.finished or (summary and summary.finished)),  # some packets have it only in the summary (section 3.1)
        _make_summary(summary, fixture_id) if summary else Summary(),
        "" if send_type is not SendType.OTHER else action.send_type.strip(),  # an unknown word is reported as it came
        frame.trace_id or "",
        timeline if timeline is not None and timeline.is_finite() else None,  # "NaN" is a decimal, and cannot be compared
    )


def _make_player(player: _PlayerJson) -> Player | None:
    """Return the player by `name`, else `fullName`, else first and last name: section 3.2 shows no soccer packet with one."""
    name = player.name or player.full_name or " ".join(filter(None, (player.first_name, player.last_name)))
    return Player(player.id or "", lenient.clean_name(name)) if name or player.id else None


def _make_summary(summary: _SummaryJson, fixture_id: str) -> Summary:
    return Summary(  # positional: keywords would double the cost of the busiest call of the process
        summary.home_team_score,
        summary.away_team_score,
        summary.current_period,
        summary.current_status or "",
        summary.collection_status or "",
        _CLOCKS[summary.current_clock_time],
        _parse_periods(summary.periods, fixture_id) if summary.periods else (),
    )


def _decode_team(data: bytes) -> tuple[Team | None, Side | None]:
    team = _TEAM_DECODER.decode(data)
    if team is None:
        return None, None
    # Packets of version 1 do not say it (section 3.2).
    side = None if team.home_team is None else Side.HOME if team.home_team else Side.AWAY
    return Team(team.id or "", lenient.clean_name(team.name or "")) if team.id or team.name else None, side


_latest_periods: dict[str, tuple[bytes, tuple[PeriodScore, ...]]] = {}
"""By fixture, the periods of its latest packet, as they came and decoded."""


def _parse_periods(raw: msgspec.Raw, fixture_id: str) -> tuple[PeriodScore, ...]:
    """Decode the periods of a summary. They change with a goal or a whistle, and are else those of the packet before."""
    data = bytes(raw)
    latest = _latest_periods.get(fixture_id)
    if latest is not None and latest[0] == data:
        return latest[1]
    periods = tuple(
        PeriodScore(
            id=period.id or 0,
            label=period.label or "",
            type=period.type or "",
            home=period.home_team_score,
            away=period.away_team_score,
            home_in_period=period.home_team_period_score,
            away_in_period=period.away_team_period_score,
            is_ended=bool(period.end),
        )
        for period in _PERIODS_DECODER.decode(data) or ()
    )
    if len(data) <= _MAX_CACHED_BYTES:
        if len(_latest_periods) >= _MAX_CACHED_MATCHES:
            _latest_periods.clear()  # most of them are of matches that are over
        _latest_periods[fixture_id] = data, periods
    return periods


class _Teams(dict[bytes, tuple[Team | None, Side | None]]):
    """By their JSON, the teams that packets named: they repeat in nearly every packet, and are one object in memory.

    A dictionary, and no `lru_cache` behind a check: a hit is one look-up, twice in every packet.
    """

    def __missing__(self, data: bytes) -> tuple[Team | None, Side | None]:
        found = _decode_team(data)
        # Not longer ones: a cache keeps what it has seen, and a broken feed may send megabytes.
        if len(data) <= _MAX_CACHED_BYTES:
            if len(self) >= _MAX_CACHED_TEAMS:
                self.clear()  # most of them are of matches that are over
            self[data] = found
        return found


class _Clocks(dict[str | None, int | None]):
    """By their text, the seconds of clocks."""

    def __missing__(self, words: str | None) -> int | None:
        found = lenient.as_clock(words)
        if words and len(words) <= _MAX_CACHED_CLOCK and len(self) < _MAX_CACHED_CLOCKS:
            self[words] = found
        return found


_TEAMS, _CLOCKS = _Teams(), _Clocks()


def _read_action(value: Any) -> _ActionJson:
    """Return the action of a frame value by value: a wrong one is left out, and the others stay."""
    data = lenient.as_mapping(value)
    related = (lenient.as_text(item) for item in lenient.as_list(data.get("relatedFixtureActionIds")))
    return _ActionJson(
        action_id=lenient.as_text(data.get("actionId")),
        fixture_action_type=lenient.as_text(data.get("fixtureActionType")),
        send_type=lenient.as_text(data.get("sendType")),
        fixture_id=lenient.as_text(data.get("fixtureId")),
        timestamp=lenient.as_text(data.get("timestamp")),
        fixture_action_sub_type=lenient.as_text(data.get("fixtureActionSubType")),
        fixture_seq_num=lenient.as_number(data.get("fixtureSeqNum")),
        period=lenient.as_number(data.get("period")),
        clock_time=lenient.as_text(data.get("clockTime")),
        team=_encode_raw(_read_team_json(data.get("team"))),
        player=_read_player_json(data.get("player")),
        related_fixture_action_ids=tuple(filter(None, related)),
        metadata=lenient.as_mapping(data.get("metadata")),
        delay_status=lenient.as_text(data.get("delayStatus")),
        timeline_sequence=lenient.as_decimal(data.get("timelineSequence")),
    )


def _encode_raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _read_team_json(value: Any) -> _TeamJson | None:
    """Return the team of an object, or of a bare name."""
    if isinstance(value, str):
        return _TeamJson(name=lenient.as_text(value))
    data = lenient.as_mapping(value)
    if not data:
        return None
    return _TeamJson(lenient.as_text(data.get("id")), lenient.as_text(data.get("name")), lenient.as_boolean(data.get("homeTeam")))


def _read_player_json(value: Any) -> _PlayerJson | None:
    """Return the player of an object, or of a bare name."""
    if isinstance(value, str):
        return _PlayerJson(name=lenient.as_text(value))
    data = lenient.as_mapping(value)
    if not data:
        return None
    return _PlayerJson(*(lenient.as_text(data.get(key)) for key in ("id", "name", "fullName", "firstName", "lastName")))


def _read_summary_json(value: Any) -> _SummaryJson:
    data = lenient.as_mapping(value)
    keys = ("homeTeamScore", "awayTeamScore", "homeTeamPeriodScore", "awayTeamPeriodScore")
    periods = [
        _PeriodJson(
            lenient.as_number(period.get("id")),
            lenient.as_text(period.get("label")),
            lenient.as_text(period.get("type")),
            lenient.as_text(period.get("end")),
            *(lenient.as_number(period.get(key)) for key in keys),
        )
        for period in lenient.as_list(data.get("periods"))
        if isinstance(period, dict)
    ]
    return _SummaryJson(
        home_team_score=lenient.as_number(data.get("homeTeamScore")),
        away_team_score=lenient.as_number(data.get("awayTeamScore")),
        current_period=lenient.as_number(data.get("currentPeriod")),
        current_status=lenient.as_status(data.get("currentStatus")),
        collection_status=lenient.as_collection_status(data.get("collectionStatus")),
        current_clock_time=lenient.as_text(data.get("currentClockTime")),
        periods=_encode_raw(periods),
        finished=lenient.as_boolean(data.get("finished")),
    )
