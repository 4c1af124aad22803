"""Reads `config.yaml` and the files that it includes, and reports every mistake at its file, line and column."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from pydantic import SecretStr

from bot.config.files import explain_read_error, read_file, read_yaml
from bot.config.models import (
    ConfigSections,
    ConfiguredChat,
    FeedSettings,
    HttpSettings,
    LimitSettings,
    ScheduleSettings,
    StorageSettings,
    TelegramSettings,
    TlsSettings,
)
from bot.config.problems import describe_unknown_setting, validate_node
from bot.config.suspicious import list_chat_names, refuse_shared_ports, warn_of_addresses, warn_of_chats, warn_of_token
from bot.errors import ConfigInvalid, UserMistake
from rules.engine.rule import NameReference, RuleSet, SourceLocation
from rules.engine.text import TEXT_VARIABLES
from rules.football.catalogue import Catalogue, load_catalogue
from rules.loading.document import (
    Finding,
    Report,
    compose,
    expand_variables,
    is_null,
    leave_out_extras,
    location_of,
    mapping_items,
)
from rules.loading.loader import FILE_KEYS, load_pack, read_rules
from rules.loading.texts import read_texts
from rules.loading.values import Reader

SECTIONS = tuple(ConfigSections.model_fields)

KEYS = (*SECTIONS, *FILE_KEYS)


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """Everything that one `config.yaml` says."""

    path: Path
    feed: FeedSettings
    telegram: TelegramSettings
    schedule: ScheduleSettings
    storage: StorageSettings
    http: HttpSettings
    limits: LimitSettings
    tls: TlsSettings
    chats: tuple[ConfiguredChat, ...]
    rules: RuleSet
    catalogue: Catalogue
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    """The warnings with their parts, and the notes; `touchline check` prints them."""
    files: tuple[str, ...] = ()
    """The files that were read, in this order."""
    chat_names: tuple[NameReference, ...] = ()
    """What the chats of the file follow by name or id."""
    missing_tokens: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """By section, the sentence that says where its missing token belongs."""
    sources: frozenset[Path] = frozenset()
    """Every file that it names, and patterns of files: a reload watches them all."""
    locations: Mapping[str, SourceLocation] = dataclasses.field(default_factory=dict)
    """By `section` or `section.key`, where its value stands in the file."""

    def locate(self, setting: str) -> SourceLocation:
        """Return where a setting such as `storage.url` stands; for one that has its default, the section or the file."""
        while setting and setting not in self.locations:
            setting = setting.rpartition(".")[0]
        return self.locations.get(setting, SourceLocation(str(self.path), 1, 1))

    def list_files_read(self) -> list[tuple[SourceLocation, Path]]:
        """Return every file that the configuration consists of or names, and where it is named."""
        named = {
            "feed.token_file": self.feed.token_file,
            "telegram.token_file": self.telegram.token_file,
            "tls.ca_file": self.tls.ca_file,
        }
        found = [(SourceLocation(file, 1, 1), Path(file)) for file in self.files]
        return found + [(self.locate(key), self.path.parent / file) for key, file in named.items() if file]

    @property
    def secrets(self) -> list[str]:
        """The secrets of the configuration, which are masked in logs."""
        found = [self.feed.token.get_secret_value(), self.telegram.token.get_secret_value()]
        # Addresses whose passwords are secrets, and the rest of them is none.
        addresses = [proxy.get_secret_value() for proxy in (self.feed.proxy, self.telegram.proxy) if proxy]
        addresses.append(self.storage.url)
        if self.telegram.webhook:
            found.append(self.telegram.webhook.secret_token.get_secret_value())
            # Whole, for its path often keeps strangers away.
            found.append(self.telegram.webhook.url)
            addresses.append(self.telegram.webhook.url)
        if self.http.dead_man_url:
            found.append(self.http.dead_man_url.get_secret_value())
        if self.http.console:
            found.append(self.http.console.password.get_secret_value())
        # A driver's error may quote a password as it stands in the address, or as it is meant.
        written = [password for address in addresses for password in _find_passwords(address)]
        return [*found, *dict.fromkeys([*written, *map(unquote, written)])]

    def require_tokens(self) -> None:
        """Raise UserMistake if tokens are missing, with a sentence for each that says where to put it."""
        if self.missing_tokens:
            raise UserMistake("\n".join(self.missing_tokens.values()))

    def require_feed_token(self) -> None:
        """Raise UserMistake if the feed's token is missing; for commands that use the feed alone."""
        if "feed" in self.missing_tokens:
            raise UserMistake(self.missing_tokens["feed"])


