"""The tables of this version; `migrate.py` brings a database to them.

Tables and columns keep the names of their first version, whatever the code calls them: during an upgrade, processes of two
versions work on one database.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
    true,
)

metadata = MetaData()

chats = Table(
    "chats",
    metadata,
    Column("chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("topic", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("title", String, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("suspended_why", String, nullable=False, server_default=""),
    Column("all_kinds", Boolean, nullable=False),
    Column("kinds_on", Text, nullable=False),
    Column("kinds_off", Text, nullable=False),
    Column("language", String, nullable=False),
    Column("timezone", String, nullable=False),
    Column("delay", Integer, nullable=False),
    Column("muted_until", Float),
    Column("fixed", Boolean, nullable=False),
    Column("quiet", String, nullable=False, server_default=""),
    Column("ring", Text, nullable=False, server_default=""),
    Column("silent", Text, nullable=False, server_default=""),
    Column("waits", Boolean, nullable=False, server_default=false()),
    Column("muted_matches", Text, nullable=False, server_default=""),
    Column("buttons", Boolean, nullable=False, server_default=true()),
    Column("spoilers", Boolean, nullable=False, server_default=false()),
    Column("bursts", Boolean, nullable=False, server_default=false()),
    Column("scorers", Boolean, nullable=False, server_default=false()),
    Column("tasted", Boolean, nullable=False, server_default=false()),  # some subscription has overrides
    Column("burst_at", Float),  # when the last message left, or the next one with several matches will
    Column(
        "extras", Boolean, nullable=False, server_default=false()
    ),  # match cards or pictures are among kinds_on: see the index below
    Column("language_chosen", Boolean, nullable=False, server_default=false()),
    Column(
        "mute_offers", Text, nullable=False, server_default=""
    ),  # matches whose mute options were opened: see format_mute_offers
    Column("unfollowed", Text, nullable=False, server_default=""),  # JSON: what /stop removed, for its Undo
    Column(
        "suspended_at", Float
    ),  # since when Telegram says that the chat is gone, within an hour; None: it is not, or not yet known
    Column("username", String, nullable=False, server_default=""),  # of a channel that has a public name, without the @
    Column("channel", BigInteger),  # of a private chat: the channel that its commands are for
    Column("channel_until", Float),  # until when they are; None without a channel
    Column("pins", Boolean, nullable=False, server_default=true()),  # match cards are pinned
    Column("mentions", Boolean, nullable=False, server_default=false()),  # a kick-off has the button "Mention me"
    Column("mentioned", Text, nullable=False, server_default=""),  # JSON: by match, who pressed it
    Column("card_form", Text, nullable=False, server_default="text"),  # match cards are text, picture or rich
)

_HAS_MUTED_MATCHES = chats.c.muted_matches != ""


POSTGRES_CONDITIONS = {
    Index("chats_muting", chats.c.chat_id, sqlite_where=_HAS_MUTED_MATCHES): _HAS_MUTED_MATCHES,
    Index("chats_with_extras", chats.c.chat_id, chats.c.topic, sqlite_where=text("extras = 1")): text("extras"),
}
"""The condition of each partial index on PostgreSQL. Its driver adds them: as `postgresql_where` they would import the dialect of
PostgreSQL for SQLite, too."""


subscriptions = Table(
    "subscriptions",
    metadata,
    Column("chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("topic", BigInteger, primary_key=True, autoincrement=False),
    Column("scope", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("taste", Text, nullable=False, server_default=""),  # JSON of SubscriptionOverrides; empty: as the chat
    Index("subscriptions_by_key", "scope", "key", "chat_id", "topic"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("fixture_id", String, primary_key=True),
    Column("action_id", String, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("candidates", Text, nullable=False),  # JSON: the alternatives of the latest revision
    Column("born", Text, nullable=False),  # JSON: by rule, when it first fired
    Column("lines", Text, nullable=False, server_default=""),  # JSON: of a digest, the ids of the actions in it
    Column("missed", Boolean, nullable=False),  # for some chat it was too old: it is in the digest of missed alerts
    Column("summary", String, nullable=False, server_default=""),  # the digest that it was sent in
    Column("rank", Integer, nullable=False),
    Column("spreading", Boolean, nullable=False),  # the fan-out has more chats to reach
    Column("first_chat", BigInteger),  # the last chat reached by the walk over new chats; None: from the start
    Column("first_topic", BigInteger),
    Column("first_done", Boolean, nullable=False),
    Column("told_chat", BigInteger),  # the same of the walk over chats that were notified
    Column("told_topic", BigInteger),
    Column("told_done", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Index("alerts_spreading", "spreading"),
    Index("alerts_by_age", "updated_at"),
)

entries = Table(
    "entries",
    metadata,
    Column("fixture_id", String, primary_key=True),
    Column("action_id", String, primary_key=True),
    Column("chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("topic", BigInteger, primary_key=True, autoincrement=False),
    Column("status", String, nullable=False),  # waiting, done, dropped
    Column("reason", String, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("message_id", BigInteger),  # None: not sent; 0: sent, but the message can no longer be reached
    Column("rule", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("rings", Boolean, nullable=False),
    Column("state", String, nullable=False),
    Column("gravity", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),  # the revision that the chat has seen
    Column("body", Text, nullable=False),
    Column("restored", Boolean, nullable=False),
    Column("reply", Text),  # a reply that is still to be sent
    Column("reply_rings", Boolean, nullable=False),
    Column("history", Text, nullable=False, server_default=""),  # a line for each revision that the chat has seen
    Column("pin", String, nullable=False, server_default=""),  # of a match card: where its pin stands
    Column("sent", Integer, nullable=False, server_default="0"),  # of a match card: how often it was sent
    Column("unsure", Boolean, nullable=False, server_default=false()),  # the request has left, and its answer is not known
    Column("next_rings", Boolean, nullable=False, server_default=false()),  # what waits is loud
    Column("subject", Text, nullable=False, server_default=""),  # what the message is about: severity, side and action type
    Column("copies", Text, nullable=False, server_default=""),  # JSON: texts of copies that nobody can edit
    Index("entries_waiting", "status", "due_at"),
    Index("entries_by_chat", "chat_id", "topic"),
)

grouped = Table(
    "grouped",
    metadata,
    Column("burst", String, primary_key=True),  # the digest of several matches
    Column("fixture_id", String, primary_key=True),
    Column("action_id", String, primary_key=True),
    Index("grouped_by_action", "fixture_id", "action_id"),
)

suspensions = Table(
    "suspensions",
    metadata,
    Column("chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("asked", Integer, nullable=False),  # how often Telegram was asked for the chat since it refused it
    Column("next_at", Float, nullable=False),  # when it is asked the next time
    Index("suspensions_by_time", "next_at"),
)

moved_chats = Table(
    "moved_chats",
    metadata,
    Column("old_id", BigInteger, primary_key=True, autoincrement=False),  # of a group that became a supergroup
    Column("new_id", BigInteger, nullable=False),
)

positions = Table(
    "positions",
    metadata,
    Column("fixture_id", String, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("seq", BigInteger),
    Column("snapshot", LargeBinary, nullable=False),  # JSON: the match at that position
    Column("updated_at", Float, nullable=False),
)

match_states = Table(
    "match_states",
    metadata,
    Column("fixture_id", String, primary_key=True),
    Column("body", Text, nullable=False),  # JSON: how the match stood in the last minutes, for messages that tell it
    Column("updated_at", Float, nullable=False),
    Index("match_states_by_age", "updated_at"),
)

standings = Table(
    "standings",
    metadata,
    Column("fixture_id", String, primary_key=True),
    Column("status", String, nullable=False),
    Column("collection_status", String, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("listing", Text, nullable=False, server_default=""),  # JSON: the fixture as chats know it
    Column("revision", Integer, nullable=False, server_default="0"),  # how often chats were told of changes
)

frames = Table(
    "frames",
    metadata,
    Column("fixture_id", String, primary_key=True),
    Column("action_id", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # the revision of the alert that the frame brought
    Column("received_at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),  # the frame as it came, compressed by zlib
    Index("frames_by_age", "received_at"),
)

rule_history = Table(
    "rule_history",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("user_id", BigInteger),  # None: nobody, the files changed
    Column("user_name", String, nullable=False),
    Column("how", String, nullable=False),
    Column("name", String, nullable=False),
    Column("text", Text, nullable=False),  # empty: the rules of the files
    Column("base", String, nullable=False),  # the fingerprint of the files' rules at that time
)

troubles = Table(
    "troubles",
    metadata,
    Column("name", String, primary_key=True),
    Column("body", Text, nullable=False),  # JSON: since when, and what admins were notified of
)

leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),  # the process that has it; empty: nobody may until then
    Column("until", Float, nullable=False),  # by the database's clock
    Column("facts", Text, nullable=False, server_default=""),  # of the lease of a process: JSON of ProcessInfo
    Index("leases_by_holder", "holder"),
)

claims = Table(
    "claims",
    metadata,
    Column("chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sender", String, nullable=False),  # the process that alone sends to this chat, while its own lease is in force
    Index("claims_by_sender", "sender"),
)

allowance = Table(
    "allowance",
    metadata,
    Column("name", String, primary_key=True),
    Column("next_at", Float, nullable=False),  # when the next message of all senders may leave, by the database's clock
    Column("closed_until", Float, nullable=False),  # Telegram asked everybody to wait so long
)

rate_shares = Table(
    "rate_shares",
    metadata,
    Column("process", String, primary_key=True),
    Column("share", Integer, nullable=False),  # messages that it may send in a second
    Column("wanted", Integer, nullable=False),  # as many as it would like to
    Column("is_sender", Boolean, nullable=False),  # it sends alerts, which can wait, and not only answers to people
    Column("until", Float, nullable=False),  # by the database's clock
    Column("unpaid_share", Integer, nullable=False, server_default="0"),  # of the messages that are not paid for, the same
    Column("unpaid_wanted", Integer, nullable=False, server_default="0"),
)

paid_messages = Table(
    "paid_messages",
    metadata,
    Column("day", String, primary_key=True),  # of UTC by the database's clock, as 2026-08-15
    Column("used", Integer, nullable=False),  # paid messages that processes have sent or reserved
    Column("spent_limit", Integer),  # the limit that did not suffice; None: it did
)

updates = Table(
    "updates",
    metadata,
    Column("update_id", BigInteger, primary_key=True, autoincrement=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("other_chat", BigInteger),  # of a group that becomes a supergroup: its other id
    Column("holder", String, nullable=False),  # the process that received it
    Column("state", String, nullable=False),  # waiting, running, done
    Column("stored", Boolean, nullable=False, server_default=false()),  # what it changes is committed
    Column("at", Float, nullable=False),  # when it came into this state, by the database's clock
    Index("updates_by_chat", "chat_id"),
    Index("updates_by_age", "at"),
)

feed_requests = Table(
    "feed_requests",
    metadata,
    Column("name", String, primary_key=True),  # a place, or a priority that somebody waits with
    Column("until", Float, nullable=False),  # by the database's clock
)


def to_timestamp(instant: dt.datetime) -> float:
    """Return an instant as the tables store it: seconds since 1970."""
    return instant.timestamp()


def from_timestamp(seconds: float) -> dt.datetime:
    """Return a stored instant, in UTC."""
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except OSError as error:
        # Of a number far beyond all years. Other numbers that are no instant are a ValueError or an OverflowError.
        raise ValueError(f"{seconds} is no instant: {error.strerror}") from error
