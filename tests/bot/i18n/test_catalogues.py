"""Every text is translated into every language, with its placeholders, tags and commands."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from gettext import c2py  # type: ignore[attr-defined]  # not in the stubs

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from bot.i18n.extract import PROJECT_ROOT, TEMPLATE_FILE, collect_texts, read_catalogue
from bot.i18n.language import ENGLISH, LOCALES, REGIONAL_LANGUAGES, base_language, translate, use_language
from rules.engine.alert import Facts
from rules.engine.text import LANGUAGES, AlertText
from rules.loading.texts import SAMPLE_FACTS, find_markup_error

OTHERS = [code for code in LANGUAGES if code != ENGLISH]
_PLACEHOLDERS = re.compile(r"\{(\w*)\}(?!\})")
_TAGS = re.compile(r"</?[a-z-]+(?: [^<>]*)?>")
_COMMANDS = re.compile(r"(?<![\w<])/[a-z]+\b|<code>.*?</code>")
_SIGN = re.compile(r"[^\w\s<{“«„¡¿(…]*")
"""The start of a text before its first word: an emoji, or nothing."""


@cache
def extracted_texts() -> Catalog:
    """Return the texts of the code and the packs, extracted once."""
    return collect_texts()


def texts(catalogue: Catalog) -> dict[tuple[str, str], Message]:
    return {(message.context or "", str(message.id)): message for message in catalogue if message.id}


def pairs(language: str) -> list[tuple[str, str]]:
    """Return every English text with its translation; each plural form is paired with the English plural."""
    found = []
    for message in texts(read_catalogue(language)).values():
        one, *many = (message.id,) if isinstance(message.id, str) else message.id
        forms = (message.string,) if isinstance(message.string, str) else message.string
        found += [((many or [one])[0], form) for form in forms]
    return found


def list_differences(language: str, found: re.Pattern[str]) -> list[tuple[str, str]]:
    return [(ours, theirs) for ours, theirs in pairs(language) if Counter(found.findall(ours)) != Counter(found.findall(theirs))]


@pytest.mark.slow
def test_the_template_contains_the_texts_of_the_code_and_the_packs() -> None:
    with TEMPLATE_FILE.open("rb") as file:
        kept = read_po(file)

    assert sorted(texts(kept)) == sorted(texts(extracted_texts())), "run: make words"


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_and_none_is_fuzzy(language: str) -> None:
    known = texts(read_catalogue(language))
    forms = {key: (m.string,) if isinstance(m.string, str) else m.string for key, m in known.items()}

    assert sorted(known) == sorted(texts(extracted_texts())), "run: make words"
    assert [key for key, strings in forms.items() if not strings or not all(strings)] == []
    assert [key for key, message in known.items() if message.fuzzy] == []
    assert all(len(forms[key]) == (2 if message.pluralizable else 1) for key, message in known.items())


@pytest.mark.parametrize("language", REGIONAL_LANGUAGES)
def test_a_regional_catalogue_has_only_texts_that_it_says_in_another_way(language: str) -> None:
    regional, base = texts(read_catalogue(language)), texts(read_catalogue(base_language(language)))

    assert len(regional) > 30 and set(regional) <= set(base), "run: make words"
    assert [key for key, message in regional.items() if message.fuzzy or message.string == base[key].string] == []


@pytest.mark.parametrize("language", [*OTHERS, *REGIONAL_LANGUAGES])
def test_plural_forms_are_those_of_cldr(language: str) -> None:
    # The zero and the one differ: French and Brazil's Portuguese say "0 match", and Portugal's "0 jogos".
    catalogue, locale = read_catalogue(language), Locale.parse(LOCALES.get(language, language))
    choose = c2py(str(catalogue.plural_expr))

    assert [number for number in range(1000) if choose(number) != (locale.plural_form(number) != "one")] == []


@pytest.mark.parametrize("language", [*OTHERS, *REGIONAL_LANGUAGES])
@pytest.mark.parametrize("what", [_PLACEHOLDERS, _TAGS, _COMMANDS], ids=["placeholders", "tags", "commands"])
def test_a_translation_keeps_placeholders_tags_and_commands(language: str, what: re.Pattern[str]) -> None:
    assert list_differences(language, what) == []


@pytest.mark.parametrize("language", [*OTHERS, *REGIONAL_LANGUAGES])
def test_a_translation_begins_with_the_same_sign_and_ends_as_the_text_does(language: str) -> None:
    signs = [(a, b) for a, b in pairs(language) if _begins(a) != _begins(b)]
    ends = [(a, b) for a, b in pairs(language) if (a[:1].isspace(), a[-1:].isspace()) != (b[:1].isspace(), b[-1:].isspace())]

    assert (signs, ends) == ([], [])


def _begins(text: str) -> str:
    found = _SIGN.match(text)
    return found[0] if found else ""


@pytest.mark.slow
@pytest.mark.parametrize("language", [*OTHERS, *REGIONAL_LANGUAGES])
def test_the_text_of_a_pack_can_be_filled_and_shown_in_every_language(language: str) -> None:
    for ours, theirs in pairs(language):
        if "{{" not in ours:
            continue
        text = AlertText(theirs)
        full, bare = text.render(SAMPLE_FACTS), text.render(Facts(match=SAMPLE_FACTS.match, score=SAMPLE_FACTS.score))

        assert text.variable_names == AlertText(ours).variable_names, theirs
        assert full and bare and not find_markup_error(full) and not find_markup_error(bare), theirs


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_catalogue_is_used_for_translation(language: str) -> None:
    with use_language(language):
        translation = translate("All commands")

    assert translation == dict(pairs(language))["All commands"] != "All commands"


@pytest.mark.slow
def test_no_text_is_translated_while_a_module_is_imported() -> None:
    files = sorted((PROJECT_ROOT / "bot").rglob("*.py"))
    calls = [
        (file, node.lineno, node.func)
        for file in files
        for node in _at_import(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]

    assert len(files) > 200
    assert [
        f"{file.relative_to(PROJECT_ROOT)}:{line}"
        for file, line, called in calls
        if isinstance(called, ast.Name) and called.id in ("_", "ngettext", "pgettext")
    ] == []


def _at_import(node: ast.AST) -> list[ast.AST]:
    """Everything that runs when the module is imported: not the bodies of functions."""
    inner = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.Lambda)]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        inner = [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]
    return [node, *(found for child in inner for found in _at_import(child))]
