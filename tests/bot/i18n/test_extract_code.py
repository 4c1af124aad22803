"""What the extraction finds in the code."""

from __future__ import annotations

import io

from bot.i18n.extract import extract_code

CODE = """
# Translators: name your own language.
a = _("English")
b = f"<b>{_('inside of an f-string')}</b>"
c = ngettext("{count} goal", "{count} goals", n)
d = pgettext("a month", "May"), N_("marked " "in two parts")
e = _(variable), other("no text of ours")
"""


def test_texts_are_extracted_with_plural_forms_context_and_notes() -> None:
    found = sorted(extract_code(io.BytesIO(CODE.encode()), (), (), {}))

    assert [one[1:] for one in found] == [
        ("gettext", "English", ["name your own language."]),
        ("gettext", "inside of an f-string", []),
        ("ngettext", ("{count} goal", "{count} goals"), []),
        ("gettext", "marked in two parts", []),
        ("pgettext", ("a month", "May"), []),
    ]
