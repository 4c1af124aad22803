"""Screens drawn as a phone shows a chat, side by side on one sheet."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFilter

from bot.media.canvas import draw_rounded_box
from docs.screens.emoji import emoji
from docs.screens.letters import Line, draw_line, lines_of, one_line, wide
from docs.screens.shown import Bubble, Screen, Sheet
from rules.football.colours import Colour

GROUND: Colour = (203, 217, 229)
THEIRS: Colour = (255, 255, 255)
MINE: Colour = (227, 250, 207)
INK: Colour = (20, 25, 32)
QUIET: Colour = (134, 146, 160)
BLUE: Colour = (42, 122, 190)
BUTTON: Colour = (137, 160, 182)
PAPER: Colour = (255, 255, 255)
EDGE: Colour = (176, 188, 200)

WIDTH, HEAD, MARGIN, GAP = 470, 70, 16, 26
SIZE, SMALL, STEP = 22, 17, 29
ROOM = 384
"""The longest line of a message."""
PAD = 13
BUTTON_HEIGHT = 42
OWN = 64


def png(sheet: Sheet) -> bytes:
    """The sheet as a picture."""
    tall = max(map(_height, sheet.screens))
    says = SIZE + 18 if any(screen.says for screen in sheet.screens) else 0
    count = len(sheet.screens)
    image = Image.new("RGB", (count * WIDTH + (count - 1) * GAP + 2 * MARGIN, tall + says + 2 * MARGIN), PAPER)
    for number, screen in enumerate(sheet.screens):
        left = MARGIN + number * (WIDTH + GAP)
        said = one_line(screen.says, SIZE, WIDTH, bold=True)
        draw_line(image, said, left + (WIDTH - wide(said)) / 2, MARGIN + SIZE - 4, INK)
        _framed(image, _phone(screen, tall), left, MARGIN + says)
    out = io.BytesIO()
    _few_colours(image).save(out, "PNG", optimize=True)
    return out.getvalue()


def _few_colours(image: Image.Image) -> Image.Image:
    """The same in 255 colours: those that it has most of, so that large areas keep theirs, and others far apart."""
    counted = sorted(image.getcolors(image.width * image.height) or [], reverse=True)[:OWN]
    own = [part for _, colour in counted for part in colour]  # type: ignore[attr-defined]
    others = image.quantize(255 - OWN, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette(own + others)
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def _framed(image: Image.Image, phone: Image.Image, left: int, top: int) -> None:
    edge = draw_rounded_box(phone.width + 4, phone.height + 4, 26, EDGE)
    image.paste(edge, (left - 2, top - 2), edge)
    mask = draw_rounded_box(phone.width, phone.height, 24, (0, 0, 0)).getchannel("A")
    image.paste(phone, (left, top), mask)


def _height(screen: Screen) -> int:
    pinned = 46 if screen.pinned else 0
    return HEAD + pinned + 14 + sum(_tall(bubble) + 9 for bubble in screen.bubbles) + (58 if screen.toast else 8)


def _phone(screen: Screen, tall: int) -> Image.Image:
    image = Image.new("RGB", (WIDTH, tall), GROUND)
    top = _head(image, screen) + 14
    for bubble in screen.bubbles:
        _bubble(image, bubble, top)
        top += _tall(bubble) + 9
    if screen.toast:
        _toast(image, screen.toast)
    return image


def _head(image: Image.Image, screen: Screen) -> int:
    """The name of the chat, and what is pinned in it; where it ends."""
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, HEAD), fill=(250, 251, 252))
    disc = draw_rounded_box(46, 46, 23, BLUE)
    image.paste(disc, (16, 12), disc)
    ball = emoji("⚽", 30)
    image.paste(ball, (24, 20), ball)
    draw_line(image, one_line(screen.title, SIZE, ROOM - 20, bold=True), 76, 33, INK)
    draw_line(image, one_line(screen.below, SMALL, ROOM - 20), 76, 56, QUIET)
    if not screen.pinned:
        return HEAD
    draw.rectangle((0, HEAD, WIDTH, HEAD + 46), fill=(244, 247, 250))
    draw.rectangle((16, HEAD + 8, 19, HEAD + 38), fill=BLUE)
    sign = emoji("📌", 20)
    image.paste(sign, (28, HEAD + 13), sign)
    draw_line(image, one_line(screen.pinned, SMALL + 1, ROOM - 10), 56, HEAD + 29, INK)
    return HEAD + 46


def _toast(image: Image.Image, words: str) -> None:
    line = one_line(words, SMALL + 2, WIDTH - 80)
    wide_ = round(wide(line)) + 36
    left, top = (WIDTH - wide_) // 2, image.height - 54
    box = draw_rounded_box(wide_, 40, 20, (54, 64, 76))
    image.paste(box, (left, top), box)
    draw_line(image, line, left + 18, top + 27, (255, 255, 255))


def _text(bubble: Bubble) -> list[Line]:
    return lines_of(bubble.text, bubble.entities, SIZE, ROOM) if bubble.text else []


def _named(bubble: Bubble) -> bool:
    """Tell whether the name of its sender stands above a message."""
    return bool(bubble.sender) and not bubble.mine


def _stamp(bubble: Bubble) -> str:
    return f"edited {bubble.at}" if bubble.edited else bubble.at


def _labels(bubble: Bubble) -> float:
    """The room that the buttons ask for."""
    return max((len(row) * (max(wide(one_line(label, SMALL + 2, ROOM)) for label in row) + 30) for row in bubble.rows), default=0)


def _inner(bubble: Bubble) -> int:
    """How wide the words of a message are, with its time."""
    lines, stamp = _text(bubble), wide(one_line(_stamp(bubble), SMALL, ROOM)) + 16
    ends = [wide(lines[-1]) + stamp] if lines and wide(lines[-1]) + stamp <= ROOM else []
    asked = [*map(wide, lines), *ends, min(ROOM, _labels(bubble) - 2 * PAD), stamp]
    asked += [ROOM] if bubble.photo else []
    asked += [min(ROOM, wide(one_line(words, SMALL + 2, ROOM)) + 24) for words in bubble.answers or ()]
    return round(max(asked))


def _body(bubble: Bubble) -> int:
    """How tall a message is without its buttons."""
    lines, stamp = _text(bubble), wide(one_line(_stamp(bubble), SMALL, ROOM)) + 16
    own = bool(lines) and wide(lines[-1]) + stamp > _inner(bubble)
    photo = _photo_of(bubble).height + 6 if bubble.photo else 0
    named = STEP - 2 if _named(bubble) else 0
    return photo + named + (52 if bubble.answers else 0) + len(lines) * STEP + (20 if own else 0) + 2 * 8 + (0 if lines else 12)


def _tall(bubble: Bubble) -> int:
    if bubble.note:
        return 34
    return _body(bubble) + len(bubble.rows) * (BUTTON_HEIGHT + 5)


def _bubble(image: Image.Image, bubble: Bubble, top: int) -> None:
    if bubble.note:
        _note(image, bubble.note, top)
        return
    wide_, tall = _inner(bubble) + 2 * PAD, _body(bubble)
    left = WIDTH - wide_ - 12 if bubble.mine else 12
    _shadowed(image, (left, top, wide_, tall), MINE if bubble.mine else THEIRS)
    at = top + 8
    if _named(bubble):
        draw_line(image, one_line(bubble.sender, SMALL + 2, ROOM, bold=True), left + PAD, at + STEP - 10, BLUE)
        at += STEP - 2
    if bubble.answers:
        _answered(image, bubble.answers, left + PAD, at, wide_ - 2 * PAD)
        at += 52
    if bubble.photo:
        at += _photo(image, bubble, left + PAD, at)
    for line in _text(bubble):
        draw_line(image, line, left + PAD, at + STEP - 8, INK)
        at += STEP
    stamp = one_line(_stamp(bubble), SMALL, ROOM)
    draw_line(image, stamp, left + wide_ - PAD + 3 - wide(stamp), top + tall - 9, (98, 160, 84) if bubble.mine else QUIET)
    _buttons(image, bubble, left, top + tall + 5, wide_)


def _shadowed(image: Image.Image, place: tuple[int, int, int, int], colour: Colour) -> None:
    left, top, wide_, tall = place
    shade = draw_rounded_box(wide_, tall, 16, (176, 192, 206))
    image.paste(shade, (left, top + 2), shade)
    box = draw_rounded_box(wide_, tall, 16, colour)
    image.paste(box, (left, top), box)


def _answered(image: Image.Image, answers: tuple[str, str], left: int, top: int, room: int) -> None:
    box = draw_rounded_box(room, 46, 6, (232, 241, 249))
    image.paste(box, (left, top), box)
    ImageDraw.Draw(image).rectangle((left, top, left + 3, top + 45), fill=BLUE)
    draw_line(image, one_line(answers[0], SMALL, room - 24, bold=True), left + 12, top + 18, BLUE)
    draw_line(image, one_line(answers[1], SMALL, room - 24), left + 12, top + 38, INK)


def _photo(image: Image.Image, bubble: Bubble, left: int, top: int) -> int:
    photo = _photo_of(bubble)
    if bubble.hidden:
        photo = photo.filter(ImageFilter.GaussianBlur(18))
    image.paste(photo, (left, top), draw_rounded_box(ROOM, photo.height, 8, (0, 0, 0)).getchannel("A"))
    return photo.height + 6


def _photo_of(bubble: Bubble) -> Image.Image:
    """The photo at the width of the messages."""
    photo = Image.open(io.BytesIO(bubble.photo)).convert("RGB")
    return photo.resize((ROOM, round(photo.height * ROOM / photo.width)), Image.Resampling.LANCZOS)


def _buttons(image: Image.Image, bubble: Bubble, left: int, top: int, room: int) -> None:
    for row in bubble.rows:
        each = (room - 5 * (len(row) - 1)) // len(row)
        for number, label in enumerate(row):
            box = draw_rounded_box(each, BUTTON_HEIGHT, 9, BUTTON)
            image.paste(box, (left + number * (each + 5), top), box)
            words = one_line(label, SMALL + 2, each - 12, bold=True)
            draw_line(image, words, left + number * (each + 5) + (each - wide(words)) / 2, top + 28, (255, 255, 255))
        top += BUTTON_HEIGHT + 5


def _note(image: Image.Image, words: str, top: int) -> None:
    line = one_line(words, SMALL, WIDTH - 80)
    wide_ = round(wide(line)) + 28
    box = draw_rounded_box(wide_, 30, 15, (141, 160, 178))
    image.paste(box, ((WIDTH - wide_) // 2, top), box)
    draw_line(image, line, (WIDTH - wide_) // 2 + 14, top + 21, (255, 255, 255))
