"""`/subscribe`, a typed name, choosing by buttons."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from bot.chat import texts
from bot.chat.catalogue import ALL_MATCHES, Choice, SearchResult, has_ended, search, to_search_words
from bot.chat.dialogue import (
    Button,
    Change,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Screen,
    Subscribe,
    Unsubscribe,
    arrange_rows,
    make_button,
    make_page_buttons,
    read_page,
    select_page,
)
from bot.chat.routing import Command, Feature, ShowScreen
from bot.chat.texts import escape_text, subscription_name
from bot.i18n.language import format_day_and_time
from bot.i18n.language import mark_for_translation as N_
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


def browse_competitions(context: ChatContext, page: int = 0) -> Screen:
    """The first screen: everything, or one of the competitions."""
    competitions = context.catalogue.competitions
    if not competitions:
        return Screen(no_fixtures_text())
    page, shown = select_page(competitions, page)
    everything = _make_toggle_button(context, ALL_MATCHES, all_matches_label(), f"h:{page}")
    listed = [make_button(c.name, f"c:{c.token}:0", is_chosen=context.has_subscription(c)) for c in shown]
    return Screen(
        choose_competition_text(),
        ((everything,), *arrange_rows(listed), *make_page_buttons(len(competitions), page, "h"), (_make_done_button(),)),
    )


def browse_competition(context: ChatContext, competition: Choice, page: int = 0) -> Screen:
    """The teams of a competition, ticked where the chat follows them."""
    everyone = context.catalogue.list_teams(competition)
    page, shown = select_page(everyone, page, TEAMS_PER_PAGE)
    screen = f"c:{competition.token}"
    whole = _make_toggle_button(context, competition, whole_competition_label(competition.name), f"{screen}:{page}")
    listed = [_make_toggle_button(context, team, team.name, f"{screen}:{page}") for team in shown]
    matches = Button(matches_label(), f"m:{competition.token}:0")
    turn = make_page_buttons(len(everyone), page, screen, TEAMS_PER_PAGE)
    return Screen(
        competition_text(competition.name),
        ((whole,), *arrange_rows(listed, 2), *turn, (matches,), (_make_back_button("h:0"), _make_done_button())),
    )


def browse_matches(context: ChatContext, competition: Choice, page: int = 0) -> Screen:
    """The matches of a competition that are not over, by kick-off."""
    everything = context.catalogue.list_matches(competition, context.now)
    page, shown = select_page(everything, page)
    screen = f"m:{competition.token}"
    listed = [_make_toggle_button(context, match, match_label(context, match), f"{screen}:{page}") for match in shown]
    turn = make_page_buttons(len(everything), page, screen)
    html = competition_matches_text(competition.name) if everything else texts.no_matches_text(competition.name)
    return Screen(html, (*arrange_rows(listed), *turn, (_make_back_button(f"c:{competition.token}:0"), _make_done_button())))


def _read_competition(context: ChatContext, data: str) -> tuple[Choice, int]:
    """Read the competition and the page that button data names."""
    token, _, page = data.partition(":")
    competition = context.catalogue.find(token)
    if competition is None or competition.scope is not Scope.COMPETITION:
        raise OutdatedButton
    return competition, read_page(page)


def toggle_followed(context: ChatContext, data: str, show_screen: ShowScreen) -> DialogueResult:
    """Follow what the token names, or stop following it, and show the screen again that the button is on."""
    token, _, back_to = data.partition(":")
    choice = find_followable(context, token)
    after, changes = switch_followed(context, choice)
    return DialogueResult(show_screen(after, back_to), changes, describe_changes(changes))


def find_followable(context: ChatContext, token: str) -> Choice:
    """Return what a token names. Raise OutdatedButton if it is not known any more, or a match that is over and not followed."""
    choice = context.catalogue.find(token)
    if choice is None:
        raise OutdatedButton
    if choice.fixture and has_ended(choice.fixture, context.now) and not context.has_subscription(choice):
        raise OutdatedButton
    return choice


def describe_changes(changes: Sequence[Change]) -> str:
    """Return the note of a press that subscribed or unsubscribed."""
    added = [f"✅ {subscription_name(change.subscription)}" for change in changes if isinstance(change, Subscribe)]
    removed = [f"✖ {subscription_name(change.subscription)}" for change in changes if isinstance(change, Unsubscribe)]
    # Telegram takes at most 200 characters.
    return " ".join(added[:1] + removed[:1])[:190]


def switch_followed(context: ChatContext, choice: Choice) -> tuple[ChatContext, tuple[Change, ...]]:
    """The context after a choice was switched, and what must be stored for it."""
    followed = context.find_subscriptions(choice.matching_subscriptions)
    changes: tuple[Change, ...] = tuple(Unsubscribe(s) for s in followed) or (Subscribe(choice.subscription),)
    kept = tuple(s for s in context.subscriptions if s not in followed)
    now = kept if followed else (*kept, choice.subscription)
    return replace(context, subscriptions=now), changes


def match_label(context: ChatContext, match: Choice) -> str:
    """`Sat 15:00 Arsenal v Chelsea`, in the chat's time zone."""
    kickoff = match.fixture.kickoff if match.fixture else None
    return f"{format_day_and_time(kickoff, context.chat.timezone)} {match.name}" if kickoff else match.name


