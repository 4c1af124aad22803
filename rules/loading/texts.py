"""Reads alert texts, and tries each with sample facts and against Telegram's HTML, before any alert needs it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html.parser import HTMLParser

import msgspec
import yaml

from rules.engine.alert import Facts
from rules.engine.sandbox import MAX_SOURCE_LENGTH
from rules.engine.text import LANGUAGE_CODES, TEXT_VARIABLES, AlertText, tidy_text
from rules.loading.foreign_syntax import warn_of_comment, warn_of_text, warn_of_text_name
from rules.loading.template_syntax import TemplateFinding
from rules.loading.templates import examine_template
from rules.loading.values import Reader, describe_unknown

MAX_TEXT_LENGTH = 3500
"""Telegram takes 4,096 characters; the rest is left for the marks of a state and for names longer than the sample's."""

# Values for what texts usually show; `examine_template` renders each text without them, too. The teams have long names, because
# the length of the whole text counts.
SAMPLE_FACTS = Facts(
    match="Tottenham Hotspur 1–0 Leicester City",
    score="1–0",
    home="Tottenham Hotspur",
    away="Leicester City",
    team="Tottenham Hotspur",
    opponent="Leicester City",
    player="Harry Kane",
    minute="45+2",
    period="first half",
    competition="Premier League",
    venue="White Hart Lane",
    action_type="Goal",
    sub_action_type="Header",
    side="home",
    kickoff="14:00 UTC",
    shootout="6–5",
    score_before="0–0",
    status_reason="no signal",
    goal_score="[1]–0",
    home_score=1,
    outcome="goal stands",
    scorers="Harry Kane 45+2' (pen.) · Jamie Vardy 51'",
    winner="Tottenham Hotspur",
    after_extra_time=True,
    minute_number=45,
    added=2,
    player_goals=2,
    player_cards=1,
    winner_score="6–5",
)


class TranslatedText(msgspec.Struct, frozen=True):
    """A text; where it is given in several languages, all of them by code."""

    text: AlertText
    by_language: Mapping[str, AlertText] = {}


NamedTexts = dict[str, TranslatedText]
"""The entries of `texts:`, by name."""


def read_text(reader: Reader, node: yaml.Node, texts: NamedTexts) -> TranslatedText | None:
    """Read `text: …`, `text: {en: …, es: …}` or `text: {use: name}`."""
    if not isinstance(node, yaml.MappingNode):
        read = _read_one_text(reader, node, "text")
        if read and isinstance(node, yaml.ScalarNode):
            warn_of_text_name(reader, node, node.value, texts)
        return read
    elsewhere = dict.fromkeys(("name", "text", "named", "template"), "it is called use: text: {use: NAME}")
    fields = reader.read_mapping(node, "text", ("use", *LANGUAGE_CODES), elsewhere)
    if not fields:
        return None  # unknown keys alone, which are reported
    if "use" not in fields:
        return _read_languages(reader, fields, "text")
    if len(fields) > 1:
        reader.report_mistake(node, "text has either use, or a text for each language")
        return None
    return _find_named_text(reader, fields["use"], texts)


def _read_languages(reader: Reader, fields: Mapping[str, yaml.Node], what: str) -> TranslatedText | None:
    """Read a text for each language. Chats with another language get the English one, or else the first."""
    read = {code: _read_one_text(reader, node, f"{what}, {code}") for code, node in fields.items()}
    texts = {code: one.text for code, one in read.items() if one}
    # One with a mistake is reported already; the others alone would be a rule that nobody wrote.
    if len(texts) < len(fields):
        return None
    return TranslatedText(texts.get("en") or next(iter(texts.values())), texts)


def _find_named_text(reader: Reader, node: yaml.Node, texts: NamedTexts) -> TranslatedText | None:
    name = reader.read_string(node, "use")
    if name is None:
        return None
    if name not in texts:
        nothing = f'there is no text "{name}": texts is empty'
        reader.report_mistake(node, describe_unknown("text", name, tuple(texts)) if texts else nothing)
        return None
    return texts[name]


def _read_one_text(reader: Reader, node: yaml.Node, what: str) -> TranslatedText | None:
    source = reader.read_string(node, what)
    text = None if source is None else check_text(reader, node, source)
    if text is None:
        return None
    if isinstance(node, yaml.ScalarNode):
        warn_of_text(reader, node, text.source)
        warn_of_comment(reader, node, reader.report.line_at(str(node.end_mark.name), node.end_mark.line))
    return TranslatedText(text)


def check_text(reader: Reader, node: yaml.Node, source: str) -> AlertText | None:
    """Return the text if it is a template that renders with and without its values, and that Telegram accepts."""
    findings = () if reader.report.has_known_texts else _examine_text(source)
    for finding in findings:
        if finding.is_warning:
            reader.report_warning_in_text(node, finding.offset, finding.sentence)
        else:
            reader.report_mistake_in_text(node, finding.offset, finding.sentence)
    # Compiled when it is first sent: nothing in it can fail any more.
    return None if any(not finding.is_warning for finding in findings) else AlertText(source, is_checked=True)


