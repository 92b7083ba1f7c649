"""find-stragglers --reference, what summary makes of it, and plot --reference."""

import json

import numpy as np
import pytest

from strag import kinds
from strag.bits import unpack
from strag.files.dataset import write_dataset
from strag.files.summary import summary_from
from strag.stragglers.experiments import COMPARED
from strag.views.summary import markdown
from tests.commands.terminal import at_terminal
from tests.conftest import made_up
from tests.shell import complains, files_in, in_this_process, strag

UNTESTED = "--epochs 60 --lr 0.5 --width 6 -q"
TRAIN = f"{UNTESTED} --noise 0 --noise 1"
Q = 80


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three runs on all the examples (h), without the stragglers (p), and without sets of their own (w)."""
    folder = tmp_path_factory.mktemp("reference")
    write_dataset(str(folder / "d"), made_up(P=400, Q=Q, overlap=2.0), {})
    write_dataset(str(folder / "other"), made_up(P=400, Q=Q, overlap=2.0, seed=1), {})
    script = f"""
    strag train d --runs 3 {TRAIN} -o h
    strag find-stragglers h -q -o s.json
    strag prune d s.json -q -o few
    strag train few --runs 2 --first-run 1 {TRAIN} -o p
    strag sets h --dose 0.5 --controls random,class -q -o sets
    strag train d --without sets {TRAIN} -o w
    strag find-stragglers p --reference h -q --any-verdict -o p.json
    strag find-stragglers w --reference h -q --any-verdict -o w.json
    strag sets h --at log:3 --controls class -q -o times
    strag train d --without times {TRAIN} -o t
    strag train other --runs 3 {TRAIN} -o o
    strag train d --runs 1 {TRAIN} -o one
    strag train d --runs 3 {UNTESTED} --test-every never -o never
    """
    in_this_process(script, folder)
    return folder


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def value(path):
    return json.loads(path.read_text())


def test_every_run_of_a_pruned_training_is_told_what_all_examples_give(folder):
    """From the files: the test records of run 1 and 2 at t*, and the bits of both at the end."""
    whole, few = kinds.read("h"), kinds.read("p")
    inverting = {run["run"]: run["refined_update"] for run in value(folder / "s.json")["runs"]}
    found = value(folder / "p.json")
    assert [run["run"] for run in found["runs"]] == [1, 2]
    assert found["strag"]["inputs"]["reference"] == whole.meta["inputs"]
    for position, run in enumerate(found["runs"]):
        told = run["reference"]
        assert told["update"] == inverting[run["run"]] is not None
        with np.errstate(divide="ignore"):
            record = np.abs(np.log(whole.test_updates) - np.log(told["update"])).argmin()
        assert told["stopped_test_error"] == pytest.approx(whole.test_error[record, run["run"]].tolist())
        assert told["test_error"] == pytest.approx(whole.test_error[-1, run["run"]].tolist())
        hard = unpack(whole.test_misclassified[record, run["run"], 0], Q)
        own = unpack(few.test_misclassified[-1, position, 0], Q)
        assert told["right_test_error"] == pytest.approx(own[~hard].mean(), abs=1e-6)
        assert told["wrong_test_error"] == pytest.approx(own[hard].mean(), abs=1e-6)
        assert told["wrong_test_error"] > told["right_test_error"]


def test_the_networks_of_a_sweep_stand_beside_the_runs_they_started_from(folder):
    runs, ends = value(folder / "w.json")["runs"], kinds.read("h").test_error[-1]
    for run in runs:
        assert run["reference"]["test_error"] == pytest.approx(ends[run["set"]["run"]].tolist())
    assert {run["set"]["run"] for run in runs} == {0, 1, 2}


def test_without_a_reference_nothing_is_said_of_one(folder):
    assert "reference" not in value(folder / "s.json")["runs"][0]
    assert "reference" not in value(folder / "s.json")["strag"]["inputs"]


@pytest.mark.parametrize("more", [["--layer", "all"], ["--per-class"], ["--at", "12"]], ids=" ".join)
def test_the_inversion_of_the_reference_is_sought_in_the_same_way(folder, more):
    """Per class or over all of them, but at the inversion, whatever moment the sets are taken at."""
    plain = json.loads(
        strag("find-stragglers", "h", *[one for one in more if one not in ("--at", "12")]).stdout
    )
    found = json.loads(strag("find-stragglers", "p", "--reference", "h", "--any-verdict", *more).stdout)
    told = [run["reference"]["update"] for run in found["runs"]]
    assert told == [run["refined_update"] for run in plain["runs"][1:]]


def test_a_summary_takes_them_up(folder, tmp_path):
    result = strag("summary", "p.json", "s.json", "-o", tmp_path / "x.json", "-q")
    assert (result.returncode, result.stderr) == (0, b"")
    told = {one["examples"] == 400: one for one in value(tmp_path / "x.json")["conditions"]}
    runs = [run["reference"] for run in value(folder / "p.json")["runs"]]
    for name, expected in (
        ("stopped_test_error", [run["stopped_test_error"][0] for run in runs]),
        ("stopped_test_error@1", [run["stopped_test_error"][1] for run in runs]),
        ("reference_test_error", [run["test_error"][0] for run in runs]),
        ("right_test_error", [run["right_test_error"] for run in runs]),
        ("wrong_test_error", [run["wrong_test_error"] for run in runs]),
    ):
        assert told[False][name]["mean"] == pytest.approx(np.mean(expected))
        assert told[True][name] is None
    assert told[False]["excess_error"] is None
    text = strag("summary", "p.json", "--markdown").stdout.decode()
    assert "| all examples | all examples, noise 1 | all examples, stopped at t* |" in text
    assert "excess" not in text
    assert "all examples" not in strag("summary", "s.json", "--markdown").stdout.decode()


def test_the_excess_is_over_as_many_at_random_for_each_example(folder):
    runs = value(folder / "w.json")["runs"]
    found = json.loads(strag("summary", "w.json").stdout)
    conditions = {(one["settings"]["control"], one["settings"]["dose"]): one for one in found["conditions"]}
    assert len(conditions) == 6
    for (control, dose), condition in conditions.items():
        of = {
            name: {
                run["set"]["run"]: run
                for run in runs
                if run["set"]["control"] == name and run["set"]["dose"] == dose
            }
            for name in ("none", "random")
        }
        for name, level in (("excess_error", 0), ("excess_error@1", 1)):
            expected = [
                (own["last_test_error"][level] - of["random"][run]["last_test_error"][level])
                / (400 - own["examples"])
                for run, own in of["none"].items()
            ]
            assert len(expected) == 3
            if control == "none":
                assert condition[name]["mean"] == pytest.approx(np.mean(expected))
                assert condition[name]["seed_std"] == pytest.approx(np.std(expected, ddof=1))
            else:
                assert condition[name] is None
    assert "excess per example left out" in strag("summary", "w.json", "--markdown").stdout.decode()


def test_sets_without_their_control_or_twice_have_no_excess(folder, tmp_path):
    whole = value(folder / "w.json")
    own, random = (
        [run for run in whole["runs"] if run["set"]["control"] == name] for name in ("none", "random")
    )
    for runs in (own, random, [*own, *own, *random], [*own, *random, *random]):
        (tmp_path / "x.json").write_text(json.dumps({**whole, "runs": runs}))
        found = json.loads(strag("summary", tmp_path / "x.json").stdout)
        assert {one["excess_error"] for one in found["conditions"]} == {None}


def test_a_summary_of_before_is_read_as_ever(folder):
    found = json.loads(strag("summary", "p.json", "s.json").stdout)
    now = markdown(summary_from(found, "x"))
    assert "stopped at t*" in now
    for one in found["conditions"]:
        for name in [name for name in one if name.partition("@")[0] in COMPARED]:
            del one[name]
        for name in ("gap", "verdicts", "differences"):
            del one[name]
    before = markdown(summary_from(found, "x"))
    headings, fewer = (text.splitlines()[0].split(" | ") for text in (now, before))
    headings.remove("other verdicts")
    assert fewer == [*headings[: len(fewer) - 1], headings[len(fewer) - 1] + " |"]
    assert len(headings) == len(fewer) + 6  # four quantities, two of them at two levels of noise


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["p", "--reference", "no"], 1, ["no: no such file"]),
        (["p", "--reference", "s.json"], 1, ["s.json: is a stragglers file, not a history file"]),
        (["p", "--reference", "o"], 1, ["o: was trained on a different data set than p; pass the training"]),
        (["p", "--reference", "p"], 1, ["p: was not trained on all examples; pass the training on all"]),
        (["h", "--reference", "w"], 1, ["w: was not trained on all examples"]),
        (
            ["p", "--reference", "one"],
            1,
            ["one: has no run 1, from which a network of p started; train runs"],
        ),
        (["p", "--reference", "never"], 1, ["never: has no test records"]),
        (["-", "--reference", "-"], 2, ["only one input can be stdin"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_one_line_and_leaves_nothing(folder, arguments, status, words):
    before = files_in(folder)
    complains(strag("find-stragglers", *arguments, "-o", "out"), status, *words)
    assert files_in(folder) == before


@pytest.mark.parametrize("sweep", ["w", "t"])
def test_a_sweep_is_drawn_beside_the_training_on_all_examples(folder, tmp_path, sweep):
    end = kinds.read("h").test_error[-1, :, 1].mean()
    runs = [run for run in value(folder / "s.json")["runs"] if run["verdict"] == "inversion"]
    assert len(runs) == 3
    result = strag("plot", sweep, "--reference", "h", "-o", tmp_path / "f.svg")
    assert result.returncode == 0
    told = result.stderr.decode().splitlines()[-1]
    words = f"strag: {sweep}: with all examples: test error {end:.4f}, "
    assert told.startswith(words)
    at = np.mean([run["refined_update"] for run in runs])
    assert told.endswith(f" when stopped at t* = {at:.1f}")
    text = (tmp_path / "f.svg").read_text()
    assert "all examples, stopped at t*" in text
    assert (": the stragglers" in text) == (sweep == "t")
    status, _, table = at_terminal("stdout", "plot", sweep, "--reference", "h")
    assert status == 0
    assert f"with all examples: test error {end:.4f}" in " ".join(table.split())
    plain = strag("plot", sweep, "-o", tmp_path / "g.svg").stderr.decode()
    assert "with all examples" not in plain
    assert "all examples" not in (tmp_path / "g.svg").read_text()


def test_a_sweep_over_time_is_drawn_against_what_it_left_out(folder, tmp_path):
    assert strag("plot", "t", "--x", "error", "-q", "-o", tmp_path / "f.svg").returncode == 0
    assert "training error ε(t), the" in (tmp_path / "f.svg").read_text()
    complains(
        strag("plot", "w", "--x", "error", "-o", tmp_path / "x.png"), 2, "w: holds a sweep over doses", "--x"
    )
    other = "o: was trained on a different data set than t"
    for reference, words in (("o", other), ("no", "no: no such file")):
        result = strag("plot", "t", "--reference", reference, "-o", tmp_path / "x.png")
        complains(result, 1, words)
    assert files_in(tmp_path) == ["f.svg"]


def test_the_reference_can_come_through_a_pipe(folder):
    result = strag(
        "find-stragglers", "p", "--reference", "-", "--any-verdict", stdin=(folder / "h").read_bytes()
    )
    assert json.loads(result.stdout)["runs"] == value(folder / "p.json")["runs"]
