"""The command ``spatial-prediction upscale``, as a user types it."""

import logging
import re
import subprocess
import sys

import pytest
import rasterio
from tests.upscaled_scenes import network_file, scene, write_scene

from spatial_prediction.__main__ import main
from spatial_prediction.cli import upscale
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.tiling import STRATEGY_NAMES
from spatial_prediction.upscaling.settings import STRATEGIES, UpscaleSettings, format_of

pytestmark = pytest.mark.usefixtures("quick_compilation")


def test_a_scene_is_upscaled_with_all_that_was_asked_for(tmp_path, caplog):
    source = write_scene(tmp_path / "in.tif", scene(20, 24))
    model, out = network_file(tmp_path), tmp_path / "folder" / "out.tif"
    options = f"--model {model} --out {out} --bands 3 2 1 --tile 16 --format gtiff --dtype int16"
    more = "--strategy crop --overlap 2 --compress zstd --level 3"
    with caplog.at_level(logging.INFO):
        main(["upscale", str(source), *options.split(), *more.split()])
    with rasterio.open(out) as file:
        assert file.shape == (80, 96)
        assert file.dtypes[0] == "int16"
        assert file.nodata == -32768
        assert file.descriptions == ("3", "2", "1")
        assert file.profile["compress"] == "zstd"
    assert "for the file" in caplog.text
    assert "clipped to the range" in caplog.text


def test_help_shows_examples_that_the_parser_takes(capsys):
    with pytest.raises(SystemExit):
        main(["upscale", "--help"])
    text = capsys.readouterr().out
    for default in ("default exact", "default 256", "default uint16", "default deflate"):
        assert default in text
    examples = [
        line.split()[1:]
        for line in upscale.DESCRIPTION.splitlines()
        if line.startswith("  spatial-prediction")
    ]
    assert len(examples) == 4
    for example in examples:
        with pytest.raises(Exception, match=rf"my_network|{re.escape(example[1])}"):
            main(example)


def test_a_missing_package_is_named_with_its_extra():
    code = (
        "import sys; sys.modules['rasterio'] = None\n"
        "from spatial_prediction.command import run; from spatial_prediction.__main__ import main\n"
        "run(lambda _: __import__('rasterio'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "rasterio" in done.stderr
    assert "pip install '.[rasters]'" in done.stderr


def test_strategies_are_those_of_the_tiling():
    assert STRATEGIES == STRATEGY_NAMES


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strategy": "none"}, "strategy"),
        ({"dtype": "uint8"}, "dtype: is 'uint8'; choose one of uint16, int16, float32"),
        ({"format": "netcdf", "compress": "lzw"}, "compress: is 'lzw'; choose one of none, deflate, zstd"),
        ({"level": 12}, "level: 12 is not a level of 'deflate', which has 1 to 9"),
        ({"compress": "lzw", "level": 1}, "none; leave it out"),
        ({"overlap": 4}, "overlap: strategy 'exact' takes none"),
        ({"strategy": "blend", "overlap": 9, "tile": 16}, "more than half of a tile"),
        ({"strategy": "crop", "overlap": -1}, "overlap: is -1; must be at least 0"),
        ({"tile": 0}, "tile: is 0"),
        ({"bands": ("1", "2")}, "name three bands, got 2"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        UpscaleSettings(**settings)


@pytest.mark.parametrize("option", ["--offset 5", "--scale percent", "--nodata zero", "--level 0"])
def test_options_that_cannot_be_are_refused_before_the_scene_is_opened(option):
    name = option.split()[0].removeprefix("--")
    with pytest.raises(ConfigurationError, match=name):
        main(["upscale", "no.tif", "--model", "no.safetensors", "--out", "x.tif", *option.split()])


def test_the_ending_names_the_format():
    assert format_of("a.tif") == format_of("a.TIFF", "cog") == "cog"
    assert format_of("a.nc") == "netcdf"
    assert format_of("a.tif", "gtiff") == "gtiff"
    for name, chosen in (("a.tif", "netcdf"), ("a.nc", "cog"), ("a.png", None), ("a", None)):
        with pytest.raises(ConfigurationError, match=r"ends in \.(tif|nc)"):
            format_of(name, chosen)
