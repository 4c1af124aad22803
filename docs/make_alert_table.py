"""Makes the table of alerts in docs/chat.md from the shipped rules: `python -m docs.make_alert_table`.

Matches are played through the real rules, and each alert is shown as a locked phone shows it: the first forty letters.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from bot.i18n.compile import compile_catalogues
from bot.i18n.football import load_wordings
from bot.i18n.language import in_each_language
from bot.telegram.render import render_body, render_message, render_restoration, render_retraction
from rules.engine.alert import DEFAULT_KINDS, Alert, Importance, State
from rules.engine.evaluate import evaluate, translate_alert
from rules.engine.rule import RuleSet
from rules.engine.text import LANGUAGES, visible_text
from rules.football.action import Packet, SendType, Side, Team
from rules.football.advance import advance
from rules.football.fixture_changes import make_status_packet
from rules.football.match import Match
from rules.football.relisting import compare_listing, make_relisting_moments
from rules.loading.loader import list_packs, load_pack
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import parse_scenario

PAGE = Path(__file__).parent / "chat.md"

BEGIN, END = "<!-- the table of alerts: python -m docs.make_alert_table -->", "<!-- the end of the table of alerts -->"

PREVIEW_LENGTH = 40
"""Letters of a message that a locked phone shows at least."""

_PLAYED_SECONDS = 25 * 60
"""How much of the league match is played before what no scenario has."""

_LEAGUE_MATCH = """
match: Manchester United v Tottenham Hotspur
competition: Premier League
events:
  - 12' goal Fernandes (Manchester United)
  - 21' own goal Martínez (Manchester United)
  - 26' goal Rashford (Manchester United), disallowed for offside after a video check
  - 29' water break
  - 30' injury Dalot (Manchester United)
  - 31' penalty awarded Kane (Tottenham Hotspur)
  - 32' penalty saved Kane (Tottenham Hotspur)
  - 37' penalty goal Kane (Tottenham Hotspur)
  - 41' yellow card Romero (Tottenham Hotspur)
  - 43' sin bin Dalot (Manchester United)
  - 44' penalty awarded Sancho (Manchester United), cancelled after 10s
  - 45' added time 2
  - 52' red card Casemiro (Manchester United), deleted after 40s
  - 55' yellow card Antony (Manchester United), deleted after 40s
  - 60' substitution Garnacho for Antony (Manchester United)
  - 63' goal Son (Tottenham Hotspur), deleted after 40s, restored after 80s
  - 70' second yellow Romero (Tottenham Hotspur)
  - 72' penalty missed Sancho (Manchester United)
  - 90' added time 5
"""

_DRAMA = """
match: Manchester United v Tottenham Hotspur
competition: Premier League
events:
  - 10' goal Kane (Tottenham Hotspur)
  - 50' goal Sancho (Manchester United)
  - 60' goal Sancho (Manchester United)
  - 88' goal Son (Tottenham Hotspur)
"""

_EXTRA_TIME = """
match: Croatia v England
competition: World Cup
events:
  - 5' goal Trippier (England)
  - 68' goal Perišić (Croatia)
  - 109' goal Mandžukić (Croatia)
"""

_SHOOTOUT = """
match: Germany v Italy
competition: Euro 2016
events:
  - 65' goal Özil (Germany)
  - 78' penalty goal Bonucci (Italy)
  - 120' shootout
shootout:
  - Insigne (Italy) scored
  - Müller (Germany) saved
  - Pellè (Italy) missed
"""

# What no scenario has: the play itself, and how packets change the status of the match and of its data.
_PLAY = (("Shot", Side.HOME), ("Corner", Side.AWAY), ("Possible Video Check", None))

_STATUSES = (
    ("Live", "CollectionSuspended"),
    ("Live", "CollectingLive"),
    ("Suspended", "CollectingLive"),
    ("Live", "CollectingLive"),
)

_LAST_STATUSES = (("Abandoned", "CollectingLive"), ("Live", "CollectionDropped"))

_STATUSES_BEFORE_PLAY = ("Postponed", "Cancelled")


_DETAILS = ("second yellow", "saved", "on penalties", "after extra time")
"""What the text of one rule depends on, in the words of the feed and of the table."""

_TYPES_WITH_DETAILS = ("Penalty Missed", "Red Card")


class Row(msgspec.Struct, frozen=True):
    """One alert: what it is about, its kind, whether it makes a sound by default, and how it begins in each language."""

    name: str
    kind: str
    is_loud: bool
    previews: dict[str, str]


def list_rows() -> list[Row]:
    """Return every alert of the shipped rules once, and what takes them back, in the order of the packs' kinds."""
    rows: dict[str, Row] = {}
    for pack in ("everything", "drama"):
        rules = load_pack(pack)
        for match, packets in _list_matches():
            for row in _play(rules, match, packets):
                rows.setdefault(row.name, row)
        for row in _list_relistings(rules):
            rows.setdefault(row.name, row)
    return list(rows.values())


def list_rule_names() -> set[str]:
    """Return the names of all rules that ship."""
    return {rule.name for name in list_packs() for rule in load_pack(name).rules}