# A reload reads all rules again, and most texts are as they were.
@lru_cache(maxsize=4096)
def _examine_text(source: str) -> tuple[TemplateFinding, ...]:
    if len(source) > MAX_SOURCE_LENGTH:
        return (TemplateFinding(-1, f"the text is not a template: it is longer than {MAX_SOURCE_LENGTH:,} characters"),)
    rendered = examine_template(source, SAMPLE_FACTS)
    # A text with a mistake is not rendered, so nothing can be said of what it makes.
    if any(not one.is_warning for one in rendered.findings):
        return rendered.findings
    full = tidy_text(rendered.text)
    if not full:
        return (*rendered.findings, TemplateFinding(-1, "the text comes out empty"))
    if len(full) > MAX_TEXT_LENGTH:
        sentence = f"the text is too long: {len(full)} characters, Telegram takes little more than {MAX_TEXT_LENGTH}"
        return (*rendered.findings, TemplateFinding(-1, sentence))
    error = find_markup_error(full)
    return (*rendered.findings, _locate_markup_error(source, error)) if error else rendered.findings


def _locate_markup_error(source: str, error: str) -> TemplateFinding:
    """Return the error at the tag that it names, with the value that a tag of its name was meant to be."""
    # The sentence names the tag, and the parser's own place would be one of the rendered text, not of its source.
    tag = re.search(r"<(/?[a-zA-Z][\w-]*)", error)
    offset = source.find(tag[0]) if tag else source.find("<") if "<" in error else -1
    if tag and tag[1] in TEXT_VARIABLES:
        error += f"; for the value write {{{{ {tag[1]} }}}}"
    elif tag and (meant := _TAGS_OF_WEB_PAGES.get(tag[1].casefold())):
        error += f"; write {meant}"
    return TemplateFinding(offset, error)


_TAGS_OF_WEB_PAGES = {
    "br": "a new line, or \\n in double quotes",
    **dict.fromkeys(("p", "div"), "new lines"),
    **dict.fromkeys(("h1", "h2", "h3", "big"), "<b>…</b>"),
    **dict.fromkeys(("ul", "ol", "li"), "lines that begin with •"),
    "img": "an emoji; pictures come by /alerts +picture",
    **dict.fromkeys(("font", "small", "center"), "the text without it"),
    "spoiler": "<tg-spoiler>…</tg-spoiler>",
}
"""What to write for tags that people know from web pages, and that Telegram does not take."""


def read_texts(reader: Reader, node: yaml.Node, into: NamedTexts) -> None:
    """Read the entries of `texts:` into a dictionary; a name that is there already is a mistake."""
    if not isinstance(node, yaml.MappingNode):
        reader.report_mistake(node, "texts must be a mapping of names to texts")
        return
    for key, value in node.value:
        name, what = str(key.value), f'the text "{key.value}"'
        # Read even if the name is taken: its own mistakes are reported in the same run.
        if isinstance(value, yaml.MappingNode):
            fields = reader.read_mapping(value, what, LANGUAGE_CODES)
            text = _read_languages(reader, fields, what) if fields else None
        else:
            text = _read_one_text(reader, value, what)
        if name in into:
            reader.report_mistake(key, f'there is already a text "{name}"')
        elif text:
            into[name] = text


ALLOWED_TAGS = (
    "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "a", "tg-emoji",
    "code", "pre", "blockquote",
)  # fmt: skip
"""The tags that Telegram accepts in HTML."""


def find_markup_error(html: str) -> str:
    """Return why Telegram would refuse the HTML, in one sentence; empty where it would not."""
    # The words outside of tags are left out: they change nothing, and texts that differ only in them are checked once.
    return _find_tag_error(_BETWEEN_TAGS.sub("", html))


_BETWEEN_TAGS = re.compile(r"(?:\A|(?<=>))[^<>]+(?=<|\Z)")
"""Words from one tag to the next, or to an end of the text. A sign that belongs to no tag stays, since it may be a mistake."""


@lru_cache(maxsize=4096)
def _find_tag_error(html: str) -> str:
    checker = _MarkupChecker()
    checker.feed(html)
    checker.close()
    return checker.error or (f"the text leaves <{checker.open_tags[-1]}> open" if checker.open_tags else "")


class _MarkupChecker(HTMLParser):
    """Follows the tags as they open and close; keeps the first error."""

    # Telegram refuses a whole message for one wrong tag. That would be noticed at the first goal, so it is found here.

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)  # else `&lt;` comes as data, and looks like a `<` that is no tag
        self.open_tags: list[str] = []
        self.error = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED_TAGS:
            self._note_error(f"Telegram does not know the tag <{tag}>")
        elif tag == "a" and not dict(attrs).get("href"):
            self._note_error("a link needs its address: <a href=…>")
        self.open_tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._note_error(f"Telegram does not know the tag <{tag}/>")

    def handle_endtag(self, tag: str) -> None:
        if not self.open_tags or self.open_tags.pop() != tag:
            self._note_error(f"the text closes </{tag}> where it is not open")

    def handle_data(self, data: str) -> None:
        if "<" in data:
            self._note_error("write &lt; for a < that is no tag")

    def handle_comment(self, data: str) -> None:
        del data
        self._note_error("Telegram does not know comments in a text")

    def _note_error(self, sentence: str) -> None:
        self.error = self.error or sentence
