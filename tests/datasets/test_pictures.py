"""Images that come one by one: the same array however many were expected, and no broken one in silence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.datasets.imported import Reading
from strag.datasets.pictures import Pictures
from tests.datasets.drawing import colour, encoded, grey
from tests.files.makers import refused


def taken(contents, expected=0, **reading):
    pictures = Pictures(Reading(**reading), expected)
    for row, content in enumerate(contents):
        pictures.add(f"f, row {row}", content)
    return pictures


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["grey", "colour", "broken"]), min_size=1, max_size=30), st.booleans())
def test_images_come_whole_and_in_order(kinds, known):
    images = {"grey": grey(), "colour": colour(), "broken": None}
    contents = [b"no image" if images[kind] is None else encoded(images[kind], "PNG") for kind in kinds]
    pictures = taken(contents, len(kinds) if known else 0, skip_broken=True)
    whole = [images[kind] for kind in kinds if kind != "broken"]
    assert pictures.kept == [kind != "broken" for kind in kinds]
    if not whole:
        refused(pictures.array, "holds no images")
        return
    if "colour" in kinds:
        whole = [image if image.ndim == 3 else np.stack([image] * 3, axis=2) for image in whole]
    np.testing.assert_array_equal(pictures.array(), whole)


def test_broken_images_are_named_together():
    contents = [encoded(grey(), "PNG"), b"no image", b"none"]
    notes = taken(contents, skip_broken=True).notes(" of the test set", lambda called: called[3:])
    assert len(notes) == 1
    assert notes[0].startswith("left out 2 broken images of the test set: row 1 (not PNG, ")
    assert "), row 2 (not PNG, " in notes[0]
    both = taken(contents)
    refused(
        lambda: both.notes("", str),
        "holds 2 broken images: f, row 1 (not PNG, ",
        "f, row 2 (",
        "`skip_broken`",
    )
    refused(lambda: taken(contents[:2]).notes("", str), "f, row 1: is a broken image (not PNG, ")


@pytest.mark.parametrize("value", [-1, 256])
def test_a_background_is_a_grey_value(value):
    refused(
        lambda: taken([], background=value),
        f"cannot use {value} as `background`; pass a whole number from 0 to 255",
        status=2,
    )


def test_images_that_no_memory_holds():
    content = encoded(grey(), "PNG")
    refused(
        lambda: taken([content], 1 << 60),
        f"f, row 0: and {(1 << 60) - 1} other images have ",
        "which does not fit in memory; scale the images down with `resize` HxW",
    )
