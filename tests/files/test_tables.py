"""Tables for other programs: exact bytes, and every number read back."""

import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from strag.files import tables
from strag.files.output import Output
from strag.files.tables import FORMATS, write_table

TABLE = {
    "index": np.array([4, 0, 7]),
    "name": np.array(["a,b", 'say "x"', "two\nlines"]),
    "class": np.ma.array([3, 0, 0], mask=[False, False, True]),
    "share": np.array([0.1, np.nan, 1 / 3], np.float32),
    "update": np.array([40.0, np.nan, 16777217.0]),
    "status": np.ma.array(["core", "", "rare"], mask=[False, True, False]),
    "keep": np.array([False, True, True]),
    "hard": "larger: share",
}


def written(tmp_path, table, form):
    path = tmp_path / "t"
    with Output(str(path)) as output:
        write_table(output, table, form)
        output.commit()
    return path.read_bytes()


def test_csv_to_the_byte(tmp_path):
    assert written(tmp_path, TABLE, "csv").decode() == (
        "index,name,class,share,update,status,keep,hard\n"
        '4,"a,b",3,0.1,40.0,core,False,larger: share\n'
        '0,"say ""x""",0,,,,True,larger: share\n'
        '7,"two\nlines",,0.33333334,16777217.0,rare,True,larger: share\n'
    )


def test_json_lines_to_the_byte(tmp_path):
    first, second, third = written(tmp_path, TABLE, "jsonl").decode().splitlines()
    assert first == (
        '{"index": 4, "name": "a,b", "class": 3, "share": 0.1, "update": 40.0, "status": "core", '
        '"keep": false, "hard": "larger: share"}'
    )
    assert json.loads(second)["share"] is json.loads(second)["status"] is json.loads(third)["class"] is None


def test_npz_has_the_columns_without_pickle(tmp_path):
    with np.load(io.BytesIO(written(tmp_path, TABLE, "npz")), allow_pickle=False) as found:
        assert list(found) == list(TABLE)
        assert found["class"].tolist() == [3, 0, -1]
        assert found["status"].tolist() == ["core", "", "rare"]
        assert found["share"].dtype == np.float32
        assert found["keep"].dtype == bool
        assert found["hard"] == "larger: share"


@given(arrays.arrays(np.float32, 20, elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_a_float32_is_its_shortest_decimal(values):
    found = tables._plain(values)
    np.testing.assert_array_equal(np.array(found, np.float32), values)
    assert [float(str(value)) for value in values] == found


def test_values_that_are_not_finite_are_empty():
    assert tables._plain(np.array([np.inf, -np.inf, np.nan, -0.0])) == [None, None, None, 0.0]


@pytest.mark.parametrize("form", FORMATS[:2])
def test_parts_are_the_whole(tmp_path, monkeypatch, form):
    table = {"index": np.arange(50), "x": np.linspace(0, 1, 50, dtype=np.float32), "y": "a"}
    whole = written(tmp_path, table, form)
    monkeypatch.setattr(tables, "_AT_ONCE", 7)
    assert written(tmp_path, table, form) == whole
    assert len(whole.splitlines()) == 50 + (form == "csv")


def test_a_table_without_rows_has_a_header(tmp_path):
    table = {"index": np.zeros(0, int), "y": "a"}
    assert list(csv.reader(written(tmp_path, table, "csv").decode().splitlines())) == [["index", "y"]]
    assert written(tmp_path, table, "jsonl") == b""
