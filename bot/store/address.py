"""The address of a database, read without opening it; what is wrong is not repeated, for it may hold a password."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_EXAMPLE = "sqlite:///touchline.db or postgresql://USER:PASSWORD@HOST/NAME"


def parsed(url: str) -> URL:
    """Take an address apart; raise ValueError with a sentence."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parts = make_url(re.sub("^postgres://", "postgresql://", url))
        name = parts.get_backend_name()
        urlsplit(url)
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"this is not a database's address; write {_EXAMPLE}") from error
    if name not in ("sqlite", "postgresql"):
        raise ValueError(f"{name} is no database that can be used; write {_EXAMPLE}")
    return parts
