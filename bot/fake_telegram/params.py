"""The arguments of a Bot API request, read as Telegram reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.fake_telegram.state import Button, FakeChat, bad_request


class Params:
    """A method's arguments, whether they came as a form or as JSON."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given

    def text(self, name: str) -> str:
        """Return a text; empty if it is missing."""
        return str(self.given.get(name, ""))

    def number(self, name: str) -> int | None:
        """Return a whole number; None if it is missing."""
        given = self.given.get(name)
        try:
            return None if given in (None, "") else int(str(given))
        except ValueError:
            raise bad_request(f"can't parse {name}") from None

    def flag(self, name: str) -> bool:
        """Return True for `true` and `1`, and for nothing else."""
        return str(self.given.get(name, "")).lower() in ("true", "1")

    def json(self, name: str) -> Any:
        """Return a value that Telegram takes as JSON; None if it is missing."""
        given = self.given.get(name)
        if not isinstance(given, str):
            return given
        try:
            return json.loads(given) if given else None
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None


def read_reply_target(chat: FakeChat, given: Params) -> int | None:
    """The message that is answered; None for none, or where it is gone and the request says that this does not matter."""
    wanted = given.json("reply_parameters") or {}
    if wanted.get("ephemeral_message_id"):
        # A reply to what one member alone sees has to be as private: `_read_receiver` decides on it.
        return None
    message_id = wanted.get("message_id") or given.number("reply_to_message_id")
    if message_id is None or chat.find(int(message_id)):
        return None if message_id is None else int(message_id)
    if wanted.get("allow_sending_without_reply") or given.flag("allow_sending_without_reply"):
        return None
    raise bad_request("message to be replied not found")


STYLES = ("primary", "success", "danger")
_BUTTON_FIELDS = frozenset({"text", "callback_data", "url", "style"})


def read_buttons(given: Params, *, knows_styles: bool = True) -> tuple[tuple[Button, ...], ...]:
    """Return the rows of inline buttons; raise RefusedError where Telegram refuses them."""
    rows = (given.json("reply_markup") or {}).get("inline_keyboard", [])
    fields = _BUTTON_FIELDS if knows_styles else _BUTTON_FIELDS - {"style"}
    # Unknown fields are refused, so that a misspelt one is noticed.
    for field in {name for row in rows for button in row for name in button} - fields:
        raise bad_request(f'can\'t parse inline keyboard button: unsupported field "{field}"')
    buttons = tuple(
        tuple(Button(b["text"], b.get("callback_data", ""), b.get("url", ""), b.get("style", "")) for b in row) for row in rows
    )
    # The limits of the Bot API: 100 buttons, 8 in a row, and 64 bytes of data for each.
    everyone = [button for row in buttons for button in row]
    if len(everyone) > 100 or any(len(row) > 8 for row in buttons):
        raise bad_request("reply markup is too long")
    for button in everyone:
        if not button.text.strip():
            raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if len(button.data.encode()) > 64:
            raise bad_request("BUTTON_DATA_INVALID")
        if not button.data and not button.url:
            raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if button.style and button.style not in STYLES:
            raise bad_request("can't parse inline keyboard button: invalid button style specified")
    return buttons


def button_to_json(button: Button) -> dict[str, str]:
    """Return Telegram's InlineKeyboardButton object."""
    body = {"text": button.text} | ({"url": button.url} if button.url else {"callback_data": button.data})
    return body | ({"style": button.style} if button.style else {})


def make_scope_key(given: Params) -> str:
    """Return a key for the chats and the language that a menu of commands is for."""
    wanted = given.json("scope") or {"type": "default"}
    return ":".join(str(part) for part in (*wanted.values(), given.text("language_code")) if part != "")