def _make_toggle_button(context: ChatContext, choice: Choice, label: str, back_to: str) -> Button:
    return make_button(label, f"t:{choice.token}:{back_to}", is_chosen=context.has_subscription(choice))


def _make_back_button(data: str) -> Button:
    return Button(texts.back_label(), data)


def _make_done_button() -> Button:
    return Button(texts.done_label(), "done")


MAX_HITS = 10


def subscribe(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/subscribe [name]`: act when there is no doubt, else ask."""
    wanted = " ".join(args)
    if not wanted:
        return DialogueResult(browse_competitions(context))
    if wanted.casefold() == "all":
        return follow_choice(context, ALL_MATCHES)
    found = search_followable(context, wanted)
    return follow_choice(context, found.exact) if found.exact else DialogueResult(offer_search_result(context, wanted, found))


def search_followable(context: ChatContext, wanted: str) -> SearchResult:
    """Look for a name among everything that can be followed."""
    catalogue = context.catalogue
    return search(wanted, (*catalogue.competitions, *catalogue.teams), catalogue.list_upcoming(context.now))


def offer_search_result(context: ChatContext, wanted: str, found: SearchResult) -> Screen:
    """Offer what was found, or what is near, as buttons."""
    if found.exact or found.hits:
        hits = (found.exact,) if found.exact else found.hits
        rest = f"\n{more_hits_text(len(hits) - MAX_HITS)}" if len(hits) > MAX_HITS else ""
        names = [to_search_words(hit.name) for hit in hits]
        shown = [_make_choice_button(context, hit, alike=names.count(to_search_words(hit.name)) > 1) for hit in hits[:MAX_HITS]]
        return Screen(texts.which_one_text(wanted) + rest, arrange_rows(shown))
    if found.suggestions:
        return Screen(
            did_you_mean_text(wanted), arrange_rows([_make_choice_button(context, choice) for choice in found.suggestions])
        )
    return Screen(name_unknown_text(wanted))


def follow_choice(context: ChatContext, choice: Choice) -> DialogueResult:
    """Follow one thing and say so."""
    if context.has_subscription(choice):
        return DialogueResult(Screen(already_followed_text(choice.subscription)))
    return DialogueResult(Screen(followed_text(choice.subscription)), (Subscribe(choice.subscription),))


def follow_picked(context: ChatContext, token: str) -> DialogueResult:
    """One of several hits was tapped."""
    result = follow_choice(context, find_followable(context, token))
    return replace(result, note=describe_changes(result.changes))


def offer_typed_name(context: ChatContext, text: str) -> DialogueResult:
    """A name without a command, in a private chat: offer what it may mean."""
    found = search_followable(context, text)
    if not (found.exact or found.hits or found.suggestions):
        return DialogueResult(Screen(not_understood_text()))
    return DialogueResult(offer_search_result(context, text, found))


def _make_choice_button(context: ChatContext, choice: Choice, *, alike: bool = False) -> Button:
    """The button of one hit; a team that has its name with another is shown with its competition."""
    label = match_label(context, choice) if choice.scope is Scope.MATCH else choice.name
    label = f"🏆 {label}" if choice.scope is Scope.COMPETITION else label
    label = f"{label} · {context.catalogue.competition_name(choice)}" if alike and choice.scope is Scope.TEAM else label
    return make_button(label, f"s:{choice.token}", is_chosen=context.has_subscription(choice))


FEATURE = Feature(
    commands={"subscribe": Command(subscribe, N_("Follow a team, a competition, a match or all"), changes_settings=True)},
    buttons={"s": follow_picked},
    toggles={"t": toggle_followed},
    screens={
        "h": lambda context, page: browse_competitions(context, read_page(page)),
        "c": lambda context, data: browse_competition(context, *_read_competition(context, data)),
        "m": lambda context, data: browse_matches(context, *_read_competition(context, data)),
    },
)
