"""Equal arrays and headers give equal files, which safetensors itself reads."""

import json

import numpy as np
import pytest
from safetensors import safe_open

from spatial_prediction.named_arrays import load_arrays, save_arrays

ARRAYS = {"weight": np.arange(6.0).reshape(2, 3), "bias": np.array([1, -2], np.int16)}


@pytest.mark.parametrize("header", [{"preset": "lp2x3"}, {"preset": 'lp"2x3"\n', "name": "Äyräpää"}])
def test_equal_content_gives_equal_files(tmp_path, header):
    path = tmp_path / "arrays.safetensors"
    written = set()
    for _ in range(30):  # the order of the metadata has six possibilities
        save_arrays(path, ARRAYS, header)
        written.add(path.read_bytes())
    assert len(written) == 1
    arrays, read = load_arrays(path)
    assert read == header
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array, strict=True)


def test_the_file_is_one_of_safetensors_with_aligned_arrays(tmp_path):
    path = tmp_path / "arrays.safetensors"
    save_arrays(path, ARRAYS, {"preset": "lp2x3"})
    assert int.from_bytes(path.read_bytes()[:8], "little") % 8 == 0
    with safe_open(path, "numpy") as file:
        assert json.loads(file.metadata()["header"]) == {"preset": "lp2x3"}
        np.testing.assert_array_equal(file.get_tensor("weight"), ARRAYS["weight"])
