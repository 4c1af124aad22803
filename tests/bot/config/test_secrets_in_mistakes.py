"""No sentence about a file repeats a secret of it: it is printed, logged, shown by CI and sent to the admins."""

from pathlib import Path

import pytest

from bot.commands.check import format_text
from bot.config.load import load_config
from bot.errors import ConfigInvalid

SECRET = "hunter2Xyzzy"

SETTINGS = {
    "token": "feed:\n  token: ",
    "a misspelt token": "feed:\n  tokne: ",
    "a token without its key": "feed: ",
    "a token as an item": "telegram:\n  - ",
    "a bot's token": "telegram:\n  token: 123456:",
    "token_file": "feed:\n  token_file: ",
    "password": "http:\n  console:\n    listen: 127.0.0.1:8081\n    password: ",
    "a misspelt password": "http:\n  console:\n    pasword: ",
    "a key in quotes": 'http:\n  console:\n    "password": ',
    "a setting in brackets": "feed: {stale_after: 25s, token: ",
    "a value on the next line": "feed:\n  token:\n    ",
    "a value that goes on": "feed:\n  token: abcdef\n  ",
    "a value that goes on deeper": "feed:\n  token: abcdef\n    ",
    "storage": "storage:\n  url: ",
    "a database's address": "storage:\n  url: postgresql://bot:pw-",
    "proxy": "telegram:\n  proxy: ",
    "a proxy's address": "x-proxy: http://bot:hunter2Xyzzy@proxy:1 ",
    "secret_token": "telegram:\n  webhook:\n    url: https://a.example/b\n    listen: 127.0.0.1:1\n    secret_token: ",
    "webhook": "telegram:\n  webhook:\n    listen: 127.0.0.1:1\n    url: ",
    "dead_man_url": "http:\n  dead_man_url: ",
    "without a space": "feed:\n  token:",
    "with a sign of equality": "feed:\n  token = ",
    "without a colon": "feed:\n  token ",
    "without a space after the dash": "feed:\n  -token: ",
}
"""Beginnings of a file that end where a secret is written, or a part of it."""

WRITTEN = [
    *("@S", "%S", "`S", "*S", "&S", "!S", "!S!x y", "[S", "{S", "S]", "S: x", "S:", "x: S", "S: [x", ",S", "#S", "S #x: y"),
    *("'S", '"S', '"S\\q"', "'a'S", '"a" S', "“S”: x", "|S", ">S", ">5S", "- S", "? S", "{{ S }}", "{% S %}", "{a: {{ S }}}"),
    *("${S", "${S-x}", "$S", "${X:?S}", "${X:-S}: y", "\tS", "S\t: x", "S\n    more: S", "S\n   S", "S\n S: x", "S\n    S: x"),
    *("[S, @S]", "[S S: x]", "[S; S: x]", "{S, S}", "{S: x, S: y}", "{S: x, @S}", "&S x\n  proxy: *S", "S\n\tS: x", "*S x"),
    *("S: @S", "<<: S", "[S]", "{a: S}", "S\n...\nS", "S\n---\nS", "S = x", "S=x", "a S", "-S: x"),
]
"""What is written there; S is the secret."""


THOROUGH = ("token", "a token as an item", "a setting in brackets", "a value that goes on", "storage")
"""The settings that are miswritten in every way. The others are a value after a key as well, and get a sixth of the ways each."""


def list_sentences(path: Path, text: str, **env: str) -> str:
    """Return all that is said about a file."""
    path.write_text(text, encoding="utf-8")
    try:
        findings = load_config(path, env).findings
    except ConfigInvalid as error:
        return "\n".join([*error.mistakes, *format_text(error.findings)])
    return "\n".join(format_text(findings))


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_sentence_repeats_a_secret_however_it_is_miswritten(setting: str, tmp_path: Path) -> None:
    ways = WRITTEN if setting in THOROUGH else WRITTEN[list(SETTINGS).index(setting) % 6 :: 6]

    said = {one: list_sentences(tmp_path / "c.yaml", f"{SETTINGS[setting]}{one.replace('S', SECRET)}\n") for one in ways}

    assert any(said.values())
    assert {one: sentence for one, sentence in said.items() if SECRET in sentence} == {}


@pytest.mark.parametrize(
    "text",
    [
        "feed: {stale_after: '${FEED_TOKEN}'}",
        "telegram: {admins: ['${BOT_PASSWORD}']}",
        "chats: [{chat: '${CHAT_SECRET}', subscribe: all}]",
        "feed: {'${FEED_TOKEN}': 25s, api_url: 'https://feed.example/${FEED_TOKEN}'}",
        "catalogue: ${FEED_TOKEN}",
        "include: ['${FEED_TOKEN}']",
    ],
)
def test_no_sentence_repeats_the_value_of_a_variable_whose_name_says_that_it_is_secret(text: str, tmp_path: Path) -> None:
    env = dict.fromkeys(("FEED_TOKEN", "BOT_PASSWORD", "CHAT_SECRET"), SECRET)

    said = list_sentences(tmp_path / "c.yaml", text, **env)

    assert said and SECRET not in said


@pytest.mark.parametrize(
    "text",
    [
        f"telegram: {{admins: ['123456:{SECRET}-and-{SECRET}']}}",
        f"feed: {{stale_after: 'https://me:{SECRET}@feed.example'}}",
        f"rules:\n  - name: https://me:{SECRET}@feed.example\n    match: {{sidee: home}}\n    alert: {{kind: goal, text: Goal}}",
    ],
)
def test_what_looks_like_a_secret_is_hidden_anywhere(text: str, tmp_path: Path) -> None:
    said = list_sentences(tmp_path / "c.yaml", text)

    assert said and SECRET not in said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rules: @goals", 'a text that begins with @ goes in quotes: "@goals"'),
        (
            "rules:\n  - name: a\n    match: {action_type: Goal}\n    alert: {kind: goal, text: 'Penalty taken: {{ payler }}'}",
            "payler",
        ),
        ("http:\n  listen: 127.0.0.1:80: x", 'a text that holds ": " goes in quotes: "127.0.0.1:80: x"'),
        ("feed:\n  token: @abc", 'a text that begins with @ goes in quotes: "…"'),
        ("feed:\n  token:abc\n  proxy: none", "a space is missing after the colon: token: …"),
        ("feed:\n  token: a\n  token: b", 'the key "token" is written twice'),
        ("feed: {token: '${FEED_TOKEN}', stale: 25s}", 'unknown key "stale", did you mean "stale_after"?'),
        ("feed: {token: '${FEED_TOKEN}', x: 25s}", 'unknown key "x"; known: '),
        ("feed: {token: abc, stale: 25s}", 'unknown key "stale", did you mean "stale_after"?'),
    ],
)
def test_what_is_no_secret_is_repeated_all_the_same(text: str, sentence: str, tmp_path: Path) -> None:
    assert sentence in list_sentences(tmp_path / "c.yaml", text, FEED_TOKEN="abc")
