"""Brings the catalogues up to date with what the bot says: `make words`.

What is new waits in each language's file to be translated; what is gone is dropped; what only changed keeps its translation,
marked as fuzzy until somebody has looked at it.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from bot.languages.compiling import FOLDER
from bot.languages.speaking import DOMAIN, ENGLISH, LANGUAGES

ROOT = Path(__file__).parent.parent.parent
TEMPLATE = FOLDER / f"{DOMAIN}.pot"
_WHERE = [("bot/**.py", "bot.languages.code:extract"), ("rules/packs/*.yaml", "bot.languages.packs:extract")]
_ABOUT = "# What Touchline says, in {language}. To bring it up to date: make words\n#"
_BORN = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
"""A catalogue changes with its texts, not with the day on which they were looked through."""


def said(root: Path = ROOT) -> Catalog:
    """Every text in the code and in the packs, by file and in its order."""
    catalogue = _catalogue(ENGLISH)
    found = extract_from_dir(root, _WHERE)
    for file, line, text, comments, context in sorted(found, key=lambda one: one[:2]):
        catalogue.add(text, locations=[(file, line)], auto_comments=comments, context=context)
    return catalogue


def written(language: str) -> Catalog:
    """A language's catalogue as it stands; an empty one where there is none yet."""
    file = _file(language)
    if not file.exists():
        return _catalogue(language)
    with file.open("rb") as lines:
        return read_po(lines, locale=language)


def update() -> None:
    """Look through everything, and write the template and every language's catalogue anew."""
    template = said()
    _write(template, TEMPLATE)
    for language in LANGUAGES:
        if language != ENGLISH:
            catalogue = written(language)
            catalogue.update(template)
            _write(catalogue, _file(language))


def _catalogue(language: str) -> Catalog:
    about = _ABOUT.format(language=LANGUAGES[language])
    return Catalog(language, DOMAIN, about, "Touchline", "1", fuzzy=False)


def _file(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def _write(catalogue: Catalog, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    catalogue.creation_date = catalogue.revision_date = _BORN
    catalogue.last_translator = catalogue.language_team = catalogue.msgid_bugs_address = ""
    with file.open("wb") as lines:
        write_po(lines, catalogue, width=0, ignore_obsolete=True, include_lineno=False)


if __name__ == "__main__":
    update()
