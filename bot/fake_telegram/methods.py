"""The methods of the fake Bot API, by name: those about messages, and here those about queries, files, chats and commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from bot.fake_telegram.html import utf16
from bot.fake_telegram.messages import MessageMethods
from bot.fake_telegram.params import Params, make_scope_key
from bot.fake_telegram.state import CHAT_NOT_FOUND, bad_request, read_version

MAX_RESULTS = 50
MAX_DESCRIPTION, MAX_SHORT_DESCRIPTION = 512, 120
MAX_DOWNLOAD = 20 * 2**20
OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"


class Methods(MessageMethods):
    """Every method; each takes Params and returns the JSON of `result`, or raises RefusedError."""

    def method(self, name: str) -> Callable[[Params], Any] | None:
        """Find a method whatever its letter case; None for an unknown one."""
        found = None if name in self.lacking else _METHODS.get(name.lower())
        return partial(found, self) if found else None

    def get_me(self, _: Params) -> Any:
        return self.me

    def answer_query(self, given: Params) -> Any:
        query = given.text("callback_query_id")
        if query not in self.queries:
            raise bad_request(OLD_QUERY)
        # The query stays open: the bot may try a shorter answer.
        if utf16(given.text("text")) > 200:
            raise bad_request("MESSAGE_TOO_LONG")
        self.queries.remove(query)
        self.answers.append(dict(given.given) | {"text": given.text("text"), "show_alert": given.flag("show_alert")})
        return True

    def answer_inline(self, given: Params) -> Any:
        query, results = given.text("inline_query_id"), given.json("results") or []
        if query not in self.queries:
            raise bad_request(OLD_QUERY)
        if len(results) > MAX_RESULTS:
            raise bad_request("RESULTS_TOO_MUCH")
        ids = [result.get("id", "") for result in results]
        if len(set(ids)) < len(ids):
            raise bad_request("RESULT_ID_DUPLICATE")
        if any(not 1 <= len(wanted.encode()) <= 64 for wanted in ids):
            raise bad_request("RESULT_ID_INVALID")
        for content in (result["input_message_content"] for result in results):
            # Raises where Telegram would not take the text.
            read_version(0.0, content["message_text"], content.get("parse_mode", ""), ())
        # Only now: an answer that was refused leaves the query open for another.
        self.queries.remove(query)
        self.inline_answers[query] = results
        return True

    def get_file(self, given: Params) -> Any:
        file = given.text("file_id")
        content = self.downloads.get(f"documents/{file}")
        if content is None:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if len(content) > MAX_DOWNLOAD:
            raise bad_request("file is too big")
        return {"file_id": file, "file_unique_id": f"u{file}", "file_size": len(content), "file_path": f"documents/{file}"}

    def get_chat(self, given: Params) -> Any:
        name = given.text("chat_id")
        if name.startswith("@"):
            ids = [chat.id for chat in self.chats.values() if f"@{chat.username}".lower() == name.lower()]
            if not ids:
                raise CHAT_NOT_FOUND
            given = Params({"chat_id": ids[0]})
        return self._find_chat(given).json() | {"accent_color_id": 0, "max_reaction_count": 11}

    def get_member(self, given: Params) -> Any:
        user_id = given.number("user_id")
        if user_id is None:
            raise bad_request("invalid user_id specified")
        return self._describe_member(self._find_chat(given), user_id)

    def get_administrators(self, given: Params) -> Any:
        chat = self._find_chat(given)
        if chat.type == "private":
            raise bad_request("there are no administrators in the private chat")
        return [self._describe_member(chat, user_id) for user_id in sorted(chat.admins)]

    def set_commands(self, given: Params) -> Any:
        commands = given.json("commands") or []
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command.get("command", "")):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(command.get("description", "")) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
            known = {"command", "description"} | (set() if "is_ephemeral" in self.lacking else {"is_ephemeral"})
            if not self.ignores_unknown and set(command) - known:
                raise bad_request(f"can't parse BotCommand: unsupported field {min(set(command) - known)}")
        self.commands[make_scope_key(given)] = commands
        return True

    def get_commands(self, given: Params) -> Any:
        return self.commands.get(make_scope_key(given), [])

    def delete_commands(self, given: Params) -> Any:
        self.commands.pop(make_scope_key(given), None)
        return True

    def set_description(self, given: Params) -> Any:
        description = given.text("description")
        if utf16(description) > MAX_DESCRIPTION:
            raise bad_request("BOT_DESCRIPTION_INVALID")
        self.descriptions[given.text("language_code")] = description
        return True

    def get_description(self, given: Params) -> Any:
        language = given.text("language_code")
        # As Telegram does: a language without one of its own has the description for all.
        return {"description": self.descriptions.get(language) or self.descriptions.get("", "")}

    def set_short_description(self, given: Params) -> Any:
        text = given.text("short_description")
        if utf16(text) > MAX_SHORT_DESCRIPTION:
            raise bad_request("BOT_SHORT_DESCRIPTION_INVALID")
        self.short_descriptions[given.text("language_code")] = text
        return True

    def get_short_description(self, given: Params) -> Any:
        own = self.short_descriptions.get(given.text("language_code"))
        return {"short_description": own or self.short_descriptions.get("", "")}

    def get_webhook_info(self, _: Params) -> Any:
        return {"url": self.webhook_url, "has_custom_certificate": False, "pending_update_count": 0}

    def set_webhook(self, given: Params) -> Any:
        # `deleteWebhook` comes here too: it names no address.
        self.webhook_url = given.text("url")
        return True

    def accept(self, _: Params) -> Any:
        return True

    def send_chat_action(self, given: Params) -> Any:
        self._find_chat(given)
        return True


# In lower case, because Telegram ignores the case of method names.
_METHODS: dict[str, Callable[..., Any]] = {
    "getme": Methods.get_me,
    "logout": Methods.accept,
    "close": Methods.accept,
    "deletewebhook": Methods.set_webhook,
    "setwebhook": Methods.set_webhook,
    "getwebhookinfo": Methods.get_webhook_info,
    "sendmessage": Methods.send_message,
    "sendphoto": Methods.send_photo,
    "sendrichmessage": Methods.send_rich_message,
    "editmessagetext": Methods.edit_message_text,
    "editmessagecaption": Methods.edit_message_caption,
    "editmessagemedia": Methods.edit_message_media,
    "editmessagereplymarkup": Methods.edit_message_reply_markup,
    "deletemessage": Methods.delete_message,
    "editephemeralmessagetext": Methods.edit_ephemeral_text,
    "createforumtopic": Methods.create_topic,
    "deleteephemeralmessage": Methods.delete_ephemeral,
    "pinchatmessage": Methods.pin_message,
    "unpinchatmessage": Methods.unpin_message,
    "sendchataction": Methods.send_chat_action,
    "answercallbackquery": Methods.answer_query,
    "answerinlinequery": Methods.answer_inline,
    "getfile": Methods.get_file,
    "getchat": Methods.get_chat,
    "getchatmember": Methods.get_member,
    "getchatadministrators": Methods.get_administrators,
    "setmydescription": Methods.set_description,
    "getmydescription": Methods.get_description,
    "setmyshortdescription": Methods.set_short_description,
    "getmyshortdescription": Methods.get_short_description,
    "setmycommands": Methods.set_commands,
    "getmycommands": Methods.get_commands,
    "deletemycommands": Methods.delete_commands,
}
