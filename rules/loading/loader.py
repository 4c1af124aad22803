"""Reads whole rule files: rules, `match:` blocks with `any`, `all` and `not`, `include:` and `extends:`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files

import msgspec
import yaml

from rules.engine.alert import DEFAULT_KINDS, LIVE_MESSAGE_KINDS, SHIPPED_KINDS, Importance
from rules.engine.cases import Cases, complement_cases, union_cases
from rules.engine.rule import DEFAULT_SEND_TYPES, AlertSpec, Condition, Rule, RuleSet, SourceLocation
from rules.engine.unreachable import find_contradiction, find_rewording, find_shadowed, intersect_conditions
from rules.football.action import SendType
from rules.football.catalogue import Catalogue, load_catalogue
from rules.football.match import Moment
from rules.football.minute import LAST_MINUTE, Minute, Period
from rules.football.names import normalise
from rules.loading.conditions import (
    CONDITIONS,
    GOAL_CONDITIONS,
    MINUTE_RANGES,
    PERIOD_NAMES,
    RULE_SEND_TYPES,
    ExpectedNames,
    canonical_pairs,
    read_names,
    read_send_types,
)
from rules.loading.document import Report, compose, is_null, leave_out_extras, location_of, mapping_items
from rules.loading.texts import NamedTexts, read_text, read_texts
from rules.loading.values import NOTHING_ELSEWHERE, Range, Reader, describe_unknown, parse_boolean, parse_duration, suggest

FILE_KEYS = ("rules", "texts", "include", "extends")
"""The keys of a file of rules; a configuration has them beside its other sections."""

RULE_KEYS = ("name", "match", "alert", "continue")

ALERT_KEYS = ("kind", "importance", "max_age", "text")

MATCH_KEYS = (*CONDITIONS, "any", "all", "not")

_MATCH_WORDS = {
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

_ALERT_WORDS = {
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

_RULE_WORDS = {
    **dict.fromkeys(("when", "if", "on", "condition", "conditions", "where", "filter"), "the conditions are called match"),
    **dict.fromkeys(("then", "send", "notify", "action", "do", "message"), "what is sent is called alert"),
    **dict.fromkeys(("title", "id", "rule"), "it is called name"),
    **dict.fromkeys(("stop", "final", "last"), "a rule that fires is the last one anyway, unless it says continue: true"),
    **dict.fromkeys(("enabled", "disabled", "active"), "take the rule out, or put # before its lines"),
    **dict.fromkeys(("priority", "order"), "rules are asked from top to bottom: move the rule up"),
}
"""Other words that people write for the keys of a rule."""

_MATCH_PLACES = {
    **dict.fromkeys(ALERT_KEYS, "it belongs under alert"),
    "continue": "it belongs to the rule, beside match",
    **_MATCH_WORDS,
}

_ALERT_PLACES = {
    **dict.fromkeys(MATCH_KEYS, "it belongs under match"),
    **dict.fromkeys(("name", "continue"), "it belongs to the rule, beside alert"),
    **_ALERT_WORDS,
}

DEFAULT_MAX_AGE = dt.timedelta(minutes=5)
"""The max_age of an alert that does not set it."""

IncludeReader = Callable[[str], Sequence[yaml.Node]]
"""Returns the documents that a pattern such as `rules.d/*.yaml` names. Raises ValueError with a sentence."""

_KIND_PATTERN = re.compile(r"[A-Za-z0-9_]{1,32}")


class RulesInvalid(ValueError):
    """Rules with mistakes; each is one line `file:line:column: rule "name": sentence`."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


def load_rules(
    text: str, file: str = "rules.yaml", catalogue: Catalogue | None = None, *, has_known_texts: bool = False
) -> RuleSet:
    """Read a list of rules, or a mapping with `rules:` and `texts:`. Raises `RulesInvalid` with every mistake.

    `has_known_texts`: see `Report`.
    """
    report = Report(has_known_texts=has_known_texts)
    root = compose(text, file, report)
    rules = read_rules_document(root, report, catalogue or load_catalogue(), _refuse_include) if root is not None else RuleSet()
    if report.mistakes:
        raise RulesInvalid(report.mistakes)
    return rules


def _refuse_include(pattern: str) -> Sequence[yaml.Node]:
    raise ValueError(f'"{pattern}" cannot be included here')


