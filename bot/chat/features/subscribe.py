"""`/subscribe`, a typed name, choosing by buttons."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

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
from bot.chat.texts import back_label, done_label, escape_text, no_matches_text, subscription_name, which_one_text
from bot.i18n.language import format_day_and_time
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext
from bot.subscribers import Scope

MAX_HITS = 10
"""Buttons under the question which one is meant."""

TEAMS_PER_PAGE = 16
"""In two columns."""

_MAX_NOTE_LENGTH = 190
"""Telegram takes 200 characters."""


def subscribe(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/subscribe [name | all]`: act if there is no doubt, else ask."""
    typed = " ".join(args)
    if not typed:
        return DialogueResult(browse_competitions(context))
    if typed.casefold() == "all":
        return subscribe_to(context, ALL_MATCHES)
    # A name that is not known yet is not stored: it might be a slip, and the chat would wait for it in vain.
    found = search_followable(context, typed)
    if found.exact:
        return subscribe_to(context, found.exact)
    return DialogueResult(offer_search_result(context, typed, found))


def subscribe_to(context: ChatContext, choice: Choice) -> DialogueResult:
    """Subscribe to one thing and say so."""
    subscription = choice.subscription
    name = escape_text(subscription_name(subscription))
    # Also if it was made by another name of the same team.
    if context.has_subscription(choice):
        return DialogueResult(Screen(_("This chat follows <b>{name}</b> already.").format(name=name)))
    html = _("✅ This chat follows <b>{name}</b> now. /alerts chooses what it hears about.")
    changes = (Subscribe(subscription),)
    return DialogueResult(Screen(html.format(name=name)), changes, describe_changes(changes))


def offer_typed_name(context: ChatContext, text: str) -> DialogueResult:
    """Offer what a text without a command may mean. It changes nothing: the text may be no name at all."""
    found = search_followable(context, text)
    if not (found.exact or found.hits or found.suggestions):
        html = _("I did not find that among the known teams, competitions and matches. Try /subscribe, or see /help.")
        return DialogueResult(Screen(html))
    return DialogueResult(offer_search_result(context, text, found))


def search_followable(context: ChatContext, typed: str) -> SearchResult:
    """Search everything that can be followed."""
    catalogue = context.catalogue
    return search(typed, (*catalogue.competitions, *catalogue.teams), catalogue.list_upcoming(context.now))


def offer_search_result(context: ChatContext, typed: str, found: SearchResult) -> Screen:
    """Offer what was found, or what is similar, as buttons."""
    hits = (found.exact,) if found.exact else found.hits
    if hits:
        html = which_one_text(typed)
        if (more := len(hits) - MAX_HITS) > 0:
            text = ngettext(
                "There is {count} more; a longer name finds fewer.", "There are {count} more; a longer name finds fewer.", more
            )
            html = f"{html}\n{text.format(count=more)}"
        names = [to_search_words(hit.name) for hit in hits]
        buttons = [
            _make_choice_button(context, hit, is_ambiguous=names.count(name) > 1)
            for hit, name in zip(hits[:MAX_HITS], names, strict=False)
        ]
        return Screen(html, arrange_rows(buttons))
    name = escape_text(typed)
    if found.suggestions:
        html = _("“{name}” is not among the known fixtures. Did you mean one of these?")
        buttons = [_make_choice_button(context, choice) for choice in found.suggestions]
        return Screen(html.format(name=name), arrange_rows(buttons))
    html = _("“{name}” is not among the known fixtures. /subscribe without a name shows what is.")
    return Screen(html.format(name=name))


def _make_choice_button(context: ChatContext, choice: Choice, *, is_ambiguous: bool = False) -> Button:
    label = match_label(context, choice) if choice.scope is Scope.MATCH else choice.name
    if choice.scope is Scope.COMPETITION:
        label = f"🏆 {label}"
    elif choice.scope is Scope.TEAM and is_ambiguous:
        # Clubs have several teams of one name: men, women, under 21.
        label = f"{label} · {context.catalogue.competition_name(choice)}"
    return make_button(label, f"s:{choice.token}", is_chosen=context.has_subscription(choice))


def match_label(context: ChatContext, match: Choice) -> str:
    """Return `Sat 15:00 Arsenal v Chelsea`, in the chat's time zone."""
    kickoff = match.fixture.kickoff if match.fixture else None
    return f"{format_day_and_time(kickoff, context.chat.timezone)} {match.name}" if kickoff else match.name


def browse_competitions(context: ChatContext, page: int = 0) -> Screen:
    """Show the first screen of choosing by buttons: all matches, or one of the competitions."""
    competitions = context.catalogue.competitions
    if not competitions:
        html = _(
            "No fixtures are known at the moment. Please try again in a little while; <code>/subscribe all</code> works already."
        )
        return Screen(html)
    page, shown = select_page(competitions, page)
    # Ticked if the whole competition is followed. Its teams show their ticks on the next screen.
    buttons = [make_button(c.name, f"c:{c.token}:0", is_chosen=context.has_subscription(c)) for c in shown]
    return Screen(
        _("<b>What shall this chat follow?</b>\nTap a competition, or send <code>/subscribe</code> and a name."),
        (
            (_make_toggle(context, ALL_MATCHES, _("All matches"), f"h:{page}"),),
            *arrange_rows(buttons),
            *make_page_buttons(len(competitions), page, "h"),
            (Button(done_label(), "done"),),
        ),
    )


