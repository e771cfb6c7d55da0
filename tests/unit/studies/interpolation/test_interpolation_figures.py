import numpy as np
import pandas as pd
import pytest
from PIL import Image

from spatial_prediction.studies.interpolation.config import Frames
from spatial_prediction.studies.interpolation.figures.animation import write_animation
from spatial_prediction.studies.interpolation.figures.calibration import calibration
from spatial_prediction.studies.interpolation.figures.field_errors import field_errors
from spatial_prediction.studies.interpolation.figures.frame_strip import frame_strip
from spatial_prediction.studies.interpolation.figures.looks import limits, mask_label, upright
from spatial_prediction.studies.interpolation.figures.pages import write_pages
from spatial_prediction.studies.interpolation.figures.reconstruction import PANELS, Reconstruction
from spatial_prediction.studies.interpolation.figures.uncertainty import uncertainty
from spatial_prediction.studies.interpolation.metrics import PIT_BINS

FRAMES = Frames(2, 1, 2)
MASKS = ("fixed_0.8_seed0", "dynamic_0.8_seed0")


@pytest.fixture
def scores():
    rows = []
    for mask in MASKS:
        for index, (model, kind) in enumerate(
            (("rbf-rbf", "model"), ("matern-rbf", "model"), ("pixel_mean", "baseline"))
        ):
            measured = kind == "model"
            rows.append(
                {
                    "mask": mask, "model": model, "kind": kind,
                    "mae": 0.002 + 0.001 * index, "rmse": 0.003 + 0.001 * index,
                    "coverage": 0.9 if measured else np.nan, "nlpd": -3.0 if measured else np.nan,
                    "correlation": 0.1 if measured else np.nan,
                    "mean_variance": 1e-5 if measured else np.nan,
                    "pit": [index + 1] * PIT_BINS if measured else [],
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


WINNERS = {"fixed_0.8_seed0": "rbf-rbf", "dynamic_0.8_seed0": "matern-rbf"}


@pytest.fixture
def reconstruction():
    rng = np.random.default_rng(0)
    truth = rng.normal(280, 5, size=(5, 3, 4))
    return Reconstruction(
        truth=truth,
        mean=truth + rng.normal(size=truth.shape),
        deviation=np.ones_like(truth),
        known=rng.random(truth.shape) < 0.5,
        frames=FRAMES,
        parts=("train", "validation", "test"),
        model="rbf-rbf",
        mask="fixed_0.8_seed0",
        units="K",
        north_first=False,
    )


def names(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_errors_stand_models_first_and_best_on_top(scores):
    figure = field_errors(scores, WINNERS)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        "fixed, 80 % hidden, seed 0",
        "dynamic, 80 % hidden, seed 0",
    ]
    assert names(figure.axes[0]) == ["rbf-rbf", "matern-rbf", "pixel_mean"]


def test_uncertainty_leaves_baselines_out_and_survives_their_being_alone(scores):
    figure = uncertainty(scores, WINNERS)
    assert names(figure.axes[0]) == ["rbf-rbf", "matern-rbf"]
    assert len(figure.axes) == 8
    uncertainty(scores[scores["kind"] == "baseline"], {}).draw_without_rendering()


def test_calibration_has_a_line_for_each_model_and_the_winners_histogram(scores):
    figure = calibration(scores, WINNERS)
    curve, histogram = figure.axes[:2]
    assert len(curve.lines) == 3
    assert histogram.get_title() == "rbf-rbf, chosen"
    calibration(scores[scores["kind"] == "baseline"], {}).draw_without_rendering()


def test_pictures_have_north_on_top():
    image = np.array([[1.0], [2.0]])
    assert upright(image, north_first=True).tolist() == [[1], [2]]
    assert upright(image, north_first=False).tolist() == [[2], [1]]


def test_truth_and_reconstruction_share_their_colours(reconstruction):
    found = reconstruction.limits(FRAMES.of("test"))
    assert found["Truth"] == found["Reconstruction"]
    assert found["Truth"][0] <= reconstruction.truth[3:].min()
    assert limits([np.full(3, np.nan)]) == (0.0, 1.0)
    assert limits([np.full(3, 2.0)]) == (1.5, 2.5)


def test_the_strip_has_a_row_for_each_picture_and_what_was_not_known_is_blank(reconstruction):
    figure = frame_strip(reconstruction)
    images = [axes.get_images()[0].get_array() for axes in figure.axes if axes.get_images()]
    pictures = [image for image in images if image.shape == (3, 4)]
    assert len(pictures) == 2 * (len(PANELS) + 1)
    observed = pictures[2]
    np.testing.assert_array_equal(np.ma.getmaskarray(observed), ~reconstruction.known[3][::-1])


@pytest.mark.parametrize("parts", [["train", "validation", "test"], ["test"], []])
def test_every_frame_has_a_page(reconstruction, tmp_path, parts):
    write_pages(reconstruction, parts, tmp_path / "pages.pdf")
    pages = (tmp_path / "pages.pdf").read_bytes().count(b"/Type /Page ")
    assert pages == (sum(len(FRAMES.of(part)) for part in parts) or 1)
    again = tmp_path / "again.pdf"
    write_pages(reconstruction, parts, again)
    assert again.read_bytes() == (tmp_path / "pages.pdf").read_bytes()


def test_the_animation_shows_every_frame(reconstruction, tmp_path):
    write_animation(reconstruction, tmp_path / "animation.png")
    with Image.open(tmp_path / "animation.png") as animation:
        assert animation.n_frames == 5
        assert animation.info["loop"] == 0


def test_a_failed_fit_is_drawn_blank(reconstruction, tmp_path):
    nothing = np.full_like(reconstruction.truth, np.nan)
    failed = Reconstruction(**vars(reconstruction) | {"mean": nothing, "deviation": nothing})
    write_pages(failed, ["test"], tmp_path / "pages.pdf")
    frame_strip(failed).draw_without_rendering()


def test_masks_are_named_in_words():
    assert mask_label("dynamic_0.95_seed1") == "dynamic, 95 % hidden, seed 1"
