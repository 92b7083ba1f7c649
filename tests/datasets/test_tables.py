"""CSV and TSV: a table is imported whole, or the line and the column that stand against it are named."""

import csv
import gzip
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.datasets import rows
from strag.datasets.imported import Reading
from strag.datasets.importing import import_files
from strag.datasets.tables import read_table
from tests.files.makers import refused

TWO = "a,b,label\n1,2,0\n3,4,1\n"


@pytest.fixture
def table(tmp_path):
    """A function that writes a table, as text or bytes, and imports it: the Dataset and its notes."""

    def make(content, name="t.csv", **reading):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        notes = []
        return import_files([path], Reading(**reading), notes.append), notes

    return make


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (TWO, "t.csv"),
        (TWO.replace(",", ";"), "t.csv"),
        (TWO.replace(",", "\t"), "t.csv"),
        (TWO.replace(",", "\t"), "t.tsv"),
        (TWO.replace(",", "\t"), "t.tab"),
        (TWO, "T.CSV"),
        (TWO, "t.txt"),
        (TWO, "table"),
        ("\ufeff" + TWO, "t.csv"),
        (TWO.replace("\n", "\r\n"), "t.csv"),
        (TWO.replace("\n", "\r"), "t.csv"),
        ("\n\n" + TWO.replace("\n", "\n\n"), "t.csv"),
        (TWO.rstrip("\n"), "t.csv"),
        (TWO.replace(",", " , "), "t.csv"),
        ('"a","b","label"\n"1",2,"0"\n3,"4",1\n', "t.csv"),
        ("a,b,label,\n1,2,0,\n3,4,1,\n", "t.csv"),  # a comma too many, as some programs write
        ("a,b,label,\n1,2,0\n3,4,1\n", "t.csv"),
        ("label,a,b\n0,1,2\n1,3,4\n", "t.csv"),
        ("a,CLASS,b\n1,0,2\n3,1,4\n", "t.csv"),
        ("a,b,target\n1.0,2e0,0.0\n3,4,1\n", "t.csv"),
        ("a,b,y\n1,2,00\n3,4,01\n", "t.csv"),
        (gzip.compress(TWO.encode(), mtime=0), "t.csv.gz"),
        (gzip.compress(TWO.encode(), mtime=0), "t.csv"),
    ],
)
def test_the_same_table_in_every_dress(table, content, name):
    data, notes = table(content, name)
    assert (data.x.dtype, data.x.tolist()) == (np.uint8, [[1, 2], [3, 4]])
    assert (data.y.tolist(), data.labels, data.has_test, notes) == ([0, 1], "classes", False, [])


def test_numbers_become_bytes_only_where_all_are(table):
    for cell in ("256", "-1", "0.5"):
        data, _ = table(TWO.replace("4", cell))
        assert (data.x.dtype, data.x.tolist()) == (np.float32, [[1, 2], [3, float(cell)]])
    assert table(TWO.replace("4", "255"))[0].x.dtype == np.uint8


def test_text_labels_are_classes(table):
    data, _ = table('a,label\n1,"eel, small"\n2,dog\n3,"a ""cat"""\n4,dog\n')
    assert data.class_names == ('a "cat"', "dog", "eel, small")
    assert data.y.tolist() == [2, 1, 0, 1]


def test_true_and_false_are_numbers_with_a_note(table):
    data, notes = table("a,b,c,label\n1,True,FALSE,x\n2,false,TRUE,y\n")
    assert data.x.tolist() == [[1, 1, 0], [2, 0, 1]]
    assert notes == ["t.csv: True is 1 and False is 0 in 'b', 'c'"]


def test_a_label_column_by_name(table):
    data, notes = table("x,y,label,z\n1,2,0,7\n3,4,1,8\n", label_column="label")
    assert (data.x.tolist(), data.y.tolist()) == ([[1, 2, 7], [3, 4, 8]], [0, 1])
    assert notes == ["t.csv: column 'y' is an input, as the label is 'label'"]
    assert table("a,B\n1,0\n3,1\n", label_column="b")[0].x.tolist() == [[1], [3]]
    assert table("b,B\n1,0\n3,1\n", label_column="B")[0].x.tolist() == [[1], [3]]
    assert data.command == "strag data t.csv --label-column label"


def test_names_of_the_examples(table):
    data, notes = table(",id,file,b,label\n0,7,a.png,2,0\n1,8,b.png,4,1\n")
    assert (data.x.tolist(), [data.names[row] for row in range(2)]) == ([[2], [4]], ["0", "1"])
    assert notes == [
        "t.csv: the first column, which has no header, holds the names of the examples",
        "t.csv: left out, as they hold names too: 'id', 'file'",
    ]
    data, notes = table("b,label,File_Name\n2,0,a.png\n4,1,b c.png\n")
    assert [data.names[row] for row in range(2)] == ["a.png", "b c.png"]
    assert notes == ["t.csv: column 'File_Name' holds the names of the examples"]
    data, _ = table("a,b,name\n1,2,x\n3,4,y\n", label_column="name")
    assert (data.names, data.class_names) == (None, ("x", "y"))


