"""Reads files of variables, NAME=value, as systemd does for EnvironmentFile=, and finds what other programs read differently."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from bot.errors import UserMistake, explain_file_error
from rules.engine.rule import SourceLocation
from rules.loading.document import Finding, Severity

BESIDE_CONFIG = "environment"
"""The file beside a configuration that every command reads, as the units of systemd name it: /etc/touchline/environment."""

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)

_BLANKS = " \t\r"

_ESCAPED_IN_QUOTES = '"\\`$'
"""What a backslash takes its meaning from between double quotes, for systemd and for the shell."""

# What systemd, the shell and Docker Compose read alike: signs that mean nothing to any of them, or one pair of quotes.
_SAFE_VALUE = re.compile(
    r"""(?:[\w.,:/?@%+=^-][\w.,:/?@%+=^#-]*)?   # a bare value: # begins a remark only where a value could begin
    | '(?:[^'\\\n]|\\(?!'))*'                 # Compose takes a backslash before the last quote for an escape
    | "[^"\\$`\n]*"
    """,
    re.ASCII | re.VERBOSE,
)


class Variable(msgspec.Struct, frozen=True):
    """A variable of a file, and where its line begins."""

    name: str
    value: str
    line: int
    written: str
    """The whole assignment as it stands in the file."""

    @property
    def is_read_alike(self) -> bool:
        """Return True if systemd, the shell and Docker Compose read the same value."""
        name, _, value = self.written.partition("=")
        # With `export` or blanks before the =, only some of them read the line at all.
        return name == self.name and _SAFE_VALUE.fullmatch(value.rstrip(_BLANKS)) is not None


def read_environment_file(path: Path) -> list[Variable]:
    """Read every variable of a file. Raises UserMistake, with the line and never with a value, which may be a secret."""
    try:
        # As editors on Windows write it: the mark would be a letter of the first name.
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserMistake(f"{path} cannot be read: {explain_file_error(error)}") from error
    except UnicodeDecodeError as error:
        raise UserMistake(f"{path} cannot be read: it is not text in UTF-8") from error
    return parse_variables(text, path)


def parse_variables(text: str, path: Path) -> list[Variable]:
    """Read every variable of a text. Raises UserMistake, which names the file and the line."""
    return _Parser(text, path).parse()


def find_different_readings(path: Path) -> list[Finding]:
    """Return a warning for each variable that systemd, the shell and Docker Compose read differently."""
    return [
        Finding(
            SourceLocation(str(path), one.line, 1),
            f"systemd, the shell and Docker read {one.name} differently: write {one.name}='…', "
            "without export, without blanks around =, and without ' in the value",
            severity=Severity.WARNING,
        )
        for one in read_environment_file(path)
        if not one.is_read_alike
    ]


class _Parser:
    """Goes through a text once, by the rules of systemd's `parse_env_file`; `export` before a name is left out as well."""

    def __init__(self, text: str, path: Path) -> None:
        self._text, self._path, self._at = text.replace("\r\n", "\n"), path, 0

    def parse(self) -> list[Variable]:
        found: list[Variable] = []
        while self._at < len(self._text):
            begin = self._at
            if self._text[begin] in f"{_BLANKS}\n":
                self._at += 1
            elif self._text[begin] in "#;":
                self._take_line()
            else:
                found.append(self._read_variable(begin))
        return found

    def _read_variable(self, begin: int) -> Variable:
        line = self._text.count("\n", 0, begin) + 1
        head = self._take_line()
        name, sign, _ = head.partition("=")
        name = name.strip(_BLANKS).removeprefix("export ").strip(_BLANKS)
        if not sign or not _NAME.fullmatch(name):
            # The line itself is not shown: it may be half of a token.
            raise UserMistake(f"{self._path}:{line}: this line is not of the form NAME=value")
        self._at = begin + head.index("=") + 1
        value = self._read_value(line)
        return Variable(name, value, line, self._text[begin : self._at].rstrip("\n"))

    def _read_value(self, line: int) -> str:
        """Read quoted parts and a bare rest, up to the end of the line; quotes inside a bare rest are ordinary characters."""
        parts: list[str] = []
        while (sign := self._peek()) not in ("", "\n"):
            self._at += 1
            if sign == "'":
                parts.append(self._read_quoted("'", "", line))
            elif sign == '"':
                parts.append(self._read_quoted('"', _ESCAPED_IN_QUOTES, line))
            elif sign not in _BLANKS:
                # Its first sign may be a backslash, so `_read_bare` has to see it too.
                self._at -= 1
                parts.append(self._read_bare())
        return "".join(parts)

    def _read_quoted(self, quote: str, escaped: str, line: int) -> str:
        found: list[str] = []
        while (sign := self._peek()) != quote:
            if not sign:
                raise UserMistake(f"{self._path}:{line}: the quote that begins here has no end")
            self._at += 1
            if sign == "\\" and escaped:
                following = self._peek()
                self._at += 1
                # A backslash at the end of a line joins it with the next; before any other sign it stays.
                sign = following if following in escaped else "" if following == "\n" else f"\\{following}"
            found.append(sign)
        self._at += 1
        return "".join(found)

    def _read_bare(self) -> str:
        found: list[str] = []
        kept = 0
        while (sign := self._peek()) not in ("", "\n"):
            self._at += 1
            if sign == "\\":
                sign = self._peek()
                self._at += 1
                found += [] if sign == "\n" else [sign]
                kept = len(found)
                continue
            found.append(sign)
            kept = kept if sign in _BLANKS else len(found)
        # Blanks at the end are no part of the value, unless a backslash keeps them.
        return "".join(found[:kept])

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take_line(self) -> str:
        """Return the rest of the line, and move behind it."""
        end = self._text.find("\n", self._at)
        end = len(self._text) if end < 0 else end
        line, self._at = self._text[self._at : end], end
        return line
