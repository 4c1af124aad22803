"""Compares the names of a configuration with the fixtures that its feed lists: `check --with-fixtures`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.chat.search.nicknames import Nicknames
from bot.chat.search.unknown_names import KnownNames
from bot.commands.fixtures import load_feed_config, read_listed_fixtures
from bot.config.load import Config
from bot.errors import UserMistake
from bot.network import trust_authority
from rules.football.action import Fixture
from rules.loading.document import Finding


class FixtureNames:
    """The names of the fixtures of the next days, for which each feed is asked once."""

    def __init__(self, config_path: Path) -> None:
        """`config_path`: the configuration whose feed is asked when the checked file has only rules, and names no feed."""
        self._config_path = config_path
        self._fixtures: dict[tuple[object, str], Sequence[Fixture]] = {}
        self.trouble = ""
        """Why fixtures could not be read; empty if they could."""

    def find_unknown(self, config: Config) -> tuple[Finding, ...]:
        """Return a warning for each name that no fixture has; none if the feed cannot be asked, see `trouble`."""
        names = (*config.rules.names, *config.chat_names)
        if not names:
            return ()
        try:
            return KnownNames(self._read(config), Nicknames(config.telegram.nicknames)).find_unknown(names)
        except UserMistake as error:
            # Kept and not raised: `check` prints first what it found in the files themselves.
            self.trouble = f"--with-fixtures: {error}"
            return ()

    def _read(self, config: Config) -> Sequence[Fixture]:
        # A file of rules has no feed of its own: the one of the configuration that would include it is asked.
        if "feed" in config.missing_tokens and self._config_path != config.path and self._config_path.exists():
            config = load_feed_config(self._config_path)
        config.require_feed_token()
        feed = config.feed.api_url, config.feed.token.get_secret_value()
        if feed not in self._fixtures:
            trust_authority(config.tls.ca_file)
            self._fixtures[feed] = asyncio.run(read_listed_fixtures(config.feed))
        return self._fixtures[feed]