def _list_matches() -> Iterator[tuple[Match, Sequence[Packet]]]:
    for text in (_LEAGUE_MATCH, _DRAMA, _EXTRA_TIME, _SHOOTOUT):
        scenario = parse_scenario(text)
        yield Match(scenario.fixture), build_packets(scenario)
    scenario = parse_scenario(_LEAGUE_MATCH)
    fixture, packets = scenario.fixture, build_packets(scenario)
    for status in _STATUSES_BEFORE_PLAY:
        changed = msgspec.structs.replace(fixture, status=status)
        yield Match(fixture), [packets[0], make_status_packet(changed, packets[0].seq or 0, packets[0].at)]
    yield Match(fixture), [packets[0], msgspec.structs.replace(packets[1], type="Match Start Delayed")]
    played = [packet for packet in packets if packet.period_id == 1 and packet.clock < _PLAYED_SECONDS]
    play = [{"type": kind, "team_side": side, "team": fixture.team(side) if side else None} for kind, side in _PLAY]
    for last in _LAST_STATUSES:
        statuses = [
            {
                "type": "Status Updated",
                "summary": msgspec.structs.replace(played[-1].summary, status=one, collection_status=other),
            }
            for one, other in (*_STATUSES, last)
        ]
        yield Match(fixture), [*played, *_continue(played[-1], [*play, *statuses])]


def _continue(last: Packet, changes: Sequence[dict[str, Any]]) -> Iterator[Packet]:
    """Yield packets that follow the last one, each like it but for its changes."""
    for number, change in enumerate(changes, start=1):
        packet = msgspec.structs.replace(last, action_id=f"{last.action_id}:{number}", seq=(last.seq or 0) + number)
        packet = msgspec.structs.replace(packet, send_type=SendType.CONFIRMED, sub_type="", player=None, related=())
        yield msgspec.structs.replace(packet, **change)


def _play(rules: RuleSet, match: Match, packets: Sequence[Packet]) -> Iterator[Row]:
    sent: dict[str, Alert] = {}
    retracted: set[str] = set()
    for packet in packets:
        moment = advance(match, packet)
        match = moment.after
        for made in evaluate(rules, moment):
            alert = translate_alert(made, rules, load_wordings())
            action = alert.key.action_id
            first = sent.get(action)
            is_retraction = alert.state is State.RETRACTED
            if first is None and not is_retraction:
                sent[action] = alert
                yield _make_row(_name_row(alert), alert, partial(_render_alert, alert))
            elif first is not None and is_retraction and action not in retracted:
                retracted.add(action)
                yield _make_row(f"{first.rule}: taken back", first, partial(render_retraction, alert, first.kind))
            elif first is not None and not is_retraction and action in retracted:
                retracted.discard(action)
                yield _make_row(f"{first.rule}: stands after all", first, partial(render_restoration, alert))


def _list_relistings(rules: RuleSet) -> Iterator[Row]:
    """Yield the alerts of what changes in the list of fixtures."""
    fixture = parse_scenario(_LEAGUE_MATCH).fixture
    told = msgspec.structs.replace(fixture, venue="Old Trafford", coverage_level="In Venue")
    kickoff = told.kickoff or dt.datetime.fromtimestamp(0, dt.UTC)
    pairs = (
        (told, msgspec.structs.replace(told, kickoff=kickoff + dt.timedelta(hours=2))),
        (told, msgspec.structs.replace(told, kickoff=kickoff + dt.timedelta(days=7))),
        (told, msgspec.structs.replace(told, venue="Villa Park")),
        (msgspec.structs.replace(told, home=Team("w", "Winner SF1")), told),
        (msgspec.structs.replace(told, status="Postponed"), told),
        (told, msgspec.structs.replace(told, is_deleted=True)),
        (told, msgspec.structs.replace(told, coverage_level="Standard Stream")),
    )
    for before, now in pairs:
        for moment in make_relisting_moments(Match(now), before, compare_listing(before, now), 1, kickoff):
            for made in evaluate(rules, moment):
                alert = translate_alert(made, rules, load_wordings())
                yield _make_row(_name_row(alert), alert, partial(_render_alert, alert))


def _make_row(name: str, first: Alert, render: Callable[[], str]) -> Row:
    """Make the row of a message. `first` is the alert that it is or that it corrects: a reply is as loud as that was."""
    return Row(name, first.kind, first.importance is Importance.MAJOR, in_each_language(lambda: preview(render())))


def _render_alert(alert: Alert) -> str:
    return render_message(render_body(alert), alert.state)


def _name_row(alert: Alert) -> str:
    """Return the name of the alert's rule, with what its text depends on."""
    facts = alert.facts
    details = [facts.sub_action_type.lower()] if facts.action_type in _TYPES_WITH_DETAILS else []
    if facts.action_type == "End Match":
        details = ["on penalties"] if facts.shootout else ["after extra time"] if facts.after_extra_time else []
    return f"{alert.rule}{''.join(f' ({detail})' for detail in details if detail in _DETAILS)}"


def preview(html: str) -> str:
    """Return the beginning of a message as a locked phone shows it. ⏎ stands for the end of a line."""
    text = visible_text(html).replace("\n", " ⏎ ")
    return text if len(text) <= PREVIEW_LENGTH else f"{text[:PREVIEW_LENGTH]}…"


def format_table() -> str:
    """Return the table as Markdown."""
    lines = [f"| alert | kind | | {' | '.join(LANGUAGES.values())} |", f"| --- | --- | --- |{' --- |' * len(LANGUAGES)}"]
    for row in list_rows():
        kind = f"**{row.kind}**" if row.kind in DEFAULT_KINDS else row.kind
        previews = " | ".join(row.previews[language] for language in LANGUAGES)
        lines.append(f"| {row.name} | {kind} | {'🔔' if row.is_loud else ''} | {previews} |")
    return "\n".join(lines)


def insert_table(page: str) -> str:
    """Return the page with the table of today."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{format_table()}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    compile_catalogues()
    PAGE.write_text(insert_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
