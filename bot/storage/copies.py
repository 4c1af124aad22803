"""What the copies of a message show that may be in a chat and cannot be edited, as it is stored with the delivery."""

from __future__ import annotations

import msgspec

from rules.engine.alert import State

# More would not fit below the message.
_MAX_COPIES = 3


class Copy(msgspec.Struct, frozen=True, array_like=True):
    """What a copy of a message shows that cannot be edited. It is stored."""

    body: str
    state: State
    is_restored: bool = False


_DECODER = msgspec.json.Decoder(tuple[Copy, ...])


def decode_copies(text: str) -> tuple[Copy, ...]:
    """Read what `append_copy` wrote, the latest last. What cannot be read counts as no copy."""
    # The message itself, which is not damaged, must not depend on them.
    try:
        return _DECODER.decode(text) if text else ()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ()


def append_copy(text: str, new: Copy) -> str:
    """Return the stored copies with one more. The last three that differ are kept."""
    # An equal copy moves to the end, since a note shows each text once.
    copies = [*(copy for copy in decode_copies(text) if copy != new), new][-_MAX_COPIES:]
    return msgspec.json.encode(copies).decode()
