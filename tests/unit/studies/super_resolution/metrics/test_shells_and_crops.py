import numpy as np
import pandas as pd
import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution.metrics import mse_at_own_crop, mse_by_crop, mse_by_shell

SIDE = 24


def _stored_errors(squares: dict[tuple[str, int], np.ndarray]) -> pd.DataFrame:
    """Sum squared errors of (images, side, side) arrays over the area inside each output crop."""
    rows = []
    for (preset, seed), images in squares.items():
        for image, errors in enumerate(images):
            for crop in range(11):
                kept = errors[crop : SIDE - crop, crop : SIDE - crop]
                rows.append((preset, seed, image, crop, kept.sum(), kept.size))
    columns = ["preset", "seed", "image", "output_crop", "sum_of_squares", "pixel_count"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def squares():
    rng = np.random.default_rng(3)
    return {(preset, seed): rng.random((3, SIDE, SIDE)) for preset in ("a", "b_oc5") for seed in (0, 4)}


def _distance_to_border():
    to_edge = np.minimum(np.arange(SIDE), np.arange(SIDE)[::-1])
    return np.minimum(to_edge[:, None], to_edge[None, :])


def test_mse_of_a_crop_is_the_mean_over_all_kept_pixels(squares):
    found = mse_by_crop(_stored_errors(squares)).set_index(["preset", "seed", "output_crop"])["mse"]
    for (preset, seed), errors in squares.items():
        assert found[preset, seed, 0] == pytest.approx(errors.mean())
        assert found[preset, seed, 5] == pytest.approx(errors[:, 5:-5, 5:-5].mean())


def test_mse_of_a_shell_is_the_mean_over_its_ring(squares):
    found = mse_by_shell(_stored_errors(squares)).set_index(["preset", "seed", "shell"])["mse"]
    shell_of = np.minimum(_distance_to_border(), 10)
    for (preset, seed), errors in squares.items():
        for shell in range(11):
            assert found[preset, seed, shell] == pytest.approx(errors[:, shell_of == shell].mean())


def test_shells_weighted_by_their_pixels_give_the_crop(squares):
    errors = _stored_errors(squares)
    shells = mse_by_shell(errors)
    crops = mse_by_crop(errors).set_index(["preset", "seed", "output_crop"])["mse"]
    for (preset, seed), run in shells.groupby(["preset", "seed"]):
        for crop in range(11):
            kept = run[run["shell"] >= crop]
            assert np.average(kept["mse"], weights=kept["pixel_count"]) == pytest.approx(
                crops[preset, seed, crop]
            )


def test_published_shells_of_zero_repl_average_to_its_published_total():
    # Shells 0 to 5 and 10 of 48 x 48 input pixels are published; 6 to 9 lie between their neighbours. The
    # total was taken over ten seeds and the shells over the eight of them that others shared, hence the
    # tolerance.
    shells = np.array([667.0, 553.9, 533.8, 529.0, 530.2, 529.2, 529.2, 529.2, 529.2, 529.2, 539.6])
    inside = np.array([(48 - 2 * crop) ** 2 for crop in range(11)])
    counts = inside - np.append(inside[1:], 0)
    kept = np.cumsum((shells * counts)[::-1])[::-1]
    rows = [("zero-repl", 0, 0, crop, kept[crop], int(inside[crop])) for crop in range(11)]
    errors = pd.DataFrame(
        rows, columns=["preset", "seed", "image", "output_crop", "sum_of_squares", "pixel_count"]
    )
    assert mse_by_crop(errors)["mse"].iloc[0] == pytest.approx(546.6, abs=0.6)
    assert mse_by_shell(errors)["mse"].to_numpy() == pytest.approx(shells)


def test_own_crop_leaves_other_presets_out(squares):
    found = mse_at_own_crop(_stored_errors(squares), {"b_oc5": 5})
    assert found["preset"].tolist() == ["b_oc5", "b_oc5"]
    assert found["mse"].iloc[0] == pytest.approx(squares["b_oc5", 0][:, 5:-5, 5:-5].mean())


def test_a_missing_crop_is_named(squares):
    errors = _stored_errors(squares)
    with pytest.raises(ConfigurationError, match="preset a, seed 0"):
        mse_by_shell(errors[errors["output_crop"] != 7])


def test_no_runs_give_no_rows(squares):
    nothing = _stored_errors(squares).iloc[:0]
    assert mse_by_crop(nothing).empty
    assert mse_by_shell(nothing).empty
    assert mse_at_own_crop(nothing, {"a": 0}).empty
