"""strag train --part: which part a process trains, and what stands in the place of its output."""

import os
from pathlib import Path

import pytest

from strag import kinds
from strag.api.part import ARRAYS, read_part
from strag.cli import main
from strag.errors import StragError
from strag.files.dataset import write_dataset
from strag.training.parts import Part
from tests.conftest import made_up
from tests.files.makers import complaint
from tests.shell import in_this_process, strag

SCHEDULERS = (*ARRAYS, "RANK", "WORLD_SIZE", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_STEP_ID")
TRAIN = "train d --width 320 --runs 7 --epochs 3 --lr 0.3 --threads 1"  # four groups
SRUN = {"SLURM_PROCID": "2", "SLURM_NTASKS": "4", "SLURM_STEP_ID": "0"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working folder with a data set, in a job of no scheduler."""
    for name in SCHEDULERS:
        monkeypatch.delenv(name, raising=False)
    write_dataset(str(tmp_path / "d"), made_up(P=100, Q=30), {})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "environment", "part", "source"),
    [
        ("3/8", {}, Part(3, 8), None),
        ("1/1", {"SLURM_ARRAY_TASK_ID": "7"}, Part(1, 1), None),
        ("auto/8", {"SLURM_ARRAY_TASK_ID": "3"}, Part(3, 8), "SLURM_ARRAY_TASK_ID"),
        ("auto/8", {"PBS_ARRAY_INDEX": "8"}, Part(8, 8), "PBS_ARRAY_INDEX"),
        ("auto/8", {"PBS_ARRAYID": "1"}, Part(1, 8), "PBS_ARRAYID"),
        ("auto/8", {"SGE_TASK_ID": "2"}, Part(2, 8), "SGE_TASK_ID"),
        ("auto/8", {"SGE_TASK_ID": "undefined", "PBS_ARRAYID": "2"}, Part(2, 8), "PBS_ARRAYID"),
        ("auto/8", {"PBS_ARRAY_INDEX": "4", "SGE_TASK_ID": "4"}, Part(4, 8), "PBS_ARRAY_INDEX"),
        ("auto", {"RANK": "0", "WORLD_SIZE": "4"}, Part(1, 4), "RANK and WORLD_SIZE"),
        ("auto", SRUN, Part(3, 4), "SLURM_PROCID and SLURM_NTASKS"),
        ("auto", {**SRUN, "RANK": "1", "WORLD_SIZE": "8"}, Part(2, 8), "RANK and WORLD_SIZE"),
        ("auto", {**SRUN, "SGE_TASK_ID": "undefined"}, Part(3, 4), "SLURM_PROCID and SLURM_NTASKS"),
    ],
)
def test_a_part_is_read(text, environment, part, source):
    assert read_part(text, environment) == (part, source)


@pytest.mark.parametrize(
    ("text", "environment", "words"),
    [
        *((text, {}, "cannot read '") for text in ("4", "x/4", "/", "", "1/", "/4", "1/x", "-1/4", "1/4/2")),
        *((text, {}, "cannot read '") for text in ("1.5/4", "auto/", "Auto", "auto/x", "1 /4", "²/4", "1/٤")),
        ("0/4", {}, "there is no `part` 0 of 4; pass a number from 1 to 4"),
        ("5/4", {}, "there is no `part` 5 of 4"),
        ("1/0", {}, "there is no `part` 1 of 0"),
        ("auto/0", {"SGE_TASK_ID": "1"}, "SGE_TASK_ID is 1, not 1 to 0"),
        ("auto/4", {}, "no scheduler has set; submit an array of jobs, numbered 1 to 4, or pass K/4"),
        ("auto/4", {"SGE_TASK_ID": "undefined"}, "no scheduler has set"),
        ("auto/4", SRUN, "no scheduler has set"),
        ("auto/4", {"SLURM_ARRAY_TASK_ID": "0"}, "SLURM_ARRAY_TASK_ID is 0, not 1 to 4; number the array"),
        ("auto/4", {"SGE_TASK_ID": "5"}, "SGE_TASK_ID is 5, not 1 to 4"),
        (
            "auto/4",
            {"SLURM_ARRAY_TASK_ID": "1", "SGE_TASK_ID": "2"},
            "SLURM_ARRAY_TASK_ID is 1, but SGE_TASK_ID is 2; pass K/4",
        ),
        ("auto", {}, "'auto' needs the ranks that torchrun or srun set"),
        ("auto", {"RANK": "0"}, "'auto' needs the ranks"),
        ("auto", {"RANK": "", "WORLD_SIZE": "2"}, "'auto' needs the ranks"),
        ("auto", {"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, "'auto' needs the ranks"),  # a batch script
        ("auto", {"RANK": "4", "WORLD_SIZE": "4"}, "there is no `part` 5 of 4"),
        ("auto", {**SRUN, "SLURM_ARRAY_TASK_ID": "1"}, "is a task of an array; pass auto/N, N being its"),
    ],
)
def test_what_is_no_part_is_refused(text, environment, words):
    with pytest.raises(StragError) as caught:
        read_part(text, environment)
    assert words in str(caught.value)
    assert caught.value.remedy
    assert caught.value.status == 2


def test_a_wrong_part_is_reported_with_its_option(capsys):
    words = ["for '--part': there is no part 0 of 4; pass a number from 1 to 4"]
    complaint(capsys, 2, words, *TRAIN.split(), "--part", "0/4", "-o", "h")
    words = ["a training of 4 groups of runs cannot have 5 parts; pass --part K/N with N at most 4"]
    complaint(capsys, 2, words, *TRAIN.split(), "--part", "1/5", "-o", "h")
    assert sorted(os.listdir()) == ["d"]


@pytest.mark.parametrize("first", [0, 1, 5])
@pytest.mark.parametrize("of", [1, 2, 3, 4])
def test_parts_cover_all_groups_and_differ_by_one(first, of):
    groups = [slice(0, first), *(slice(first + 2 * g, first + 2 * g + 2) for g in range(4))][not first :]
    runs = [Part(number, of).runs(groups) for number in range(1, of + 1)]
    assert [part.start for part in runs] == [0, *(part.stop for part in runs[:-1])]
    assert runs[-1].stop == groups[-1].stop
    counts = [sum(part.start <= g.start and g.stop <= part.stop for g in groups) for part in runs]
    assert sum(counts) == len(groups)
    assert max(counts) - min(counts) <= 1


@pytest.mark.slow
def test_the_number_stands_in_the_names_and_a_note_says_its_source(monkeypatch):
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    done = strag(*TRAIN.split(), "--part", "auto/3", "-o", "h.%p", "--weights", "w.%p-%p")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(b"strag: training part 2/3, as SLURM_ARRAY_TASK_ID says\n")
    assert sorted(os.listdir()) == ["d", "h.2", "w.2-2"]
    assert kinds.read("h.2", "history").meta["part"] == {"number": 2, "of": 3}
    monkeypatch.delenv("SLURM_ARRAY_TASK_ID")
    for name, value in {"RANK": "0", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    done = strag(*TRAIN.split(), "--part", "auto", "-o", "r.%p")
    assert done.stderr.startswith(b"strag: training part 1/2, as RANK and WORLD_SIZE say\n")
    assert kinds.read("r.1", "history").runs == (0, 1, 2, 3)


@pytest.mark.slow
def test_parts_of_a_scheduler_do_not_write_one_file(monkeypatch, capsys):
    monkeypatch.setenv("SGE_TASK_ID", "2")
    words = ["every part needs its own file, but a name has no %p", "name the file such as h.%p.safetensors"]
    complaint(capsys, 2, words, *TRAIN.split(), "--part", "auto/3", "-o", "h")
    complaint(capsys, 2, words, *TRAIN.split(), "--part", "auto/3", "-o", "h.%p", "--weights", "w")
    piped = strag(*TRAIN.split(), "--part", "auto/3", "-q")
    assert (piped.returncode, piped.stderr) == (0, b"")
    in_this_process(f"strag {TRAIN} --part 2/3 -q -o h", ".")  # a name of one's own is not checked
    assert Path("h").read_bytes() == piped.stdout


def test_without_parts_the_name_stays_as_it_is():
    in_this_process(f"strag {TRAIN} -q -o h.%p", ".")
    assert Path("h.%p").exists()


def untouched(*names):
    return {name: (os.stat(name).st_mtime_ns, os.stat(name).st_ino) for name in names}


def test_a_complete_part_is_left_alone(capsys):
    line = f"{TRAIN} --part 2/3 -o h --weights w --weights-at 0,3".split()
    assert main(line) == 0
    before = untouched("h", "w")
    capsys.readouterr()
    assert main(line) == 0
    assert untouched("h", "w") == before
    assert capsys.readouterr().err == "strag: h: is complete already, so it is left as it is\n"
    assert main([*line, "--resume", "-q"]) == 0
    assert untouched("h", "w") == before
    os.remove("w")
    assert main([*line, "-q"]) == 0  # both come again
    assert Path("w").exists()
    assert untouched("h")["h"] != before["h"]


def test_a_complete_part_of_a_pipe_or_a_device_is_written_again(capfdbinary):
    for _ in range(2):
        assert main(f"{TRAIN} --part 2/3 -q -o /dev/null".split()) == 0
    Path("-").write_text("not an output")
    assert main(f"{TRAIN} --part 2/3 -q".split()) == 0
    assert capfdbinary.readouterr().out[8:9] == b"{"


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("--part 1/3", "its part.number is 1, not 2"),
        ("--part 2/4", "its part.of is 4, not 3"),
        ("", "its part differs"),
        ("--part 2/3 --seed 5", "its recipe.seed is 5, not 0"),
        ("--part 2/3 --epochs 4", "its recipe.epochs is 4, not 3"),
        ("--part 2/3 --depth 3", "its recipe.depth is 3, not 2"),
    ],
)
def test_another_training_in_its_place_is_refused(capsys, other, words):
    in_this_process(f"strag {TRAIN} {other} -q -o h", ".")
    before = untouched("h")
    words = words.replace("its part differs", "its part")
    line = f"{TRAIN} --part 2/3 -q -o h".split()
    text = complaint(capsys, 1, ["h: is the output of another job: ", words], *line)
    assert "use another name, or remove it" in text
    assert untouched("h") == before


def test_other_data_kinds_versions_and_updates_in_its_place_are_refused(capsys):
    line = f"{TRAIN} --part 2/3 -q -o h --weights w --weights-at 0".split()
    assert main(line) == 0
    complaint(capsys, 1, ["w: is the output of another job: its updates differ"], *line[:-1], "3")
    os.replace("w", "h")
    complaint(capsys, 1, ["h: is the output of another job: its kind is weights, not history"], *line)
    Path("h").write_text("nothing of strag")
    complaint(capsys, 1, ["h: is not a strag file"], *line)
    os.remove("h")
    assert main(line) == 0
    write_dataset("d", made_up(P=100, Q=30, seed=1), {})
    complaint(capsys, 1, ["h: is the output of another job: its inputs.data is "], *line)


def test_another_version_in_its_place_is_refused(capsys):
    from tests.files.makers import forge

    line = f"{TRAIN} --part 2/3 -q".split()
    assert main([*line, "-o", "g"]) == 0
    forge("g", "h", {"version": "0.1.9"})
    complaint(capsys, 1, ["its version is 0.1.9, not "], *line, "-o", "h")
    environment = kinds.read("g", "history").meta["environment"]
    forge("g", "newer", {"environment": {**environment, "torch": "99.0"}})
    assert main([*line, "-o", "newer"]) == 0  # another torch made it, and it is left alone


def test_without_a_part_an_output_is_replaced():
    for seed in (1, 2):
        in_this_process(f"strag {TRAIN} --seed {seed} -q -o h", ".")
    assert kinds.read("h", "history").recipe["seed"] == 2


def test_restandardising_sets_of_other_parts_is_refused(capsys):
    """Whether all networks leave out the same examples is asked of the whole training."""
    in_this_process(
        """
        strag train d --width 640 --runs 7 --epochs 3 -q -o all
        strag sets all --at 2 -q -o sets
        """,
        ".",
    )
    words = ["--restandardise needs runs that all leave out the same examples"]
    line = "train d --width 640 --epochs 3 --without sets --restandardise -q"
    complaint(capsys, 2, words, *line.split(), "-o", "h")
    complaint(capsys, 2, words, *line.split(), "--part", "1/7", "-o", "h")


def test_python_trains_a_part(monkeypatch):
    import strag as package

    data = package.read("d")
    options = {"width": 320, "runs": 7, "epochs": 3, "lr": 0.3, "threads": 1}
    in_this_process(f"strag {TRAIN} --part 2/3 -q -o h.2 --weights w.2", ".")
    part = package.train(data, part="2/3", output="p.%p", weights="v.%p", **options)
    assert part.runs == (2, 3)
    assert Path("p.2").read_bytes() == Path("h.2").read_bytes()
    assert Path("v.2").read_bytes() == Path("w.2").read_bytes()
    before = untouched("p.2", "v.2")
    package.train(data, part="2/3", output="p.%p", weights="v.%p", **options)
    assert untouched("p.2", "v.2") == before
    assert package.train(data, part="2/3", **options).runs == (2, 3)  # in memory
    with pytest.raises(StragError, match=r"p.2: is the output of another job: its recipe.lr is 0.3, not 0.4"):
        package.train(data, part="2/3", output="p.%p", **{**options, "lr": 0.4})
    monkeypatch.setenv("SGE_TASK_ID", "3")
    assert package.train(data, part="auto/3", output="p.%p", **options).meta["part"]["number"] == 3
    with pytest.raises(StragError, match="every part needs its own file"):
        package.train(data, part="auto/3", output="q", **options)
    resumed = package.train(data, output="whole", resume=True, **options)
    assert resumed.runs == tuple(range(7))
    assert not Path("whole.resume").exists()
    before = untouched("whole")
    package.train(data, output="whole", resume=True, **options)
    assert untouched("whole") == before
