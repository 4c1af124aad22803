"""`/subscribe`, a typed name, choosing by buttons."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace
from telegram.constants import ChatType

from bot.chat.dialogue import (
    Button,
    ButtonRow,
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
from bot.chat.features.followed import MAX_NAMES, confirm_following, describe_changes
from bot.chat.parsing.plain_words import EVERY_WORDS
from bot.chat.parsing.sentences import drop_article, strip_politeness
from bot.chat.routing import Command, Feature, ShowScreen
from bot.chat.search.catalogue import ALL_MATCHES, Choice, SearchResult, has_ended
from bot.chat.search.name_index import Fit
from bot.chat.search.nicknames import to_search_words
from bot.chat.texts import back_label, choice_name, choice_names, done_label, escape_text, no_matches_text, which_one_text
from bot.i18n.language import format_day_and_time, join_with_commas
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext
from bot.subscribers import Scope
from rules.football.names import normalise

MAX_HITS = 10
"""Buttons under the question which one is meant."""

TEAMS_PER_PAGE = 16
"""In two columns."""

_COMMAS = re.compile(r"[,;\n]")

_AND = re.compile(r"\s+(?:and|und|y|et|e|plus)\s+|\s*[&+]\s*", re.IGNORECASE)

_MATCHES = frozenset({"matches", "games", "match", "game", "spiele", "partidos", "matchs", "partite", "jogos"})

_MIN_NAME_LENGTH = 3
"""Letters of a name that is followed without its command."""


def subscribe(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/subscribe [name | all]`: act if there is no doubt, else ask."""
    typed = " ".join(args)
    if not typed:
        return DialogueResult(browse_competitions(context))
    if normalise(typed) in EVERY_WORDS:
        return confirm_following(context, (ALL_MATCHES,))
    # A name that is not known yet is not stored: it might be misspelt, and the chat would wait for it in vain.
    found = search_followable(context, typed)
    if not (found.exact or found.hits) and (name := _clean_name(args)) != args:
        return subscribe(context, name)
    if several := follow_several(context, typed, found):
        result = several
    elif found.exact:
        result = confirm_following(context, (found.exact,), found.others)
    else:
        result = DialogueResult(offer_search_result(context, typed, found))
    return replace(result, searches_season=not is_whole_name(context, typed, found))


