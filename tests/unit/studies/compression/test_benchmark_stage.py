import logging

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("imagecodecs", reason="the extra peers is not installed")

from spatial_prediction.compression.entropy_coder import encode_residuals
from spatial_prediction.errors import StreamError
from spatial_prediction.studies.compression.config import SyntheticSettings
from spatial_prediction.studies.compression.cubes.cube import Cube, save_cube
from spatial_prediction.studies.compression.cubes.synthetic import synthetic_cube
from spatial_prediction.studies.compression.figures.residuals import read_residuals
from spatial_prediction.studies.compression.results import read_measurements
from spatial_prediction.studies.compression.stages import benchmark
from spatial_prediction.studies.compression.stages.residuals import evaluate_residuals, shown_bands

CUBE = synthetic_cube(SyntheticSettings(rows=6, columns=5, bands=4))


@pytest.fixture
def cube_path(tmp_path):
    save_cube(tmp_path / "cube.safetensors", CUBE)
    return tmp_path / "cube.safetensors"


def measured(cube_path, name, delta=0):
    output = cube_path.with_name("measured.parquet")
    benchmark.benchmark_codec(name, delta, cube_path=cube_path, network_path=None, repeats=1, output=output)
    (row,) = read_measurements(output).to_dict("records")
    return row


@pytest.mark.parametrize(("name", "kind"), [("ccsds123", "predictor"), ("jpegls-pixels", "peer")])
@pytest.mark.parametrize("delta", [0, 2])
def test_a_codec_is_measured_and_verified(cube_path, name, kind, delta):
    row = measured(cube_path, name, delta)
    assert (row["cube"], row["codec"], row["kind"], row["delta"]) == ("synthetic", name, kind, delta)
    assert (row["rows"], row["columns"], row["bands"], row["dtype"]) == (6, 5, 4, "uint16")
    assert row["bits_per_sample"] == 8 * row["container_bytes"] / CUBE.samples.size
    assert 0 < row["stream_bytes"] < row["container_bytes"]
    assert row["verified"]
    assert 0 <= row["largest_error"] <= delta
    assert row["status"] == (
        "exact" if row["largest_error"] == 0 else f"largest error {row['largest_error']}"
    )
    assert row["encode_seconds"] > 0 < row["decode_seconds"]
    assert (row["model_bytes"], row["trained_on"]) == (0, "")


class Wrong:
    """A codec that loses a sample."""

    def compress(self, samples, delta):
        return samples.tobytes()

    def decompress(self, compressed):
        decoded = np.frombuffer(compressed, np.uint16).reshape(-1, 5, 4).copy()
        decoded[0, 0, 0] += 3
        return decoded

    def stream_bytes(self, compressed):
        return len(compressed)


class Failing(Wrong):
    """A codec that cannot read what it wrote."""

    def decompress(self, compressed):
        raise StreamError("the stream ends\ntoo early")


@pytest.mark.parametrize(
    ("codec", "status"),
    [(Wrong, "not restored: largest error 3"), (Failing, "failed: the stream ends too early")],
)
def test_a_codec_that_does_not_restore_the_cube_is_a_result(cube_path, monkeypatch, caplog, codec, status):
    monkeypatch.setattr(benchmark, "codec_from_name", lambda *_: codec())
    with caplog.at_level(logging.WARNING):
        row = measured(cube_path, "zstd-pixels", delta=2)
    assert not row["verified"]
    assert row["status"] == status
    assert status in caplog.text
    assert pd.isna(row["bits_per_sample"]) == (codec is Failing)


def test_residuals_are_kept_for_pictures_and_counted_by_band(tmp_path):
    samples = np.random.default_rng(0).integers(30_000, 30_100, (6, 5, 4))
    save_cube(tmp_path / "cube.safetensors", Cube(samples.astype(np.uint16), "noise", "noise"))
    path = tmp_path / "residuals.safetensors"
    evaluate_residuals("dpcm", cube_path=tmp_path / "cube.safetensors", network_path=None, output=path)
    (residuals,) = read_residuals([path])
    assert (residuals.cube, residuals.codec, residuals.shown.tolist()) == ("noise", "dpcm", [1, 3])
    missed = np.abs(samples[1:, :, 1] - samples[1:, :, 0] - samples[:-1, :, 1] + samples[:-1, :, 0])
    assert np.array_equal(residuals.magnitudes[1:, :, 0], missed)
    assert np.array_equal(residuals.samples, samples[..., [1, 3]])
    assert residuals.band_bits.shape == (4,)
    assert residuals.band_bits[0] == 8 * len(encode_residuals(first_band(samples))) / 30


def first_band(samples):
    """Mapped residuals of the first band, which has only the line before: 0, -1, 1, ... as 0, 1, 2, ...

    Samples of the first line are predicted as 0, which leaves one sign only.
    """
    missed = np.diff(samples[..., :1], axis=0)
    return np.concatenate([samples[:1, :, :1], np.where(missed >= 0, 2 * missed, -2 * missed - 1)])


@pytest.mark.parametrize(("bands", "shown"), [(1, [0]), (2, [0, 1]), (3, [0, 2]), (200, [50, 150])])
def test_bands_that_are_shown_are_spread_evenly(bands, shown):
    assert shown_bands(bands) == shown
