"""The address of a database, read without opening it; what is wrong is not repeated, for it may hold a password."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_EXAMPLE = "sqlite:///touchline.db or postgresql://USER:PASSWORD@HOST/NAME"
_SEVERAL = re.compile(r"(postgresql://(?:[^@/?]*@)?)([^@/?]*,[^@/?]*)(?=[/?]|$)")
_HOST = re.compile(r"([^:\[\]]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?")


def parsed(url: str) -> URL:
    """Take an address apart, several hosts into its query; raise ValueError with a sentence."""
    from sqlalchemy.exc import ArgumentError

    try:
        parts = _parts(re.sub("^postgres://", "postgresql://", url))
        name = parts.get_backend_name()
        urlsplit(url)
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"this is not a database's address; write {_EXAMPLE}") from error
    if name not in ("sqlite", "postgresql"):
        raise ValueError(f"{name} is no database that can be used; write {_EXAMPLE}")
    return parts


def _parts(url: str) -> URL:
    from sqlalchemy import make_url

    several = _SEVERAL.match(url)
    if several is None:
        return make_url(url)
    return make_url(several[1] + url[several.end() :]).update_query_dict(_hosts(several[2]))


def _hosts(text: str) -> dict[str, str]:
    """As PostgreSQL's tools and the driver read them in a query; SQLAlchemy reads but one host before it."""
    hosts = [host for host in map(_HOST.fullmatch, text.split(",")) if host]
    if len(hosts) <= text.count(","):
        raise ValueError("one of the hosts is none")
    return {"host": ",".join(unquote(host[1]) for host in hosts), "port": ",".join(host[2] or "5432" for host in hosts)}
