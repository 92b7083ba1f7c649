"""Names that are no text, or that mean something to a drawing library, a terminal or Markdown."""

import json
import os
import re
import subprocess
import sys
import warnings
import xml.dom.minidom

import numpy as np
import pytest

from strag.cli import main
from strag.files.dataset import write_dataset
from strag.files.output import Output
from strag.stragglers.history import History
from strag.views.style import house_style, new_figure, rendered
from tests.commands.terminal import at_terminal
from tests.conftest import made_up
from tests.shell import strag
from tests.views.histories import made, valley, write

HARMFUL = "a\x07\x1b[31mb\u202e\u2028c\udce9\ud800\ufffe"
SHOWN = r"a\x07\x1b[31mb\u202e\u2028c\xe9\ud800\ufffe"
MARKED = "$a^b$ a_b %s {x} [red] <i> & | *s*"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\ud800-\udfff\ufffe]")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What strag writes of histories whose title, classes and recipe are called by these names."""
    folder = tmp_path_factory.mktemp("names")
    for name, title in (("harmful", HARMFUL), ("marked", MARKED)):
        history = made([valley(20), valley(22), valley(21)], classes=(title, f"{title}2"), title=title)
        write(folder / f"{name}.h", with_names(history, title))
    before = os.getcwd()
    os.chdir(folder)
    try:
        for name in ("harmful", "marked"):
            for line in (
                f"find-stragglers {name}.h -q -o {name}.json --any-verdict",
                f"stability {name}.h -q -o {name}.stab",
                f"compare {name}.json {name}.json -q -o {name}.cmp",
                f"summary {name}.json {name}.json -q -o {name}.sum",
            ):
                assert main(line.split()) == 0, line
    finally:
        os.chdir(before)
    return folder


def with_names(history, title):
    """The History with names for its ten original classes."""
    fields = {name: getattr(history, name) for name in History.__dataclass_fields__}
    meta = {**history.meta, "class_names": [f"{title}{n}" for n in range(10)], "command": title}
    return History(**{**fields, "meta": {**meta, "inputs": {}, "origin_size": history.examples}})


