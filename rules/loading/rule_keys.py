"""The keys of rules, and what other words people write for them: a mistake then names the key that was meant."""

from __future__ import annotations

from rules.loading.conditions import CONDITIONS

RULE_KEYS = ("name", "match", "alert", "continue")

ALERT_KEYS = ("kind", "importance", "max_age", "text")

# In this order: `check` lists the keys where no known one is near to a word.
MATCH_KEYS = (*CONDITIONS, "any", "all", "not")

MATCH_WORDS = {
    **dict.fromkeys(("event", "type", "action", "what", "on"), "what happened is called action_type"),
    **dict.fromkeys(("sub_type", "subtype", "sub_action"), "it is called sub_action_type"),
    **dict.fromkeys(("status", "confirmed", "state"), "it is called send_type: Pending, Confirmed or Updated"),
    **dict.fromkeys(("teams", "club", "home_team", "away_team"), "a team is called team; side says home or away"),
    **dict.fromkeys(("players", "scorer", "name"), "who did it is called player"),
    **dict.fromkeys(("league", "tournament", "cup", "competitions"), "it is called competition"),
    **dict.fromkeys(("game", "match", "teams_are"), "one match is called fixture"),
    **dict.fromkeys(("time", "minutes", "after", "from", "to", "min"), "it is called minute, such as minute: {from: 80}"),
    **dict.fromkeys(("half", "phase"), "it is called period, such as second half"),
    **dict.fromkeys(
        ("margin", "total", "own", "other", "home", "away"), "it belongs under score, such as score: {margin: {to: 1}}"
    ),
    **dict.fromkeys(("or", "either", "one_of"), "it is called any"),
    **dict.fromkeys(("and", "both"), "it is called all, and all lines of match must hold anyway"),
    **dict.fromkeys(("except", "unless", "exclude"), "it is called not"),
    "hattrick": "it is called hat_trick",
}
"""Other words that people write for conditions under `match:`."""

ALERT_WORDS = {
    **dict.fromkeys(("message", "template", "msg", "body", "content"), "the message is called text"),
    **dict.fromkeys(
        ("priority", "level", "severity", "loud", "sound"), "it is called importance: major is loud, minor is silent"
    ),
    **dict.fromkeys(("silent", "quiet", "mute"), "write importance: minor, which is silent"),
    **dict.fromkeys(("type", "category", "topic"), "what a chat switches on and off is called kind"),
    **dict.fromkeys(("maxage", "ttl", "expires", "max-age", "age"), "it is called max_age"),
    "use": "it belongs under text: text: {use: NAME}",
    **dict.fromkeys(("chat", "chats", "to"), "a rule sends to every chat that subscribed; chats of the file are under chats:"),
}
"""Other words that people write for the keys of an alert."""

RULE_WORDS = {
    **dict.fromkeys(("when", "if", "on", "condition", "conditions", "where", "filter"), "the conditions are called match"),
    **dict.fromkeys(("then", "send", "notify", "action", "do", "message"), "what is sent is called alert"),
    **dict.fromkeys(("title", "id", "rule"), "it is called name"),
    **dict.fromkeys(("stop", "final", "last"), "a rule that fires is the last one anyway, unless it says continue: true"),
    **dict.fromkeys(("enabled", "disabled", "active"), "take the rule out, or put # before its lines"),
    **dict.fromkeys(("priority", "order"), "rules are asked from top to bottom: move the rule up"),
}
"""Other words that people write for the keys of a rule."""

MATCH_PLACES = {
    **dict.fromkeys(ALERT_KEYS, "it belongs under alert"),
    "continue": "it belongs to the rule, beside match",
    **MATCH_WORDS,
}
"""What to do with a key under `match:` that is none: move it, or call it by its name."""

ALERT_PLACES = {
    **dict.fromkeys(MATCH_KEYS, "it belongs under match"),
    **dict.fromkeys(("name", "continue"), "it belongs to the rule, beside alert"),
    **ALERT_WORDS,
}
"""The same for a key under `alert:`."""
