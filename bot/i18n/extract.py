"""Extracts texts from code and packs, and updates the catalogues and the names of countries. `make words` runs it."""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from bot.i18n.compile import FOLDER
from bot.i18n.football import COUNTRY_NAMES_FILE, SHIPPED_TEXTS_FILE
from bot.i18n.language import CHOICES, DOMAIN, ENGLISH, LOCALES, REGIONAL_LANGUAGES, base_language
from rules.loading.loader import list_packs, load_pack, load_rules

PROJECT_ROOT = Path(__file__).parent.parent.parent

TEMPLATE_FILE = FOLDER / f"{DOMAIN}.pot"

_EXTRACTORS = [("bot/**.py", "bot.i18n.extract:extract_code"), ("rules/packs/*.yaml", "bot.i18n.extract:extract_pack")]

_HEADER = "# What Touchline says, in {language}. To bring it up to date: make words\n#"

_CREATED_AT = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
"""A fixed date, so that a catalogue changes only with its texts and not with the day of the extraction."""

# By the name that a module imports them under. A text that is passed in another way is not found.
_GETTEXT_FUNCTIONS = {
    "translate": "gettext",
    "translate_in_context": "pgettext",
    "_": "gettext",
    "N_": "gettext",
    "ngettext": "ngettext",
    "pgettext": "pgettext",
}

_CALLS = re.compile(rf"\b(?:{'|'.join(_GETTEXT_FUNCTIONS)})\s*\(")

_NOTE_PREFIX = "# Translators:"

GettextMessage = str | tuple[str, ...]

ExtractedText = tuple[int, str, str, list[str]]
"""Line, gettext function, text, notes for translators."""


def update_catalogues() -> None:
    """Extract all texts, then rewrite the template and every language's catalogue. Translations are kept."""
    template = collect_texts()
    _write_catalogue(template, TEMPLATE_FILE)
    for language in CHOICES:
        if language != ENGLISH:
            catalogue = read_catalogue(language)
            catalogue.update(template)
            # A regional language looks up its base language next, so a text that both say alike would only be kept twice.
            if language in REGIONAL_LANGUAGES:
                catalogue = _keep_what_differs(language, catalogue, read_catalogue(base_language(language)))
            _write_catalogue(catalogue, _catalogue_file(language))


def collect_country_names() -> dict[str, dict[str, str]]:
    """Return what each language calls every territory, by the language and the territory's code of two letters."""
    # `_locale_of` and not LOCALES: the feed's English names are those of Babel's plain English.
    territories = {language: Locale.parse(_locale_of(language)).territories for language in CHOICES}
    return {
        language: {code: name for code, name in sorted(names.items()) if len(code) == 2}
        for language, names in territories.items()
    }


def collect_shipped_texts() -> list[str]:
    """Return the texts of the rules of all packs."""
    # Stripped, because gettext keys are: a YAML block ends with a line break.
    return sorted({rule.alert.text.source.strip() for name in list_packs() for rule in load_pack(name).rules})


def write_data_files() -> None:
    """Write the files that a bot reads at its start in place of Babel's data and of all packs, which take longer."""
    for file, values in ((COUNTRY_NAMES_FILE, collect_country_names()), (SHIPPED_TEXTS_FILE, collect_shipped_texts())):
        file.write_bytes(msgspec.json.format(msgspec.json.encode(values)) + b"\n")


def _keep_what_differs(language: str, regional: Catalog, base: Catalog) -> Catalog:
    """Return a regional catalogue with only those translations that differ from those of its language."""
    kept = _make_catalogue(language)
    for message in regional:
        common = base.get(message.id, message.context)
        is_translated = all([message.string] if isinstance(message.string, str) else message.string or [""])
        if message.id and is_translated and not message.fuzzy and (common is None or common.string != message.string):
            kept[message.id] = message
    return kept


def collect_texts() -> Catalog:
    """Return every text of the code and the packs, sorted by file and line."""
    catalogue = _make_catalogue(ENGLISH)
    found = extract_from_dir(PROJECT_ROOT, _EXTRACTORS)
    # Sorted, so that the same texts always give the same file.
    for file, line, text, comments, context in sorted(found, key=lambda message: message[:2]):
        catalogue.add(text, locations=[(file, line)], auto_comments=comments, context=context)
    return catalogue


def read_catalogue(language: str) -> Catalog:
    """Return a language's catalogue from its file, or an empty one if there is no file yet."""
    file = _catalogue_file(language)
    if not file.exists():
        return _make_catalogue(language)
    with file.open("rb") as lines:
        return read_po(lines, locale=_locale_of(language))


def _make_catalogue(language: str) -> Catalog:
    header = _HEADER.format(language=CHOICES[language])
    return Catalog(_locale_of(language), DOMAIN, header, "Touchline", "1", fuzzy=False)


def _locale_of(language: str) -> str:
    """Return the locale whose plural forms a catalogue has. English has none of its own."""
    return language if language == ENGLISH else LOCALES.get(language, language)


def _catalogue_file(language: str) -> Path:
    return FOLDER / language.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}.po"


def _write_catalogue(catalogue: Catalog, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    catalogue.creation_date = catalogue.revision_date = _CREATED_AT
    catalogue.last_translator = catalogue.language_team = catalogue.msgid_bugs_address = ""
    with file.open("wb") as lines:
        # No line numbers: a catalogue changes only with its texts. No wrapping: one text is one line of a diff.
        write_po(lines, catalogue, width=0, ignore_obsolete=True, include_lineno=False)


def extract_code(
    file: BinaryIO, keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, str, GettextMessage, list[str]]]:
    """Yield every text that is passed to a gettext function, with the note for translators in the line above."""
    source = file.read().decode("utf-8")
    # Most modules say nothing to chats, and to parse them all takes seconds.
    if not _CALLS.search(source):
        return
    lines = source.splitlines()
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _GETTEXT_FUNCTIONS:
            texts = tuple(argument.value for argument in call.args if isinstance(argument, ast.Constant))
            if message := tuple(text for text in texts if isinstance(text, str)):
                above = lines[call.lineno - 2].strip() if call.lineno > 1 else ""
                notes = [above.removeprefix(_NOTE_PREFIX).strip()] if above.startswith(_NOTE_PREFIX) else []
                yield call.lineno, _GETTEXT_FUNCTIONS[call.func.id], message if len(message) > 1 else message[0], notes


def extract_pack(file: BinaryIO, keywords: Any, comment_tags: Any, options: Any) -> Iterator[ExtractedText]:
    """Yield the text of every rule of a pack. Rules of a pack that it extends are extracted from that pack."""
    name = "pack.yaml"
    for rule in load_rules(file.read().decode("utf-8"), name).rules:
        if rule.location.file == name:
            yield rule.location.line, "_", rule.alert.text.source.strip(), [f"The rule: {rule.name}"]


if __name__ == "__main__":
    update_catalogues()
    write_data_files()
