"""Networks that the study has trained are there to be used."""

import json
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file

from spatial_prediction.errors import CheckpointError
from spatial_prediction.models import RVSR, border_from_name, load_network, merge_branches
from spatial_prediction.named_arrays import save_arrays
from spatial_prediction.padding import padding_from_name

MODEL = {"hidden_channels": 4, "blocks": 2, "upscale_factor": 2}
BORDERS = {"padding": "lp1x1cs", "upscale_padding": "repl"}
IMAGE = jnp.asarray(np.random.default_rng(0).normal(size=(3, 9, 8)), jnp.float32)

pytestmark = pytest.mark.usefixtures("quick_compilation")


def header(**changes):
    fields = {"preset": "x", **BORDERS, "output_crop": 1, "model": MODEL, "run": {"status": "completed"}}
    return {name: value for name, value in (fields | changes).items() if value is not None}


def network(**changes):
    fields = {**BORDERS, "output_crop": 1, **MODEL, **changes}
    fields["padding"] = border_from_name(fields["padding"])
    fields["upscale_padding"] = padding_from_name(fields["upscale_padding"], 1)
    return RVSR.initialised(**fields, key=jax.random.key(0))


@pytest.fixture
def write(tmp_path):
    def written(arrays=None, **changes):
        arrays = network().to_named_arrays() if arrays is None else arrays
        path = tmp_path / "models" / "lp1x1cs" / "seed_0.safetensors"
        save_arrays(path, arrays, header(**changes))
        return path

    return written


@pytest.mark.parametrize("merged", [True, False])
def test_a_network_comes_back_as_it_was_trained(write, merged):
    original = network()
    loaded = load_network(write(), merged=merged)
    assert loaded.output_crop == 1
    assert loaded.upscale_factor == 2
    by_numpy = jax.device_put(merge_branches(jax.tree.map(np.asarray, original)))
    expected = by_numpy if merged else original
    np.testing.assert_array_equal(loaded(IMAGE), expected(IMAGE))
    if not merged:
        for name, array in original.to_named_arrays().items():
            np.testing.assert_array_equal(loaded.to_named_arrays()[name], array)


@pytest.mark.parametrize("padding", ["zero", "lp1x1cs", "part", "diff", "diff_edge"])
def test_numpy_merges_branches_as_jax_does(padding):
    original = network(padding=padding)
    by_numpy = merge_branches(jax.tree.map(np.asarray, original))
    by_jax = merge_branches(original)
    assert jax.tree.structure(by_numpy) == jax.tree.structure(by_jax)
    for one, other in zip(jax.tree.leaves(by_numpy), jax.tree.leaves(by_jax), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_network_is_loaded_before_a_compiler_has_got_ready(write, caplog):
    path = write()
    load_network(path, merged=False)
    with jax.log_compiles(), caplog.at_level("WARNING", logger="jax"):
        load_network(path)
    compiled = [each.getMessage().split()[1] for each in caplog.records if "Compiling" in each.getMessage()]
    assert set(compiled) <= {"jit(_merged_borders)"}


def test_a_path_may_be_text_and_the_output_crop_may_be_chosen(write):
    path = str(write())
    assert load_network(path)(IMAGE).shape == (3, 14, 12)
    assert load_network(path, output_crop=0)(IMAGE).shape == (3, 18, 16)
    with pytest.raises(ValueError, match=r"output_crop must be 0 to 4 .* got 5"):
        load_network(path, output_crop=5)


def test_an_output_crop_that_is_not_a_whole_number_is_refused(write):
    """In a process of its own, where nobody checks annotations before."""
    program = """
import sys
from spatial_prediction.models import load_network
for crop in (1.5, 1.0, "1"):
    try:
        load_network(sys.argv[1], output_crop=crop)
    except ValueError as error:
        print(error)
"""
    path = str(write())
    ran = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, timeout=120)
    assert ran.stdout.splitlines() == [
        f"output_crop must be 0 to 4 (whole pixels, one a 3x3 convolution) for {path}, got {crop}"
        for crop in ("1.5", "1.0", "'1'")
    ], ran.stderr


def test_trained_paddings_come_back_too(write):
    original = network(padding="lp1x1_learned")
    loaded = load_network(write(original.to_named_arrays(), padding="lp1x1_learned"), merged=False)
    np.testing.assert_array_equal(loaded(IMAGE), original(IMAGE))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"seed_9.safetensors: cannot be read .*; check the name"):
        load_network(tmp_path / "seed_9.safetensors")


def test_a_folder_is_not_to_be_removed_but_looked_into(write):
    with pytest.raises(CheckpointError, match=r"lp1x1cs: cannot be read \(a folder\); name a file in it"):
        load_network(write().parent)


def test_a_file_cut_short_is_refused(write):
    path = write()
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match=r"seed_0.safetensors: cannot be read"):
        load_network(path)


def test_a_network_without_hidden_channels_is_refused(write):
    path = write(model={**MODEL, "hidden_channels": 0})
    with pytest.raises(CheckpointError, match=r"seed_0.safetensors: .*; fetch the file again"):
        load_network(path)


@pytest.mark.parametrize("field", ["padding", "upscale_padding", "output_crop", "model", "run"])
def test_a_file_that_is_no_network_of_the_study_is_refused(write, field):
    with pytest.raises(CheckpointError, match=f"seed_0.safetensors: its header lacks '{field}', so it is no"):
        load_network(write(**{field: None}))


def test_a_header_of_other_types_is_refused(write):
    with pytest.raises(CheckpointError, match="'output_crop' in its header is 'none', so it is no network"):
        load_network(write(output_crop="none"))


@pytest.mark.parametrize("text", [None, "{", "[]"])
def test_a_file_without_a_readable_header_is_refused(tmp_path, text):
    path = tmp_path / "other.safetensors"
    metadata = {"format_version": "1"} | ({} if text is None else {"header": text})
    save_file({"a": np.zeros(1)}, path, metadata)
    with pytest.raises(CheckpointError, match=r"other.safetensors: "):
        load_network(path)


def test_another_format_version_is_refused(tmp_path):
    path = tmp_path / "new.safetensors"
    save_file({}, path, {"format_version": "2", "header": json.dumps(header())})
    with pytest.raises(CheckpointError, match="format version 2, this program reads version 1"):
        load_network(path)


def test_missing_and_foreign_weights_are_named(write):
    arrays = network().to_named_arrays()
    with pytest.raises(CheckpointError, match=r"seed_0.safetensors: the weights lack 'tail.project.bias'"):
        load_network(write({name: each for name, each in arrays.items() if name != "tail.project.bias"}))
    with pytest.raises(CheckpointError, match="the weights hold 'extra'"):
        load_network(write(arrays | {"extra": np.zeros(1)}))


def test_weights_of_another_shape_are_refused(write):
    with pytest.raises(CheckpointError, match=r"weights .head.kernel have shape \(3, 3, 3, 4\), and .* 8"):
        load_network(write(model=MODEL | {"hidden_channels": 8}))
    with pytest.raises(CheckpointError, match=r"seed_0.safetensors: .*'size'"):
        load_network(write(model=MODEL | {"size": 8}))


def test_a_diverged_run_has_no_network(write):
    run = {"status": "diverged", "step": 7, "reason": "loss not finite"}
    with pytest.raises(CheckpointError, match=r"diverged at step 7 \(loss not finite\), so it holds"):
        load_network(write({}, run=run))
