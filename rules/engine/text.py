"""Alert texts: sandboxed templates, escaping, what a reader sees of HTML; the languages by code."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping

import msgspec
from jinja2 import StrictUndefined, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from rules.engine.alert import Facts
from rules.football.names import isolate

TEXT_VARIABLES = tuple(name for name in Facts.__struct_fields__ if name != "reason")
"""The names that a text may use."""

_TRANSLATED_VARIABLES = frozenset({"period", "action_type", "sub_action_type", "side", "reason"})
"""Values that are words of football, and said otherwise in other languages."""

_NAME_VARIABLES = frozenset({"home", "away", "team", "opponent", "player", "competition"})
"""Values that may be written from right to left."""

_ENVIRONMENT = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)

_STRAY_MARKS = re.compile(r"(?<![^\s])['’](?![^\s])|\(\s*\)|\[\s*\]")

_REPEATED_SPACES = re.compile(r"[ \t\u00a0]{2,}")

_LINE_EDGES = re.compile(r"^[ \t]+|[ \t]+$", re.MULTILINE)

_BLANK_LINES = re.compile(r"\n{3,}")


def translate_word(word: str, words: Mapping[str, str]) -> str:
    """A word in another language, beginning with a capital where it does in English; one that is not there as it is."""
    other = words.get(word.casefold())
    if other is None:
        return word
    return other[:1].upper() + other[1:] if word[:1].isupper() else other


class _TemplateValue(str):
    """A value that is compared as the feed and the rules name it, and written as a chat shall read it."""

    __slots__ = ("display",)

    display: Callable[[str], str]

    def __html__(self) -> str:
        return _escape_markup(self.display(str(self)))

    def lower(self) -> _TemplateValue:
        """What the filter of the same name makes of it is shown likewise."""
        return _make_value(super().lower(), self.display)

    def capitalize(self) -> _TemplateValue:
        """The same."""
        return _make_value(super().capitalize(), self.display)


def _make_value(value: str, shown: Callable[[str], str]) -> _TemplateValue:
    made = _TemplateValue(value)
    made.display = shown
    return made


def _escape_markup(value: str) -> Markup:
    """A value that the template must not escape again: ours leaves the apostrophe as it is."""
    return Markup(escape_html(value))  # noqa: S704 -- escaped right here


def _prepare_value(name: str, value: str, words: Mapping[str, str]) -> str:
    if words and name in _TRANSLATED_VARIABLES:
        return _make_value(value, lambda word: translate_word(word, words))
    if name in _NAME_VARIABLES and isolate(value) is not value:
        return _make_value(value, isolate)
    return _escape_markup(value)


class TextError(Exception):
    """A text that cannot be read or filled; `str()` says why in one sentence."""


def escape_html(value: str) -> str:
    """Make text safe inside Telegram's HTML, attributes included; an apostrophe stays itself."""
    return html.escape(value, quote=False).replace('"', "&quot;")


class AlertText:
    """A text of a rule, read once and filled for each alert."""

    def __init__(self, source: str) -> None:
        """Raise `TextFault` where the source is not a template or names an unknown variable."""
        self.source = source
        try:
            tree = _ENVIRONMENT.parse(source)
            self.variable_names = frozenset(meta.find_undeclared_variables(tree))
            self._template = _ENVIRONMENT.template_class.from_code(_ENVIRONMENT, _ENVIRONMENT.compile(tree), {})
        except TemplateError as error:
            raise TextError(f"the text is not a template: {error.message}") from error

    def render(self, facts: Facts, terms: Mapping[str, str] | None = None) -> str:
        """The HTML for these facts. A value that the feed has not given leaves no stray space; raise `TextFault`.

        `words` are football's in another language, by the English ones in lower case: they are written, the English compared.
        """
        values = {name: _prepare_value(name, value, terms or {}) for name, value in msgspec.structs.asdict(facts).items()}
        try:
            return tidy_text(self._template.render(values))
        except Exception as error:
            raise TextError(f"the text could not be filled: {error}") from error


def tidy_text(text: str) -> str:
    """Take out what empty values leave behind: lone apostrophes, empty brackets, doubled and outer spaces."""
    text = _STRAY_MARKS.sub("", text)
    return _BLANK_LINES.sub("\n\n", _LINE_EDGES.sub("", _REPEATED_SPACES.sub(" ", text))).strip()


def fallback_text(facts: Facts) -> str:
    """The same facts without a template: what is sent where a rule's own text fails."""
    minute = f"{facts.minute}'" if facts.minute else ""
    what = " ".join(filter(None, (facts.action_type, f"({facts.sub_action_type})" if facts.sub_action_type else "")))
    who = ", ".join(filter(None, (facts.player, facts.team)))
    return "\n".join(filter(None, (escape_html(" ".join(filter(None, (what, minute, who)))), escape_html(facts.match))))


LANGUAGE_CODES = ("en", "es", "de", "fr", "pt", "it")
"""The codes by which a rule may give its text in several languages."""

LANGUAGES = {"en": "English", "es": "Español", "de": "Deutsch", "fr": "Français", "pt": "Português", "it": "Italiano"}
"""By code, what each calls itself."""
