"""Texts after a few typing mistakes, for laws about what people write."""

from hypothesis import strategies as st

_WORDS = (
    "", " ", "\n", "\t", ":", "- ", "[", "{", "}", "'", '"', "|", "&a ", "*a", "!!int ", "? ", "${", "${X}", "<<: ",
    "null", "yes", "{{", "%}",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    """The text with one to four places written over, doubled or taken out."""
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.integers(0, 30)))
        words = (*_WORDS, text[begin:end] * 2)
        text = text[:begin] + draw(st.sampled_from(words) | st.text(max_size=3)) + text[end:]
    return text
