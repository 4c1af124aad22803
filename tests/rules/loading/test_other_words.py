"""Words of other languages, programs and habits: each leads to the word that is meant, in one sentence."""

from __future__ import annotations

import pytest

from rules.engine.text import TEXT_VARIABLES
from rules.football.catalogue import load_catalogue
from rules.football.names import normalise
from rules.loading import conditions, ranges, template_names, template_syntax, value_mistakes
from rules.loading.rule_keys import ALERT_KEYS, ALERT_WORDS, MATCH_KEYS, MATCH_WORDS, RULE_KEYS, RULE_WORDS
from tests.rules.loading.test_loader import with_files

MATCH = "- {{name: r, match: {{{}}}, alert: {{kind: goal, text: x}}}}"
ALERT = "- {{name: r, match: {{side: home}}, alert: {{kind: goal, text: x, {}}}}}"
RULE = "- {{name: r, match: {{side: home}}, alert: {{kind: goal, text: x}}, {}}}"
TEXT = "- {{name: r, match: {{side: home}}, alert: {{kind: goal, text: '{}'}}}}"


def find_sentences(text: str) -> list[str]:
    """Return what is said of a file of rules, without places."""
    _, report = with_files(text)
    return [line.partition('rule "r": ')[2].removeprefix("warning: ") for line in (*report.mistakes, *report.warnings)]


TYPES = [
    ("full time, ft, final whistle, match end, end of match", "End Match"),
    ("half time, ht, halftime, period end", "End Period"),
    ("kickoff match, match start, start, match kick-off, match kickoff", "Start Match"),
    ("var, var check, video review, var review", "Video Check Underway"),
    ("sub, substitutions, change", "Substitution In"),
    ("yellow, booking, yellow cards", "Yellow Card"),
    ("red, sending off, sent off, red cards", "Red Card"),
    ("line up, lineup, line-up, team news, squad", "Lineups"),
    ("score, scored, tor, but", "Goal"),
]


@pytest.mark.parametrize(("words", "meant"), TYPES, ids=[meant for _, meant in TYPES])
def test_another_word_for_an_action_type_is_named_with_the_feeds_own(words: str, meant: str) -> None:
    for word in words.split(", "):
        sentence = f'the action type "{word}" is not in the catalogue, which has "{meant}"; '
        assert find_sentences(MATCH.format(f"action_type: {word}")) == [
            f"{sentence}the rule never fires unless the feed sends it"
        ]


KEYS = [
    (MATCH, "event, type, action, what, on", "what happened is called action_type"),
    (MATCH, "sub_type, subtype, sub_action", "it is called sub_action_type"),
    (MATCH, "status, confirmed, state", "it is called send_type: Pending, Confirmed or Updated"),
    (MATCH, "teams, club, home_team, away_team", "a team is called team; side says home or away"),
    (MATCH, "players, scorer, name", "who did it is called player"),
    (MATCH, "league, tournament, cup, competitions", "it is called competition"),
    (MATCH, "game, match, teams_are", "one match is called fixture"),
    (MATCH, "time, minutes, after, from, to, min", "it is called minute, such as minute: {from: 80}"),
    (MATCH, "half, phase", "it is called period, such as second half"),
    (MATCH, "margin, total, own, other, home, away", "it belongs under score, such as score: {margin: {to: 1}}"),
    (MATCH, "or, either, one_of", "it is called any"),
    (MATCH, "and, both", "it is called all, and all lines of match must hold anyway"),
    (MATCH, "except, unless, exclude", "it is called not"),
    (MATCH, "hattrick", "it is called hat_trick"),
    (MATCH, "kind, importance, max_age, text", "it belongs under alert"),
    (MATCH, "continue", "it belongs to the rule, beside match"),
    (ALERT, "message, template, msg, body, content", "the message is called text"),
    (ALERT, "priority, level, severity, loud, sound", "it is called importance: major is loud, minor is silent"),
    (ALERT, "silent, quiet, mute", "write importance: minor, which is silent"),
    (ALERT, "type, category, topic", "what a chat switches on and off is called kind"),
    (ALERT, "maxage, ttl, expires, max-age, age", "it is called max_age"),
    (ALERT, "use", "it belongs under text: text: {use: NAME}"),
    (ALERT, "chat, chats, to", "a rule sends to every chat that subscribed; chats of the file are under chats:"),
    (ALERT, "name, continue", "it belongs to the rule, beside alert"),
    (ALERT, "team, minute, any", "it belongs under match"),
    (RULE, "when, if, on, condition, conditions, where, filter", "the conditions are called match"),
    (RULE, "then, send, notify, action, do, message", "what is sent is called alert"),
    (RULE, "title, id, rule", "it is called name"),
    (RULE, "stop, final, last", "a rule that fires is the last one anyway, unless it says continue: true"),
    (RULE, "enabled, disabled, active", "take the rule out, or put # before its lines"),
    (RULE, "priority, order", "rules are asked from top to bottom: move the rule up"),
]


