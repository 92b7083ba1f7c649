"""Checkpoints of other programs: what is read, what is refused, and that no code in them runs."""

import argparse
import json
import warnings
from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file

from strag.api.checkpoint_names import holder, updates_of, without_wrappers
from strag.files.checkpoints import form_of, read_state
from tests.files.makers import dataset_file, refused


def tensors(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return {
        "conv.weight": torch.randn(2, 1, 3, 3, generator=generator).to(dtype),
        "norm.num_batches_tracked": torch.tensor(7),
        "head.bias": torch.randn(3, generator=generator).to(dtype),
    }


def assert_same(found, wanted):
    assert list(found.tensors) == list(wanted)
    for name, tensor in wanted.items():
        floats = tensor.is_floating_point()
        expected = (tensor.float() if floats else tensor).numpy()
        assert found.tensors[name].dtype == expected.dtype
        np.testing.assert_array_equal(found.tensors[name], expected, err_msg=name)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_both_forms_hold_the_same_tensors(tmp_path, dtype):
    wanted = dict(sorted(tensors(dtype).items()))
    save_file(wanted, tmp_path / "a.safetensors")
    torch.save(wanted, tmp_path / "a.pt")
    torch.save(wanted, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    found = [read_state(str(tmp_path / name)) for name in ("a.safetensors", "a.pt", "old.pt")]
    for state in found:
        assert_same(state, wanted)
    assert len({state.identity for state in found}) == 1
    assert found[0].shapes == {name: tuple(tensor.shape) for name, tensor in wanted.items()}


def test_every_integer_of_safetensors_is_kept(tmp_path):
    kinds = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8")
    wanted = {f"a{kind}": np.arange(2).astype(kind) for kind in kinds}
    save_arrays(wanted, tmp_path / "a.safetensors")
    found = read_state(str(tmp_path / "a.safetensors")).tensors
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_strided_and_shared_tensors_are_read(tmp_path):
    weight = torch.arange(12.0).reshape(3, 4)
    wanted = {"a": weight.t(), "b": weight[1:], "c": torch.nn.Parameter(weight)}
    torch.save(wanted, tmp_path / "a.pt")
    assert_same(read_state(str(tmp_path / "a.pt")), {name: t.detach() for name, t in wanted.items()})


@pytest.mark.parametrize("known", ["state_dict", "model_state_dict", "model"])
def test_the_only_state_dict_of_a_known_name_is_taken(tmp_path, known):
    content = {"epoch": 3, known: OrderedDict(tensors()), "optimizer": {"state": {0: {"step": 1}}}}
    torch.save(content, tmp_path / "a.pt")
    found = read_state(str(tmp_path / "a.pt"))
    assert_same(found, tensors())
    assert found.under == known
    assert read_state(str(tmp_path / "a.pt"), known).under is None


def test_keys_may_be_nested_and_may_be_the_start_of_names(tmp_path):
    wrapped = {f"model.{name}": tensor for name, tensor in tensors().items()}
    content = {"a.b": {"ema": wrapped}, "model": {}, "state_dict": {**wrapped, "loss.weight": torch.ones(3)}}
    torch.save(content, tmp_path / "a.pt")
    for key in ("a.b.ema.model", "state_dict.model"):
        assert_same(read_state(str(tmp_path / "a.pt"), key), tensors())
    save_file(wrapped, tmp_path / "a.safetensors")
    assert_same(read_state(str(tmp_path / "a.safetensors"), "model"), dict(sorted(tensors().items())))


@pytest.mark.parametrize(
    ("content", "key", "words"),
    [
        (
            {"model": {"a": torch.ones(1)}, "state_dict": {"b": torch.ones(1)}},
            None,
            ["model, state_dict", "key"],
        ),
        ({"net": {"a": torch.ones(1)}, "epoch": 1}, None, ["net, epoch", "`key`"]),
        ({"a": torch.ones(1), "epoch": 1}, None, ["'epoch' is an int"]),
        ({"a": {"b": torch.ones(1)}}, "c", ["no `key` 'c'", "use one of a"]),
        ({"a": {"b": {"c": torch.ones(1)}}}, "a.x", ["no `key` 'a.x'", "use one of b"]),
        ({"a": {"b": {"c": torch.ones(1)}}}, "a", ["'a' is a dict", "below it: b"]),
        ({"a": {"b": torch.ones(1)}}, "a.b", ["'a.b' is a tensor"]),
        ({"a": {"b": torch.ones(1)}}, "a.b.c", ["'a.b.c' is a tensor"]),
        ({"epoch": 1}, "epoch", ["'epoch' is an int"]),
        ({}, None, ["an empty dict"]),
        ([torch.ones(1)], None, ["a list"]),
        (torch.ones(1), None, ["a tensor"]),
        ({"a": torch.tensor([1.0, float("nan")])}, None, ["'a' is not finite"]),
        ({"a": torch.tensor([1e300], dtype=torch.float64)}, None, ["'a' is not finite"]),
        ({"a": torch.ones(1, dtype=torch.complex64)}, None, ["'a' is torch.complex64"]),
        ({"a": torch.eye(2).to_sparse()}, None, ["'a' is torch.float32 of a form"]),
        ({1: torch.ones(1)}, None, ["'1' is a tensor, not a tensor with a name"]),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path, content, key, words):
    torch.save(content, tmp_path / "a.pt")
    text = refused(
        lambda: read_state(str(tmp_path / "a.pt"), key),
        "a.pt",
        *words,
        status=2 if "key" in str(words) or key else 1,
    )
    assert len(text) < 300


class Planted:
    """A pickle that would write a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_pickle_that_could_run_code_is_refused_and_does_not_run(tmp_path):
    path, planted = str(tmp_path / "a.pt"), tmp_path / "planted"
    for content, name in (
        ({"model": tensors(), "args": Planted(str(planted))}, "open"),
        ({"model": tensors(), "args": argparse.Namespace(lr=0.1)}, "argparse.Namespace"),
        (torch.nn.Linear(2, 2), "Linear"),
    ):
        for zipped in (True, False):
            torch.save(content, path, _use_new_zipfile_serialization=zipped)
            refused(lambda: read_state(path, "model"), "a.pt: holds", name, "README", "safetensors")
    assert not planted.exists()


def test_a_module_of_torchscript_is_refused(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), str(tmp_path / "a.pt"))
    refused(lambda: read_state(str(tmp_path / "a.pt")), "is a whole model", "README")


def test_an_older_torch_is_refused_by_its_version(tmp_path, monkeypatch):
    torch.save(tensors(), tmp_path / "a.pt")
    save_file(tensors(), tmp_path / "a.safetensors")
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    monkeypatch.setattr(torch, "load", None)
    refused(lambda: read_state(str(tmp_path / "a.pt")), "torch 2.5.1+cpu", "torch 2.6 or newer", "README")
    assert_same(read_state(str(tmp_path / "a.safetensors")), dict(sorted(tensors().items())))


def test_broken_and_other_files_are_refused(tmp_path):
    torch.save(tensors(), tmp_path / "whole.pt")
    save_file(tensors(), tmp_path / "whole.safetensors")
    for name in ("whole.pt", "whole.safetensors"):
        content = (tmp_path / name).read_bytes()
        (tmp_path / "cut").write_bytes(content[: len(content) // 2])
        refused(lambda: read_state(str(tmp_path / "cut")), "cut", "copy it again")
    (tmp_path / "zeros").write_bytes(bytes(4096))
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text(json.dumps({"a": 1}))
    (tmp_path / "pickle").write_bytes(b"\x80\x02nonsense")
    np.savez(tmp_path / "arrays.npz", a=np.ones(2))
    for name in ("zeros", "empty", "text", "arrays.npz"):
        assert form_of(str(tmp_path / name)) is None
        refused(lambda name=name: read_state(str(tmp_path / name)), f"{name}: is not a checkpoint")
    refused(lambda: read_state(str(tmp_path / "pickle")), "pickle")
    refused(lambda: read_state(dataset_file(tmp_path / "d")), "d: is a file of strag")
    refused(lambda: read_state(str(tmp_path / "none")), "no such file")
    refused(lambda: read_state(str(tmp_path)), "is a directory")
    save_arrays({"a": np.ones(2, np.complex64)}, tmp_path / "c.safetensors")
    refused(lambda: read_state(str(tmp_path / "c.safetensors")), "'a' is C64")


def test_the_form_follows_from_the_content(tmp_path):
    torch.save(tensors(), tmp_path / "a.safetensors")
    save_file(tensors(), tmp_path / "b.pt")
    forms = [form_of(str(tmp_path / name)) for name in ("a.safetensors", "b.pt")]
    assert forms == ["torch", "safetensors"]
    assert form_of(dataset_file(tmp_path / "d")) == "strag"
    assert form_of("-") is None


def test_a_header_whose_length_begins_like_a_pickle(tmp_path):
    for length in range(400):
        save_file({f"{'a' * length}": torch.ones(1)}, tmp_path / "a.safetensors")
        if (tmp_path / "a.safetensors").read_bytes()[0] == 0x80:
            assert form_of(str(tmp_path / "a.safetensors")) == "safetensors"
            return
    pytest.fail("no header of such a length")


WANTED = ("conv.weight", "encoder.head.bias")


@pytest.mark.parametrize(
    ("pattern", "removed"),
    [
        ("{}", set()),
        ("module.{}", {"module"}),
        ("_orig_mod.{}", {"_orig_mod"}),
        ("module._orig_mod.{}", {"module", "_orig_mod"}),
        ("_orig_mod.module.module.{}", {"module", "_orig_mod"}),
        ("model.{}", {"model"}),
        ("net._orig_mod.{}", {"net", "_orig_mod"}),
    ],
)
def test_wrappers_leave_the_names(pattern, removed):
    held = {pattern.format(name): np.ones(1) for name in WANTED}
    assert without_wrappers(held, WANTED, "a") == ({name: np.ones(1) for name in WANTED}, removed)


def test_wrappers_inside_of_names_leave_too():
    held = {"conv.weight": 1, "encoder._orig_mod.module.head.bias": 2}
    found, removed = without_wrappers(held, WANTED, "a")
    assert found == {"conv.weight": 1, "encoder.head.bias": 2}
    assert removed == {"module", "_orig_mod"}


def test_a_submodule_called_module_keeps_its_name():
    wanted = ("module.weight", "module.bias")
    for start in ("", "module.", "_orig_mod."):
        found, removed = without_wrappers({f"{start}{name}": 1 for name in wanted}, wanted, "a")
        assert found == dict.fromkeys(wanted, 1)
        assert removed == ({start[:-1]} if start else set())


def test_names_that_meet_are_refused():
    held = {"module.conv.weight": 1, "conv.weight": 2}
    refused(
        lambda: without_wrappers(held, WANTED, "a.pt"), "a.pt", "'conv.weight' twice", "'module.conv.weight'"
    )


def test_the_first_part_of_names_stays_if_the_network_does_not_need_it_removed():
    held = {"model.conv.weight": 1, "model.other": 2}
    assert without_wrappers(held, WANTED, "a") == (held, set())
    assert holder({**held, "model.encoder.head.bias": 3, "loss": 4}, WANTED) == "model"
    assert holder(held, WANTED) is None


def test_updates_are_the_last_whole_numbers_of_names():
    paths = {
        "ckpt_epoch12_step3400.pt": 3400,
        "runs/7/epoch=3-step=400.ckpt": 400,
        "model.safetensors.index.5.pt": 5,
        "a0012.pt": 12,
        "out/checkpoint-500/model.safetensors": 500,
        "epoch=3-loss=0.25.ckpt": 3,
        "step_90.pt2": 90,
    }
    assert updates_of(list(paths)) == list(paths.values())
    assert updates_of(["b.pt", "a.pt"], "30, 7") == [30, 7]


@pytest.mark.parametrize(
    ("paths", "updates", "words"),
    [
        (["/x/a.pt"], None, ["/x/a.pt: has no number", "`updates`"]),
        (["/x/1.pt", "/y/1.safetensors"], None, ["/y/1.safetensors: is of update 1", "/x/1.pt", "`updates`"]),
        (["a.pt", "b.pt"], "1", ["`updates` has 1", "2 checkpoints"]),
        (["a.pt", "b.pt"], "1,1", ["b.pt: is of update 1", "a.pt"]),
        (["a.pt"], "-1", ["cannot read `updates` '-1'"]),
        (["a.pt"], "all", ["cannot read `updates` 'all'"]),
    ],
)
def test_updates_that_are_not_known_are_refused(paths, updates, words):
    refused(lambda: updates_of(paths, updates), *words, status=2)