@cache
def load_pack(name: str = "default") -> RuleSet:
    """Return the rules of a pack that ships. Raises KeyError for an unknown name."""
    # Looked up in the list first: a name from a file or a chat must not become a path.
    if name not in list_packs():
        raise KeyError(name)
    # To examine the texts of the packs takes as long as to read everything else of a configuration.
    return load_rules(read_pack(name), f"{name}.yaml", has_known_texts=True)


def read_pack(name: str) -> str:
    """Return the file of a pack that ships."""
    return files("rules").joinpath("packs", f"{name}.yaml").read_text(encoding="utf-8")


def list_packs() -> tuple[str, ...]:
    """Return the names of the packs that ship."""
    names = (file.name for file in files("rules").joinpath("packs").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def read_rules_document(root: yaml.Node, report: Report, catalogue: Catalogue, include: IncludeReader) -> RuleSet:
    """Read the rules of a whole document. Reports what is wrong and leaves it out."""
    if isinstance(root, yaml.SequenceNode):
        return read_rules({"rules": root}, report, catalogue, include)
    fields = Reader(report).read_mapping(leave_out_extras(root), "a file of rules", FILE_KEYS)
    return read_rules(fields or {}, report, catalogue, include)


def read_rules(fields: Mapping[str, yaml.Node], report: Report, catalogue: Catalogue, include: IncludeReader) -> RuleSet:
    """Read the rules under `rules:`, then those of `include:` in the order of the file names, then those of `extends:`."""
    rules_reader = _RulesReader(report, catalogue)
    documents = [fields, *rules_reader.read_included(fields.get("include"), include)]
    # All texts before all rules: a rule may use a text that stands below it or in an included file.
    for document in documents:
        if "texts" in document:
            read_texts(rules_reader.reader, document["texts"], rules_reader.texts)
    # The rules of the file come first: the first rule that fires decides, and an operator's must come before a pack's.
    own = [rule for document in documents for rule in rules_reader.read_list(document.get("rules"))]
    # A rule of one's own replaces one of a pack that has the same name.
    names = {rule.name for rule in own}
    shipped = [rule for rule in rules_reader.read_extended(fields.get("extends")) if rule.name not in names]
    rules_reader.report_rules_not_meant(own, shipped)
    if not own and not shipped and not report.mistakes and "rules" in fields:
        sentence = (
            "there are no rules, so nothing is ever sent: leave the line out for the shipped rules, or add extends: default"
        )
        rules_reader.reader.report_warning(fields["rules"], sentence)
    return RuleSet([*own, *shipped])


class _RulesReader:
    """Reads the rules of several documents, which share their texts and must not share names of rules."""

    def __init__(self, report: Report, catalogue: Catalogue) -> None:
        self.report, self.catalogue, self.reader = report, catalogue, Reader(report)
        self.texts: NamedTexts = {}
        self.rules_at_once: dict[str, SourceLocation] = {}
        """The rules without a send_type for what the feed first sends as pending."""
        self._locations_by_name: dict[str, SourceLocation] = {}
        self._send_type_locations: dict[str, SourceLocation] = {}
        """By rule, where its send_type stands."""
        self._kinds_off_at_first: dict[str, SourceLocation] = {}
        """The shipped kinds of one's own rules that a chat hears only after it chose them."""

    def report_rules_not_meant(self, own: Sequence[Rule], shipped: Sequence[Rule]) -> None:
        """Warn of rules that never fire or never begin a message, and note what else is worth knowing of them all."""
        # Only one's own rules: what they hide of a pack is what they are meant to replace.
        shadowed = find_shadowed(own)
        for rule, by in shadowed:
            names = " and ".join(f'"{one.name}" in line {one.location.line}' for one in by)
            which = "the rule" if len(by) == 1 else "one of the rules"
            self.report.add_warning(rule.location, f"it never fires: {which} {names} always fires before it", rule.name)
        never_firing = {rule.name for rule, _ in shadowed}
        pending_types = {name.casefold() for name in self.catalogue.action_type_names if self.catalogue.find_type(name).severity}
        for rule, by in find_rewording([rule for rule in own if rule.name not in never_firing], shipped, pending_types):
            which = "the rule" if any(one in own for one in by) else "the shipped rule"
            names = " or ".join(f'"{one.name}"' for one in by)
            sentence = (
                f"it never begins a message: {which} {names} speaks first, while the action is pending, and this one only "
                "rewords that message; leave send_type out to speak at once, or write a rule of that name that waits too"
            )
            self.report.add_warning(self._send_type_locations.get(rule.name, rule.location), sentence, rule.name)
        if self.rules_at_once:
            first_location = next(iter(self.rules_at_once.values()))
            sentence = (
                "without send_type these rules fire at once, also while the action is pending (⏳); send_type: Confirmed waits: "
            )
            self.report.add_note(first_location, sentence + ", ".join(self.rules_at_once))
        if self._kinds_off_at_first:
            kinds = ", ".join(self._kinds_off_at_first)
            sentence = f"off in a chat until /alerts chooses it: {kinds}; a kind with a name of your own is on at first"
            self.report.add_note(next(iter(self._kinds_off_at_first.values())), sentence)

    def read_included(self, node: yaml.Node | None, include: IncludeReader) -> list[dict[str, yaml.Node]]:
        """Return the documents of every pattern under `include:`."""
        patterns = self.reader.read_strings(node, "include") if node is not None else None
        documents: list[dict[str, yaml.Node]] = []
        for pattern, at in patterns or ():
            try:
                roots = include(pattern)
                documents += [fields for root in roots if (fields := self._read_document(root)) is not None]
                if not roots:
                    self.reader.report_warning(
                        at, f"include: no rules come from {pattern}: no file matches it, or nothing is in it"
                    )
            except ValueError as error:
                self.reader.report_mistake(at, f"include: {error}")
        return documents

    def _read_document(self, root: yaml.Node) -> dict[str, yaml.Node] | None:
        if isinstance(root, yaml.SequenceNode):
            return {"rules": root}
        # No `include:` and no `extends:`: the order of the rules would depend on the depth, and files could include each other.
        return self.reader.read_mapping(leave_out_extras(root), "an included file", ("rules", "texts"))

    def read_extended(self, node: yaml.Node | None) -> Iterable[Rule]:
        """Return the rules of every pack under `extends:`; of two with the same name the first."""
        chosen = (self.reader.read_strings(node, "extends") if node is not None else None) or []
        rules: dict[str, Rule] = {}
        for name, at in chosen:
            if name not in list_packs():
                several = [word for word in re.split(r"[\s,;]+", name) if word]
                cure = f'"{name}" is one name; for several packs write [{", ".join(several)}]'
                sentence = cure if len(several) > 1 else describe_unknown("pack", name, list_packs())
                self.reader.report_mistake(at, sentence)
                continue
            for rule in load_pack(name).rules:
                rules.setdefault(rule.name, rule)
        return rules.values()

    def read_list(self, node: yaml.Node | None) -> list[Rule]:
        """Read the list under `rules:`; leaves out rules with mistakes."""
        items = self.reader.read_list(node, "rules") if node is not None else None
        return [rule for item in items or () if (rule := self._read_rule(item)) is not None]

    def _read_rule(self, node: yaml.Node) -> Rule | None:
        # Mistakes carry the name of their rule, so it is looked up before anything is checked.
        names = (value.value for key, value in mapping_items(node) if key.value == "name" and isinstance(value, yaml.ScalarNode))
        reader = Reader(self.report, next(names, ""))
        is_odd = any(key.value not in RULE_KEYS for key, _ in mapping_items(node))
        fields = reader.read_mapping(node, "a rule", RULE_KEYS, self._place_rule_words(node) if is_odd else NOTHING_ELSEWHERE)
        if fields is None:
            return None
        # Every part is read before any is judged: a rule with three mistakes reports three.
        name = self._read_name(reader, node, fields.get("name"))
        match = None
        if "match" in fields:
            match = read_match(reader, fields["match"], self.catalogue)
            # Nothing stands below it, which is a mistake: no rule that fires for everything.
            match = None if is_null(fields["match"]) else match
        elif not any(_RULE_WORDS.get(key.value) == _RULE_WORDS["when"] for key, _ in mapping_items(node)):
            reader.report_mistake(node, "a rule needs match: the conditions under which it fires")
        alert = self._read_alert(reader, node, fields.get("alert"))
        continues = reader.read_parsed(fields["continue"], "continue", parse_boolean) if "continue" in fields else False
        # With a mistake it would be another rule than the one that was meant, of which nothing else is worth saying.
        if name is None or match is None or alert is None or continues is None or reader.has_mistakes:
            return None
        if not _mentions_key(fields["match"], "send_type") and _may_be_pending(match.action_types, self.catalogue):
            self.rules_at_once.setdefault(name, location_of(node))
        for key, _ in mapping_items(fields["match"]):
            if key.value == "send_type":
                self._send_type_locations[name] = location_of(key)
        for key, value in mapping_items(fields["alert"]):
            if key.value == "kind" and alert.kind in SHIPPED_KINDS and alert.kind not in DEFAULT_KINDS:
                self._kinds_off_at_first.setdefault(alert.kind, location_of(value))
        return Rule(name, alert, match.conditions, match.action_types, match.send_types, continues, location_of(node))

    def _place_rule_words(self, node: yaml.Node) -> dict[str, str]:
        """Return the other words for the keys of a rule; of lines that belong under `match:` or `alert:`."""
        found = dict(_RULE_WORDS)
        for key, value in mapping_items(node):
            parts = {"match": MATCH_KEYS, "alert": ALERT_KEYS}.get(key.value, ())
            if parts and is_null(value):
                self.report.ignore_location(location_of(value))
                cure = f"it stands in the same column as {key.value}: indent it, so that it is below {key.value}"
                found |= dict.fromkeys(parts, cure)
        for name, parts in (("alert", ALERT_KEYS), ("match", MATCH_KEYS)):
            found = {**dict.fromkeys(parts, f"it belongs under {name}"), **found}
        return found

    def _read_name(self, reader: Reader, rule: yaml.Node, node: yaml.Node | None) -> str | None:
        if node is None:
            reader.report_mistake(rule, "a rule needs a name")
            return None
        name = reader.read_string(node, "name")
        # Names are keys: deliveries remember which rule they are from, and a rule replaces one of a pack by its name.
        if name is not None and (taken := self._locations_by_name.setdefault(name, location_of(node))) != location_of(node):
            reader.report_mistake(node, f"there is already a rule of this name, at {taken}")
        return name

    def _read_alert(self, reader: Reader, rule: yaml.Node, node: yaml.Node | None) -> AlertSpec | None:
        if node is None:
            reader.report_mistake(rule, "a rule needs alert: what it sends")
            return None
        fields = reader.read_mapping(node, "alert", ALERT_KEYS, _ALERT_PLACES)
        if fields is None:
            return None
        for key in ("kind", "text"):
            if key not in fields and not _is_meant(node, key):
                reader.report_mistake(node, f"an alert needs {key}")
        kind = _read_kind(reader, fields["kind"]) if "kind" in fields else None
        text = read_text(reader, fields["text"], self.texts) if "text" in fields else None
        importance: str | None = Importance.MAJOR
        if "importance" in fields:
            importance = reader.read_choice(fields["importance"], "importance", tuple(Importance))
        max_age = reader.read_parsed(fields["max_age"], "max_age", parse_duration) if "max_age" in fields else DEFAULT_MAX_AGE
        if kind is None or text is None or importance is None or max_age is None:
            return None
        return AlertSpec(kind, text.text, Importance(importance), max_age, text.by_language)


def _is_meant(node: yaml.Node, key: str) -> bool:
    """Return True if a mapping has a key in another form, which is reported already: `kind:goal`, or `message` for `text`."""
    other_words = {word for word, cure in _ALERT_WORDS.items() if cure.endswith(f"is called {key}")}
    return any(re.match(rf"{key}\s*[:=]", one.value) or one.value.casefold() in other_words for one, _ in mapping_items(node))


def _read_kind(reader: Reader, node: yaml.Node) -> str | None:
    kind = reader.read_string(node, "kind")
    if kind is not None and not _KIND_PATTERN.fullmatch(kind):
        reader.report_mistake(node, f'the kind "{kind}" may hold only letters, digits and underscores, 32 at most')
        return None
    if kind in LIVE_MESSAGE_KINDS:
        # A chat that asks for match cards would get the rule's alerts too, and could not switch them off by themselves.
        reader.report_mistake(node, f'the kind "{kind}" is the bot\'s own: no rule can make it')
        return None
    # Kinds of one's own are allowed, so a misspelt one is valid. It is a warning: "red_cards" may be meant.
    if kind is not None and kind not in SHIPPED_KINDS and (near := suggest(kind, SHIPPED_KINDS, 0.75)):
        reader.report_warning(node, f'the kind "{kind}" is not a shipped one, did you mean "{near}"?')
    return kind


ConditionGroup = tuple[Condition, ...]
"""The conditions of one mapping; a group holds if all of them hold."""


class MatchBlock(msgspec.Struct, frozen=True):
    """What a rule's `match:` expects of a moment. The fields mean what those of `Rule` mean."""

    conditions: ConditionGroup = ()
    action_types: frozenset[str] | None = None
    send_types: frozenset[SendType] = DEFAULT_SEND_TYPES


def read_match(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> MatchBlock:
    """Read a rule's `match:`. Reports what is wrong and leaves it out."""
    conditions = _read_group(reader, node, catalogue, "match") or ()
    fields = {key.value: value for key, value in mapping_items(node)}
    if isinstance(node, yaml.MappingNode) and not fields:
        reader.report_warning(node, "match is empty: this rule fires for every action of every match")
    match = MatchBlock(conditions, _derive_action_types(fields, catalogue), _derive_send_types(fields, node))
    if why := _find_impossible(fields, match, catalogue):
        reader.report_mistake(node, f"this rule can never fire: {why}")
    else:
        _warn_of_contradiction(reader, node, conditions)
        _warn_of_foreign_sub_types(reader, fields, catalogue)
    return match


def _warn_of_contradiction(reader: Reader, node: yaml.Node, conditions: ConditionGroup) -> None:
    excluding = [conditions[place] for place in find_contradiction(conditions)]
    if not excluding:
        return
    # At the last of them: whoever reads from the top has seen the others by then.
    at = next((key for key, _ in mapping_items(node) if key.value == excluding[-1].key), node)
    words = " and ".join(f"{one.key}: {one.expected}" for one in excluding)
    ending = "contradicts itself" if len(excluding) == 1 else "exclude each other"
    reader.report_warning(at, f"this rule can never fire: {words} {ending}")


def _warn_of_foreign_sub_types(reader: Reader, fields: Mapping[str, yaml.Node], catalogue: Catalogue) -> None:
    """Warn of sub action types that never come with the action types of the rule."""
    types, sub_types = _read_names_silently(fields.get("action_type")), _read_names_silently(fields.get("sub_action_type"))
    if types is None or sub_types is None or types.is_negated or sub_types.is_negated:
        return
    asked = {normalise(action_type) for action_type, _ in canonical_pairs(types, catalogue)}
    for name, at in zip(sub_types.names, sub_types.nodes, strict=True):
        owners = catalogue.list_types_of(name)
        if owners and not asked & {normalise(owner) for owner in owners}:
            sentence = f'"{name}" never comes with {", ".join(types.names)}: it is a sub action type of {owners[0]}'
            reader.report_warning(at, sentence)


def _may_be_pending(action_types: frozenset[str] | None, catalogue: Catalogue) -> bool:
    """Return True if the feed first sends such an action as pending: goals, cards and penalties (section 4.1)."""
    return action_types is None or any(catalogue.find_type(one).severity for one in action_types)


def _read_group(reader: Reader, node: yaml.Node, catalogue: Catalogue, what: str) -> ConditionGroup | None:
    fields = reader.read_mapping(node, what, MATCH_KEYS, _MATCH_PLACES)
    if fields is None:
        return None
    conditions: list[Condition | None] = []
    for key, value in fields.items():
        if key in CONDITIONS:
            conditions.append(CONDITIONS[key](reader, value, catalogue))
        else:
            conditions.append(_read_combined(reader, key, value, catalogue))
    return tuple(condition for condition in conditions if condition is not None)


def _read_combined(reader: Reader, key: str, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """Read `any` or `all`, which take a list of mappings, or `not`, which takes one. A single mapping is a list of one."""
    nodes = node.value if isinstance(node, yaml.SequenceNode) and key != "not" else [node]
    if not nodes:
        reader.report_mistake(node, f"{key} is an empty list")
        return None
    # An empty group would hold for everything, which nobody means by it.
    for empty in (at for at in nodes if isinstance(at, yaml.MappingNode) and not at.value):
        reader.report_mistake(empty, f"{key} asks for nothing here")
    groups = tuple(group for group in (_read_group(reader, at, catalogue, key) for at in nodes) if group)
    if not groups:
        return None

    def describe(moment: Moment) -> str:
        return "; ".join(dict.fromkeys(f"{c.key}: {c.describe_actual(moment)}" for group in groups for c in group))

    expected = "; ".join(", ".join(f"{c.key}: {c.expected}" for c in group) for group in groups)

    def any_holds(moment: Moment) -> bool:
        return any(all(c.holds(moment) for c in group) for group in groups)

    def all_hold(moment: Moment) -> bool:
        return all(c.holds(moment) for group in groups for c in group)

    def none_holds(moment: Moment) -> bool:
        return not any_holds(moment)

    holds = {"any": any_holds, "all": all_hold, "not": none_holds}[key]
    return Condition(key, f"({expected})", holds, describe, groups, cases=_list_group_cases(key, groups))


def _list_group_cases(key: str, groups: Sequence[ConditionGroup]) -> Cases | None:
    parts = [intersect_conditions(group) for group in groups]
    if key == "all":
        return intersect_conditions([condition for group in groups for condition in group])
    found = union_cases(parts)
    return complement_cases(found) if key == "not" and found is not None else found


def _derive_action_types(fields: Mapping[str, yaml.Node], catalogue: Catalogue) -> frozenset[str] | None:
    """Return the action types that the rule can fire for, in lower case; None for any."""
    names = _read_names_silently(fields.get("action_type"))
    if names is not None and not names.is_negated:
        return frozenset(action_type for action_type, _ in canonical_pairs(names, catalogue))
    # Conditions inside `any`, `all` and `not` are left out: None is always right, and only costs an evaluation.
    if any(_is_true(fields.get(key)) for key in GOAL_CONDITIONS):
        return frozenset({"goal"})
    return None


def _derive_send_types(fields: Mapping[str, yaml.Node], node: yaml.Node) -> frozenset[SendType]:
    """Return the send types that the rule can fire for. A mention inside `any`, `all` or `not` replaces the default."""
    if "send_type" in fields:
        return read_send_types(Reader(Report()), fields["send_type"]) or DEFAULT_SEND_TYPES
    return frozenset(RULE_SEND_TYPES) if _mentions_key(node, "send_type") else DEFAULT_SEND_TYPES


def _mentions_key(node: yaml.Node, word: str) -> bool:
    if isinstance(node, yaml.SequenceNode):
        return any(_mentions_key(child, word) for child in node.value)
    return any(key.value == word or _mentions_key(value, word) for key, value in mapping_items(node))


def _read_names_silently(node: yaml.Node | None) -> ExpectedNames | None:
    """Read names once more: their mistakes are reported already."""
    return None if node is None else read_names(Reader(Report()), node, "")


def _find_impossible(fields: Mapping[str, yaml.Node], match: MatchBlock, catalogue: Catalogue) -> str:
    """Return why the conditions exclude each other, in the few cases that are certain; empty where none is found."""
    # The feed often adds the sub type only when it confirms an action (feed documentation, section 3.2).
    if match.send_types == {SendType.PENDING} and _requires_sub_type(fields, catalogue):
        return "the feed gives the sub action type when it confirms, and this asks for Pending alone"
    for key in GOAL_CONDITIONS:
        if _is_true(fields.get(key)) and match.action_types and "goal" not in match.action_types:
            return f"{key} is about goals, and action_type asks for something else"
    return _find_minute_outside_period(fields)


def _is_true(node: yaml.Node | None) -> bool:
    try:
        return isinstance(node, yaml.ScalarNode) and parse_boolean(node.value)
    except ValueError:
        return False


def _requires_sub_type(fields: Mapping[str, yaml.Node], catalogue: Catalogue) -> bool:
    # An alias such as `Own Goal` expects a sub type, although the rule does not mention one.
    sub_types, types = _read_names_silently(fields.get("sub_action_type")), _read_names_silently(fields.get("action_type"))
    by_alias = types is not None and not types.is_negated and all(sub for _, sub in canonical_pairs(types, catalogue))
    return by_alias or (sub_types is not None and not sub_types.is_negated)


def _find_minute_outside_period(fields: Mapping[str, yaml.Node]) -> str:
    """Return why no expected minute lies in an expected period; empty where one may."""
    names, node = _read_names_silently(fields.get("period")), fields.get("minute")
    minutes = MINUTE_RANGES.read(Reader(Report()), node, "") if node is not None else None
    if names is None or names.is_negated or minutes is None:
        return ""
    periods = [period for name in names.names for period in PERIOD_NAMES.get(normalise(name), ())]
    if not periods or any(_overlaps(minutes, period) for period in periods):
        return ""
    return f"there is no minute {minutes} in the {', '.join(names.names)}"


def _overlaps(minutes: Range[Minute], period: Period) -> bool:
    if period not in LAST_MINUTE:
        return False  # A shootout has no minutes.
    last = LAST_MINUTE[period]
    first = Minute({45: 1, 90: 46}.get(last, last - 14))  # a half of extra time has fifteen
    low, high = minutes.low or first, minutes.high or first
    # Added time has no known end: 99 minutes are more than any match has.
    return low <= Minute(last, 99) and high >= first
