"""When a chat gets its alerts: muted, delayed, in quiet hours."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.chat.dialogue import DialogueResult, UpdateChat
from bot.quiet_hours import QuietHours
from tests.bot.chat.fixtures import NOW, changed_chat, data, make_context, press_button, run_command


def run(command: str, words: str = "", **chat: object) -> DialogueResult:
    return run_command(make_context(**chat), command, *words.split())  # type: ignore[arg-type]


@pytest.mark.parametrize("words", ["99999h", "366d", "365d1s"])
def test_who_wants_to_mute_for_too_long_is_told_the_longest_time(words: str) -> None:
    result = run("mute", words)

    assert "/mute 365d" in result.screen.html and not result.changes
    assert changed_chat(run("mute", "365d")).muted_until == NOW + dt.timedelta(days=365)


@pytest.mark.parametrize(
    ("words", "until"),
    [
        ("1h", 60),
        ("45m", 45),
        ("2 h", 120),
        ("1 hour", 60),
        ("90 min", 90),
        ("2 Stunden", 120),
        ("1 h 30", 90),
        ("45", 45),
        ("for ever", None),
        ("-1h", None),
    ],
)
def test_a_chat_is_muted_for_a_time_that_can_be_read(words: str, until: int | None) -> None:
    result = run("mute", words)

    assert [c.change(make_context().chat).muted_until for c in result.changes if isinstance(c, UpdateChat)] == (
        [] if until is None else [NOW + dt.timedelta(minutes=until)]
    )


@pytest.mark.parametrize(
    ("words", "delay"),
    [
        ("0", 0),
        ("300", 300),
        ("30s", 30),
        ("301", None),
        ("-1", None),
        ("1m", 60),
        ("2 minutes", 120),
        ("off", 0),
        ("aus", 0),
        ("six", 6),
        ("half a minute", 30),
        ("eine halbe Minute", 30),
        ("gli avvisi di mezzo minuto", 30),
        ("soon", None),
    ],
)
def test_a_delay_is_from_0_to_300_seconds(words: str, delay: int | None) -> None:
    result = run("delay", words)

    changed = [c.change(make_context().chat).delay for c in result.changes if isinstance(c, UpdateChat)]
    assert changed == ([] if delay is None else [delay])


@pytest.mark.parametrize(
    ("words", "quiet"),
    [
        ("23:00-07:00", QuietHours(1380, 420)),
        ("23:00 – 7:30 hold", QuietHours(1380, 450, holds_alerts=True)),
        ("0:00-6:00 silent", QuietHours(0, 360)),
        ("23-7", QuietHours(1380, 420)),
        ("11pm-7am", QuietHours(1380, 420)),
        ("11-7", QuietHours(1380, 420)),
        ("10 to 8", QuietHours(1320, 480)),
        ("12-8", QuietHours(0, 480)),
        ("9-17", QuietHours(540, 1020)),
        ("after 11pm", QuietHours(1380, 420)),
        ("ab 22 Uhr", QuietHours(1320, 420)),
        ("de 11 de la noche a 7 de la mañana", QuietHours(1380, 420)),
        ("entre 23h et 7h", QuietHours(1380, 420)),
        ("23:00 07:00", QuietHours(1380, 420)),
        ("22h30 to 6 hold", QuietHours(1350, 360, holds_alerts=True)),
        ("von 23 bis 7 Uhr", QuietHours(1380, 420)),
        ("24:00-01:00", QuietHours(0, 60)),
        ("on", QuietHours(1380, 420)),
        ("night", QuietHours(1380, 420)),
        ("off", None),
        ("aus", None),
    ],
)
def test_quiet_hours_are_set_and_ended(words: str, quiet: QuietHours | None) -> None:
    result = run("quiet", words, quiet_hours=QuietHours(1, 2))

    assert changed_chat(result, make_context(quiet_hours=QuietHours(1, 2))).quiet_hours == quiet


@pytest.mark.parametrize("words", ["23:00", "25:00-01:00", "13pm-7am", "23:00-23:00", "23:00-07:00 loud", "<b>"])
def test_what_are_no_quiet_hours_changes_nothing(words: str) -> None:
    assert run("quiet", words).changes == ()


@pytest.mark.parametrize(("command", "label"), [("mute", "1 hour"), ("delay", "30 s"), ("quiet", "one summary")])
def test_without_words_buttons_do_the_same(command: str, label: str) -> None:
    result = press_button(make_context(), data(run(command).screen, label))

    assert result.changes
