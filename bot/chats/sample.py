"""The dialogue of /test: one sample alert by the way of real ones, or why it would not come. Pure."""

from __future__ import annotations

from bot.chats import place_words as words
from bot.chats.hours import when
from bot.chats.reply import Reply, Sample, Turn, View


def test(view: View, _: tuple[str, ...]) -> Turn:
    """`/test`: a sample, unless the chat is muted or its quiet hours hold everything."""
    chat = view.chat
    if chat.muted_until and chat.muted_until > view.now:
        return Turn(Reply(words.sample_muted(when(view, chat.muted_until))))
    if held := chat.held_until(view.now):
        return Turn(Reply(words.sample_held(when(view, held))))
    return Turn(Reply(words.sample_comes(chat.delay)), (Sample(chat.delay),))
