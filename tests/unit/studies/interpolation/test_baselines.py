import numpy as np
import pytest
from tests.helpers import shared_folder

from spatial_prediction.studies.interpolation.baselines import BASELINES
from spatial_prediction.studies.interpolation.config import Frames, MaskSettings
from spatial_prediction.studies.interpolation.fields.netcdf import read_netcdf_field
from spatial_prediction.studies.interpolation.masks import draw_masks
from spatial_prediction.studies.interpolation.stages.evaluation import baseline_predictor, evaluate

PUBLISHED = shared_folder("data") / "temperature" / "continuous_signal_demo_dataset.nc"
FRAMES = range(4, 6)


def known(hidden=0.5, shape=(6, 5, 7), seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape)
    return np.where(rng.random(shape) < hidden, np.nan, values)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_predicts_whole_frames(name):
    predicted = BASELINES[name](known(), FRAMES)
    assert predicted.shape == (2, 5, 7)
    assert np.isfinite(predicted).all()


@pytest.mark.parametrize("name", BASELINES)
def test_a_constant_stays_constant(name):
    values = known()
    predicted = BASELINES[name](np.where(np.isnan(values), np.nan, 3.0), FRAMES)
    np.testing.assert_allclose(predicted, 3.0, atol=1e-9)


@pytest.mark.parametrize("name", sorted(set(BASELINES) - {"grand_mean", "pixel_mean"}))
def test_known_pixels_are_kept(name):
    values = known()
    there = ~np.isnan(values[4:6])
    np.testing.assert_allclose(BASELINES[name](values, FRAMES)[there], values[4:6][there], atol=1e-8)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("observed", [1, 2, 3])
def test_few_pixels_or_frames_without_any_do(name, observed):
    values = np.full((3, 4, 4), np.nan)
    values[0].flat[:observed] = np.arange(observed)
    assert np.isfinite(BASELINES[name](values, range(3))).all()


def test_pixels_in_time_by_hand():
    values = np.full((5, 1, 2), np.nan)
    values[1, 0, 0], values[3, 0, 0], values[0, 0, 1] = 2.0, 4.0, 10.0
    assert BASELINES["linear_in_time"](values, range(5))[:, 0, 0].tolist() == [2, 2, 3, 4, 4]
    assert BASELINES["persistence"](values, range(5))[:, 0, 0].tolist() == [3, 2, 2, 4, 4]
    assert BASELINES["pixel_mean"](values, range(2))[1, 0].tolist() == [3, 10]
    assert BASELINES["nearest_anomaly"](values, range(1, 2))[0, 0].tolist() == [2, 9]


def test_planes_are_reproduced_between_known_pixels():
    rows, columns = np.meshgrid(np.arange(6.0), np.arange(8.0), indexing="ij")
    plane = 2 * rows - columns
    gaps = np.random.default_rng(0).random(plane.shape) < 0.4
    gaps[[0, 0, -1, -1], [0, -1, 0, -1]] = False
    values = np.where(gaps, np.nan, plane)[None]
    for name in ("griddata", "thin_plate"):
        np.testing.assert_allclose(BASELINES[name](values, range(1))[0], plane, atol=1e-9)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="no folder shared/data/temperature beside the checkout")
def test_errors_on_the_published_field_are_those_measured_before():
    """Measured independently: thin plates per frame, dynamic masks that hide 90 %."""
    frames = Frames(50, 10, 10)
    field = read_netcdf_field(PUBLISHED)
    masks = draw_masks(frames, 17, 48, MaskSettings("dynamic", "dynamic", 0.9, 0, "reference"))
    predict = baseline_predictor("thin_plate", field.values)
    table = evaluate(predict, field, masks, frames, ["train_and_part"])
    table = table[table["part"] == "test"].set_index("pixels")
    assert table.loc["all", ["mae", "rmse"]].tolist() == pytest.approx((0.00594, 0.01019), rel=0.01)
    assert table.loc["hidden", ["mae", "rmse"]].tolist() == pytest.approx((0.00657, 0.01071), rel=0.01)
