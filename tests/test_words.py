"""Names as text: whatever comes in, what goes out is one harmless line."""

import unicodedata
import xml.dom.minidom
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strag.words import as_text, reason_of

ANY = st.text(st.characters(codec=None, categories=None))


@given(ANY)
def test_what_is_shown_is_one_line_that_every_file_can_hold(name):
    text = as_text(name)
    text.encode()  # no half of a pair, and no byte that is none of UTF-8
    assert len(text.splitlines()) <= 1
    xml.dom.minidom.parseString(f"<a>{escape(text)}</a>")
    harmful = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not harmful & {unicodedata.category(c) for c in text}
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufeff")


@given(ANY)
def test_what_is_text_already_stays(name):
    assert as_text(as_text(name)) == as_text(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("café", "café"),
        ("手写 数字", "手写 数字"),
        ("手写\u3000数字", "手写 数字"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("$a^b$ a_b %s {x} [red] \\n", "$a^b$ a_b %s {x} [red] \\n"),
        ("a\x07b\x1b[31mred", r"a\x07b\x1b[31mred"),
        ("two\nlines\r\tand\u2028more", r"two\nlines\r\tand\u2028more"),
        ("exe\u202egnp", r"exe\u202egnp"),
        (b"caf\xe9".decode("utf-8", "surrogateescape"), r"caf\xe9"),
        ("half \ud83d", r"half \ud83d"),
        ("\ufffe\x00", r"\ufffe\x00"),
    ],
)
def test_what_is_no_text_is_shown_as_python_writes_it(name, text):
    assert as_text(name) == text


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Not a file. Ask for help", "Not a file"),
        ("two\n lines of 1.5", "two lines of 1.5"),
        ("word " * 30, "word " * 15 + "..."),
        ("", "ValueError"),
    ],
)
def test_a_reason_is_one_sentence_cut_at_a_word(said, kept):
    assert reason_of(ValueError(said)) == kept