_PASSWORDS = re.compile(r"//[^/@:]*:([^@]+)@|[?&](?:ssl)?password=([^&#]+)")
"""Before the host, or among the options of a database."""


def _find_passwords(address: str) -> list[str]:
    found = [password for both in _PASSWORDS.findall(address) for password in both if password]
    with suppress(ValueError):  # an address that cannot be read
        # A password may have an @ that is not escaped: here all up to the last one is taken.
        found += filter(None, [urlsplit(address).password])
    return found


def _describe_missing_token(path: Path, section: str, fields: Mapping[str, yaml.Node]) -> str:
    # At the empty token, else at its section, else at the file: the nearest place that exists.
    token = next((value for key, value in mapping_items(fields.get(section)) if key.value == "token"), fields.get(section))
    place = location_of(token) if token is not None else path
    where = f"write it, or ${{VARIABLE}}, as `token:` under `{section}:`, or name a file that holds it as `token_file:`"
    variable = f"or set {_TOKEN_VARIABLES[section]} where the file names that variable"
    return f"{place}: the {section} token is missing: {where}, {variable}"


# The names that `config.example.yaml` and `touchline init` write.
_TOKEN_VARIABLES = {"feed": "FEED_TOKEN", "telegram": "TELEGRAM_BOT_TOKEN"}


def load_config(
    path: Path, env: Mapping[str, str], sources: set[Path] | None = None, *, text: str | None = None, may_be_rules: bool = False
) -> Config:
    """Read a configuration. Raises ConfigInvalid with every mistake, UserMistake if the file cannot be read at all.

    With `text` the file is not read, and its name only tells where other files lie. With `may_be_rules` it may be a list of
    rules, as a file that others include.

    Adds to `sources` every file that it names, and patterns of files, even if it is refused: a reload watches them all.
    """
    report = Report()
    # The caller's own set: an exception leaves it filled, and a reload has to watch the files of a refused configuration too.
    sources = set() if sources is None else sources
    sources.add(path)
    root = read_yaml(path, report) if text is None else compose(text, str(path), report)
    is_readable = root is not None or not report.mistakes
    if root is None:
        # An empty file, or one with nothing but comments, is valid and keeps every default.
        mark = yaml.Mark(str(path), 0, 0, 0, "", 0)
        root = yaml.MappingNode("tag:yaml.org,2002:map", [], mark, mark)
    if may_be_rules and isinstance(root, yaml.SequenceNode):
        key = yaml.ScalarNode("tag:yaml.org,2002:str", "rules", root.start_mark, root.start_mark)
        root = yaml.MappingNode("tag:yaml.org,2002:map", [(key, root)], root.start_mark, root.end_mark)
    # Of a file that is no YAML only the mistakes of form are reported: all others would follow from them.
    config = _ConfigReader(path, env, report, sources).read(root) if is_readable else None
    if report.mistakes or config is None:
        raise ConfigInvalid(report.mistakes, report.findings, report.list_files())
    return config


def load_rules_of(path: Path, env: Mapping[str, str], *, optional: bool = False) -> tuple[RuleSet, Catalogue]:
    """Return the rules and the catalogue of a configuration; the shipped ones if it is `optional` and does not exist."""
    if optional and not path.exists():
        return load_pack(), load_catalogue()
    config = load_config(path, env)
    return config.rules, config.catalogue


