"""Images with a mask."""

import numpy as np
import pytest

from spatial_prediction.errors import ObservationError
from spatial_prediction.interpolation import inpaint

pytestmark = pytest.mark.usefixtures("quick_compilation")


def image():
    y, x = np.mgrid[:7, :8]
    return np.stack([np.sin(0.4 * x), np.cos(0.4 * y), 0.1 * x * y])


def test_a_hole_is_filled_in_every_channel():
    mask = np.ones((7, 8), np.bool_)
    mask[3:5, 3:5] = False
    damaged = np.where(mask, image(), np.nan)
    filled, deviation = inpaint(damaged, mask, steps=30)
    np.testing.assert_array_equal(filled[:, mask], image()[:, mask])
    np.testing.assert_allclose(filled[:, ~mask], image()[:, ~mask], atol=0.1)
    assert (deviation[:, mask] == 0).all()
    assert (deviation[:, ~mask] > 0).all()


def test_each_channel_may_have_a_mask_of_its_own():
    mask = np.ones((3, 7, 8), np.bool_)
    mask[1, 2, 2] = False
    filled, deviation = inpaint(image(), mask, steps=10)
    assert (deviation > 0).sum() == 1
    np.testing.assert_array_equal(filled[mask], image()[mask])


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones((8, 7), np.bool_), r"image has shape \(3, 7, 8\) and mask \(8, 7\)"),
        (np.ones((7, 8)), "mask has dtype float64"),
        (np.zeros((7, 8), np.bool_), "channel 0: nothing is observed"),
    ],
)
def test_masks_that_do_not_fit_are_refused(mask, message):
    with pytest.raises(ObservationError, match=message):
        inpaint(image(), mask)


def test_observed_pixels_that_are_missing_are_refused():
    damaged = image()
    damaged[2, 0, 0] = np.nan
    with pytest.raises(ObservationError, match=r"channel 2: .*not finite"):
        inpaint(damaged, np.ones((7, 8), np.bool_))
