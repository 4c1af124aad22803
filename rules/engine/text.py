"""Alert texts: sandboxed templates, escaping, and the languages by code."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import msgspec
from jinja2 import TemplateError, meta
from markupsafe import Markup

from rules.engine.alert import Facts
from rules.engine.sandbox import TextEnvironment
from rules.football.names import isolate

LANGUAGES = {"en": "English", "es": "Español", "de": "Deutsch", "fr": "Français", "pt": "Português", "it": "Italiano"}
"""The languages in which a rule may give its text: by code, what each calls itself."""

LANGUAGE_CODES = tuple(LANGUAGES)

TEXT_VARIABLES = tuple(name for name in Facts.__struct_fields__ if name != "reason")
"""The variables that a text may use. Only a retraction has a reason, and it has no text of its own."""

_TRANSLATED_VARIABLES = frozenset(
    {"period", "action_type", "sub_action_type", "side", "reason", "status_reason", "outcome", "coverage", "coverage_before"}
)
"""Variables whose values are football terms, which other languages translate."""

_NAME_VARIABLES = frozenset(
    {"home", "away", "team", "opponent", "winner", "player", "player_off", "competition", "venue", "venue_before"}
)
"""Variables whose values may be written from right to left."""

_TEAM_VARIABLES = frozenset({"home", "away", "team", "opponent", "winner"})
"""Variables whose values may be a national team, which each language calls by its own name."""

_SCORE_VARIABLES = frozenset({"score", "goal_score", "shootout", "score_before", "winner_score"})
"""Variables that contain a score, which each language writes with its own sign."""

TEXT_ENVIRONMENT = TextEnvironment()

PYTHON_LIMITS = (RecursionError, MemoryError, SyntaxError, ValueError)
"""What Python raises, and not Jinja, for a template over its limits: brackets nested too deeply, a number of too many digits."""

OVER_A_LIMIT = "the text is not a template: it is nested too deeply, or a number in it is too long"
"""The sentence about a template that goes over one of these limits."""

_STRAY_MARKS = re.compile(r"(?<![^\s])['’](?![^\s])|\(\s*\)|\[\s*\]")
_REPEATED_SPACES = re.compile(r"[ \t\u00a0]{2,}")
_LINE_EDGES = re.compile(r"^[ \t]+|[ \t]+$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")

# What Telegram takes for a tag and for an entity: "<3" is neither, nor is an "&" without its semicolon.
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|\w+);")


class TextError(Exception):
    """A text that cannot be parsed or rendered; `str()` says why in one sentence."""


class Wording(msgspec.Struct, frozen=True):
    """What one language has for texts, terms, names and scores that are written in English."""

    language: str
    texts: Mapping[str, str] = {}
    """The sources of alert texts, by the stripped English source."""
    terms: Mapping[str, str] = {}
    """Football terms as they are written inside a sentence, by the English term in lower case."""
    shootout_format: str = "{score} pens"
    """The score of a shootout, as it stands in brackets in the score of the match."""
    score_sign: str = "–"
    """What stands between the goals of both sides: `2–1`, but `2:1` in German."""
    team_names: Mapping[str, str] = {}
    """National teams, by the English name."""
    base: str = ""
    """The language that this one is a regional form of: a rule's own text in it is used here too. Empty for a language."""

    def translate_team(self, name: str) -> str:
        """Return the name of a team; `Germany U21` is translated too."""
        if name in self.team_names:
            return self.team_names[name]
        country, _, suffix = name.rpartition(" ")
        return f"{self.team_names[country]} {suffix}" if _TEAM_SUFFIX.fullmatch(suffix) and country in self.team_names else name

    def format_score(self, text: str) -> str:
        """Return a text with every score in it written as this language writes it: `2–1`, `[1]–0`."""
        return text if self.score_sign == "–" else _SCORE.sub(rf"\1{self.score_sign}\2", text)

    def format_scorers(self, facts: Facts) -> str:
        """Return the scorers with this language's words for own goals and penalties."""
        marks = {mark: f"({self.terms.get(mark, mark)})" for mark in ("o.g.", "pen.")}
        return facts.scorers.replace("(o.g.)", marks["o.g."]).replace("(pen.)", marks["pen."])

    def format_match(self, facts: Facts) -> str:
        """Return the `match` of the facts, such as `Alemania 1–1 (6–5 pen.) Italia`."""
        line = facts.match
        if facts.shootout:
            line = line.replace(f"({facts.shootout} pens)", f"({self.shootout_format.format(score=facts.shootout)})")
        # From the ends: a team's name may be part of the other's.
        home, away = isolate(facts.home), isolate(facts.away)
        if home and line.startswith(f"{home} "):
            line = isolate(self.translate_team(facts.home)) + line[len(home) :]
        if away and line.endswith(f" {away}"):
            line = line[: -len(away)] + isolate(self.translate_team(facts.away))
        return self.format_score(line)


_TEAM_SUFFIX = re.compile(r"U-?\d\d|Women|W|Olympic")

_SCORE = re.compile(r"(?<![\w–])(\[?\d{1,2}\]?)–(\[?\d{1,2}\]?)(?![\w–])")


