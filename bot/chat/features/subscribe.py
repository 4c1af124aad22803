"""`/subscribe`, a typed name, choosing by buttons."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from bot.chat import texts
from bot.chat.catalogue import ALL_MATCHES, Choice, SearchResult, has_ended, search, to_search_words
from bot.chat.dialogue import (
    Button,
    Change,
    ChatContext,
    DialogueResult,
    Screen,
    Subscribe,
    Unsubscribe,
    arrange_rows,
    make_button,
    make_page_buttons,
    select_page,
)
from bot.chat.texts import escape_text, subscription_name
from bot.i18n.language import format_day_and_time
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext
from bot.subscribers import Scope, Subscription


def not_understood_text() -> str:
    return _("I did not find that among the known teams, competitions and matches. Try /subscribe, or see /help.")


def no_fixtures_text() -> str:
    return _(
        "No fixtures are known at the moment. Please try again in a little while; <code>/subscribe all</code> works already."
    )


def choose_competition_text() -> str:
    return _("<b>What shall this chat follow?</b>\nTap a competition, or send <code>/subscribe</code> and a name.")


def all_matches_label() -> str:
    return _("All matches")


def matches_label() -> str:
    return _("📅 Matches")


def followed_text(subscription: Subscription) -> str:
    text = _("✅ This chat follows <b>{name}</b> now. /alerts chooses what it hears about.")
    return text.format(name=escape_text(subscription_name(subscription)))


def already_followed_text(subscription: Subscription) -> str:
    return _("This chat follows <b>{name}</b> already.").format(name=escape_text(subscription_name(subscription)))


def more_hits_text(count: int) -> str:
    text = ngettext(
        "There is {count} more; a longer name finds fewer.", "There are {count} more; a longer name finds fewer.", count
    )
    return text.format(count=count)


def did_you_mean_text(wanted: str) -> str:
    return _("“{name}” is not among the known fixtures. Did you mean one of these?").format(name=escape_text(wanted))


def name_unknown_text(wanted: str) -> str:
    return _("“{name}” is not among the known fixtures. /subscribe without a name shows what is.").format(
        name=escape_text(wanted)
    )


def competition_text(name: str) -> str:
    return _("<b>{name}</b>\nTap the teams to follow, or take the whole competition.").format(name=escape_text(name))


def competition_matches_text(name: str) -> str:
    return _("<b>{name}</b>\nTap the matches to follow.").format(name=escape_text(name))


def whole_competition_label(name: str) -> str:
    return _("All of {name}").format(name=name)


TEAMS_PER_PAGE = 16
"""In two columns."""


def browse_competitions(view: ChatContext, page: int = 0) -> Screen:
    """The first screen: everything, or one of the competitions."""
    competitions = view.guide.competitions
    if not competitions:
        return Screen(no_fixtures_text())
    page, shown = select_page(competitions, page)
    everything = _make_toggle_button(view, ALL_MATCHES, all_matches_label(), f"h:{page}")
    listed = [make_button(c.name, f"c:{c.token}:0", ticked=bool(view.follows(c.subscriptions))) for c in shown]
    return Screen(
        choose_competition_text(),
        ((everything,), *arrange_rows(listed), *make_page_buttons(len(competitions), page, "h"), (_make_done_button(),)),
    )


def browse_competition(view: ChatContext, competition: Choice, page: int = 0) -> Screen:
    """The teams of a competition, ticked where the chat follows them."""
    everyone = view.guide.teams_of(competition)
    page, shown = select_page(everyone, page, TEAMS_PER_PAGE)
    screen = f"c:{competition.token}"
    whole = _make_toggle_button(view, competition, whole_competition_label(competition.name), f"{screen}:{page}")
    listed = [_make_toggle_button(view, team, team.name, f"{screen}:{page}") for team in shown]
    matches = Button(matches_label(), f"m:{competition.token}:0")
    turn = make_page_buttons(len(everyone), page, screen, TEAMS_PER_PAGE)
    return Screen(
        competition_text(competition.name),
        ((whole,), *arrange_rows(listed, 2), *turn, (matches,), (_make_back_button("h:0"), _make_done_button())),
    )


def browse_matches(view: ChatContext, competition: Choice, page: int = 0) -> Screen:
    """The matches of a competition that are not over, by kick-off."""
    everything = view.guide.matches_of(competition, view.now)
    page, shown = select_page(everything, page)
    screen = f"m:{competition.token}"
    listed = [_make_toggle_button(view, match, match_label(view, match), f"{screen}:{page}") for match in shown]
    turn = make_page_buttons(len(everything), page, screen)
    html = competition_matches_text(competition.name) if everything else texts.no_matches_text(competition.name)
    return Screen(html, (*arrange_rows(listed), *turn, (_make_back_button(f"c:{competition.token}:0"), _make_done_button())))


def show_browse_screen(view: ChatContext, data: str) -> Screen | None:
    """Draw the screen that button data names; None when it names none (any more)."""
    name, *rest = data.split(":")
    if name == "h" and len(rest) == 1 and rest[0].isdecimal():
        return browse_competitions(view, int(rest[0]))
    if len(rest) != 2 or not rest[1].isdecimal():
        return None
    competition = view.guide.choice(rest[0])
    if competition is None or competition.scope is not Scope.COMPETITION:
        return None
    draw = {"c": browse_competition, "m": browse_matches}.get(name)
    return draw(view, competition, int(rest[1])) if draw else None


def toggle_followed(
    view: ChatContext, token: str, back_to: str, draw: Callable[[ChatContext, str], Screen | None]
) -> DialogueResult | None:
    """Follow what the token names, or stop following it, and draw a screen again; None when it is not known any more."""
    choice = find_followable(view, token)
    if choice is None:
        return None
    after, changes = switch_followed(view, choice)
    reply = draw(after, back_to)
    return DialogueResult(reply, changes) if reply else None


def find_followable(view: ChatContext, token: str) -> Choice | None:
    """What a token names; None when it is not known any more, or a match that is over and not followed."""
    choice = view.guide.choice(token)
    if choice and choice.fixture and has_ended(choice.fixture, view.now) and not view.follows(choice.subscriptions):
        return None
    return choice


def switch_followed(view: ChatContext, choice: Choice) -> tuple[ChatContext, tuple[Change, ...]]:
    """The view after a choice was switched, and what must be stored for it."""
    followed = view.follows(choice.subscriptions)
    changes: tuple[Change, ...] = tuple(Unsubscribe(s) for s in followed) or (Subscribe(choice.subscription),)
    kept = tuple(s for s in view.subscriptions if s not in followed)
    now = kept if followed else (*kept, choice.subscription)
    return replace(view, subscriptions=now), changes


def match_label(view: ChatContext, match: Choice) -> str:
    """`Sat 15:00 Arsenal v Chelsea`, in the chat's time zone."""
    kickoff = match.fixture.kickoff if match.fixture else None
    return f"{format_day_and_time(kickoff, view.chat.timezone)} {match.name}" if kickoff else match.name


