"""The command `check`: every mistake of a configuration, for people, programs, and the pages of a code host."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from bot.commands.common import config_option, configure_command_logging, list_environment_files, read_role_option, role_option
from bot.errors import ConfigInvalid, UserMistake

if TYPE_CHECKING:
    from bot.cluster.roles import Role
    from bot.commands.known_fixtures import FixtureNames
    from rules.loading.document import Finding

STANDARD_INPUT = "-"


class FileCheck(msgspec.Struct, frozen=True):
    """What was found in one configuration, with the files that it includes."""

    file: str
    findings: tuple[Finding, ...] = ()
    files: tuple[str, ...] = ()
    """The files that were read, in this order."""
    rule_count: int = 0
    is_configuration: bool = True
    """False for files of variables, which have no rules."""
    unreadable: str = ""
    """Why the file could not be read at all; empty if it could."""

    def count(self, severity: str) -> int:
        """Return the number of findings of a severity; a file that cannot be read is one mistake."""
        unreadable = int(bool(self.unreadable) and severity == "mistake")
        return unreadable + sum(one.severity == severity for one in self.findings)

    @property
    def has_mistakes(self) -> bool:
        """Return True if the configuration would be refused."""
        return self.count("mistake") > 0


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@config_option
@click.option(
    "--with-fixtures", is_flag=True, help="Ask the feed, and warn of teams, competitions and matches that it does not list."
)
@click.option("--strict", is_flag=True, help="Exit 1 for warnings, too.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="github: annotations of a workflow; sarif: for code hosts and editors.",
)
@click.option(
    "--files-only",
    is_flag=True,
    help="Leave this machine out: its drivers, ports and rights, which `run` needs. github and sarif do.",
)
@role_option
@click.pass_context
def check_command(
    ctx: click.Context,
    files: tuple[Path, ...],
    config_path: Path,
    with_fixtures: bool,
    strict: bool,
    format_name: str,
    files_only: bool,
    roles: tuple[str, ...],
) -> None:
    """Find every mistake in a configuration, and what `run` would miss on this machine; exit 1 if there is one.

    FILE is a configuration or a file of rules; - reads one from standard input. Without FILE it is the one of --config.
    """
    selected = read_role_option(roles)
    # What a code host shows belongs to the files: the machine that checks them there is not the one that runs them.
    machine = None if files_only or format_name in ("github", "sarif") else selected
    fixtures: FixtureNames | None = None
    if with_fixtures:
        configure_command_logging(ctx)
        from bot.commands.known_fixtures import FixtureNames

        fixtures = FixtureNames(config_path)
    checks = [
        check_file(path, os.environ, fixtures, may_be_rules=bool(files), machine=machine) for path in files or (config_path,)
    ]
    if machine is not None and (variables := list_environment_files(ctx)):
        # First: what the configuration lacks may be a variable that such a file was meant to set.
        checks.insert(0, _check_environment_files(variables))
    is_refused = any(check.has_mistakes or (strict and check.count("warning")) for check in checks)
    lines = _FORMATS[format_name](checks)
    for line in lines:
        # People see mistakes where the program's other sentences are; what other programs read is standard output.
        click.echo(line, err=is_refused and format_name == "text")
    # After the findings: what the file itself says wrong does not wait for a feed that can be asked.
    if fixtures and fixtures.trouble:
        raise UserMistake(fixtures.trouble)
    ctx.exit(int(is_refused))


def _check_environment_files(paths: Sequence[Path]) -> FileCheck:
    """Return the variables of these files that other programs would read differently."""
    from bot.commands.environment_file import find_different_readings

    names = tuple(map(str, paths))
    return FileCheck(
        ", ".join(names), tuple(one for path in paths for one in find_different_readings(path)), names, is_configuration=False
    )


def check_file(
    path: Path,
    env: Mapping[str, str],
    fixtures: FixtureNames | None = None,
    *,
    may_be_rules: bool = False,
    machine: Collection[Role] | None = None,
) -> FileCheck:
    """Return what is found in a configuration; with `may_be_rules` also in a list of rules, as a file that others include.

    With `fixtures` the names in it are compared with those that the feed lists; with `machine`, also what a process with these
    roles would miss on this machine.
    """
    from bot.config.load import load_config

    # Twenty thousand rules are a million objects that are all kept: collecting garbage among them would take half of the time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        if str(path) == STANDARD_INPUT:
            # It has no place on this machine: an editor or a workflow sends it.
            path, machine = Path("standard input"), None
            text = sys.stdin.buffer.read().decode("utf-8-sig", "replace")
            config = load_config(path, env, text=text, may_be_rules=may_be_rules)
        else:
            config = load_config(path, env, may_be_rules=may_be_rules)
    except ConfigInvalid as error:
        return FileCheck(str(path), error.findings, error.files)
    except UserMistake as error:
        return FileCheck(str(path), unreadable=str(error))
    finally:
        if was_enabled:
            gc.enable()
    findings = config.findings
    # A file of rules alone is part of a configuration: it says nothing about a process.
    if machine is not None and (config.locations or not may_be_rules):
        from bot.commands.machine import find_machine_trouble

        findings = (*findings, *find_machine_trouble(config, machine))
    if fixtures:
        # Sorted anew, so that these warnings stand among the others and not behind the notes.
        order = ("mistake", "warning", "note")
        findings = tuple(sorted((*findings, *fixtures.find_unknown(config)), key=lambda one: (order.index(one.severity), one)))
    return FileCheck(str(path), findings, config.files, len(config.rules.rules))


def check_config(path: Path, env: Mapping[str, str]) -> tuple[list[str], int]:
    """Return the lines to print for one configuration and the exit code: 1 if there is a mistake."""
    check = check_file(path, env)
    return format_checks([check]), int(check.has_mistakes)


def format_text(findings: Iterable[Finding]) -> list[str]:
    """Return a line for each finding. Below a mistake of form stands the line of the file."""
    return [line for one in findings for line in (str(one), *(f"    {shown}" for shown in one.excerpt))]


def format_checks(checks: Sequence[FileCheck]) -> list[str]:
    """Return all findings as text; the count of each configuration comes last, where it stays in view."""
    lines: list[str] = []
    for check in checks:
        if check.unreadable:
            lines.append(check.unreadable)
            continue
        lines += format_text(check.findings)
        if len(check.files) > 1:
            lines.append(f"read: {', '.join(check.files)}")
        counts = [] if check.has_mistakes or not check.is_configuration else [_format_count(check.rule_count, "rule")]
        counts.append(_format_count(check.count("mistake"), "mistake"))
        counts += [_format_count(check.count("warning"), "warning")] if check.count("warning") else []
        lines.append(f"{check.file}: {', '.join(counts)}")
    return lines


def _format_count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _list_findings(checks: Iterable[FileCheck]) -> list[tuple[str, int, int, str, str]]:
    """Return file, line, column, severity and sentence of everything; a file that cannot be read has no line."""
    found: list[tuple[str, int, int, str, str]] = []
    for check in checks:
        if check.unreadable:
            found.append((check.file, 1, 1, "mistake", check.unreadable.removeprefix(f"{check.file}: ")))
        for one in check.findings:
            origin = f" (in {one.location.origin})" if one.location.origin else ""
            rule = f'rule "{one.rule}": ' if one.rule else ""
            found.append(
                (one.location.file, one.location.line, one.location.column, one.severity, f"{rule}{one.sentence}{origin}")
            )
    return found


def _format_json(checks: Sequence[FileCheck]) -> list[str]:
    findings = [
        {"file": file, "line": line, "column": column, "severity": severity, "message": sentence}
        for file, line, column, severity, sentence in _list_findings(checks)
    ]
    counts = {f"{severity}s": sum(check.count(severity) for check in checks) for severity in ("mistake", "warning", "note")}
    files = list(dict.fromkeys(file for check in checks for file in check.files or (check.file,)))
    result = {"files": files, "rules": sum(check.rule_count for check in checks), **counts, "findings": findings}
    return [json.dumps(result, ensure_ascii=False, indent=2)]


_GITHUB_COMMANDS = {"mistake": "error", "warning": "warning", "note": "notice"}


def _format_github(checks: Sequence[FileCheck]) -> list[str]:
    lines: list[str] = []
    for file, line, column, severity, sentence in _list_findings(checks):
        # The characters that end a property or a message of a workflow command.
        place = file.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
        message = sentence.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        lines.append(f"::{_GITHUB_COMMANDS[severity]} file={place},line={line},col={column}::{message}")
    return lines


_SARIF_LEVELS = {"mistake": "error", "warning": "warning", "note": "note"}


def _format_sarif(checks: Sequence[FileCheck]) -> list[str]:
    results: list[dict[str, Any]] = []
    for file, line, column, severity, sentence in _list_findings(checks):
        region = {"startLine": line, "startColumn": column}
        place = {"physicalLocation": {"artifactLocation": {"uri": Path(file).as_posix()}, "region": region}}
        results.append(
            {"ruleId": severity, "level": _SARIF_LEVELS[severity], "message": {"text": sentence}, "locations": [place]}
        )
    descriptions = {"mistake": "The file is refused.", "warning": "Probably not meant.", "note": "Worth knowing."}
    driver = {
        "name": "touchline check",
        "rules": [{"id": severity, "shortDescription": {"text": text}} for severity, text in descriptions.items()],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return [json.dumps(log, ensure_ascii=False, indent=2)]


_FORMATS: Mapping[str, Callable[[Sequence[FileCheck]], list[str]]] = {
    "text": format_checks,
    "json": _format_json,
    "github": _format_github,
    "sarif": _format_sarif,
}
