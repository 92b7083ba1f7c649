"""strag summary, through its command line."""

import json

import pytest

from strag.files.dataset import write_dataset
from strag.files.summary import summary_from
from strag.views.summary import markdown
from tests.commands.terminal import at_terminal
from tests.conftest import made_up
from tests.shell import complains, files_in, in_this_process, strag

TRAIN = "--epochs 60 --lr 0.5 --width 6 -q"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two widths on one block, and the first of them on a second block."""
    folder = tmp_path_factory.mktemp("summary")
    for name, seed in (("d1", 0), ("d2", 1)):
        write_dataset(str(folder / name), made_up(P=400, overlap=2.0, seed=seed), {})
    script = f"""
    strag train d1 --runs 4 {TRAIN} -o h1
    strag train d2 --runs 4 {TRAIN} -o h2
    strag train d1 --runs 3 {TRAIN} --width 12 -o h3
    strag find-stragglers h1 -q --any-verdict -o narrow1.json
    strag find-stragglers h2 -q --any-verdict -o narrow2.json
    strag find-stragglers h3 -q --any-verdict -o wide.json
    """
    in_this_process(script, folder)
    return folder


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def test_conditions_blocks_and_numbers_come_from_the_files(folder):
    result = strag("summary", "narrow1.json", "narrow2.json", "wide.json")
    assert result.returncode == 0
    assert result.stderr.startswith(b"strag: 2 conditions, 11 runs; reference width 6: eps* 0.")
    found = json.loads(result.stdout)
    assert found["strag"]["kind"] == "summary"
    assert found["varies"] == ["width"]
    assert len(set(found["strag"]["inputs"]["stragglers"])) == 3
    narrow, wide = found["conditions"]
    assert (narrow["label"], narrow["blocks"], narrow["runs"]) == ("width 6", 2, 8)
    assert (wide["label"], wide["blocks"], wide["runs"]) == ("width 12", 1, 3)
    runs = [json.loads((folder / f"narrow{n}.json").read_text()) for n in (1, 2)]
    means = [one["summary"]["train_error_mean"] for one in runs]
    assert narrow["inverting"] == sum(one["summary"]["inverting_runs"] for one in runs) > 0
    assert narrow["train_error"]["mean"] == pytest.approx(sum(means) / 2)
    of = {name: json.loads((folder / f"{name}.json").read_text())["runs"] for name in ("narrow1", "wide")}
    errors = {
        name: {run["run"]: run["refined_train_error"] for run in its if run["verdict"] == "inversion"}
        for name, its in of.items()
    }
    mean = {name: sum(of_run.values()) / len(of_run) for name, of_run in errors.items()}
    apart = (
        mean["wide"] - mean["narrow1"]
    )  # on the block that both have; other widths, other weights: no pairs
    assert wide["differences"]["train_error"]["mean"] == pytest.approx(apart)
    assert narrow["differences"] == {}
    for one in (narrow, wide):
        apart = one["train_error"]["mean"] - one["test_error"]["mean"]
        assert one["gap"]["mean"] == pytest.approx(apart, abs=1e-6)
    tested = [run["test_error"] for run in runs[0]["runs"] if run["verdict"] == "inversion"]
    assert all(0 < error < 0.6 for error in tested)


def test_one_training_analysed_twice_and_one_without_examples(folder, tmp_path):
    script = f"""
    strag find-stragglers h1 --at error:0.2 -q -o late.json
    strag prune d1 late.json -q -o p
    strag train p --runs 4 {TRAIN} -o hp
    strag find-stragglers hp -q --any-verdict -o pruned.json
    """
    in_this_process(script, folder)
    for files in (("narrow1.json", "late.json"), ("late.json", "narrow1.json")):
        said = strag("summary", *files).stderr.decode()
        assert said.startswith("strag: 2 conditions, 4 runs; reference at inversion: eps* 0.")
    found = strag("summary", "pruned.json", "narrow1.json")
    assert found.stderr.decode().startswith("strag: 2 conditions, 8 runs; reference all examples: eps* 0.")
    removed = len(json.loads((folder / "late.json").read_text())["indices"])
    (label,) = (one["label"] for one in json.loads(found.stdout)["conditions"] if one["differences"])
    assert label.startswith(f"pruned {removed} examples (")
    shown = at_terminal("stdout", "summary", "narrow1.json", "wide.json")[2]
    assert "intervals over blocks, or over seeds if there is only one block" in shown


def test_a_condition_called_reference_is_named_once(folder):
    result = strag("summary", "narrow1.json", "wide.json", "--label", "reference", "--label", "wide")
    assert b"; reference: eps* 0." in result.stderr


def test_table_markdown_and_picture_say_the_same(folder, tmp_path):
    files = ["narrow1.json", "narrow2.json", "wide.json"]
    status, error, table = at_terminal("stdout", "summary", *files)
    assert (status, error) == (0, "")
    text = strag("summary", *files, "--markdown").stdout.decode()
    assert text.startswith("| condition | blocks | inverts |")
    for word in ("width 6", "width 12", "of 8"):
        assert word in text
        assert word in " ".join(table.split())
    out = tmp_path / "s.json"
    result = strag("summary", *files, "-o", out)
    assert result.stderr.startswith(b"strag: 2 conditions, 11 runs; ")
    assert markdown(summary_from(json.loads(out.read_text()), "s.json")) == text
    assert strag("plot", out, "-o", tmp_path / "s.png", "-q").returncode == 0
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    assert strag("info", out, "--get", "kind").stdout == b"summary\n"


def test_a_sweep_is_told_apart_by_what_its_networks_left_out(folder, tmp_path):
    script = f"""
    strag train {folder}/d1 --runs 3 {TRAIN} -o h
    strag sets h --dose 0.5 --controls random -q -o sets
    strag train {folder}/d1 --without sets {TRAIN} --noise 0 --noise 1 -o swept
    strag find-stragglers swept -q --any-verdict -o s.json
    strag sets h --at log -q -o times
    strag train {folder}/d1 --without times {TRAIN} -o timed
    strag find-stragglers timed -q --any-verdict -o t.json
    """
    in_this_process(script, tmp_path)
    found = json.loads(strag("summary", tmp_path / "s.json").stdout)
    assert found["varies"] == ["control", "dose"]
    told = [(one["settings"]["control"], one["settings"]["dose"]) for one in found["conditions"]]
    assert told == [("none", 0.0), ("none", 0.5), ("random", 0.0), ("random", 0.5)]
    assert all(one["runs"] == 3 for one in found["conditions"])
    assert [one["label"] for one in found["conditions"]][:2] == ["own set", "dose 0.5"]
    for one in found["conditions"]:
        assert sum(one["verdicts"].values()) == 3
        assert one["verdicts"].get("inversion", 0) == one["inverting"]
    without, _, control, _ = found["conditions"]
    assert without["examples_trained"] == control["examples_trained"]
    assert without["last_test_error@1"]["mean"] > without["last_test_error"]["mean"] > 0
    assert "last test error, noise 1" in strag("summary", tmp_path / "s.json", "--markdown").stdout.decode()
    times = json.loads(strag("summary", tmp_path / "t.json").stdout)
    assert times["varies"] == ["update"]


def test_wrong_input_is_one_line_and_leaves_nothing(folder, tmp_path):
    before = files_in(folder)
    (tmp_path / "broken.json").write_text('{"strag": {"format": 1, "kind": "stragglers"}}')
    empty = {"strag": {"format": 1, "kind": "stragglers", "origin": "o"}, "indices": []}
    (tmp_path / "empty.json").write_text(json.dumps(empty))
    (tmp_path / "other.json").write_text('{"strag": {"format": 1, "kind": "summary"}}')
    for arguments, status, words in (
        ([], 2, ["missing argument 'FILE...'"]),
        (["d1"], 1, ["d1: is a dataset file, not a stragglers file"]),
        (["no.json"], 1, ["no.json: no such file"]),
        ([tmp_path / "broken.json"], 1, ["broken.json: 'indices' is not a list of whole numbers"]),
        ([tmp_path / "empty.json"], 1, ["empty.json: has no runs"]),
        (["-", "-"], 2, ["only one input can be stdin"]),
        (["wide.json", "--label", "a", "--label", "b"], 2, ["2 labels for 1 FILE"]),
        (["wide.json", "--json", "--markdown"], 2, ["--json contradicts --markdown"]),
    ):
        complains(strag("summary", *arguments), status, *words)
    complains(strag("plot", tmp_path / "other.json", "-o", "x.png"), 1, "has conditions that cannot be read")
    assert files_in(folder) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(runs=[None]),
        lambda value: value["runs"][0].update(set=3),
        lambda value: value["runs"][0].update(set={"control": [1], "dose": 0, "run": 0}),
        lambda value: value["summary"].update(examples=10**400),
        lambda value: value["summary"].update(examples="many"),
        lambda value: value["strag"]["inputs"]["training"].update(noise=[0.0, 1.0]),
        lambda value: value["strag"]["inputs"]["training"].update(noise=["loud"]),
        lambda value: value["strag"]["inputs"]["training"].update(noise=3),
        lambda value: [run.update(run=[run["run"]]) for run in value["runs"]],
        lambda value: [run.update(verdict=["inversion"]) for run in value["runs"]],
        lambda value: [run.update(verdict="maybe") for run in value["runs"]],
        lambda value: value["runs"][0].update(run=None),
        lambda value: value["runs"][0].update(last_update="x"),
        lambda value: [run.update(refined_train_error=-3) for run in value["runs"]],
        lambda value: value["summary"].update(test_examples=0),
    ],
)
def test_runs_that_cannot_be_read(folder, tmp_path, change):
    value = json.loads((folder / "wide.json").read_text())
    change(value)
    (tmp_path / "bad.json").write_text(json.dumps(value))
    complains(strag("summary", "narrow1.json", tmp_path / "bad.json"), 1, "bad.json: has runs that cannot be")


@pytest.mark.parametrize(
    "change", [{"width": [20]}, {"depth": {"a": 1}}, {"batch_size": 10**400}, {"precision": ["float32"]}]
)
def test_settings_that_cannot_be_read(folder, tmp_path, change):
    value = json.loads((folder / "wide.json").read_text())
    value["strag"]["inputs"]["training"].update(change)
    (tmp_path / "bad.json").write_text(json.dumps(value))
    complains(
        strag("summary", "narrow1.json", tmp_path / "bad.json"), 1, "bad.json: has settings that cannot"
    )


def test_files_that_say_less_are_read_with_a_note(folder, tmp_path):
    """Without the number of examples, or of test examples as before, or a seed that is no number."""
    value = json.loads((folder / "wide.json").read_text())
    value["summary"]["examples"] = None
    del value["summary"]["test_examples"]
    value["strag"]["inputs"]["training"]["seed"] = []
    (tmp_path / "less.json").write_text(json.dumps(value))
    result = strag("summary", "narrow1.json", "wide.json", tmp_path / "less.json")
    assert result.returncode == 0
    assert b"some files do not give the" in result.stderr
    assert [one["examples"] for one in json.loads(result.stdout)["conditions"]] == [400, 400, None]
