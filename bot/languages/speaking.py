"""Which language is spoken now, and the bot's words in it: gettext's catalogues, one a language.

The English text is the key. A text is looked up when it is said, so none may be looked up when a module is imported: a constant
of a module is marked by `N_` and looked up by `_` where it is used.
"""

from __future__ import annotations

import gettext as catalogues
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LANGUAGES = {"en": "English", "es": "Español", "de": "Deutsch", "fr": "Français", "pt": "Português", "it": "Italiano"}
"""By code, what each calls itself."""
ENGLISH = "en"
_LOCALES = {"en": "en_GB", "pt": "pt_BR"}
"""Where a language is written in several ways, the one that the catalogue is written in."""
DOMAIN = "touchline"
FOLDER = Path(__file__).with_name("catalogues")

_spoken: ContextVar[str] = ContextVar("spoken", default=ENGLISH)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak this language while the block runs; one that the bot does not know is English."""
    before = _spoken.set(known(language))
    try:
        yield
    finally:
        _spoken.reset(before)


def spoken() -> str:
    """The code of the language that is spoken now."""
    return _spoken.get()


def locale() -> str:
    """Babel's name for the language that is spoken: how dates, numbers and lists are written in it."""
    return _LOCALES.get(_spoken.get(), _spoken.get())


def known(tag: str) -> str:
    """The language of a tag such as `pt-BR`, where the bot speaks it; else English."""
    code = tag.replace("_", "-").split("-")[0].casefold()
    return code if code in LANGUAGES else ENGLISH


def translated(text: str) -> str:
    """The text in the language that is spoken now. It is imported as `_`."""
    return _catalogue(_spoken.get()).gettext(text)


def counted(one: str, many: str, number: int) -> str:
    """The form that goes with a number. It is imported as `ngettext`."""
    return _catalogue(_spoken.get()).ngettext(one, many, number)


def in_context(context: str, text: str) -> str:
    """A word that means several things, told apart by its context. It is imported as `pgettext`."""
    return _catalogue(_spoken.get()).pgettext(context, text)


def marked(text: str) -> str:
    """The text itself, marked for the catalogues and looked up where it is used. It is imported as `N_`."""
    return text


def in_every_language(say: Callable[[], str]) -> dict[str, str]:
    """What is said, by language, for whoever will hear it later."""
    texts = {}
    for language in LANGUAGES:
        with speaking(language):
            texts[language] = say()
    return texts


@cache
def _catalogue(language: str) -> catalogues.NullTranslations:
    return catalogues.translation(DOMAIN, FOLDER, [language], fallback=True)
