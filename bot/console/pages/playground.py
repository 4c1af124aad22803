"""The page of the playground: a match, rules and settings on the left, the phone on the right."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

import msgspec
from nicegui import ui

from bot.config.json_schema import build_rules_file_schema, build_scenario_schema
from bot.console.pages.elements import YamlEditor
from bot.console.playground import SHIPPED_NAMES, PhoneMessage, PlayedMatch, PlayRequest, pack_link, play_in_child, show_phone
from rules.engine.text import LANGUAGES

_ALLOWED_TAG = re.compile(r"&lt;(/?)(b|i|u|s|code|pre|em|strong|del|tg-spoiler|blockquote)&gt;")


def to_safe_html(text: str) -> str:
    """Return Telegram's HTML with nothing but its own plain tags: everything else is shown as text."""
    # Escaped first and then allowed back, so that a tag that nobody thought of stays harmless.
    return _ALLOWED_TAG.sub(r"<\1\2>", html.escape(html.unescape(text), quote=True))


def render_bubble(message: PhoneMessage) -> str:
    """Return one message as HTML."""
    quote = f'<div class="quote">{html.escape(message.quote)}</div>' if message.quote else ""
    foot = [message.rule, "🔕 silent" if message.is_silent else "🔔 loud"]
    if message.edits:
        foot.append(f"edited {message.edits}×" if message.edits > 1 else "edited")
    return (
        f'<div class="bubble" data-message="{message.message_id}">{quote}{to_safe_html(message.html)}'
        f'<div class="foot">{html.escape(" · ".join(filter(None, foot)))}</div></div>'
    )


class Playground:
    """A match, rules and settings on the left, the phone on the right."""

    def __init__(self, request: PlayRequest, recordings: Sequence[str]) -> None:
        self._request, self._recordings = request, recordings
        self._played = PlayedMatch()
        self._runs = 0

    def draw(self) -> None:
        """Draw the page, and play the match."""
        request = self._request
        with ui.row().classes("w-full items-start"):
            with ui.column().classes("col-12 col-md"):
                matches = list(dict.fromkeys([*SHIPPED_NAMES, *self._recordings]))
                ui.select(
                    # A recording is named by its path, of which the last part fits the field.
                    {name: name.rsplit("/", 1)[-1] for name in matches},
                    label="Match",
                    # A link may name a recording that this console was not started with.
                    value=request.match if request.match in matches else matches[0],
                    on_change=lambda event: self._change(match=event.value),
                ).classes("w-full")
                with ui.row().classes("items-center"):
                    ui.select(
                        dict(LANGUAGES),
                        label="Language",
                        value=request.language if request.language in LANGUAGES else "en",
                        on_change=lambda event: self._change(language=event.value),
                    ).classes("min-w-32")
                    ui.number(
                        "Delay in seconds",
                        value=request.delay,
                        min=0,
                        max=300,
                        on_change=lambda event: self._change(delay=int(event.value or 0)),
                    ).classes("min-w-32")
                    ui.checkbox("Hide scores", value=request.spoilers, on_change=lambda event: self._change(spoilers=event.value))
                    ui.checkbox("Digests", value=request.digests, on_change=lambda event: self._change(digests=event.value))
                    ui.checkbox(
                        "Every kind of alert",
                        value=request.every_kind,
                        on_change=lambda event: self._change(every_kind=event.value),
                    )
                with ui.expansion("Rules (empty: those that ship)", value=bool(request.rules)).classes("w-full"):
                    YamlEditor(request.rules, lambda text: self._change(rules=text), "Rules", build_rules_file_schema())
                with ui.expansion("A scenario of your own, instead of the match", value=bool(request.scenario)).classes("w-full"):
                    YamlEditor(request.scenario, lambda text: self._change(scenario=text), "Scenario", build_scenario_schema())
                self._notice = ui.column().props('role=status aria-live="polite"')
                with ui.row():
                    self._link = ui.link("Link to exactly this", self._make_link())
            with ui.column().classes("col-12 col-md-auto items-center"):
                self._clock = ui.label("").classes("text-h6").props("data-clock")
                self._slider = ui.slider(min=0, max=1, value=max(request.minute, 0), on_change=self._on_moved).classes("w-full")
                self._slider.props('aria-label="Moment of the match"')
                self._phone = ui.html("", sanitize=False).classes("phone").props('role=log aria-label="The chat"')
        ui.timer(0, self._play, once=True)

    async def _change(self, **changes: object) -> None:
        if not changes.keys().isdisjoint(("match", "scenario")):
            changes["minute"] = -1  # the end of the new match
        self._request = msgspec.structs.replace(self._request, **changes)
        await self._play()

    async def _play(self) -> None:
        self._runs += 1
        run = self._runs
        self._say(["Playing…"])
        played = await play_in_child(self._request, self._recordings)
        if run != self._runs:
            return  # outdated: a later change is already being played
        self._link.props(f'href="{self._make_link()}"')
        self._say([*(f"❌ {line}" for line in played.mistakes), *(f"⚠️ {line}" for line in played.warnings)])
        if played.mistakes:
            return  # the phone goes on showing the last match that could be played
        self._played = played
        last = max(len(played.moments) - 1, 0)
        self._slider.props(f"max={last}")
        self._slider.value = last if self._request.minute < 0 else min(self._request.minute, last)
        self._show_moment()

    def _on_moved(self) -> None:
        self._request = msgspec.structs.replace(self._request, minute=int(self._slider.value or 0))
        self._link.props(f'href="{self._make_link()}"')
        self._show_moment()

    def _show_moment(self) -> None:
        moments, number = self._played.moments, int(self._slider.value or 0)
        if not moments:
            return
        moment = moments[min(number, len(moments) - 1)]
        self._clock.text = f"{self._played.title} {moment.score} · {moment.minute}"
        messages = show_phone(self._played.events, number)
        self._phone.content = "".join(map(render_bubble, messages)) or "<p>Nothing has been sent yet.</p>"

    def _say(self, lines: Sequence[str]) -> None:
        self._notice.clear()
        with self._notice:
            for line in lines:
                ui.label(line).style("white-space: pre-line")

    def _make_link(self) -> str:
        return f"/playground?s={pack_link(self._request)}"
