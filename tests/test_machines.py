"""examples/machines: whatever starts the parts, their merged bytes are those of one job."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from strag.files.dataset import write_dataset
from tests.conftest import made_up
from tests.shell import STRAG, files_in, in_this_process

FOLDER = Path(__file__).parents[1] / "examples" / "machines"
TRAIN = "--width 320 --runs 6 --epochs 60 --lr 0.3 --threads 1"  # three groups of two runs
SCHEDULERS = r"SLURM_|PBS_|SGE_|RANK$|WORLD_SIZE$"


def have(*tools):
    """Skip the test if a tool is not installed, torchrun next to this Python included."""
    for tool in tools:
        if shutil.which(tool, path=path()) is None:
            pytest.skip(f"there is no {tool}")


def path():
    """The search path, with the folder of this Python."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def run(*command, status=0, **more):
    """Run a command in the folder of the example, outside of any scheduler: what it said."""
    kept = {name: value for name, value in os.environ.items() if not re.match(SCHEDULERS, name)}
    done = subprocess.run(
        command, cwd=FOLDER, env={**kept, "PATH": path(), **more}, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def one_job(tmp_path_factory):
    """The data set and the history of one job, in a folder."""
    folder = tmp_path_factory.mktemp("machines")
    write_dataset(str(folder / "d"), made_up(P=300, Q=60, overlap=1.5), {})
    in_this_process(f"strag train d {TRAIN} -q -o whole", folder)
    return folder


def variables(folder, out):
    return {"STRAG": STRAG, "DATA": str(folder / "d"), "TRAIN": TRAIN, "OUT": str(out)}


def make(one_job, out, *targets):
    given = [f"{name}={value}" for name, value in variables(one_job, out).items()]
    return run("make", "-s", "-j2", *targets, *given)


def assert_merged(one_job, out):
    assert (out / "h.safetensors").read_bytes() == (one_job / "whole").read_bytes()


@pytest.mark.slow
def test_make_trains_parts_side_by_side_and_what_is_missing_again(one_job, tmp_path):
    have("make")
    make(one_job, tmp_path, str(tmp_path / "h.safetensors"))
    assert_merged(one_job, tmp_path)
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in files_in(tmp_path)}
    os.remove(tmp_path / "h.2.safetensors")
    assert make(one_job, tmp_path, "missing").startswith("2\n")
    os.remove(tmp_path / "h.safetensors")
    make(one_job, tmp_path, str(tmp_path / "h.safetensors"))
    assert_merged(one_job, tmp_path)
    for number in (1, 3):
        name = f"h.{number}.safetensors"
        assert (tmp_path / name).stat().st_mtime_ns == before[name]


@pytest.mark.slow
def test_gnu_parallel(one_job, tmp_path):
    have("make", "parallel")
    make(one_job, tmp_path, "parallel")
    assert_merged(one_job, tmp_path)
    assert make(one_job, tmp_path, "parallel").count("is complete already, so it is left as it is") == 3


@pytest.mark.slow
def test_torchrun(one_job, tmp_path):
    have("torchrun", "bash")
    run("bash", "torchrun.sh", "3", **variables(one_job, tmp_path))
    assert_merged(one_job, tmp_path)


@pytest.mark.slow
def test_the_tasks_of_the_array(one_job, tmp_path):
    """The script itself, with the variables that Slurm sets."""
    have("bash")
    for task in (3, 1, 2):
        slurm = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_COUNT": "3"}
        run("bash", "array.sbatch", **variables(one_job, tmp_path), **slurm)
    in_this_process(
        "strag merge -q h.1.safetensors h.2.safetensors h.3.safetensors -o h.safetensors", tmp_path
    )
    assert_merged(one_job, tmp_path)
    (tmp_path / "h.2.safetensors").unlink()
    slurm = {"SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_COUNT": "1", "N": "3"}  # the missing one alone
    run("bash", "array.sbatch", **variables(one_job, tmp_path), **slurm)
    assert (tmp_path / "h.2.safetensors").exists()


def test_slurm_takes_the_script(one_job, tmp_path):
    have("sbatch")
    if subprocess.run(["sinfo"], capture_output=True, check=False).returncode:
        pytest.skip("no Slurm runs here; examples/machines/slurm-one-node.sh starts one")
    make(one_job, tmp_path, "slurm")
    assert_merged(one_job, tmp_path)


@pytest.mark.slow
def test_a_slurm_of_one_node(one_job, tmp_path):
    """Only where asked for, as it starts daemons."""
    have("bash", "slurmctld", "slurmd", "munged")
    if os.environ.get("STRAG_TEST_SLURM") is None:
        pytest.skip("starts daemons; set STRAG_TEST_SLURM=1 to run it")
    said = run("bash", "slurm-one-node.sh", str(tmp_path), **variables(one_job, tmp_path))
    assert "the merged parts are the bytes of one job" in said


@pytest.mark.parametrize("script", sorted(path.name for path in FOLDER.glob("*.s*")))
def test_the_scripts_are_correct_bash(script):
    have("bash")
    run("bash", "-n", script)
    text = (FOLDER / script).read_text()
    assert text.startswith("#!/bin/bash\n")
    assert "\nset -eu\n" in text
