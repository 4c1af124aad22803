"""Remembers which newer features a Bot API server does not support, so that it is sent the plain form from then on."""

from __future__ import annotations

import enum

import structlog

log = structlog.get_logger()


class ServerFeature(enum.StrEnum):
    """Something that Telegram added lately, and that a self-hosted server may be too old for."""

    EPHEMERAL_MESSAGES = "ephemeral messages"
    BUTTON_STYLES = "button styles"
    EPHEMERAL_COMMANDS = "ephemeral commands"
    RICH_MESSAGES = "rich messages"


class ServerFeatures:
    """Remembers until the process ends what the Bot API server lacks; each is logged once."""

    def __init__(self) -> None:
        # Not stored: the server may have been replaced by a newer one when the process starts again.
        self._missing: set[ServerFeature] = set()

    def has(self, feature: ServerFeature) -> bool:
        """Return False once the server has refused or ignored the feature."""
        return feature not in self._missing

    def mark_missing(self, feature: ServerFeature, reason: str) -> None:
        """Use the plain form from now on."""
        # Requests that were in flight together all learn it.
        if feature not in self._missing:
            self._missing.add(feature)
            log.warning("telegram_feature_missing", feature=feature.value, reason=reason)
