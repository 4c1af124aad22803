"""Warns of settings that are valid but most likely not what was meant, each at its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import yaml

from rules.engine.alert import LIVE_MESSAGE_KINDS
from rules.engine.rule import NameReference, RuleSet
from rules.loading.document import Report, is_null, iterate_scalars, location_of, mapping_items
from rules.loading.foreign_syntax import describe_name
from rules.loading.values import describe_unknown

_BOT_TOKEN = re.compile(r"\d{6,}:[A-Za-z0-9_-]{30,}")

_OPEN_HOSTS = ("0.0.0.0", "[::]", "::")  # noqa: S104  # they are looked for, not listened on


def warn_of_chats(chats: yaml.Node | None, rules: RuleSet, report: Report) -> None:
    """Warn of chats that are there twice, of kinds that no rule has, and of names that no team or match has."""
    lines: dict[tuple[str, str], int] = {}
    for chat in chats.value if isinstance(chats, yaml.SequenceNode) else ():
        fields = {key.value: value for key, value in mapping_items(chat)}
        at, topic = fields.get("chat"), fields.get("topic")
        if isinstance(at, yaml.ScalarNode):
            key = (at.value.strip().casefold(), topic.value.strip() if isinstance(topic, yaml.ScalarNode) else "0")
            if key in lines:
                sentence = (
                    f"the chat {at.value.strip()} is already in line {lines[key]}: only what stands here counts, put both in one"
                )
                report.add_warning(location_of(at), sentence)
            lines[key] = location_of(at).line
        _warn_of_kinds(chat, rules, report)
        for word, what, value, is_id in _find_followed(chat):
            if not is_id and (sentence := describe_name(what, value.value)):
                report.add_warning(location_of(value), f'{word} "{value.value}": {sentence}')


def list_chat_names(chats: yaml.Node | None) -> tuple[NameReference, ...]:
    """Return the teams, competitions and matches that chats follow, except names that `describe_name` warns of."""
    return tuple(
        NameReference(what, value.value.strip(), location_of(value))
        for chat in (chats.value if isinstance(chats, yaml.SequenceNode) else ())
        for _, what, value, is_id in _find_followed(chat)
        if not is_null(value) and (is_id or not describe_name(what, value.value))
    )


def _find_followed(chat: yaml.Node) -> Iterator[tuple[str, str, yaml.ScalarNode, bool]]:
    """Yield for each team, competition and match that a chat follows: its key in `subscribe`, the condition of rules that
    takes the same names, the node with the name or id, and True if that is an id.
    """
    followed = next((value for key, value in mapping_items(chat) if key.value == "subscribe"), None)
    for entry in followed.value if isinstance(followed, yaml.SequenceNode) else [followed]:
        for key, value in mapping_items(entry):
            what = {"team": "team", "competition": "competition", "match": "fixture"}.get(key.value)
            if what:
                # A name stands beside the key, an id below it as {id: …}.
                is_id = isinstance(value, yaml.MappingNode)
                yield from ((key.value, what, scalar, is_id) for scalar in iterate_scalars(value))


def _warn_of_kinds(chat: yaml.Node, rules: RuleSet, report: Report) -> None:
    """Warn of kinds that no rule has: allowed, since a rule may follow later, but more likely misspelt."""
    # Match cards are made without a rule, and a chat may switch them on and off like any kind.
    known = (*rules.list_kinds(), *LIVE_MESSAGE_KINDS)
    # A chat names kinds for all that it follows, and each of its subscriptions may name others.
    followed = next((value for key, value in mapping_items(chat) if key.value == "subscribe"), None)
    places = [chat, *(followed.value if isinstance(followed, yaml.SequenceNode) else ())]
    named = [value for place in places for key, value in mapping_items(place) if key.value == "kinds"]
    for kind in (kind for kinds in named for kind in iterate_scalars(kinds)):
        if kind.value not in known:
            report.add_warning(location_of(kind), f"no rule has this kind: {describe_unknown('kind', kind.value, known)}")


def warn_of_addresses(sections: Mapping[str, yaml.Node], report: Report) -> None:
    """Warn of addresses with a path that may not be meant, and of pages that the whole network can read."""
    for section, key in (("feed", "api_url"), ("feed", "stream_url"), ("telegram", "api_url")):
        for value in _find_values(sections, section, key):
            if (path := _read_path(value.value)) not in ("", "/"):
                report.add_warning(
                    location_of(value), f"Touchline adds its own paths after {path}: leave it out unless a proxy needs it"
                )
    for value in _find_values(sections, "http", "listen"):
        host = value.value.rpartition(":")[0]
        if host in _OPEN_HOSTS:
            sentence = f"every machine that reaches {host} can read the health pages: 127.0.0.1 unless this is a container"
            report.add_warning(location_of(value), sentence)


def _read_path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


def _find_values(sections: Mapping[str, yaml.Node], section: str, key: str) -> list[yaml.ScalarNode]:
    found = (value for name, value in mapping_items(sections.get(section)) if name.value == key)
    return [scalar for value in found for scalar in iterate_scalars(value)]


def refuse_shared_ports(sections: Mapping[str, yaml.Node], report: Report) -> None:
    """Report addresses of one process that cannot both be listened on."""
    taken: list[tuple[str, str, str]] = []
    for path in (("http", "listen"), ("http", "console", "listen"), ("telegram", "webhook", "listen")):
        node: yaml.Node | None = sections.get(path[0])
        for step in path[1:]:
            node = next((value for key, value in mapping_items(node) if key.value == step), None)
        if not isinstance(node, yaml.ScalarNode):
            continue
        host, _, port = node.value.rpartition(":")
        for other, other_host, other_port in taken:
            # One that listens on every address leaves none to the other. Port 0 is any free port, so two of them never collide.
            if port == other_port != "0" and (host == other_host or host in _OPEN_HOSTS or other_host in _OPEN_HOSTS):
                report.add_mistake(location_of(node), f"the port {port} is already that of {other}: choose another")
                break
        taken.append((".".join(path), host, port))


def warn_of_token(token: str, at: yaml.Node, report: Report, *, is_bot: bool) -> None:
    """Warn of a token that Telegram cannot have given, and of the bot's where the feed's belongs, without repeating it."""
    if not is_bot and _BOT_TOKEN.fullmatch(token):
        report.add_warning(location_of(at), "this is a token of @BotFather: it belongs under telegram, the feed has its own")
    # From the particular to the general, since only the nearest cause helps.
    if len(token) > 1 and token[0] == token[-1] and token[0] in "'\"":
        # `docker run --env-file` keeps them, where systemd and the shell take them off.
        sentence = "the quotes are a part of this token: leave them out where it is set"
        report.add_warning(location_of(at), sentence)
    elif is_bot and _BOT_TOKEN.fullmatch(token.removeprefix("bot")) and token.startswith("bot"):
        report.add_warning(
            location_of(at), 'leave out "bot" before the number: it belongs to the address of a call, not to the token'
        )
    elif is_bot and token and not _BOT_TOKEN.fullmatch(token):
        sentence = "this does not look like a token of @BotFather, which is a number, a colon and 35 letters and digits"
        report.add_warning(location_of(at), sentence)
