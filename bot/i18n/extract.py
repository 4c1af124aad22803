"""Brings the catalogues up to date with code and packs."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from bot.i18n.compile import FOLDER
from bot.i18n.language import DOMAIN, ENGLISH
from rules.engine.text import LANGUAGES
from rules.loading.loader import load_rules

PROJECT_ROOT = Path(__file__).parent.parent.parent

TEMPLATE_FILE = FOLDER / f"{DOMAIN}.pot"

_EXTRACTORS = [("bot/**.py", "bot.i18n.extract:extract_code"), ("rules/packs/*.yaml", "bot.i18n.extract:extract_pack")]

_HEADER = "# What Touchline says, in {language}. To bring it up to date: make words\n#"

_CREATED_AT = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
"""A catalogue changes with its texts, not with the day on which they were looked through."""


def collect_texts(root: Path = PROJECT_ROOT) -> Catalog:
    """Every text in the code and in the packs, by file and in its order."""
    catalogue = _make_catalogue(ENGLISH)
    found = extract_from_dir(root, _EXTRACTORS)
    for file, line, text, comments, context in sorted(found, key=lambda one: one[:2]):
        catalogue.add(text, locations=[(file, line)], auto_comments=comments, context=context)
    return catalogue


def read_catalogue(language: str) -> Catalog:
    """A language's catalogue as it stands; an empty one where there is none yet."""
    file = _catalogue_file(language)
    if not file.exists():
        return _make_catalogue(language)
    with file.open("rb") as lines:
        return read_po(lines, locale=language)


def update_catalogues() -> None:
    """Look through everything, and write the template and every language's catalogue anew."""
    template = collect_texts()
    _write_catalogue(template, TEMPLATE_FILE)
    for language in LANGUAGES:
        if language != ENGLISH:
            catalogue = read_catalogue(language)
            catalogue.update(template)
            _write_catalogue(catalogue, _catalogue_file(language))


def _make_catalogue(language: str) -> Catalog:
    about = _HEADER.format(language=LANGUAGES[language])
    return Catalog(language, DOMAIN, about, "Touchline", "1", fuzzy=False)


def _catalogue_file(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def _write_catalogue(catalogue: Catalog, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    catalogue.creation_date = catalogue.revision_date = _CREATED_AT
    catalogue.last_translator = catalogue.language_team = catalogue.msgid_bugs_address = ""
    with file.open("wb") as lines:
        write_po(lines, catalogue, width=0, ignore_obsolete=True, include_lineno=False)


_GETTEXT_FUNCTIONS = {
    "translate_in_context": "pgettext",
    "_": "gettext",
    "N_": "gettext",
    "ngettext": "ngettext",
    "pgettext": "pgettext",
}

_NOTE_PREFIX = "# Translators:"

GettextMessage = str | tuple[str, ...]


def extract_code(
    file: BinaryIO, keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, str, GettextMessage, list[str]]]:
    """Every text that is given to one of gettext's functions, with what a comment in the line above tells translators."""
    source = file.read().decode("utf-8")
    lines = source.splitlines()
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _GETTEXT_FUNCTIONS:
            texts = tuple(argument.value for argument in call.args if isinstance(argument, ast.Constant))
            if said := tuple(text for text in texts if isinstance(text, str)):
                yield (
                    call.lineno,
                    _GETTEXT_FUNCTIONS[call.func.id],
                    said if len(said) > 1 else said[0],
                    _read_note(lines, call.lineno),
                )


def _read_note(lines: list[str], line: int) -> list[str]:
    above = lines[line - 2].strip() if line > 1 else ""
    return [above.removeprefix(_NOTE_PREFIX).strip()] if above.startswith(_NOTE_PREFIX) else []


ExtractedText = tuple[int, str, str, list[str]]
"""A line, gettext's function, the text, and what translators should know."""


def extract_pack(file: BinaryIO, keywords: Any, comment_tags: Any, options: Any) -> Iterator[ExtractedText]:
    """Every text of a pack's own rules; those that it extends are extracted from their own pack."""
    name = "pack.yaml"
    for rule in load_rules(file.read().decode("utf-8"), name).rules:
        if rule.location.file == name:
            yield rule.location.line, "_", rule.alert.text.source.strip(), [f"The rule: {rule.name}"]


if __name__ == "__main__":
    update_catalogues()