def _make_toggle_button(view: ChatContext, choice: Choice, label: str, back_to: str) -> Button:
    return make_button(label, f"t:{choice.token}:{back_to}", ticked=bool(view.follows(choice.subscriptions)))


def _make_back_button(data: str) -> Button:
    return Button(texts.back_label(), data)


def _make_done_button() -> Button:
    return Button(texts.done_label(), "done")


MAX_HITS = 10


def subscribe(view: ChatContext, wanted: str) -> DialogueResult:
    """`/subscribe [name]`: act when there is no doubt, else ask."""
    if not wanted:
        return DialogueResult(browse_competitions(view))
    if wanted.casefold() == "all":
        return follow_choice(view, ALL_MATCHES)
    found = search_followable(view, wanted)
    return follow_choice(view, found.exact) if found.exact else DialogueResult(offer_search_result(view, wanted, found))


def search_followable(view: ChatContext, wanted: str) -> SearchResult:
    """Look for a name among everything that can be followed."""
    guide = view.guide
    return search(wanted, (*guide.competitions, *guide.teams), guide.upcoming(view.now))


def offer_search_result(view: ChatContext, wanted: str, found: SearchResult) -> Screen:
    """Offer what was found, or what is near, as buttons."""
    if found.exact or found.hits:
        hits = (found.exact,) if found.exact else found.hits
        rest = f"\n{more_hits_text(len(hits) - MAX_HITS)}" if len(hits) > MAX_HITS else ""
        names = [to_search_words(hit.name) for hit in hits]
        shown = [_make_choice_button(view, hit, alike=names.count(to_search_words(hit.name)) > 1) for hit in hits[:MAX_HITS]]
        return Screen(texts.which_one_text(wanted) + rest, arrange_rows(shown))
    if found.near:
        return Screen(did_you_mean_text(wanted), arrange_rows([_make_choice_button(view, choice) for choice in found.near]))
    return Screen(name_unknown_text(wanted))


def follow_choice(view: ChatContext, choice: Choice) -> DialogueResult:
    """Follow one thing and say so."""
    if view.follows(choice.subscriptions):
        return DialogueResult(Screen(already_followed_text(choice.subscription)))
    return DialogueResult(Screen(followed_text(choice.subscription)), (Subscribe(choice.subscription),))


def follow_picked(view: ChatContext, wanted: str) -> DialogueResult | None:
    """One of several hits was tapped; None when it is not known any more."""
    choice = find_followable(view, wanted)
    return follow_choice(view, choice) if choice else None


def offer_typed_name(view: ChatContext, text: str) -> DialogueResult:
    """A name without a command, in a private chat: offer what it may mean."""
    found = search_followable(view, text)
    if not (found.exact or found.hits or found.near):
        return DialogueResult(Screen(not_understood_text()))
    return DialogueResult(offer_search_result(view, text, found))


def _make_choice_button(view: ChatContext, choice: Choice, *, alike: bool = False) -> Button:
    """The button of one hit; a team that has its name with another is shown with its competition."""
    label = match_label(view, choice) if choice.scope is Scope.MATCH else choice.name
    label = f"🏆 {label}" if choice.scope is Scope.COMPETITION else label
    label = f"{label} · {view.guide.where(choice)}" if alike and choice.scope is Scope.TEAM else label
    return make_button(label, f"s:{choice.token}", ticked=bool(view.follows(choice.subscriptions)))
