"""Operations on bits, and compilation where nothing can be kept."""

import numba
import numpy as np
import pytest

from spatial_prediction.compression import _compiled


@numba.njit
def both(value):
    return _compiled.leading_zeros(value), _compiled.mirrored(value)


@pytest.mark.parametrize(
    "value", [0, 1, 2, 3, 255, 1 << 62, (1 << 63) - 1, -1, -(1 << 63), 0x0123456789ABCDEF]
)
def test_bits_are_counted_and_mirrored_as_in_text(value):
    text = f"{value & (1 << 64) - 1:064b}"
    zeros, mirrored = both(np.int64(value))
    assert zeros == len(text) - len(text.lstrip("0"))
    assert f"{mirrored & (1 << 64) - 1:064b}" == text[::-1]


@_compiled.compiled
def successor(number):
    return number + 1


def test_a_change_of_any_module_makes_programs_anew(monkeypatch):
    successor(1)
    key = [successor.signatures[0], numba.core.registry.cpu_target.target_context.codegen()]
    before = successor._cache._index_key(*key)
    monkeypatch.setattr(_compiled, "SOURCES", "others")
    assert successor._cache._index_key(*key) != before


def test_where_no_folder_can_be_written_to_loops_are_compiled_all_the_same(monkeypatch):
    def refusing(function):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(_compiled, "_Cache", refusing)
    assert _compiled.compiled(lambda number: number + 1)(1) == 2
