"""What the extraction finds in the packs of rules."""

from __future__ import annotations

import io

from bot.i18n.extract import extract_pack

PACK = b"""extends: quiet
texts: {scored: "Goal! {{ match }}"}
rules:
  - {name: goals, match: {action_type: Goal}, alert: {kind: goal, text: {use: scored}}}
  - name: cards
    match: {action_type: Red Card}
    alert:
      kind: red_card
      text: |
        Red
        {{ match }}
"""


def test_the_texts_of_a_pack_are_extracted_without_those_of_packs_it_extends() -> None:
    found = list(extract_pack(io.BytesIO(PACK), (), (), {}))

    assert [(text, notes) for _, _, text, notes in found] == [
        ("Goal! {{ match }}", ["The rule: goals"]),
        ("Red\n{{ match }}", ["The rule: cards"]),
    ]
