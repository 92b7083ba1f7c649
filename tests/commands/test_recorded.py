"""Histories of networks that strag did not train: every reader takes them, and says what is unknown."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import strag
from strag import kinds
from strag.cli import main
from strag.errors import StragNote
from strag.files.dataset import write_dataset
from strag.files.recorded import write_recorded
from strag.stragglers.find import find_inversions, find_stragglers
from strag.stragglers.inversion import INVERSION, NONE, OPEN, UNSTABLE
from strag.stragglers.unknown import about_agreement, about_sets, about_verdicts, described
from strag.views.stragglers import tables
from tests.conftest import history_of
from tests.files.makers import complaint, images, refused
from tests.recorded import FORMS, IDS, LONG, P, recorded, write_forms
from tests.views.histories import T, falling, valley

UNKNOWN = "strag did not train these networks: their optimiser, learning rate and seeds are unknown"
NO_LOSS, ONLINE = "the history has no loss", "the predictions were recorded online"
NEEDS_LAYER = "no layer was measured; "
CHOSEN = ("nolayers", "online")  # forms whose sets need a moment


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    write_forms(folder)
    return folder


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in FORMS if name not in ("snapshot", "online")]


@pytest.fixture(params=["snapshot", "online", *SLOW])
def drawn(request, folder, monkeypatch):
    """A form whose pictures are drawn."""
    monkeypatch.chdir(folder)
    return request.param


@pytest.fixture(params=FORMS)
def form(request, folder, monkeypatch):
    monkeypatch.chdir(folder)
    return request.param


def run(line, capsys, status=0):
    """What strag writes to stderr for a line of arguments."""
    capsys.readouterr()
    assert main(line.split()) == status, capsys.readouterr().err
    return capsys.readouterr().err


def stated(text, form, loss=True):
    """Assert that a text says once what is unknown of a form, and nothing else."""
    assert text.count("strag did not train these networks") == 1, text
    assert text.count(NO_LOSS) == (loss and form == "noloss"), text
    assert text.count(ONLINE) == (form == "online"), text
    assert "None" not in text


def test_find_stragglers_says_once_what_is_unknown(form, capsys):
    text = run(f"find-stragglers {form} --at error:0.2 -o {form}.json --csv {form}.csv", capsys)
    stated(text, form)
    assert UNKNOWN in text
    assert "the runs count as independent" in text
    assert ("there is no lr t*" in text) == (form not in CHOSEN)
    assert "9 stragglers of 64, misclassified at training error 0.2 (2 of 2 runs)" in text
    found = json.loads(Path(f"{form}.json").read_text())
    assert found["strag"]["recording"] == ("online" if form == "online" else "snapshot")
    assert found["strag"].get("lacks") == (["train_loss"] if form == "noloss" else None)
    assert found["strag"]["layers"] == ([] if form in CHOSEN else ["fc"])
    assert found["index_space"].endswith("the position among the sorted ids, which are the names")
    assert run(f"find-stragglers {form} --at error:0.2 -q -o {form}.json", capsys) == ""


def test_a_verdict_needs_a_layer_and_the_remedy_is_said(form, capsys):
    if form in CHOSEN:
        for command in ("find-stragglers", "sets"):
            complaint(capsys, 1, [f"{form}: {NEEDS_LAYER}choose the moment with --at"], command, form)
        return
    text = run(f"find-stragglers {form} -o {form}.inv", capsys)
    stated(text, form)
    assert "inversion (2 of 2 runs)" in text
    for options in (
        "--layer all",
        "--per-class",
        "--core",
        "--rule first-increase",
        "--quorum 0",
        "--layer fc",
    ):
        stated(run(f"find-stragglers {form} {options} --any-verdict -o {form}.x", capsys), form)
    (layer,) = json.loads(_profile(form, capsys))["layers"]
    assert layer["lr_update_mean"] is None
    assert layer["update_mean"] > 0


def _profile(form, capsys):
    run(f"find-stragglers {form} --layer all -q -o {form}.all", capsys)
    return Path(f"{form}.all").read_text()


def test_sets_of_every_kind_say_that_their_runs_cannot_start_again(form, capsys):
    for options, loss in {
        "--at log:4 --controls random,class": False,
        "--at 40 --controls hard": False,
        "--at error:0.2 --dose 0.5,1": False,
        **({} if form in CHOSEN else {"": True}),
    }.items():
        text = run(f"sets {form} {options} -o {form}.sets", capsys)
        stated(text, form, loss)
        assert "cannot start from the weights of its run" in text
    assert kinds.read(f"{form}.sets").recording == ("online" if form == "online" else "snapshot")


def test_stability_says_what_it_supposes(form, capsys):
    text = run(f"stability {form} -o {form}.stab", capsys)
    stated(text, form, loss=False)
    assert ("no layer was measured; largest kappa" in text) == (form in CHOSEN)
    again = kinds.read(f"{form}.stab")
    assert again.recording == kinds.read(form).recording
    assert again.measured == (form not in CHOSEN)


def _caption(form):
    return "recorded online, not trained by strag" if form == "online" else "not trained by strag"


@pytest.mark.parametrize("options", ["", "--x error", "--layer all"])
def test_pictures_say_how_it_was_recorded(drawn, options, capsys):
    if drawn in CHOSEN and options:
        status = 1 if "layer" in options else 2
        complaint(capsys, status, ["remove --"], *f"plot {drawn} {options} -o x.svg".split())
        return
    text = run(f"plot {drawn} {options} -o {drawn}.svg", capsys)
    assert text.rstrip().endswith(_caption(drawn))
    assert _caption(drawn) in Path(f"{drawn}.svg").read_text()


@pytest.mark.slow
def test_pictures_of_what_follows_say_it_too(drawn, capsys):
    run(f"stability {drawn} -q -o {drawn}.stab", capsys)
    for when in (40, "error:0.2"):
        run(f"find-stragglers {drawn} --at {when} -q -o {drawn}.{when}", capsys)
    run(f"compare {drawn}.40 {drawn}.error:0.2 -q -o {drawn}.cmp", capsys)
    run(f"summary {drawn}.40 -q -o {drawn}.sum", capsys)
    for line in (f"{drawn}.stab", f"{drawn}.cmp", f"{drawn}.sum", f"{drawn}.40 --by-class"):
        run(f"plot {line} -q -o {drawn}.svg", capsys)
        text = Path(f"{drawn}.svg").read_text()
        assert ("online" in text) == (drawn == "online"), line
        assert "trained by" in text, line


def test_of_several_histories_each_says_how_it_was_recorded(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    run("plot snapshot nolayers online --curves error -o several.svg -q", capsys)
    text = Path("several.svg").read_text()
    for label in ("snapshot (not trained by strag)", "online (recorded online, not trained by strag)"):
        assert label in text


def test_they_are_compared_summarised_and_described(form, capsys):
    run(f"find-stragglers {form} --at error:0.2 -q -o {form}.json", capsys)
    run(f"find-stragglers {form} --at 40 -q -o {form}.two", capsys)
    run(f"sets {form} --at 40 -q -o {form}.sets", capsys)
    run(f"compare {form}.json {form}.two {form}.sets -o {form}.cmp", capsys)
    assert {kind.recording for kind in kinds.read(f"{form}.cmp").kinds} == {kinds.read(form).recording}
    assert f"all runs: {_caption(form)}" in run(f"summary {form}.json -o {form}.sum", capsys)
    shown = described(kinds.read(form).meta)
    assert shown["recipe"] == "unknown, because strag did not train these networks"
    assert shown["recording"].startswith("online, of weights" if form == "online" else "snapshot, of fixed")


def test_info_says_it_in_words(folder, capfd):
    assert main(["info", str(folder / "online")]) == 0
    text = capfd.readouterr().out
    assert "  recording      online, of weights that change within a record\n" in text
    assert "  recipe         unknown, because strag did not train these networks\n" in text
    assert main(["info", str(folder / "online"), "--get", "recording"]) == 0
    assert capfd.readouterr().out == "online\n"


def test_data_of_their_own_are_pruned_by_export(form, tmp_path, capsys):
    write_dataset(str(tmp_path / "d"), images(), {})
    run(f"find-stragglers {form} --at error:0.2 -q -o {form}.json", capsys)
    run(f"sets {form} --at 40 -q -o {form}.sets", capsys)
    remedy = (
        f"select your own data by the column keep of 'strag export HISTORY' with --stragglers {form}.json"
    )
    for line in (
        f"prune {tmp_path}/d {form}.json -o x",
        f"plot {form}.json --data {tmp_path}/d -o x.png",
        f"train {tmp_path}/d --without {form}.json -o x",
    ):
        complaint(capsys, 1, ["has indices of another data set", remedy], *line.split())
    origin = "pass the data set that the Recorder got as its origin"
    complaint(capsys, 1, [origin], *f"train {tmp_path}/d --without {form}.sets -o x".split())
    assert not list(tmp_path.glob("x*"))
    run(f"export {form} --stragglers {form}.json -q -o keep.csv", capsys)
    assert Path("keep.csv").read_text().count(",True,") == P - 9


def test_what_needs_a_recipe_is_refused_in_one_line(form, folder, capsys):
    write_dataset("d", images(), {})
    never = "is of networks that strag did not train; "
    own = f"{never}train on in the loop that trained them"
    complaint(capsys, 1, [f"{form}: {own}"], *f"train d --extend {form} --epochs 9 -o x".split())
    line = f"find-stragglers snapshot --reference {form}"
    complaint(capsys, 1, [f"{form}: {never}a --reference compares runs of 'strag train'"], *line.split())


def test_the_api_gives_the_same_as_notes(folder):
    history = kinds.read(str(folder / "online"))
    with pytest.warns(StragNote) as caught:
        finding = strag.find_stragglers(history, at="error:0.2")
    assert [str(each.message).split(": ", 1)[1] for each in caught] == about_verdicts(history)
    assert (finding.recording, finding.measured_layers) == ("online", [])
    with pytest.warns(StragNote, match="count as independent"):
        strag.stability(history)
    with pytest.warns(StragNote, match="cannot start from the weights"):
        strag.sets(history, at=40)


def test_nothing_is_said_of_networks_that_strag_trained(folder):
    trained = history_of(np.stack([valley(), falling()], axis=1))
    assert about_verdicts(trained) == about_agreement(trained) == about_sets(trained) == []


def test_with_a_data_set_of_the_origin_everything_works(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data = images(P=P)
    write_dataset("d", data, {})
    own = {"origin": data.origin, "index": data.index, "described": {"origin_size": P, "title": data.title}}
    write_recorded("h", recorded(**own))
    run("find-stragglers h --at error:0.2 -q -o s.json", capsys)
    run("sets h --at 40 -q -o h.sets", capsys)
    assert "removed 9 of 64" in run("prune d s.json -o pruned", capsys)
    run("plot s.json --data d -q -o gallery.svg", capsys)
    assert "not trained by strag" in Path("gallery.svg").read_text()
    run("train d --without s.json --epochs 1 --runs 1 -q -o t", capsys)
    text = run("train d --without h.sets --epochs 1 -o t", capsys)
    assert "h.sets: strag did not train these networks" in text
    run("train d --epochs 8 --runs 2 -q -o own", capsys)
    run("find-stragglers own --at 4 -q -o own.json", capsys)
    assert json.loads(Path("own.json").read_text())["index_space"].endswith("counted from 0")
    assert "majority of 2 runs at training error 0.2 (not trained by strag)" in run(
        "compare own.json s.json -o c.json", capsys
    )
    text = run("summary own.json s.json -o sum.json", capsys)
    labels = [each["label"] for each in json.loads(Path("sum.json").read_text())["conditions"]]
    assert sum("not trained by strag" in label for label in labels) == 1
    assert not any("None" in label or "lr" in label for label in labels)
    run("summary own.json s.json --label a --label b --markdown -o sum.md", capsys)
    assert "b: not trained by strag." in Path("sum.md").read_text()


def test_long_ids_and_ids_with_every_character_stay_whole_in_csv_and_legible_in_tables(
    folder, monkeypatch, capsys
):
    monkeypatch.chdir(folder)
    run("find-stragglers names --at 5 --quorum 0 -q -o n.json --csv n.csv", capsys)
    text = Path("n.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    names = {row["name"] for row in rows}
    assert {f"{LONG}1.png", "ünïcode 例.png", 'comma, quote".png', "line\\nend.png"} <= names
    assert "\x1b" not in text
    assert "1000000000000" in names
    finding = kinds.read("n.json")
    column = replace(finding, examples={**finding.examples, "name": [LONG] * len(finding.examples["index"])})
    assert all(len(row[-1]) == 60 for row in tables(column)[-1].rows)
    assert len(IDS) == P


@pytest.mark.parametrize(
    ("curve", "error", "verdict"),
    [(valley(), 0.3, INVERSION), (falling(), 0.3, OPEN), (falling(), 0.0, NONE)],
)
def test_without_the_loss_verdicts_follow_from_curve_and_error(curve, error, verdict):
    """Law: the verdict is that with a loss that says nothing, one that neither falls to 1 % nor rises."""
    errors = np.linspace(0.5, error, T)
    flat = history_of(curve[:, None], error=errors, loss=np.full(T, 0.5))
    bare = replace(flat, train_loss=None)
    (with_loss,), (without,) = find_inversions(flat), find_inversions(bare)
    assert without == with_loss
    assert without.verdict == verdict
    np.testing.assert_array_equal(bare.finite, flat.finite)


def test_a_loss_that_fell_or_rose_is_not_seen_without_it():
    errors = np.linspace(0.5, 0.3, T)
    fallen = history_of(falling()[:, None], error=errors, loss=np.geomspace(1, 1e-4, T))
    rises = history_of(
        valley()[:, None], error=errors, loss=np.linspace(0.1, 0.9, T), recipe={"optimizer": "sgd"}
    )
    for history, verdict in ((fallen, NONE), (rises, UNSTABLE)):
        assert find_inversions(history)[0].verdict == verdict
        assert find_inversions(replace(history, train_loss=None))[0].verdict != verdict
    assert find_stragglers(replace(rises, train_loss=None)).verdict == INVERSION


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("find-stragglers snapshot --layer fc2", 2, "has no layer fc2; it has only layer fc"),
        (
            "find-stragglers snapshot --layer fc:mean",
            2,
            "has no layer fc:mean, but it has fc; remove --layer",
        ),
        ("find-stragglers snapshot --at 9999", 1, "has no record at update 9999"),
        ("find-stragglers snapshot --at error:0.99", 1, "no run has a training error of 0.99 or more"),
        ("find-stragglers snapshot --observable radius:bird", 2, "has no class 'bird'; it has cat, dog"),
        ("find-stragglers nolayers --layer fc --at 5", 1, f"{NEEDS_LAYER}remove --layer"),
        ("find-stragglers nolayers --per-class", 1, f"{NEEDS_LAYER}replace --per-class with --at"),
        ("find-stragglers online --observable distance --at 5", 1, f"{NEEDS_LAYER}remove --observable"),
        ("sets online --at log --dose 1", 1, f"{NEEDS_LAYER}remove --dose"),
        ("sets online --at 9999", 1, "has no record at update 9999"),
        ("sets snapshot --layer 7", 2, "has no layer 7"),
        ("plot online --curves radius -o x.png", 2, "draw the training error alone"),
        ("plot snapshot --noise 0.1 -o x.png", 2, "--noise is for"),
        ("plot snapshot --data snapshot -o x.png", 2, "--data is for"),
        ("compare snapshot online", 1, "is a history file"),
        ("summary snapshot", 1, "is a history file"),
        ("info snapshot --get recipe.lr", 2, "has no key 'recipe'"),
        ("stability snapshot --min-misclassified 0", 2, "--min-misclassified"),
    ],
)
def test_wrong_inputs_are_one_line(line, status, words, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    complaint(capsys, status, [words], *line.split())


def test_a_single_run_has_no_agreement_and_no_core_and_the_remedy_is_a_merge(tmp_path, capsys):
    one = recorded()
    first = {name: values[:, :1] for name, values in one.measures.items()}
    first = {"measures": first, "train_error": one.train_error[:, :1], "train_loss": one.train_loss[:, :1]}
    write_recorded(str(tmp_path / "one"), replace(one, misclassified=one.misclassified[:, :1], **first))
    more = "record more runs, and join them with 'strag merge'"
    complaint(capsys, 1, [more], "stability", tmp_path / "one")
    complaint(capsys, 1, [more], "find-stragglers", tmp_path / "one", "--core")
    refused(lambda: strag.stability(kinds.read(str(tmp_path / "one"))), more)


def test_a_run_that_diverged_gets_no_remedy_that_names_an_option_of_train(tmp_path, capsys):
    loss = recorded().train_loss.copy()
    loss[50:] = np.nan
    write_recorded(str(tmp_path / "h"), recorded(train_loss=loss))
    for line in ("plot {} -o x.png", "stability {}", "find-stragglers {} --at 60"):
        text = complaint(capsys, 1, ["a smaller learning rate"], *line.format(tmp_path / "h").split())
        assert "--lr" not in (text or "")