@pytest.mark.parametrize(("place", "words", "sentence"), KEYS, ids=[words for _, words, _ in KEYS])
def test_another_word_for_a_key_is_named_with_the_key_that_is_meant(place: str, words: str, sentence: str) -> None:
    for word in words.split(", "):
        assert f"{word}: {sentence}" in find_sentences(place.format(f"{word}: 1"))


@pytest.mark.parametrize(
    ("key", "words", "sentence"),
    [
        ("score", "difference, diff", "the difference is called margin"),
        ("score", "goals, sum", "all goals of the match are called total"),
        ("score", "team", "the goals of the team that acts are called own"),
        ("score", "opponent", "the goals of the other team are called other"),
        ("score", "from, to", "a range belongs to one of home, away, own, other, total and margin: {margin: {to: 1}}"),
        ("minute", "min, minimum, gte, ge, start, begin, since, after, gt, low", "the lower end is called from"),
        ("minute", "max, maximum, lte, le, end, until, till, before, lt, high", "the upper end is called to"),
    ],
)
def test_another_word_for_a_part_of_a_score_or_a_range_is_named(key: str, words: str, sentence: str) -> None:
    for word in words.split(", "):
        assert find_sentences(MATCH.format(f"{key}: {{{word}: 1}}")) == [f"{word}: {sentence}"]


VARIABLES = [
    ("scorer, name, player_name, who, goalscorer", "player"),
    ("home_team, hometeam, team_home", "home"),
    ("away_team, awayteam, team_away", "away"),
    ("league, tournament, cup", "competition"),
    ("time, clock", "minute"),
    ("stadium, ground", "venue"),
    ("result, goals", "score"),
    ("type, event, action", "action_type"),
    ("half", "period"),
    ("status, send_type, confirmed", "pending"),
    ("fixture, game", "match"),
]


@pytest.mark.parametrize(("words", "meant"), VARIABLES, ids=[meant for _, meant in VARIABLES])
def test_another_word_for_a_variable_is_named_with_the_variable_that_is_meant(words: str, meant: str) -> None:
    for word in words.split(", "):
        sentence = f'the text uses an unknown variable "{word}": it is called {meant}'
        assert find_sentences(TEXT.format(f"{{{{ {word} }}}}")) == [sentence]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("elseif team", "elif"),
        ("elsif team", "elif"),
        ("else if team", "elif"),
        ("end", "endif"),
        ("fi", "endif"),
        ("end if", "endif"),
    ],
)
def test_another_word_for_that_of_a_block_is_named_with_its_own(word: str, meant: str) -> None:
    written = word.removesuffix(" team")

    sentences = find_sentences(TEXT.format(f"{{% if player %}}a{{% {word} %}}b{{% endif %}}"))

    assert f"write {{% {meant} %}}, not {{% {written} %}}" in sentences


def test_no_word_is_led_to_a_word_that_is_not_there() -> None:
    types = load_catalogue()

    assert [word for word in conditions._OTHER_TYPE_WORDS if word != normalise(word) or types.has_type(word)] == []
    assert [name for name in conditions._OTHER_TYPE_WORDS.values() if not types.has_type(name)] == []
    assert {*template_names._OTHER_WORDS.values()} <= {*TEXT_VARIABLES} and not {*template_names._OTHER_WORDS} & {*TEXT_VARIABLES}
    assert {*template_syntax._OTHER_BLOCK_WORDS.values()} <= {*template_syntax.BLOCK_WORDS}
    assert not {*MATCH_WORDS} & {*MATCH_KEYS} and not {*ALERT_WORDS} & {*ALERT_KEYS} and not {*RULE_WORDS} & {*RULE_KEYS}


def test_the_table_here_has_every_word() -> None:
    def words_of(place: str) -> set[str]:
        return {word for where, words, _ in KEYS if where == place for word in words.split(", ")}

    assert words_of(MATCH) == {*MATCH_WORDS, *ALERT_KEYS, "continue"}
    assert words_of(ALERT) == {*ALERT_WORDS, "name", "continue", "team", "minute", "any"}
    assert words_of(RULE) == {*RULE_WORDS}
    assert {word for words, _ in TYPES for word in words.split(", ")} == {*conditions._OTHER_TYPE_WORDS}
    assert {word for words, _ in VARIABLES for word in words.split(", ")} == {*template_names._OTHER_WORDS}
    assert len(ranges._OTHER_ENDS) == 20 and len(conditions._OTHER_SCORES) == 8


def test_the_words_that_are_keys_before_a_colon_are_those_of_rules_and_chats() -> None:
    of_rules = {*RULE_KEYS, *ALERT_KEYS, *MATCH_KEYS, *conditions.SCORE_VALUES, "use", "from", "to"}

    assert of_rules | {"chat", "topic", "subscribe", "kinds", "language"} == value_mistakes._KEYS
