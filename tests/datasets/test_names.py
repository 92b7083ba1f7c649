"""What examples are called: kept as bytes, read as text, taken with their rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from strag.datasets.dataset import COUNTED
from strag.datasets.names import Names
from strag.identity import identity_of
from strag.words import as_text
from tests.files.makers import images


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))), st.data())
def test_rows_keep_their_names(texts, data):
    names = Names.of(texts)
    texts = [as_text(text) for text in texts]
    assert [names[row] for row in range(len(names))] == texts
    assert names.fault(len(texts)) is None
    rows = data.draw(st.lists(st.integers(0, len(texts) - 1))) if texts else []
    taken = names.take(rows)
    assert [taken[row] for row in range(len(taken))] == [texts[row] for row in rows]
    assert taken.fault(len(rows)) is None


def test_a_name_that_is_no_text_keeps_its_bytes():
    names = Names.of([b"caf\xe9.png", "caf\udce9.png"])
    assert names.text.tobytes() == b"caf\xe9.png" * 2
    assert names[0] == names[1] == r"caf\xe9.png"


def test_names_that_do_not_fit():
    names = Names.of(["a", "bc"])
    assert names.fault(3) == "has 2 names for 3 examples"
    for ends in ([2, 1], [1, 2], [1, 4], [-1, 3]):
        assert Names(names.text, np.array(ends)).fault(2) == "'name_ends' does not fit 'names'"


def test_names_do_not_count_for_the_identity():
    data = images()
    named = images(names=Names.of([str(i) for i in range(24)]), y_true=data.y[::-1])
    assert named.identity == data.identity
    assert named.identity == identity_of({key: named.tensors[key] for key in COUNTED if key in named.tensors})
    assert {"names", "name_ends", "y_true"} == named.tensors.keys() - data.tensors.keys()
    assert named.rows([3, 1]).names[0] == "3"