def _clean_name(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words of "to Arsenal", "al Barcelona" and "Arsenal's matches" that are a name."""
    name = drop_article(tuple(words))
    kept = tuple(re.sub(r"['’]s$", "", word) for word in name if normalise(word) not in _MATCHES)
    return kept or name


def follow_several(context: ChatContext, typed: str, found: SearchResult) -> DialogueResult | None:
    """Follow each of `Arsenal, Chelsea` or `Arsenal and Chelsea`. None if it is one name, or may be."""
    # A comma stands in no name. "and" may: Brighton and Hove Albion.
    separator = _COMMAS if _COMMAS.search(typed) else _AND if not found.exact else None
    parts = [part for part in separator.split(typed) if part.strip()] if separator else []
    if separator is _COMMAS and parts and not search_followable(context, parts[-1]).exact:
        # "PSG, OM and Lyon": the last two are joined by a word.
        parts = [*parts[:-1], *(part for part in _AND.split(parts[-1]) if part.strip())]
    if not 2 <= len(parts) <= MAX_NAMES:
        return None
    results = [search_followable(context, part) for part in parts]
    choices = tuple(dict.fromkeys(result.exact for result in results if result.exact))
    unknown = [part for part, result in zip(parts, results, strict=True) if not result.exact]
    if not choices or (unknown and separator is _AND):
        return None
    result = confirm_following(context, choices)
    if unknown:
        names = escape_text(join_with_commas([part.strip() for part in unknown]))
        missing = _("I couldn't find: {names}.").format(names=names)
        html = f"{result.screen.html}\n{missing}"
        result = replace(result, screen=replace(result.screen, html=html))
    return result


def is_exact_name(context: ChatContext, text: str) -> bool:
    """Return True if a text is the whole name of a team, a competition or a match."""
    typed = to_search_words(text)
    everything = (*context.catalogue.competitions, *context.catalogue.teams, *context.catalogue.matches)
    return any(typed in (to_search_words(choice.name), to_search_words(choice.full_name)) for choice in everything)


def follow_typed_name(context: ChatContext, text: str) -> DialogueResult:
    """Follow what a text without a command names, or offer what it may mean."""
    found = search_followable(context, text)
    if not (found.exact or found.hits) and (polite := strip_politeness(text)) and polite != " ".join(text.split()):
        # "Arsenal please"
        return follow_typed_name(context, polite)
    # One or two letters may be no name at all ("ok"), and begin one all the same. As a short form (OM) they are a name.
    is_sure = is_whole_name(context, text, found)
    is_name = len(to_search_words(text)) >= _MIN_NAME_LENGTH or is_sure
    if several := follow_several(context, text, found):
        result = several
    elif found.exact and is_name:
        result = confirm_following(context, (found.exact,), found.others)
    elif found.exact or found.hits or found.suggestions:
        result = DialogueResult(offer_search_result(context, text, found))
    else:
        result = DialogueResult(_make_not_found_screen(text))
    return replace(result, searches_season=is_name and not is_sure)


def is_whole_name(context: ChatContext, typed: str, found: SearchResult) -> bool:
    """Return True if what was typed is a whole name, or a nickname, of what was found: no other is to be looked for."""
    fit = context.catalogue.measure_fit(typed, found.exact.name) if found.exact else None
    return is_exact_name(context, typed) or (fit is not None and fit <= Fit.NICKNAME)


def search_followable(context: ChatContext, typed: str) -> SearchResult:
    """Search everything that can be followed."""
    return context.catalogue.search(typed, context.now)


def offer_search_result(context: ChatContext, typed: str, found: SearchResult) -> Screen:
    """Offer what was found, or what is similar, as buttons."""
    hits = (found.exact,) if found.exact else found.hits
    if hits:
        html = which_one_text(typed)
        if (more := len(hits) - MAX_HITS) > 0:
            text = ngettext("{count} more result: type more letters.", "{count} more results: type more letters.", more)
            html = f"{html}\n{text.format(count=more)}"
        buttons = [_make_choice_button(context, hit) for hit in hits[:MAX_HITS]]
        return Screen(html, (*arrange_rows(buttons), *_make_ways_on()))
    if found.suggestions:
        html = _("I couldn't find “{name}”. Did you mean:").format(name=escape_text(typed))
        buttons = [_make_choice_button(context, choice) for choice in found.suggestions]
        return Screen(html, (*arrange_rows(buttons), *_make_ways_on()))
    return _make_not_found_screen(typed)


def _make_not_found_screen(typed: str) -> Screen:
    html = _("No team, league or match “{name}” in the coming days. Check the spelling, or:")
    return Screen(html.format(name=escape_text(typed)), _make_ways_on())


def _make_ways_on() -> tuple[ButtonRow, ...]:
    """Make the rows under an answer that asks or found nothing: the ways on, and out."""
    return (Button(_("🔎 Browse leagues"), "h:0"), Button(_("📅 Today"), "td:")), (Button(done_label(), "done"),)


def _make_choice_button(context: ChatContext, choice: Choice) -> Button:
    label = match_label(context, choice) if choice.scope is Scope.MATCH else choice_name(choice)
    if choice.scope is Scope.COMPETITION:
        label = f"🏆 {label}"
    return make_button(label, f"s:{choice.token}", is_chosen=context.has_subscription(choice), names=choice_names(choice))


def match_label(context: ChatContext, match: Choice) -> str:
    """Return `Sat 15:00 Arsenal v Chelsea`, in the chat's time zone."""
    kickoff = match.fixture.kickoff if match.fixture else None
    return f"{format_day_and_time(kickoff, context.chat.timezone)} {choice_name(match)}" if kickoff else choice_name(match)


def browse_competitions(context: ChatContext, page: int = 0) -> Screen:
    """Show the first screen of choosing by buttons: all matches, or one of the competitions."""
    competitions = context.catalogue.competitions
    if not competitions:
        html = _("No matches are known yet. Try again in a little while; <code>/subscribe all</code> already works.")
        return Screen(html)
    page, shown = select_page(competitions, page)
    # Ticked if the whole competition is followed. Its teams show their ticks on the next screen.
    buttons = [make_button(choice_name(c), f"c:{c.token}:0", is_chosen=context.has_subscription(c)) for c in shown]
    # In a group the bot does not take what members write to each other for names.
    if context.chat.type == ChatType.PRIVATE:
        html = _("<b>What do you want to follow?</b>\nSend a name, such as <i>Arsenal</i>, or tap a competition.")
    else:
        html = _("<b>What to follow?</b>\nSend <code>/subscribe Arsenal</code>, or tap a competition.")
    return Screen(
        html,
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
    buttons = [_make_toggle(context, team, choice_name(team), f"{here}:{page}") for team in shown]
    return Screen(
        _("<b>{name}</b>\nTap the teams to follow, or take the whole competition.").format(
            name=escape_text(choice_name(competition))
        ),
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
        html = _("<b>{name}</b>\nTap the matches to follow.").format(name=escape_text(choice_name(competition)))
    else:
        html = no_matches_text(competition.name)
    last = (Button(back_label(), f"c:{competition.token}:0"), Button(done_label(), "done"))
    return Screen(html, (*arrange_rows(buttons), *make_page_buttons(len(matches), page, here), last))


def _make_toggle(context: ChatContext, choice: Choice, label: str, screen_data: str) -> Button:
    """Make a button that subscribes or unsubscribes and then shows the screen of `screen_data` again."""
    is_chosen = context.has_subscription(choice)
    return make_button(label, f"t:{choice.token}:{screen_data}", is_chosen=is_chosen, names=choice_names(choice))


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


def _read_competition(context: ChatContext, data: str) -> tuple[Choice, int]:
    """Read the competition and the page that button data names."""
    token, _, page = data.partition(":")
    competition = context.catalogue.find(token)
    if competition is None or competition.scope is not Scope.COMPETITION:
        raise OutdatedButton
    return competition, read_page(page)


FEATURE = Feature(
    commands={"subscribe": Command(subscribe, N_("Follow teams or leagues"), changes_settings=True)},
    buttons={"s": lambda context, token: confirm_following(context, (_find_choice(context, token),))},
    toggles={"t": toggle_subscription},
    screens={
        "h": lambda context, page: browse_competitions(context, read_page(page)),
        "c": lambda context, data: browse_competition(context, *_read_competition(context, data)),
        "m": lambda context, data: browse_matches(context, *_read_competition(context, data)),
    },
)