def test_without_a_header_the_label_is_counted(table):
    data, notes = table("5,0,0,9\n4,1,0,8\n", label_column="1")
    assert (data.x.tolist(), data.y.tolist()) == ([[0, 0, 9], [1, 0, 8]], [5, 4])
    assert notes == ["t.csv: has no header; the first line is an example, and column 1 is the label"]
    data, _ = table("5.1,3.5,setosa\n4.9,3,virginica\n5,4,setosa\n", "iris.data", label_column="3")
    assert (len(data.x), data.y.tolist()) == (3, [0, 1, 0])


def test_a_header_of_numbers(table):
    data, _ = table("0,1,2,label\n4,0,0,0\n1,1,1,1\n")  # as pandas writes an array
    assert data.x.tolist() == [[4, 0, 0], [1, 1, 1]]
    data, notes = table("0,1,2,3,4\n4,0,0,0,0\n1,1,1,1,1\n", label_column="4")
    assert (data.x.shape, data.y.tolist()) == ((2, 4), [0, 1])
    assert notes == ["t.csv: the first line numbers the columns and is not an example"]


@pytest.mark.parametrize("cell", ["", "NA", "NaN", "nan", "null", "None", "?", "N/A", "NULL"])
def test_missing_cells(table, cell):
    refused(lambda: table(TWO.replace("4", cell)), "t.csv: column 'b' has no value in line 3", "fill it in")
    refused(lambda: table(f"a,b,label\n1,2,0\n3,4,{cell}\n"), "column 'label' has no value in line 3")


@pytest.mark.parametrize(
    "case",
    [
        ("", "is empty; provide a table with a header"),
        ("\n \n", "is empty"),
        ("a,b,label\n", "has a header but no examples"),
        (TWO.replace("4", "inf"), "column 'b' is infinite in line 3 (inf)"),
        (TWO.replace("4", "-1e999"), "column 'b' is infinite in line 3 (-1e999)"),
        (TWO.replace("4", "four"), "column 'b' holds the text 'four' in line 3; replace it by a number"),
        (TWO.replace("4", "1_0"), "column 'b' holds the text '1_0' in line 3"),
        (
            "a,b,c,label\nx,1,p,0\ny,2,q,1\n",
            "holds text in 'a', 'c' ('x' in line 2); remove the column, encode it as "
            "numbers, or rename it to id if it holds names of the examples",
        ),
        ("a;label\n1,5;0\n2,5;1\n", "column 'a' holds '1,5' in line 2; use a decimal point"),
        ("a,b,label\n1,2,0\n3,4\n", "has 2 cells in line 3, but 3 columns"),
        ("a,b,label\n1,2,0\n\n3,4,1,1\n", "has 4 cells in line 4, but 3 columns"),
        ('a,b,label\n1,2,"x\ny"\n3,4\n', "has 2 cells in line 4"),
        ("a,b,label,\n1,2,0,5\n", "has 4 cells in line 2, but 3 columns"),
        ('a,b,label\n1,2,"x\n3,4,y\n', "that is never closed"),
        ('a,b,label\n1,2,"x"y\n3,4,"z"\n', "cannot be read in line 2"),
        ("a,a,label\n1,2,0\n", "has two columns called 'a'; rename"),
        ("a,,label\n1,2,0\n", "has no name for column 2"),
        (
            "a,b,c\n1,2,0\n",
            "has no column called label, class, target or y",
            "from its columns: 'a', 'b', 'c'",
        ),
        ("x,y,label\n1,2,0\n", "has 2 columns that may be the label, 'y', 'label'", "`label_column`"),
        ("label,id\n0,1\n", "has no inputs, only the label 'label'"),
        ("a,b;c,label\n1,2,0\n", "has a comma and a semicolon in its first line"),
        ("label\n1\n", "has no comma, semicolon or tab in its first line"),
        ("a,target\n1,0.5\n2,1\n", "column 'target' holds 0.5 in line 2, which is not a class number"),
        ("a,target\n1,1\n2,-1\n", "column 'target' holds -1 in line 3, which is not a class number"),
        ("5,0,0\n4,0,1\n", "is CSV without a header, as its first line", "`label_column` with the number"),
        ("5.1,3.5,setosa\n4.9,3,virginica\n", "is CSV without a header"),
        ("0,1,2\n4,0,0\n", "begins with 0, 1, 2, which may be a header or an example"),
        ("a,b,label\n1,2,café\n".encode("latin-1"), "is not UTF-8 in line 2 (byte 0xe9)", "iconv -f LATIN1"),
        (TWO.encode("utf-16"), "is UTF-16; convert it: iconv -f UTF-16"),
        (b"\0\1\2,label\n1,2\n", "has the name of a table but is not text"),
        (gzip.compress(TWO.encode(), mtime=0)[:-9], "is a broken gzip file"),
        (TWO.replace("4", "1e39"), "numbers too large for float32"),
    ],
)
def test_what_is_wrong_with_a_table(table, case):
    content, *words = case
    refused(lambda: table(content), "t.csv: ", *words)