class _ConfigReader:
    """Reads one file, and those that it names."""

    def __init__(self, path: Path, env: Mapping[str, str], report: Report, sources: set[Path]) -> None:
        self.path, self.env, self.report, self.sources = path, env, report, sources

    def read(self, root: yaml.Node) -> Config | None:
        """Read the configuration from a root node; None if its sections are invalid, which is reported."""
        if not isinstance(root, yaml.MappingNode):
            self.report.add_mistake(location_of(root), f"a configuration is a mapping with {', '.join(KEYS)}")
            return None
        # First, because every other step reads the values.
        settings_with_token = [value for key, value in mapping_items(root) if key.value in _TOKEN_VARIABLES]
        tokens = [value for section in settings_with_token for key, value in mapping_items(section) if key.value == "token"]
        self._expand_variables(root, tokens)
        fields = self._read_sections(root)
        # The sections are pydantic's, the rules are read by `rules/loading`: it knows nothing of the rest of the file, and the
        # models nothing of rules. Empty sections are reported above and left out here.
        sections = [(key, value) for key, value in mapping_items(root) if key.value in SECTIONS and not is_null(value)]
        settings = validate_node(
            ConfigSections, yaml.MappingNode(root.tag, sections, root.start_mark, root.end_mark), self.report
        )
        # Read even if a section is invalid: all mistakes of a file are reported at once. Rules need the catalogue, whose names
        # their conditions may use.
        catalogue = self._read_catalogue(fields.get("catalogue"))
        rules = self._read_rules(fields, catalogue)
        warn_of_chats(fields.get("chats"), rules, self.report)
        warn_of_addresses(fields, self.report)
        refuse_shared_ports(fields, self.report)
        if settings is None:
            return None
        feed_token, bot_token = (
            self._read_token(section, fields.get(name))
            for name, section in (("feed", settings.feed), ("telegram", settings.telegram))
        )
        missing = [name for name, token in (("feed", feed_token), ("telegram", bot_token)) if not token.get_secret_value()]
        return Config(
            path=self.path,
            feed=settings.feed.model_copy(update={"token": feed_token}),
            telegram=settings.telegram.model_copy(update={"token": bot_token}),
            schedule=settings.schedule,
            storage=settings.storage,
            http=settings.http,
            limits=settings.limits,
            tls=self._read_tls(settings.tls, fields.get("tls")),
            chats=settings.chats,
            rules=rules,
            catalogue=catalogue,
            warnings=self.report.warnings,
            findings=self.report.findings,
            files=self.report.list_files(),
            chat_names=list_chat_names(fields.get("chats")),
            missing_tokens={name: _describe_missing_token(self.path, name, fields) for name in missing},
            locations=dict(_locate_settings({name: node for name, node in fields.items() if name in SECTIONS})),
            sources=frozenset(self.sources),  # last: reading the values above has added to them
        )

    def _read_sections(self, root: yaml.MappingNode) -> dict[str, yaml.Node]:
        for key, value in mapping_items(leave_out_extras(root)):
            if key.value not in KEYS:
                self.report.add_mistake(location_of(key), describe_unknown_setting(str(key.value), KEYS))
            elif is_null(value) and key.value in SECTIONS:
                self.report.add_mistake(
                    location_of(key), f"{key.value} is empty: write something under it, or leave the line out"
                )
        return {str(key.value): value for key, value in mapping_items(root)}

    def _expand_variables(self, root: yaml.Node, tokens: Sequence[yaml.Node]) -> None:
        """Replace `${NAME}` and `${NAME:-default}` by variables of the environment.

        A variable that is not set is a mistake, except in `tokens`: commands such as `check` work without them.
        """
        missing = expand_variables(root, self.env, self.report)
        for node, name in missing:
            if any(node is token for token in tokens):
                self.report.add_warning(
                    location_of(node), f"the environment variable {name} is not set: `touchline run` needs this token"
                )
            else:
                sentence = f"the environment variable {name} is not set: set it, or write ${{{name}:-default}}"
                # A person who writes `${team}` most likely means the value of a text, in the spelling of variables.
                if name in TEXT_VARIABLES:
                    sentence = f"${{…}} is a variable of the environment; for the value in a text write {{{{ {name} }}}}"
                self.report.add_mistake(location_of(node), sentence)
        # The text that was left unexpanded would cause a second mistake at the same place, such as "not a number".
        for node, _ in missing:
            self.report.ignore_location(location_of(node))

    def _read_catalogue(self, node: yaml.Node | None) -> Catalogue:
        if not isinstance(node, yaml.ScalarNode) or is_null(node):
            return load_catalogue()
        try:
            return load_catalogue().extend(read_file(self._resolve_path(node.value)).decode())
        except OSError as error:
            self.report.add_mistake(location_of(node), f"the catalogue {node.value} cannot be read: {explain_read_error(error)}")
        except ValueError as error:
            self.report.add_mistake(location_of(node), f"the catalogue {node.value}: {error}")
        return load_catalogue()

    def _read_rules(self, fields: Mapping[str, yaml.Node], catalogue: Catalogue) -> RuleSet:
        # A file without rules gets those that ship, so that a first configuration needs nothing but tokens and chats.
        if not any(key in fields for key in ("rules", "include", "extends")):
            if "texts" in fields:
                read_texts(Reader(self.report), fields["texts"], {})
                self.report.add_warning(location_of(fields["texts"]), "no rule uses these texts: there are no rules here")
            return load_pack()
        return read_rules({key: fields[key] for key in FILE_KEYS if key in fields}, self.report, catalogue, self._read_included)

    def _read_included(self, pattern: str) -> list[yaml.Node]:
        """Read the files that a pattern matches, in the order of their names. Raises ValueError with a sentence."""
        # Noted even if nothing matches yet: a reload sees the first file that does.
        self._resolve_path(pattern)
        try:
            found = sorted(self.path.parent.glob(pattern)) if not Path(pattern).is_absolute() else [Path(pattern)]
        except (ValueError, NotImplementedError, OSError) as error:
            raise ValueError(f'"{pattern}" is not a pattern for files') from error
        # A pattern may match nothing yet, as an empty folder `rules.d`; a plain name is meant to be there.
        if not found and not any(sign in pattern for sign in "*?["):
            raise ValueError(f"there is no file {pattern}")
        return [root for file in found if (root := self._read_file(file)) is not None]

    def _read_file(self, file: Path) -> yaml.Node | None:
        try:
            root = read_yaml(file, self.report)
        except UserMistake as error:
            raise ValueError(str(error)) from error
        if root is not None:
            # Rules have no tokens, so every variable that is not set is a mistake here.
            self._expand_variables(root, ())
        return root

    def _read_token(self, section: FeedSettings | TelegramSettings, node: yaml.Node | None) -> SecretStr:
        """Return the token, or the content of its `token_file`; an empty one after a mistake, which is reported."""
        fields = {key.value: value for key, value in mapping_items(node)}
        at = fields.get("token_file")
        if section.token_file is None or at is None:
            return self._check_token(section, section.token.get_secret_value(), fields.get("token"))
        if section.token.get_secret_value():
            self.report.add_mistake(location_of(at), "write token or token_file, not both")
            return section.token
        # Stripped: a secret that Docker or an editor wrote to a file often ends with a line break.
        try:
            token = read_file(self._resolve_path(section.token_file)).decode().strip()
            return self._check_token(section, token, at)
        except (OSError, ValueError) as error:
            # Its name is not repeated: it may be the token itself, under the wrong key.
            self.report.add_mistake(location_of(at), f"the file named here cannot be read: {explain_read_error(error)}")
            return SecretStr("")

    def _read_tls(self, section: TlsSettings, node: yaml.Node | None) -> TlsSettings:
        """Return the section with the whole path of its file; report a file that is no authority."""
        at = next((value for key, value in mapping_items(node) if key.value == "ca_file"), None)
        if section.ca_file is None or at is None:
            return section
        from bot.network import explain_ca_file  # it needs OpenSSL

        path = str(self._resolve_path(section.ca_file))
        try:
            read_file(Path(path))  # first, because the library of TLS would wait for a pipe
            reason = explain_ca_file(path)
        except OSError as error:
            reason = error.strerror or type(error).__name__
        if reason:
            self.report.add_mistake(location_of(at), f"the authority {section.ca_file} cannot be used: {reason}")
        return section.model_copy(update={"ca_file": path})

    def _check_token(self, section: FeedSettings | TelegramSettings, token: str, at: yaml.Node | None) -> SecretStr:
        """Report a token with spaces or other characters that a header cannot carry, without repeating it."""
        if at is not None and not re.fullmatch(r"[!-~]*", token):
            self.report.add_mistake(
                location_of(at), "a token is one word of letters, digits and signs: something else is in this one"
            )
        elif at is not None:
            warn_of_token(token, at, self.report, is_bot=isinstance(section, TelegramSettings))
        return SecretStr(token)

    def _resolve_path(self, name: str) -> Path:
        """Resolve a path relative to the folder of the file, and remember it as a source."""
        self.sources.add(self.path.parent / name)
        return self.path.parent / name


def _locate_settings(fields: Mapping[str, yaml.Node], prefix: str = "") -> Iterator[tuple[str, SourceLocation]]:
    """Yield the place of each setting, by its path such as `http.console.listen`."""
    for name, node in fields.items():
        yield f"{prefix}{name}", location_of(node)
        yield from _locate_settings({key.value: value for key, value in mapping_items(node)}, f"{prefix}{name}.")