class AlertText:
    """The text of a rule, compiled once and rendered for each alert."""

    def __init__(self, source: str, *, is_checked: bool = False) -> None:
        """Compile a text. Raises `TextError` if the source is not a template.

        With `is_checked` the source is known to be valid. It is compiled when it is first rendered: a file may have thousands.
        """
        self.source = source
        if not is_checked:
            self._template  # noqa: B018  # compiles it now, and caches it

    @cached_property
    def variable_names(self) -> frozenset[str]:
        """The variables that the text uses."""
        # Those that a part of the text sets itself are not among them.
        return frozenset(meta.find_undeclared_variables(TEXT_ENVIRONMENT.parse_text(self.source)))

    @cached_property
    def _template(self) -> Any:
        try:
            tree = TEXT_ENVIRONMENT.parse_text(self.source)
            return TEXT_ENVIRONMENT.template_class.from_code(TEXT_ENVIRONMENT, TEXT_ENVIRONMENT.compile(tree), {})
        except TemplateError as error:
            raise TextError(f"the text is not a template: {error.message}") from error
        except PYTHON_LIMITS as error:
            raise TextError(OVER_A_LIMIT) from error

    def render(self, facts: Facts, wording: Wording | None = None) -> str:
        """Return the HTML for these facts, tidied where values are empty. Raises `TextError`.

        A wording decides what the text displays; its conditions still compare the English values.
        """
        values = {name: _prepare_value(name, value, wording) for name, value in msgspec.structs.asdict(facts).items()}
        if wording is not None:
            values["match"] = _make_value(facts.match, lambda _: wording.format_match(facts))
            values["scorers"] = _make_value(facts.scorers, lambda _: wording.format_scorers(facts))
        try:
            return tidy_text(TEXT_ENVIRONMENT.render_text(self._template, values))
        except Exception as error:  # A template can raise anything: ZeroDivisionError, TypeError, SecurityError …
            raise TextError(f"the text could not be filled: {error}") from error


class _TemplateValue(str):
    """A value that compares as the feed names it, and displays in another form: translated, or isolated from right to left."""

    __slots__ = ("display",)

    display: Callable[[str], str]

    def __html__(self) -> str:
        # Jinja calls this instead of escaping the value, so the value must be escaped here.
        return _escape_markup(self.display(str(self)))

    # The filters `lower` and `capitalize` call these methods. str's own would return a plain str that displays in English.
    def lower(self) -> _TemplateValue:
        return _make_value(super().lower(), self.display)

    def capitalize(self) -> _TemplateValue:
        return _make_value(super().capitalize(), self.display)


def _make_value(value: str, display: Callable[[str], str]) -> _TemplateValue:
    made = _TemplateValue(value)
    made.display = display
    return made


def _prepare_value(name: str, value: str | int, wording: Wording | None) -> str | int:
    if isinstance(value, int):
        return value  # A number or True: conditions compare it as such.
    if wording is not None and name in _TRANSLATED_VARIABLES:
        return _make_value(value, lambda word: translate_word(word, wording.terms))
    if wording is not None and name in _TEAM_VARIABLES:
        return _make_value(value, lambda team: isolate(wording.translate_team(team)))
    if wording is not None and name in _SCORE_VARIABLES:
        return _make_value(value, wording.format_score)
    if name in _NAME_VARIABLES and isolate(value) is not value:
        return _make_value(value, isolate)
    return _escape_markup(value)


def _escape_markup(value: str) -> Markup:
    """Escape a value so that the template does not escape it again: Jinja would also turn an apostrophe into an entity."""
    return Markup(escape_html(value))  # noqa: S704 -- escaped right here


def translate_word(word: str, terms: Mapping[str, str]) -> str:
    """Return a term in another language, capitalised as the English one is; an unknown one as it is."""
    other = terms.get(word.casefold())
    if other is None:
        return word
    return other[:1].upper() + other[1:] if word[:1].isupper() else other


def escape_html(value: str) -> str:
    """Make text safe inside Telegram's HTML, attributes included; an apostrophe stays as it is."""
    return html.escape(value, quote=False).replace('"', "&quot;")


def visible_text(source: str) -> str:
    """Return what a reader sees of Telegram's HTML: without tags, with entities as characters."""
    # Tags first: an escaped `&lt;b&gt;` is text and must not become a tag.
    return _ENTITY.sub(lambda found: html.unescape(found[0]), _TAG.sub("", source))


def tidy_text(text: str) -> str:
    """Remove what empty values leave behind: lone apostrophes, empty brackets, doubled and outer spaces, blank lines."""
    text = _STRAY_MARKS.sub("", text)
    return _BLANK_LINES.sub("\n\n", _LINE_EDGES.sub("", _REPEATED_SPACES.sub(" ", text))).strip()


def make_fallback_text(facts: Facts) -> str:
    """Return a text of the same facts without a template, to send where a rule's own text fails."""
    minute = f"{facts.minute}'" if facts.minute else ""
    sub_type = f"({facts.sub_action_type})" if facts.sub_action_type else ""
    who = ", ".join(filter(None, (facts.player, facts.team)))
    first_line = " ".join(filter(None, (facts.action_type, sub_type, minute, who)))
    return "\n".join(escape_html(line) for line in (first_line, facts.match) if line)
