"""Arguments of the library are checked while it is tested, by the checks of their own signature."""

from typing import Annotated

import jax.numpy as jnp
import pytest
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import TypeCheckError
from tests.type_checks import checked

from spatial_prediction.padding.linear_prediction.lagged_products import lagged_products


def taking(kind):
    def function(x):
        return x

    function.__annotations__ = {"x": kind}
    return checked(function)


def test_each_signature_is_checked_once_and_as_it_is():
    assert taking(int) is taking(int)
    assert taking(str)("a") == "a"
    for _ in range(2):
        assert taking(int)(1) == 1
        with pytest.raises(BeartypeCallHintViolation):
            taking(int)("a")


def test_annotations_that_cannot_be_hashed_are_checked():
    with pytest.raises(BeartypeCallHintViolation):
        taking(Annotated[int, ["of no hash"]])("a")


def test_arrays_of_the_library_are_checked():
    for wrong in (jnp.zeros((3, 4)), "no array"):
        with pytest.raises(TypeCheckError):
            lagged_products(wrong, [(0, 0)])
