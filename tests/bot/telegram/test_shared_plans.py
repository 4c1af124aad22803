"""What chats get whose messages are planned together is what each would get by itself."""

import datetime as dt
from collections.abc import Sequence
from itertools import product

import pytest
from msgspec.structs import replace

from bot.outbox.delivery import Delivery, DeliveryContext
from bot.outbox.news import NewsItem
from bot.quiet_hours import QuietHours
from bot.subscribers import Chat, ChatRef, MuteOffer, Recipient
from bot.telegram.planning import plan_delivery
from bot.telegram.shared_plans import SharedPlans
from tests.bot.news import CHAT, KEY, LIVE_KINDS, NOW, REF, alert, delivered, match_card, minor, news, pending, retracted

NEW = Delivery(KEY, REF)
CARD_KEY = match_card().key
SEEN = delivered(alert(1))

WITH_CARDS = replace(CHAT, filter=replace(CHAT.filter, kinds_on=LIVE_KINDS))
CHATS = (
    CHAT,
    replace(CHAT, language="de"),
    replace(CHAT, spoilers=True, timezone="Europe/Madrid"),
    replace(CHAT, type="channel", digests=True, digest_window_at=NOW.timestamp() + 5),
    replace(CHAT, digest_window_at=NOW.timestamp() + 5),
    replace(CHAT, quiet_hours=QuietHours(14 * 60, 17 * 60, holds_alerts=False)),
    replace(CHAT, muted_matches=frozenset({KEY.fixture_id})),
    replace(CHAT, mute_offers=(MuteOffer(KEY.fixture_id, KEY.action_id),)),
    replace(WITH_CARDS, pins_cards=False),
)

CASES: dict[str, tuple[Delivery, NewsItem]] = {
    "a message": (NEW, news(alert())),
    "one that is pending": (NEW, news(pending())),
    "one that may have arrived": (replace(NEW, is_uncertain=True, body="goal?", seq=1), news(alert(2))),
    "an alternative": (NEW, news(minor(), alert())),
    "an edit": (SEEN, news(alert(2, "goal by Kane"))),
    "nothing to edit": (SEEN, news(alert(2))),
    "a retraction": (replace(SEEN, is_loud=True), news(retracted(2))),
    "a reply": (replace(SEEN, pending_reply="❌", reply_is_loud=True), news(alert(1))),
    "too old": (NEW, news(alert(at=NOW - dt.timedelta(hours=5)))),
    "a card": (Delivery(CARD_KEY, REF), news(match_card())),
}


def contexts(chat: Chat, delivery: Delivery, item: NewsItem) -> Sequence[DeliveryContext]:
    """Return the same for three chats."""
    chats = [replace(chat, ref=ref, title=f"Chat {ref.chat_id}") for ref in (ChatRef(1), ChatRef(-2, 9), ChatRef(-1003))]
    return [DeliveryContext(replace(delivery, chat=one.ref), item, Recipient(one)) for one in chats]


@pytest.mark.parametrize("case", CASES)
def test_each_chat_gets_what_it_would_get_by_itself(case: str) -> None:
    delivery, item = CASES[case]
    plans = SharedPlans(NOW)
    # All of them in one batch, the chats of each kind in turn.
    batch = [one for group in zip(*(contexts(chat, delivery, item) for chat in CHATS), strict=True) for one in group]

    for context, is_uncertain in product(batch, (False, True)):
        found = plans.plan(context, is_shown_uncertain=is_uncertain)
        assert found == plan_delivery(context, NOW, is_shown_uncertain=is_uncertain)
        assert (found.delivery.key, found.delivery.chat) == (delivery.key, context.delivery.chat)


def test_chats_with_the_same_settings_are_planned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[str] = []

    def count(context: DeliveryContext, *words, **more):  # type: ignore[no-untyped-def]
        planned.append(context.recipient.chat.language)
        return plan_delivery(context, *words, **more)

    monkeypatch.setattr("bot.telegram.shared_plans.plan_delivery", count)
    plans, item = SharedPlans(NOW), news(alert())
    for context in (*contexts(CHAT, NEW, item), *contexts(CHATS[1], NEW, item), *contexts(CHAT, NEW, item)):
        plans.plan(context)

    assert planned == ["", "de"]