PICTURES = (
    *(
        "{0}.h",
        "{0}.h {0}.h --label {1} --label _{1}",
        "{0}.json --by-class",
        "{0}.stab",
        "{0}.cmp",
        "{0}.sum",
    ),
)


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize(("name", "label"), [("harmful", HARMFUL), ("marked", MARKED)])
def test_pictures_show_names_letter_by_letter(picture, name, label, files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    arguments = [part.replace("{0}", name).replace("{1}", label) for part in picture.split()]
    for form in ("svg", "png", "pdf"):
        assert main(["plot", *arguments, "-q", "-o", f"p.{form}"]) == 0
    assert CONTROL.search(capsys.readouterr().err.replace("\n", "")) is None
    document = xml.dom.minidom.parse("p.svg")
    texts = "\n".join(node.data for part in document.getElementsByTagName("text") for node in part.childNodes)
    assert CONTROL.search(texts.replace("\n", "")) is None
    start = {"harmful": r"a\x07\x1b[3", "marked": "$a^b$ a"}[name]
    assert start in texts
    assert (f"_{start}" in texts) == ("_{1}" in picture)


def test_tables_markdown_and_json_hold_text(files, monkeypatch):
    monkeypatch.chdir(files)
    for arguments in (
        ["info", "harmful.h"],
        ["info", "harmful.h", "--json"],
        ["info", "harmful.h", "--get", "title"],
        ["info", "harmful.json", "--get", "original_classes"],
        ["find-stragglers", "harmful.h", "--json", "--any-verdict"],
        ["summary", "harmful.json", "--label", HARMFUL.replace("\ud800", ""), "--markdown"],
        ["compare", "harmful.json", "harmful.json", "--label", "\x1b[2J", "--label", "\x9b2J"],
    ):
        result = strag(*arguments)
        assert result.returncode == 0, result.stderr
        text = result.stdout.decode()
        assert CONTROL.search(text.replace("\n", "")) is None, arguments
        if "json" in arguments or "compare" in arguments:
            assert CONTROL.search(json.dumps(json.loads(text), ensure_ascii=False)) is None
    assert strag("info", "harmful.h", "--get", "title").stdout.decode() == f"{SHOWN}\n"


@pytest.mark.slow
def test_a_terminal_gets_nothing_but_its_own_colours(files, monkeypatch):
    monkeypatch.chdir(files)
    for arguments in (
        ["find-stragglers", "harmful.h", "--any-verdict"],
        ["stability", "harmful.h"],
        ["compare", "harmful.json", "harmful.json"],
        ["summary", "harmful.json"],
        ["plot", "harmful.h"],
        ["plot", "harmful.json", "--by-class"],
        ["info", "harmful.h"],
    ):
        status, error, shown = at_terminal("stdout", *arguments)
        assert status == 0, error
        plain = re.sub("\x1b\\[[0-9;]*m", "", shown).replace("\r\n", "")
        assert "a\\x07" in plain or arguments[-1] == "harmful.json"
        assert "\x1b[31mb" not in shown
        assert CONTROL.search(plain) is None, (arguments, CONTROL.search(plain))


def test_cells_of_markdown_are_no_markdown(files, monkeypatch):
    monkeypatch.chdir(files)
    rows = strag(
        "summary", "marked.json", "--label", "a|b <i>*x* `y` [z](w) a_b", "--markdown"
    ).stdout.decode()
    head, _, row = rows.splitlines()[:3]
    assert r"| a\|b \<i\>\*x\* \`y\` \[z\](w) a\_b |" in row
    assert len(re.findall(r"(?<!\\)\|", row)) == len(re.findall(r"(?<!\\)\|", head))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_locale_without_the_letters_ends_no_command(encoding, files):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C", "FORCE_COLOR": ""}
    write(files / "cjk.h", made([valley(20), valley(22)], title="手写", classes=("é", "ü")))
    for arguments in (["find-stragglers", "cjk.h", "--any-verdict"], ["stability", "cjk.h"]):
        command = [sys.executable, "-m", "strag", *arguments]
        script = ["script", "-qec", " ".join(command), "/dev/null"]
        result = subprocess.run(
            script, cwd=files, env=environment, capture_output=True, stdin=subprocess.DEVNULL
        )
        assert result.returncode == 0, result.stdout
        assert b"Error" not in result.stdout
        assert b"\\u624b\\u5199" in result.stdout


def test_a_file_name_that_is_not_utf8_is_named_by_its_bytes(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = (files / "marked.h").read_bytes()
    for name in (b"caf\xe9.h", b"other.h"):
        with open(name, "wb") as stream:
            stream.write(content)
    name = os.fsdecode(b"caf\xe9.h")
    assert main(["plot", name, "other.h", "-q", "-o", "p.svg"]) == 0
    texts = xml.dom.minidom.parse("p.svg").toxml()
    assert r"caf\xe9: " in texts
    result = subprocess.run(
        [sys.executable, "-m", "strag", "stability", b"none\xe9.h"], capture_output=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr == b"strag: none\\xe9.h: no such file; check the path\n"


def test_data_whose_classes_have_such_names_go_all_the_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = made_up(P=120, Q=40, labels="classes", class_names=(HARMFUL, MARKED, "c", "d"), title=HARMFUL)
    with Output("d") as sink:
        write_dataset(sink, data, {})
    for line in (
        "train d --runs 2 --epochs 5 --weights w -o h -q",
        "dump w d -o a -q",
        "geometry a -o g.json -q",
        "find-stragglers h --at 3 -o s.json -q",
        "prune d s.json -o p -q",
        "plot s.json --data d -o s.svg -q",
        "plot s.json --by-class -o c.svg -q",
    ):
        assert main(line.split()) == 0, line
    for name in ("s.svg", "c.svg"):
        xml.dom.minidom.parse(name)
    assert json.loads((tmp_path / "g.json").read_text())["classes"][0] == SHOWN


def test_letters_that_the_font_lacks_are_boxes_without_a_warning(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Glyph .* missing")
        with house_style():
            figure = new_figure(2, 2)
            figure.text(0, 0, "手写 👩\u200d🔬 $x$")
        first = rendered(figure, "png")
    assert first.startswith(b"\x89PNG")
    assert np.frombuffer(first, np.uint8).size > 100
    assert capfd.readouterr().err == ""
