"""Slots hold the newest state that was written as a whole, wherever the writing of another one stopped."""

import errno
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.files.slots import HEAD, Slots, slot_size

START, SIZE = 24, 1200


@pytest.fixture
def file(tmp_path):
    """An empty work file with room for the slots, after other bytes and before others."""
    with open(tmp_path / "work", "w+b") as file:
        file.write(b"t" * START + bytes(2 * SIZE) + b"behind")
        yield file


def state(number):
    """A stamp and tensors of several dtypes, which differ from state to state."""
    arrays = {
        "0.weight": np.arange(6, dtype=np.float32).reshape(2, 3) + number,
        "steps": np.array(number, np.float32),
        "bits": np.array([number, 255], np.uint8),
        "empty": np.zeros((0, 4), np.int64),
    }
    return {"finished": [[0, number]], "of": "x"}, arrays


def number_in(loaded):
    """The number of a loaded state, all parts of which must be of that state; None for none."""
    if loaded is None:
        return None
    meta, arrays = loaded
    number = meta["finished"][0][1]
    expected_meta, expected = state(number)
    assert {**expected_meta, "sequence": meta["sequence"]} == meta
    assert arrays.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
    return number


def test_there_is_none_at_first(file):
    assert Slots(file, START, SIZE).load() is None


def test_the_newest_is_loaded_and_nothing_else_is_changed(file):
    slots = Slots(file, START, SIZE)
    for number in range(1, 6):
        slots.save(*state(number))
        assert number_in(slots.load()) == number
        assert number_in(Slots(file, START, SIZE).load()) == number
    file.seek(0)
    content = file.read()
    assert content[:START] == b"t" * START
    assert content[START + 2 * SIZE :] == b"behind"


def test_another_command_writes_over_the_older_one(file):
    for number in range(1, 6):
        slots = Slots(file, START, SIZE)
        slots.save(*state(number))
        assert sorted(meta["sequence"] for _, meta, _ in slots._whole()) == [*range(number)][-2:]


def test_it_is_on_the_disk_before_the_next_is_written(file, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", synced.append)
    slots = Slots(file, START, SIZE)
    slots.save(*state(1))
    assert synced == [file.fileno()]


@pytest.mark.parametrize("before", [1, 2, 3])
def test_wherever_the_writing_stops_the_one_before_is_whole(file, before):
    slots = Slots(file, START, SIZE)
    for number in range(1, before + 1):
        slots.save(*state(number))
    file.seek(0)
    old = file.read()
    slots.save(*state(before + 1))
    file.seek(0)
    new = file.read()
    changed = [at for at, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    for written in range(changed[0], changed[-1] + 1):
        torn = io.BytesIO(new[:written] + old[written:])
        assert number_in(Slots(torn, START, SIZE).load()) == before


@given(places=st.lists(st.tuples(st.integers(0, 2 * SIZE - 1), st.integers(1, 255)), max_size=6))
@settings(max_examples=150, deadline=None)
def test_bytes_that_change_never_make_a_state_that_was_not_written(tmp_path_factory, places):
    with open(tmp_path_factory.mktemp("slots") / "work", "w+b") as file:
        file.write(b"t" * START + bytes(2 * SIZE))
        slots = Slots(file, START, SIZE)
        slots.save(*state(1))
        slots.save(*state(2))
        file.seek(0)
        content = bytearray(file.read())
    for place, change in places:
        content[START + place] ^= change
    assert number_in(Slots(io.BytesIO(content), START, SIZE).load()) in (None, 1, 2)


def test_cleared_slots_hold_nothing(file):
    slots = Slots(file, START, SIZE)
    for number in (1, 2):
        slots.save(*state(number))
    slots.clear()
    assert slots.load() is None
    assert Slots(file, START, SIZE).load() is None
    slots.save(*state(3))
    assert number_in(Slots(file, START, SIZE).load()) == 3


def test_a_state_that_is_too_large_is_refused_and_changes_nothing(file):
    slots = Slots(file, START, SIZE)
    slots.save(*state(1))
    with pytest.raises(ValueError, match="does not fit in a slot of 1200"):
        slots.save({}, {"x": np.zeros(SIZE, np.uint8)})
    assert number_in(slots.load()) == 1


def test_a_slot_has_the_size_that_its_tensors_need(file):
    arrays = {f"{number}.layer{number}.weight": np.zeros((7, number), np.float32) for number in range(20)}
    size = slot_size([array.nbytes for array in arrays.values()], lists=100)
    Slots(file, START, size).save({"finished": [[0, 5]]}, arrays)
    assert Slots(file, START, size).load()[1].keys() == arrays.keys()


def test_a_full_disk_leaves_the_other_slot(file):
    slots = Slots(file, START, SIZE)
    slots.save(*state(1))

    def full(content):
        io.BufferedRandom.write(file, content[: HEAD + 9])
        raise OSError(errno.ENOSPC, "No space left on device")

    class Full:
        def __getattr__(self, name):
            return full if name == "write" else getattr(file, name)

    slots.file = Full()
    with pytest.raises(OSError, match="No space"):
        slots.save(*state(2))
    assert number_in(Slots(file, START, SIZE).load()) == 1
