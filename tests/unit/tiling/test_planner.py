import dataclasses

import pandas as pd
import pytest

from spatial_prediction.tiling import Measurement, cheapest_strategy, relative_work

TABLE = [
    Measurement(128, "padding", 0, 0.1, 1.0),
    Measurement(128, "crop", 2, 0.01, 1.1),
    Measurement(128, "blend", 4, 0.02, 1.2),
    Measurement(128, "exact", 10, 0.0, 1.4),
    Measurement(64, "padding", 0, 0.2, 1.0),
]
FRAME = pd.DataFrame([dataclasses.asdict(line) for line in TABLE]).assign(seed=0)


@pytest.mark.parametrize("table", [TABLE, FRAME, [dataclasses.asdict(line) for line in TABLE]])
@pytest.mark.parametrize(
    ("tolerance", "strategy"), [(0.5, "padding"), (0.1, "padding"), (0.05, "crop"), (0.001, "exact")]
)
def test_the_cheapest_within_the_tolerance_is_chosen(table, tolerance, strategy):
    assert cheapest_strategy(table, tile=128, tolerance=tolerance).measurement.strategy == strategy


def test_the_reason_says_what_was_gained_and_what_was_left():
    reason = cheapest_strategy(TABLE, tile=128, tolerance=0.001).reason
    assert reason == (
        "'exact' with an overlap of 10 pixels has a seam deviation of 0, within 0.001, and costs 1.4 times "
        "as much as tiles that abut; of what costs less, 'crop' with an overlap of 2 pixels comes nearest, "
        "with 0.01."
    )
    assert cheapest_strategy(TABLE, tile=64, tolerance=1.0).reason.endswith("nothing costs less.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tile": 32, "tolerance": 1.0}, r"tile 32 was not measured; use one of \[64, 128\]"),
        ({"tile": 64, "tolerance": 0.1}, "least seam deviation is 0.2, by 'padding'"),
    ],
)
def test_what_cannot_be_had_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        cheapest_strategy(TABLE, **arguments)


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="lacks 'seam_deviation'"):
        cheapest_strategy(FRAME.drop(columns="seam_deviation"), tile=128, tolerance=1.0)


def test_work_goes_with_the_area_that_is_read():
    assert relative_work(128, 0) == 1
    assert relative_work(128, 10) == (148 / 128) ** 2