def test_columns_that_are_not_there(table):
    refused(
        lambda: table(TWO, label_column="c"),
        "has no column 'c'; use one of its columns: 'a', 'b', 'label'",
        status=2,
    )
    refused(lambda: table("5,0\n4,2\n", label_column="3"), "no column '3'", "a number from 1 to 2", status=2)
    wide = ",".join(f"p{n}" for n in range(40))
    refused(lambda: table(f"{wide}\n"), "'p0', 'p1'", "..., 'p37', 'p38', 'p39', 40 in all")


def test_what_is_no_table(tmp_path, table):
    refused(
        lambda: table("some words, written\nin two lines\n", "notes.txt"),
        "is not a type of file that strag can import",
    )
    refused(lambda: table("a,b,label\n1,2\n", "t.txt"), "is not a type of file")
    refused(
        lambda: table(TWO, "t.csv", background=3), "is a CSV table and does not use `background`", status=2
    )
    two = [tmp_path / "t.csv", tmp_path / "u.csv"]
    two[1].write_text(TWO)
    refused(
        lambda: import_files(two),
        "t.csv: is one of 2 tables",
        "use u.csv as the test set with `test`",
        status=2,
    )
    refused(lambda: import_files(two[:1] * 2), "t.csv: is given twice; pass it once", status=2)
    np.save(tmp_path / "x.npy", np.zeros((2, 3)))
    two[0] = tmp_path / "x.npy"
    refused(lambda: import_files(two), "u.csv: is a table, which holds its labels, but x.npy is", status=2)


CELLS = st.floats(-1e6, 1e6, width=32) | st.integers(-300, 300)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(CELLS, TEXTS, CELLS), min_size=1, max_size=9),
    st.sampled_from(",;\t"),
    st.booleans(),
    st.integers(1, 60),
)
def test_what_csv_writes_is_read(tmp_path_factory, examples, delimiter, all_quoted, block):
    """A law: whatever Python's csv writes comes back, in blocks of any size."""
    stream = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(stream, delimiter=delimiter, quoting=quoting)
    writer.writerows([("a", "label", "b"), *((a, f"c{text}", b) for a, text, b in examples)])
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_text(stream.getvalue(), "utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "BLOCK", block)
        read = read_table(path)
    np.testing.assert_array_equal(read.x, [[float(a), float(b)] for a, _, b in examples])
    assert read.y.tolist() == [f"c{text}" for _, text, _ in examples]


@pytest.mark.parametrize("block", [1, 7, 1 << 22])
def test_lines_are_counted_across_blocks_and_quotes(tmp_path, monkeypatch, block):
    monkeypatch.setattr(rows, "BLOCK", block)
    path = tmp_path / "t.csv"
    path.write_text('a,label\n1,"x\n\ny"\n\n2,z\n3,z\n,z\n')
    refused(lambda: read_table(path), "column 'a' has no value in line 8")


def test_a_wide_table_is_read_in_blocks(tmp_path, monkeypatch):
    """Blocks of bytes and blocks of fractions are joined as fractions."""
    monkeypatch.setattr(rows, "BLOCK", 1 << 12)
    x = np.random.default_rng(0).integers(0, 256, (300, 50)).astype(float)
    x[200, 7] = 0.25
    header = ",".join(["label", *(f"p{n}" for n in range(50))])
    y = np.arange(300)[:, None] % 3
    np.savetxt(tmp_path / "t.csv", np.hstack([y, x]), "%.6g", ",", header=header, comments="")
    read = read_table(tmp_path / "t.csv")
    np.testing.assert_array_equal(read.x, x)
    assert read.x.dtype == np.float64
    assert read.y.tolist() == [str(n % 3) for n in range(300)]


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        ("user_id", "7 9 8", True),
        ("PassengerId", "1 2 3", True),
        ("ROW_ID", "1 2 3", True),
        ("user_id", "7 9 7", False),
        ("user_id", "7 9 8.5", False),
        ("acid", "7 9 8", False),
        ("grid", "7 9 8", False),
    ],
)
def test_an_input_that_looks_like_names(table, header, rows, said):
    lines = [f"{value},0,{at % 2}" for at, value in enumerate(rows.split())]
    data, notes = table("\n".join([f"{header},b,label", *lines]))
    assert data.columns == (header, "b")
    differ = "is an input, but all its values differ; rename it to id if it holds names of the examples"
    line = f"column '{header}' {differ}"
    assert notes == ([f"t.csv: {line}"] if said else [])
