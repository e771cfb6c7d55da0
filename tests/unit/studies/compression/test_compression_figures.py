import numpy as np
import pandas as pd
import pytest

from spatial_prediction.plotting.arguments import add_figure, add_table
from spatial_prediction.studies.compression.config import PEERS, PREDICTORS
from spatial_prediction.studies.compression.figures import arguments, looks
from spatial_prediction.studies.compression.figures.compression_speed import compression_speed
from spatial_prediction.studies.compression.figures.rate_by_band import rate_by_band
from spatial_prediction.studies.compression.figures.rate_distortion import rate_distortion
from spatial_prediction.studies.compression.figures.residual_images import residual_images
from spatial_prediction.studies.compression.figures.residuals import Residuals

RNG = np.random.default_rng(0)


def residuals(codec, cube="jasper", bands=9):
    shown = np.array([2, 6])
    return Residuals(
        cube=cube,
        codec=codec,
        magnitudes=RNG.integers(0, 9, (6, 5, 2)),
        samples=RNG.integers(0, 99, (6, 5, 2)),
        shown=shown,
        band_bits=np.array([12.0, *RNG.uniform(4, 6, bands - 1)]),
    )


@pytest.fixture
def measurements():
    rows = [
        {
            "cube": cube, "codec": codec, "delta": delta, "rows": 100, "columns": 100, "bands": 10,
            "bits_per_sample": 6.0 - delta / 2 + index / 10, "psnr": np.inf if delta == 0 else 70 - delta,
            "encode_seconds": 0.1 * 2**index, "decode_seconds": 0.1,
        }
        for cube in ("jasper", "potsdam")
        for index, codec in enumerate(("ccsds123", "linerwkv", "jpegls-pixels"))
        for delta in ((0,) if codec == "jpegls-pixels" else (0, 1, 5))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_every_codec_has_a_name_and_a_colour():
    labels = [looks.label(codec) for codec in (*PREDICTORS, *PEERS)]
    assert len(set(labels)) == len(labels)
    looked = [(look["color"], look["marker"]) for look in map(looks.look, (*PREDICTORS, *PEERS))]
    assert len(set(looked)) == len(looked)
    assert looks.in_order(["zstd-bands", "mixture", "dpcm"]) == ["dpcm", "mixture", "zstd-bands"]


def test_residuals_of_all_predictors_are_shown_on_one_scale():
    figure = residual_images([residuals("dpcm"), residuals("ccsds123")])
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == 2 * 3
    assert len({image.get_clim() for image in images[1:3]}) == 1
    assert [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel().startswith("band")] == [
        "band 3", "band 7",
    ]  # fmt: skip


def test_rates_of_bands_are_drawn_by_cube_and_the_first_band_squeezes_none():
    figure = rate_by_band(
        [
            residuals("dpcm"),
            residuals("ccsds123"),
            residuals("dpcm", "potsdam"),
            residuals("ccsds123", "potsdam"),
        ]
    )
    panels = [axes for axes in figure.axes if axes.get_title() in ("jasper", "potsdam")]
    assert [len(axes.lines) for axes in panels] == [2, 2]
    assert all(axes.get_ylim()[1] < 7 for axes in panels)
    assert len(rate_by_band([residuals("dpcm", bands=1)]).axes) == 1


def test_rate_and_distortion_are_of_codecs_with_several_errors(measurements):
    figure = rate_distortion(measurements)
    rates, quality = figure.axes[:2]
    assert [line.get_label() for line in rates.lines] == ["CCSDS 123.0-B-2", "LineRWKV"]
    assert rates.lines[0].get_xdata().tolist() == [0, 1, 5]
    assert quality.lines[0].get_ydata().tolist() == [69, 65]  # lossless has no finite ratio
    only = rate_distortion(measurements[measurements["delta"] == 0])
    assert [text.get_text() for text in only.axes[0].texts] == ["no codec with several errors"]


def test_speeds_are_of_lossless_coding(measurements):
    figure = compression_speed(measurements)
    encoding, decoding = figure.axes[:2]
    assert [line.get_xdata()[0] for line in encoding.lines] == pytest.approx([1.0, 0.5, 0.25])
    assert {line.get_xdata()[0] for line in decoding.lines} == {1.0}
    measurements.loc[measurements["codec"] == "linerwkv", "encode_seconds"] = np.nan  # it failed
    assert len(compression_speed(measurements).axes[0].lines) == 2


def test_options_of_figures_and_tables_have_one_home():
    assert arguments.add_figure is add_figure
    assert arguments.add_table is add_table