def browse_competition(context: ChatContext, competition: Choice, page: int = 0) -> Screen:
    """Show the teams of a competition, ticked if the chat follows them, and the way to its matches."""
    teams = context.catalogue.list_teams(competition)
    page, shown = select_page(teams, page, TEAMS_PER_PAGE)
    here = f"c:{competition.token}"
    buttons = [_make_toggle(context, team, team.name, f"{here}:{page}") for team in shown]
    return Screen(
        _("<b>{name}</b>\nTap the teams to follow, or take the whole competition.").format(name=escape_text(competition.name)),
        (
            (_make_toggle(context, competition, _("All of {name}").format(name=competition.name), f"{here}:{page}"),),
            *arrange_rows(buttons, 2),
            *make_page_buttons(len(teams), page, here, TEAMS_PER_PAGE),
            (Button(_("📅 Matches"), f"m:{competition.token}:0"),),
            (Button(back_label(), "h:0"), Button(done_label(), "done")),
        ),
    )


def browse_matches(context: ChatContext, competition: Choice, page: int = 0) -> Screen:
    """Show the matches of a competition that have not ended, by kick-off."""
    matches = context.catalogue.list_matches(competition, context.now)
    page, shown = select_page(matches, page)
    here = f"m:{competition.token}"
    buttons = [_make_toggle(context, match, match_label(context, match), f"{here}:{page}") for match in shown]
    if matches:
        html = _("<b>{name}</b>\nTap the matches to follow.").format(name=escape_text(competition.name))
    else:
        html = no_matches_text(competition.name)
    last = (Button(back_label(), f"c:{competition.token}:0"), Button(done_label(), "done"))
    return Screen(html, (*arrange_rows(buttons), *make_page_buttons(len(matches), page, here), last))


def _make_toggle(context: ChatContext, choice: Choice, label: str, screen_data: str) -> Button:
    """Make a button that subscribes or unsubscribes and then shows the screen of `screen_data` again."""
    return make_button(label, f"t:{choice.token}:{screen_data}", is_chosen=context.has_subscription(choice))


def toggle_subscription(context: ChatContext, data: str, show_screen: ShowScreen) -> DialogueResult:
    """Subscribe to what was tapped, or unsubscribe from it, and show the screen again that the button is on."""
    token, _, screen_data = data.partition(":")
    choice = _find_choice(context, token)
    subscriptions = context.find_subscriptions(choice.matching_subscriptions)
    changes: tuple[Change, ...] = tuple(Unsubscribe(s) for s in subscriptions) or (Subscribe(choice.subscription),)
    kept = tuple(s for s in context.subscriptions if s not in subscriptions)
    # The screen shows what will be stored: changes are written after the dialogue has answered.
    after = replace(context, subscriptions=kept if subscriptions else (*kept, choice.subscription))
    return DialogueResult(show_screen(after, screen_data), changes, describe_changes(changes))


def _find_choice(context: ChatContext, token: str) -> Choice:
    """Return what a token names. Raise OutdatedButton if it is not known any more, or a match that has ended."""
    choice = context.catalogue.find(token)
    if choice is None:
        raise OutdatedButton
    if choice.fixture and has_ended(choice.fixture, context.now) and not context.has_subscription(choice):
        # One that is followed can still be unfollowed.
        raise OutdatedButton
    return choice


def describe_changes(changes: Sequence[Change]) -> str:
    """Return the note of a press that subscribed or unsubscribed."""
    added = [f"✅ {subscription_name(change.subscription)}" for change in changes if isinstance(change, Subscribe)]
    removed = [f"✖ {subscription_name(change.subscription)}" for change in changes if isinstance(change, Unsubscribe)]
    # Two subscriptions can mean the same team, by id and by name: it is named once.
    return " ".join(added[:1] + removed[:1])[:_MAX_NOTE_LENGTH]


def _read_competition(context: ChatContext, data: str) -> tuple[Choice, int]:
    """Read the competition and the page that button data names."""
    token, _, page = data.partition(":")
    competition = context.catalogue.find(token)
    if competition is None or competition.scope is not Scope.COMPETITION:
        raise OutdatedButton
    return competition, read_page(page)


FEATURE = Feature(
    commands={"subscribe": Command(subscribe, N_("Follow a team, a competition, a match or all"), changes_settings=True)},
    buttons={"s": lambda context, token: subscribe_to(context, _find_choice(context, token))},
    toggles={"t": toggle_subscription},
    screens={
        "h": lambda context, page: browse_competitions(context, read_page(page)),
        "c": lambda context, data: browse_competition(context, *_read_competition(context, data)),
        "m": lambda context, data: browse_matches(context, *_read_competition(context, data)),
    },
)
