"""The facts of a moment as the plain words that a text may use."""

from __future__ import annotations

from rules.action import Side
from rules.alert import Facts
from rules.bidi import isolated
from rules.match import Match, Moment
from rules.minute import Period


def facts_of(moment: Moment, reason: str = "") -> Facts:
    """What is so after the action, in words; empty where the feed is silent."""
    action, match = moment.action, moment.after
    fixture = match.fixture
    return Facts(
        match=scoreline(match),
        score=str(match.score),
        home=fixture.home.name,
        away=fixture.away.name,
        team=_team(match, action.side) or (action.team.name if action.team else ""),
        opponent=_team(match, action.side.other) if action.side else "",
        player=action.player.name if action.player else "",
        minute=str(action.minute or ""),
        period="" if action.period is Period.BEFORE else action.period.value,
        competition=fixture.competition.name,
        action_type=action.type,
        sub_action_type=action.sub_type,
        side=action.side or "",
        kickoff=f"{fixture.kickoff:%H:%M} UTC" if fixture.kickoff and fixture.kickoff_known else "",
        shootout=str(match.shootout or ""),
        score_before=str(match.score_when_lost),
        reason=reason,
    )


def scoreline(match: Match) -> str:
    """`Germany 1–1 (6–5 pens) Italy`; before the teams are known, the score alone."""
    kicks = f"({match.shootout} pens)" if match.shootout else ""
    return " ".join(filter(None, (isolated(match.fixture.home.name), str(match.score), kicks, isolated(match.fixture.away.name))))


def _team(match: Match, side: Side | None) -> str:
    return match.fixture.team(side).name if side else ""
