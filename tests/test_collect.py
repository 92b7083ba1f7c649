"""The results and pictures of the report are copied in few bytes, and with all that the report prints."""

import json

import numpy as np
import pytest
from PIL import Image

from strag.files.jsonfile import json_text
from tests.paper import PAPER, collect
from tests.shell import files_in


def test_what_the_report_shows_was_collected(tmp_path):
    """Collecting it again changes no byte; of the pictures, which take longer, the first is tried."""
    results, pictures = (sorted((PAPER / part).iterdir()) for part in ("results", "pictures"))
    for path in (*results, pictures[0]):
        _, copy = collect.KINDS[path.suffix]
        copy(path, tmp_path / path.name)
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
    assert {Image.open(path).mode for path in pictures} == {"P"}


def test_numbers_that_are_not_finite_are_null_in_a_copy(tmp_path):
    """json.dumps would write NaN, which is no JSON."""
    (tmp_path / "a.json").write_text('{"ratios": [NaN, Infinity, 1.5]}')
    collect.collect_json(tmp_path / "a.json", tmp_path / "b.json")
    assert (tmp_path / "b.json").read_text() == '{\n"ratios":[null,null,1.5]\n}\n'


def test_the_copies_replace_those_of_before(tmp_path, monkeypatch):
    out, folder = tmp_path / "out", tmp_path / "page"
    (out / "c3").mkdir(parents=True)
    (folder / "results").mkdir(parents=True)
    (folder / "results" / "old.json").write_text("{}")
    value = {"rows": [{"eps": 0.12345678912345, "runs": 10, "label": "0.12345678912345"}], "none": None}
    (out / "c3" / "size.json").write_text(json_text(value))
    colours = np.linspace(0, 255, 60 * 80 * 3).reshape(60, 80, 3).astype(np.uint8)
    Image.fromarray(colours).save(out / "c3" / "size.png", dpi=(96, 96))
    monkeypatch.setattr("sys.argv", ["collect.py", *map(str, (out, folder, *sorted((out / "c3").iterdir())))])
    collect.main()
    assert files_in(folder / "results") == ["c3-size.json"]
    value["rows"][0]["eps"] = 0.12345679
    assert json.loads((folder / "results" / "c3-size.json").read_text()) == value
    picture = Image.open(folder / "pictures" / "c3-size.png")
    assert (picture.mode, picture.size) == ("P", (80, 60))
    assert picture.info["dpi"] == pytest.approx((96, 96), abs=0.1)
    assert np.abs(np.asarray(picture.convert("RGB")) - colours.astype(int)).max() < 20
