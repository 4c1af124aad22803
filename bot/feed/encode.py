"""Writes the vendor's JSON, for the simulator, recordings and tests. `decode` reads it back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from bot.feed.decode import ControlKind
from rules.football.action import Fixture, Packet, PeriodScore, Player, SendType, Side, Team

# By samples of packets (section 4.2). Which of 3 and 4 is Deleted is not known; readers go by the word, never by the id.
_SEND_TYPE_IDS = {
    SendType.PENDING: 1,
    SendType.UPDATED: 2,
    SendType.DELETED: 3,
    SendType.CANCELLED: 4,
    SendType.CONFIRMED: 5,
}


class Dialect(msgspec.Struct, frozen=True):
    """How a feed spells what the documentation leaves open, so that tests can play every variant."""

    api_version: int = 3
    """1: no `relatedFixtureActionIds`, `homeTeam`, `traceId` or `collectionStatus`."""
    player_keys: str = "name"
    """`name`, or `fullName` for `{id, fullName, firstName, lastName}`."""
    own_goal_as: str = "sub_type"
    """`sub_type` of Goal, or an action `type` of its own."""
    second_yellow_as: str = "red_sub_type"
    """`red_sub_type`, or an action `type` of its own."""
    penalty_goal_as: str = "sub_type"
    """`sub_type` of Goal, an action `type` of its own (Penalty Scored), or the sub type of a Penalty `kick`."""
    saved_penalty_as: str = "sub_type"
    """`sub_type` of Penalty Missed, or an action `type` of its own."""
    lineups_as: str = "metadata"
    """`metadata` of the Lineups action, or by `rest` alone."""


_DEFAULT_DIALECT = Dialect()

# The samples have `timelineSequence` as a number, with more digits than a float keeps.
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def packet_to_object(packet: Packet, dialect: Dialect = _DEFAULT_DIALECT) -> dict[str, Any]:
    """Return the frame of a packet as a JSON object."""
    modern = dialect.api_version >= 2  # samples of version 1 lack these keys (section 3)
    return {
        "version": dialect.api_version,
        "finished": packet.is_finished,
        "fixtureAction": _action_to_object(packet, dialect, modern),
        "fixtureSummary": _summary_to_object(packet, modern),
    } | ({"traceId": packet.trace_id} if modern and packet.trace_id else {})


def encode_packet(packet: Packet, dialect: Dialect = _DEFAULT_DIALECT) -> bytes:
    """Return the frame of a packet."""
    return _ENCODER.encode(packet_to_object(packet, dialect))


def encode_control(kind: ControlKind, text: str) -> bytes:
    """Return a control frame (section 2.1)."""
    return msgspec.json.encode({"message": text, "level": "ERROR" if kind is ControlKind.REFUSED else "INFO"})


def encode_accepted() -> bytes:
    """Return the answer to a good token."""
    return encode_control(ControlKind.ACCEPTED, "Authorisation accepted")


def encode_refused(reason: str = "Supplied token could not be authenticated") -> bytes:
    """Return the answer to a bad token."""
    return encode_control(ControlKind.REFUSED, reason)


def encode_heartbeat(now: dt.datetime) -> bytes:
    """Return the heartbeat, which the feed sends every ten seconds."""
    return encode_control(ControlKind.HEARTBEAT, f"Heartbeat sent at {format_timestamp(now)}")


def format_timestamp(at: dt.datetime) -> str:
    """Format an instant as packets have it: UTC, microseconds, `Z`."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def format_plain_instant(at: dt.datetime) -> str:
    """Format an instant as REST fixtures and periods have it: UTC, seconds, no zone."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def format_clock(seconds: int) -> str:
    """Format seconds as `MM:SS`."""
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


def fixture_to_object(fixture: Fixture) -> dict[str, Any]:
    """Return a fixture as the REST side lists it."""
    competition = _named_to_object(fixture.competition)
    return {
        "id": fixture.id,
        "name": fixture.name or fixture.title,
        "status": fixture.status,
        "collectionStatus": fixture.collection_status or "CollectionScheduled",
        "type": "Official",
        "coverageLevel": fixture.coverage_level or "In Venue",
        "startDateUTC": format_plain_instant(fixture.kickoff) if fixture.kickoff else None,
        "teams": [_named_to_object(team) for team in (fixture.home, fixture.away) if team.name],
        "stage": {"name": competition["name"], "season": {"name": competition["name"], "competition": competition}},
        "venue": {"name": fixture.venue} if fixture.venue else None,
        "sport": "soccer",
        "fixtureDeleted": fixture.is_deleted,
        "updateCount": 0,
    }


def _named_to_object(one: Team) -> dict[str, str]:
    # `detail` is a key of ours: it tells teams of one name apart where a recording or the simulator is read again.
    return {"id": one.id, "name": one.name, **({"detail": one.detail} if one.detail else {})}


def _action_to_object(packet: Packet, dialect: Dialect, modern: bool) -> dict[str, Any]:
    action_type, sub_type = _spell_names(packet.type, packet.sub_type, dialect)
    frame: dict[str, Any] = {
        "period": packet.period_id,
        "actionId": packet.action_id,
        "sendType": packet.send_type_word or packet.send_type.value,  # an unknown word is played as it came
        "clockTime": format_clock(packet.clock),
        "fixtureId": packet.fixture_id,
        "timestamp": format_timestamp(packet.at),
        "sendTypeId": _SEND_TYPE_IDS.get(packet.send_type, 6),  # no documented id: the word is not known either
        "fixtureActionType": action_type,
    }
    if packet.seq is not None:
        frame["fixtureSeqNum"] = packet.seq
    if packet.timeline is not None:
        frame["timelineSequence"] = packet.timeline
    frame |= {"fixtureActionSubType": sub_type} if sub_type else {}
    frame |= {"relatedFixtureActionIds": list(packet.related)} if modern else {}
    frame |= _team_to_object(packet, modern)
    frame |= {"player": _player_to_object(packet.player, dialect)} if packet.player else {}
    # The documentation shows line-ups by REST alone (section 9.2): a packet may announce them without the players.
    is_by_rest = packet.type == "Lineups" and dialect.lineups_as == "rest"
    frame |= {"metadata": packet.metadata} if packet.metadata and not is_by_rest else {}
    # A word of tennis; no soccer packet with one has been seen (section 3.2).
    return frame | ({"delayStatus": "DELAYED"} if packet.is_delayed else {})


def _spell_names(action_type: str, sub_type: str, dialect: Dialect) -> tuple[str, str]:
    # No page shows how soccer spells these (sections 5.3 and 12): a feed may have a type or a sub type for each.
    spellings = {
        ("Goal", "Own Goal", dialect.own_goal_as, "type"): ("Own Goal", ""),
        ("Red Card", "Second Yellow", dialect.second_yellow_as, "type"): ("Second Yellow Card", ""),
        ("Goal", "Penalty", dialect.penalty_goal_as, "type"): ("Penalty Scored", ""),
        ("Goal", "Penalty", dialect.penalty_goal_as, "kick"): ("Penalty Kick", "Scored"),
        ("Penalty Missed", "Saved", dialect.saved_penalty_as, "type"): ("Penalty Saved", ""),
    }
    names = (action_type, sub_type)
    found = (to for (kind, sub, chosen, needed), to in spellings.items() if (kind, sub) == names and chosen == needed)
    return next(found, (action_type, sub_type))


def _team_to_object(packet: Packet, modern: bool) -> dict[str, Any]:
    if packet.team is None:
        return {}
    team: dict[str, Any] = {"id": packet.team.id, "name": packet.team.name}
    if modern and packet.team_side is not None:
        team["homeTeam"] = packet.team_side is Side.HOME
    return {"team": team}


def _player_to_object(player: Player, dialect: Dialect) -> dict[str, Any]:
    if dialect.player_keys == "name":
        return {"id": player.id, "name": player.name}
    first, _, last = player.name.rpartition(" ")
    return {"id": player.id, "fullName": player.name, "firstName": first, "lastName": last}


def _summary_to_object(packet: Packet, modern: bool) -> dict[str, Any]:
    summary = packet.summary
    fields: dict[str, Any] = {
        "homeTeamScore": summary.home,
        "awayTeamScore": summary.away,
        "isTied": summary.home == summary.away,
        "periods": [_period_to_object(period, packet.at) for period in summary.periods],
        "currentPeriod": summary.period_id,
        "currentStatus": summary.status,
        "currentClockTime": None if summary.clock is None else format_clock(summary.clock),
        "finished": packet.is_finished,
    }
    fields |= {"collectionStatus": summary.collection_status or None} if modern else {}
    # A score of 0 stays: only what is not known is left out.
    return {key: value for key, value in fields.items() if value is not None and value != ""}


def _period_to_object(period: PeriodScore, at: dt.datetime) -> dict[str, Any]:
    fields = {
        "id": period.id,
        "label": period.label,
        "type": period.type,
        "end": format_plain_instant(at) if period.is_ended else None,  # a Packet does not keep the exact instant
        "homeTeamScore": period.home,
        "awayTeamScore": period.away,
        "homeTeamPeriodScore": period.home_in_period,
        "awayTeamPeriodScore": period.away_in_period,
    }
    # `end` is null while the period runs (section 3.3).
    return {key: value for key, value in fields.items() if value is not None or key == "end"}
