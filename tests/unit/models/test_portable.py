"""Exported networks run where this package is not."""

import json
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.unit.models.test_network_file import header, network

from spatial_prediction.models import merge_branches
from spatial_prediction.models.portable import PLATFORMS, SMALLEST
from spatial_prediction.named_arrays import save_arrays

NETWORKS = {"lp2x3": {"output_crop": 2}, "lp1x1cs": {"output_crop": 0}, "lp4x5": {"output_crop": 0}}
ONE_SIZE = (9, 8)
SIZES = {
    "lp2x3": [(SMALLEST, SMALLEST), (21, 18)],
    "lp1x1cs": [(17, 30)],
    "lp4x5": [ONE_SIZE],  # its Fourier transform depends on the size
}

# In a process of its own: in this one annotations are checked, and symbolic sizes are none of int.
EXPORT = f"""
from spatial_prediction.__main__ import main
from spatial_prediction.errors import ConfigurationError
for name in ("lp2x3", "lp1x1cs"):
    main(["export", name + ".safetensors", "--out", name])
try:
    main(["export", "lp4x5.safetensors", "--out", "lp4x5"])
except ConfigurationError as error:
    print(error)
main(["export", "lp4x5.safetensors", "--out", "lp4x5", "--size", *map(str, {ONE_SIZE})])
"""

RUN_BY_JAX_ALONE = """
import json, pathlib, sys
sys.modules["spatial_prediction"] = None
import jax.export, numpy
for name, count in json.loads(sys.argv[1]).items():
    program = jax.export.deserialize(bytearray(pathlib.Path(name).read_bytes()))
    print(name, "_float32" in program.mlir_module(), *program.platforms)
    for number in range(count):
        numpy.save(f"{name}_{number}_out.npy", program.call(numpy.load(f"{name}_{number}.npy")))
"""

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick_compilation")]


def made(name):
    return network(padding=name, **NETWORKS[name])


def images(batch, height, width):
    rough = np.random.default_rng(height).normal(size=(batch, 3, height, width))
    return (rough.cumsum(-1).cumsum(-2) / 30).astype(np.float32)


def run(folder, program, *arguments):
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, capture_output=True, text=True, timeout=500
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("exported")


@pytest.fixture(scope="module")
def refusal(folder):
    """Export all networks; return what is said of the one that is no program for any size."""
    for name, changes in NETWORKS.items():
        save_arrays(
            folder / f"{name}.safetensors", made(name).to_named_arrays(), header(padding=name, **changes)
        )
    (line,) = run(folder, EXPORT)
    return line


@pytest.fixture(scope="module")
def told(folder, refusal):
    """Run all programs without this package; return what they say of themselves."""
    for name, sizes in SIZES.items():
        for number, size in enumerate(sizes):
            np.save(folder / f"{name}_{number}.npy", images(number + 1, *size))
    return run(folder, RUN_BY_JAX_ALONE, json.dumps({name: len(sizes) for name, sizes in SIZES.items()}))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_program_gives_the_same_in_a_process_without_this_package(folder, told, name):
    merged, crop = merge_branches(made(name)), NETWORKS[name]["output_crop"]
    for number, size in enumerate(SIZES[name]):
        found = np.load(folder / f"{name}_{number}_out.npy")
        assert found.shape == (number + 1, 3, *(2 * (pixels - 2 * crop) for pixels in size))
        expected = jax.vmap(merged)(jnp.asarray(images(number + 1, *size)))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_programs_hold_no_kernel_and_are_for_every_platform(told):
    assert told == [f"{name} False {' '.join(PLATFORMS)}" for name in NETWORKS]


def test_what_depends_on_the_size_asks_for_it(refusal):
    assert refusal.startswith("--size: this network cannot be a program for images of any size")
    assert refusal.endswith("give the size of the images")
