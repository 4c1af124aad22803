"""The sample alert of /test: marked as one, and of no match. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from bot.store.model import ChatRef
from rules.action import Fixture
from rules.alert import Alert, AlertKey, Facts, State

SAMPLE = "sample"
"""Its fixture, its rule and its kind."""


def sample_alert(ref: ChatRef, name: str, texts: Mapping[str, str], now: dt.datetime) -> Alert:
    """News for one chat, its text by language; the same name makes the same key, so that one request tells it once."""
    key = AlertKey(SAMPLE, f"{ref.chat_id}:{ref.topic}:{name}")
    return Alert(key, 1, State.CONFIRMED, now, Fixture(SAMPLE), Facts(), rule=SAMPLE, kind=SAMPLE, text=texts["en"], texts=texts)
