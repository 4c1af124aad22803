"""What rules and texts ask about a match: first goals, hat-tricks, comebacks, a player's goals and cards, scorers, the winner."""

from __future__ import annotations

from rules.football.action import Action, Player, Side
from rules.football.match import Match, Moment, order_of_play
from rules.football.minute import Period
from rules.football.names import isolate, normalise

_CARDS = ("Yellow Card", "Red Card")


def is_same_player(one: Player, other: Player) -> bool:
    """Return True if both are one player: by id where both have one, else by name."""
    if one.id and other.id:
        return one.id == other.id
    return bool(one.name) and normalise(one.name) == normalise(other.name)


def is_first_goal(moment: Moment) -> bool:
    """Return True if the action is the earliest goal of play. A pending goal is, if no goal stands before it."""
    goals = _list_goals(moment.after, moment.action)
    return bool(goals) and goals[0].id == moment.action.id


def is_hat_trick(moment: Moment) -> bool:
    """Return True if the action is its player's third goal of play; own goals do not count."""
    goals = _list_player_goals(moment.after, moment.action)
    # The third exactly: a fourth goal is no second hat-trick, and a correction of the first goal is none either.
    return len(goals) > 2 and goals[2].id == moment.action.id


def count_player_goals(match: Match, action: Action) -> int:
    """Return how many goals of play the player of an action has, the action itself included; own goals do not count.

    For a goal it is the number of this goal among the player's, and goals after it do not count.
    """
    goals = _list_player_goals(match, action)
    place = next((number for number, goal in enumerate(goals, 1) if goal.id == action.id), None)
    # An own goal, a card or a substitution is not in the list: then all of the player's goals count.
    return len(goals) if place is None else place


def list_cards(match: Match, player: Player) -> tuple[Action, ...]:
    """Return the player's standing cards, in order."""
    cards = (r.action for r in match.records.values() if r.is_standing and r.action.type in _CARDS)
    return tuple(sorted((a for a in cards if a.player and is_same_player(a.player, player)), key=lambda a: a.seq))


def count_player_cards(match: Match, action: Action) -> int:
    """Return how many cards the player of an action has, the action itself included, pending or not."""
    if action.player is None:
        return 0
    cards = {card.id for card in list_cards(match, action.player)}
    # Only standing cards are listed, and the message about a pending second yellow has to say that it is the second.
    return len(cards | ({action.id} if action.type in _CARDS else set()))


def is_comeback(moment: Moment) -> bool:
    """Return True if the goal puts its team in front after it was behind, or level after it was two behind.

    How far behind counts from when the team was last in front.
    """
    goals, side = _list_goals(moment.after, moment.action), moment.action.side
    ids = [goal.id for goal in goals]
    if side is None or moment.action.id not in ids:
        return False
    # The score is added up from the goals, not read from the feed: this goal may be corrected when others have followed.
    ahead = behind = 0
    for goal in goals[: ids.index(moment.action.id)]:
        ahead += 1 if goal.side is side else -1
        behind = 0 if ahead > 0 else max(behind, -ahead)
    # Before this goal the team was level after it had been behind, or one behind after it had been two.
    return (ahead == 0 and behind > 0) or (ahead == -1 and behind > 1)


def _list_goals(match: Match, action: Action) -> list[Action]:
    """Return the standing goals of play in the order of play, with the action itself if it is a goal, pending or not."""
    records = match.records.values()
    goals = [r.action for r in records if r.action.type == "Goal" and (r.is_standing or r.action.id == action.id)]
    return sorted((a for a in goals if a.period is not Period.SHOOTOUT), key=order_of_play)


def _list_player_goals(match: Match, action: Action) -> list[Action]:
    """Return those of the player of the action, without own goals; none if it has no player."""
    player = action.player
    if player is None:
        return []
    goals = _list_goals(match, action)
    return [a for a in goals if a.sub_type != "Own Goal" and a.player and is_same_player(a.player, player)]


def list_scorers(match: Match) -> str:
    """Return the scorers of play, home team first: `Gayle 23', Pérez 59', 63' (pen.) · Hazard 70'`. Empty without goals.

    A player who scored twice is named once. Empty too where a goal's scorer is unknown: half a list would mislead.
    """
    goals = sorted(match.list_standing_goals(), key=lambda r: order_of_play(r.action))
    if not goals or any(not (goal.action.player and goal.action.player.name and goal.credited) for goal in goals):
        return ""
    sides = []
    for side in Side:
        minutes: dict[str, list[str]] = {}
        for goal in goals:
            if goal.credited is side and goal.action.player:
                mark = {"Own Goal": " (o.g.)", "Penalty": " (pen.)"}.get(goal.action.sub_type, "")
                minutes.setdefault(goal.action.player.name, []).append(f"{goal.action.minute}'{mark}")
        if minutes:
            sides.append(", ".join(f"{isolate(name)} {', '.join(times)}" for name, times in minutes.items()))
    return " · ".join(sides)


def find_winner(match: Match) -> Side | None:
    """Return the side that is ahead, by the shootout where there is one; None if it is level."""
    score = match.shootout or match.score
    return None if score.home == score.away else Side.HOME if score.home > score.away else Side.AWAY
