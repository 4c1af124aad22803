"""What a chat reads of the scenarios that ship, beside those of the two real matches."""

import pytest

from rules.engine.text import visible_text
from rules.loading.loader import load_pack
from rules.scenarios.messages import play_scenario
from rules.scenarios.parser import load_scenario

EXPECTED = {
    "two-goals": [
        "17' goal confirmed: ⚽ Brighton [1]–0 Brentford 17' Welbeck",
        "52' goal retracted: ⚽ Brighton [2]–0 Brentford 52' Brighton",
        "52' goal confirmed: ⚽ Brighton 1–[1] Brentford 52' Wissa",
        "90+3' full_time confirmed: 🏁 FT: Brighton 1–1 Brentford Welbeck 17' · Wissa 52'",
    ],
    "retaken-penalty": [
        "38' penalty confirmed: 🎯 Penalty to Sevilla (0–0) 38' Sevilla 0–0 Valencia",
        "40' penalty retracted: ❌ Sevilla: penalty saved, 0–0 40' Isaac · Sevilla 0–0 Valencia",
        "42' goal confirmed: ⚽ Sevilla [1]–0 Valencia 42' Isaac (pen.)",
        "90+2' full_time confirmed: 🏁 FT: Sevilla 1–0 Valencia Isaac 42' (pen.)",
    ],
    "sudden-death": [
        "33' goal confirmed: ⚽ Leeds [1]–0 Norwich 33' Piroe",
        "71' goal confirmed: ⚽ Leeds 1–[1] Norwich 71' Sargent",
        "full_time confirmed: 🏁 Leeds win 6–5 on penalties Leeds 1–1 (6–5 pens) Norwich Piroe 33' · Sargent 71'",
    ],
    "abandoned": [
        "24' goal confirmed: ⚽ Bologna [1]–0 Torino 24' Orsolini",
        "67' status confirmed: ⚠️ Abandoned 67': Bologna 1–0 Torino",
        "67' status confirmed: ▶️ Resumed 67': Bologna 1–0 Torino",
        "81' goal confirmed: ⚽ Bologna 1–[1] Torino 81' Zapata",
        "90+5' full_time confirmed: 🏁 FT: Bologna 1–1 Torino Orsolini 24' · Zapata 81'",
    ],
    "moved": [
        "fixture confirmed: 🕓 Kick-off 15:30 UTC: Fulham v Everton 2026-11-21 15:30 UTC, not 2026-11-21 15:00 UTC",
        "fixture confirmed: 🕓 Kick-off 16:15 UTC: Fulham v Everton 2026-11-21 16:15 UTC, not 2026-11-21 15:30 UTC",
        "34' goal confirmed: ⚽ Fulham [1]–0 Everton 34' Jiménez",
        "90+2' full_time confirmed: 🏁 FT: Fulham 1–0 Everton Jiménez 34'",
    ],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_chat_reads_what_is_expected_of_a_scenario(name: str) -> None:
    played = play_scenario(load_scenario(name), load_pack("default"))
    shown = [
        f"{f'{m.minute}{chr(39)} ' if m.minute else ''}{m.kind} {m.state}: {' '.join(visible_text(m.text).split())}"
        for m in played
        if m.kind in ("goal", "penalty", "full_time", "status", "fixture")
    ]

    assert shown == EXPECTED[name]


def test_the_shootout_goes_on_kick_by_kick_until_one_side_misses() -> None:
    played = list(play_scenario(load_scenario("sudden-death"), load_pack("default")))
    kicks = [visible_text(m.text).split("\n")[0] for m in played if m.kind == "shootout"]

    assert kicks[-4:] == [
        "✅ Leeds 5–4 Norwich on pens",
        "✅ Leeds 5–5 Norwich on pens",
        "✅ Leeds 6–5 Norwich on pens",
        "❌ Leeds 6–5 Norwich on pens",
    ]
