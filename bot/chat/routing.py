"""Finds the feature that a command or button belongs to, and who may use it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from bot.chat.dialogue import ChatContext, DialogueResult, OutdatedButton, Screen
from bot.chat.middleware import Handler
from bot.chat.services import ChatServices

RunCommand = Callable[[ChatContext, tuple[str, ...]], DialogueResult]
"""Runs a command with its arguments."""

PressButton = Callable[[ChatContext, str], DialogueResult]
"""Acts on button data, without its prefix."""

ShowScreen = Callable[[ChatContext, str], Screen]
"""Draws the screen that button data names."""

T = TypeVar("T")


COMMAND_PREFIX = "do"
"""The prefix of buttons that run a command: `do:mute 1h`."""

_MAX_COMMAND_WORDS = 12
"""The most words in a button's data, which has at most 64 bytes: our own buttons have fewer, so more are forged."""


class Command(msgspec.Struct, frozen=True):
    """A command of a feature: what it does, what the menu says about it, and who may use it."""

    run: RunCommand | None
    """None: the feature has a handler of its own for the command."""
    description: str = ""
    """The untranslated line in Telegram's menu and in /help. Empty: the command is not listed."""
    changes_settings: bool = False
    """True: for administrators, and not for chats that the configuration sets up."""
    admins_only: bool = False
    """True: for administrators, although it changes nothing."""
    is_private_only: bool = False
    """True: listed in private chats only."""

    @property
    def is_for_all_members(self) -> bool:
        """True if every member of a group may use it."""
        return not self.changes_settings and not self.admins_only


class Feature(msgspec.Struct, frozen=True):
    """What a feature module registers: one FEATURE at its end, listed in `bot.chat.application.FEATURES`.

    Buttons are found by the prefix of their data, the part before the first colon. Messages that were sent years ago keep
    their buttons, so a prefix is never given another meaning.
    """

    commands: Mapping[str, Command] = {}
    buttons: Mapping[str, PressButton] = {}
    """By prefix, functions that act and answer with a screen of their own."""
    toggles: Mapping[str, Callable[[ChatContext, str, ShowScreen], DialogueResult]] = {}
    """By prefix, functions that act and then show again the screen that the button is on, which may be another feature's."""
    screens: Mapping[str, ShowScreen] = {}
    """By prefix, functions that only show something."""
    public_prefixes: frozenset[str] = frozenset()
    """Buttons that every member may press: those that show what every member may ask for."""
    make_handlers: Callable[[ChatServices, Router], Sequence[Handler]] | None = None
    """Makes the feature's own handlers, which are tried before the commands and buttons above."""


class Router:
    """Finds what a command or button does among all features."""

    def __init__(self, features: Iterable[Feature]) -> None:
        """Raise ValueError if two features claim one command or one prefix of button data."""
        self.features = tuple(features)
        self.commands: dict[str, Command] = {}
        self._buttons: dict[str, PressButton] = {}
        self._screens: dict[str, ShowScreen] = {}
        for feature in self.features:
            _add_all(self.commands, feature.commands)
            _add_all(self._screens, feature.screens)
            _add_all(self._buttons, feature.buttons)
            _add_all(self._buttons, {prefix: self._bind_toggle(act) for prefix, act in feature.toggles.items()})
        # Found at the start and not at a press: the second of two features would never be reached.
        if both := self._buttons.keys() & self._screens.keys():
            raise ValueError(f"registered twice: {', '.join(sorted(both))}")
        self._public_prefixes = frozenset[str]().union(*(feature.public_prefixes for feature in self.features))

    @property
    def menu(self) -> tuple[tuple[str, str], ...]:
        """The listed commands with their untranslated descriptions, in the order of the features."""
        return tuple((name, command.description) for name, command in self.commands.items() if command.description)

    def find_command(self, name: str) -> RunCommand | None:
        """Return what a command does; None if there is none of this name, or its feature has a handler of its own."""
        command = self.commands.get(name)
        return command.run if command else None

    def press_button(self, context: ChatContext, data: str) -> DialogueResult:
        """Do what a button does. Raise OutdatedButton if it is out of date or its data forged."""
        prefix, _, rest = data.partition(":")
        # Buttons that run a command need no entry of their own in the table.
        if prefix == COMMAND_PREFIX:
            name, *args = rest.split()[:_MAX_COMMAND_WORDS] or [""]
            run = self.find_command(name)
            if run is None:
                raise OutdatedButton
            return run(context, tuple(args))
        if act := self._buttons.get(prefix):
            return act(context, rest)
        return DialogueResult(self.show_screen(context, data))

    def show_screen(self, context: ChatContext, data: str) -> Screen:
        """Draw the screen that button data names. Raise OutdatedButton if it names none, or none any more."""
        prefix, _, rest = data.partition(":")
        if show := self._screens.get(prefix):
            return show(context, rest)
        raise OutdatedButton

    def is_for_all_members(self, data: str) -> bool:
        """Return True if every member may press this button."""
        # With a colon: `d` alone is no screen of a day, and what is no known button needs permission.
        prefix, colon, rest = data.partition(":")
        if prefix == COMMAND_PREFIX:
            command = self.commands.get(rest.partition(" ")[0])
            return command is not None and command.is_for_all_members
        return bool(colon) and prefix in self._public_prefixes

    def keep_public_buttons(self, screen: Screen) -> Screen:
        """Return a screen without the buttons that would refuse a member of a group."""
        rows = (tuple(button for button in row if self.is_for_all_members(button.data)) for row in screen.buttons)
        return replace(screen, buttons=tuple(row for row in rows if row))

    def list_public_commands(self) -> tuple[tuple[str, str], ...]:
        """Return the listed commands that every member of a group may use, in the order of the features."""
        public = (name for name, command in self.commands.items() if command.is_for_all_members and not command.is_private_only)
        return tuple((name, self.commands[name].description) for name in public if self.commands[name].description)

    # A toggle shows any feature's screen again: /today and /live list matches with buttons of `subscribe`. It is given the
    # router's show_screen, so that features need not import each other.
    def _bind_toggle(self, act: Callable[[ChatContext, str, ShowScreen], DialogueResult]) -> PressButton:
        return lambda context, rest: act(context, rest, self.show_screen)


def _add_all(table: dict[str, T], entries: Mapping[str, T]) -> None:
    if both := table.keys() & entries.keys():
        raise ValueError(f"registered twice: {', '.join(sorted(both))}")
    table.update(entries)
