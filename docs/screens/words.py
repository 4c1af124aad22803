"""A sheet of screens as plain text, so that a change of a word is seen where it is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from docs.screens.shown import Bubble, Screen, Sheet


def transcript(sheets: Sequence[Sheet]) -> str:
    """Everything that the screens show."""
    return "\n".join(line for sheet in sheets for line in _sheet(sheet))


def _sheet(sheet: Sheet) -> Iterator[str]:
    yield f"=== {sheet.name}: {sheet.about}"
    for number, screen in enumerate(sheet.screens, start=1):
        yield f"--- {number}. {screen.says}".rstrip(". ")
        yield from _screen(screen)
    yield ""


def _screen(screen: Screen) -> Iterator[str]:
    if screen.pinned:
        yield f"pinned: {screen.pinned}"
    for bubble in screen.bubbles:
        yield from _bubble(bubble)
    if screen.toast:
        yield f"note: {screen.toast}"


def _bubble(bubble: Bubble) -> Iterator[str]:
    marks = ", ".join(sorted({str(entity["type"]) for entity in bubble.entities} & {"strikethrough", "spoiler"}))
    extras = [
        bubble.at,
        *(["edited"] if bubble.edited else []),
        *([marks] if marks else []),
        *(["picture"] if bubble.photo else []),
    ]
    answered = f" answers “{bubble.answers[1]}”" if bubble.answers else ""
    yield f"{'me' if bubble.mine else bubble.sender.replace('Touchline', '') or 'bot'} ({', '.join(extras)}){answered}"
    yield from (f"    {line}".rstrip() for line in bubble.text.split("\n"))
    yield from (f"    [{'] ['.join(row)}]" for row in bubble.rows)
