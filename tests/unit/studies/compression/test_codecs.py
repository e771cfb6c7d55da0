import numpy as np
import pytest

from spatial_prediction.compression import ccsds123, decompress
from spatial_prediction.errors import ConfigurationError, StreamError

pytest.importorskip("imagecodecs", reason="the extra peers is not installed")

from spatial_prediction.studies.compression.codecs.arrangements import BY_NAME, MIDDLE
from spatial_prediction.studies.compression.codecs.codec import codec_from_name
from spatial_prediction.studies.compression.codecs.images import AEC, CODECS
from spatial_prediction.studies.compression.config import PEERS, PREDICTORS, WITH_NETWORK
from spatial_prediction.studies.compression.measurement import fidelity

WITHOUT_NETWORK = [name for name in PREDICTORS if name not in WITH_NETWORK]


def noise(shape, dtype):
    """Samples over the whole range, its ends among them."""
    limits = np.iinfo(dtype)
    samples = np.random.default_rng(0).integers(limits.min, limits.max, shape, dtype, endpoint=True)
    samples.flat[0], samples.flat[-1] = limits.min, limits.max
    return samples


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("shape", [(5, 7, 4), (2, 3, 1), (1, 1, 3)])
def test_arrangements_give_the_cube_back(name, shape):
    cube, arrangement = noise(shape, np.uint16), BY_NAME[name]
    images = arrangement.images(cube)
    assert [image.shape for image in images] == arrangement.sizes(shape)
    assert np.array_equal(arrangement.cube(images, shape), cube)


def test_small_differences_of_either_sign_stand_side_by_side():
    cube = np.array([[[10, 9, 12]]], np.uint16)
    first, *differences = BY_NAME["differences"].images(cube)
    assert first == 10
    assert [int(image[0, 0]) - int(MIDDLE) for image in differences] == [-1, 3]


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize(
    ("shape", "dtype"), [((5, 7, 4), "int16"), ((2, 3, 1), "uint8"), ((3, 1, 2), "uint16")]
)
@pytest.mark.parametrize("delta", [0, 1, 5])
def test_peers_keep_every_sample_within_its_error(name, shape, dtype, delta):
    cube, codec = noise(shape, dtype), codec_from_name(name)
    compressed = codec.compress(cube, delta)
    assert fidelity(cube, codec.decompress(compressed), delta).verified
    assert 0 < codec.stream_bytes(compressed) < len(compressed)
    with pytest.raises(StreamError, match="damaged"):
        codec.decompress(compressed + b"\0")


@pytest.mark.parametrize("name", WITHOUT_NETWORK)
@pytest.mark.parametrize("delta", [0, 3])
def test_predictors_keep_every_sample_within_its_error(name, delta):
    cube, codec = noise((4, 6, 5), np.int16), codec_from_name(name)
    compressed = codec.compress(cube, delta)
    assert fidelity(cube, codec.decompress(compressed), delta).verified
    assert 0 < codec.stream_bytes(compressed) < len(compressed)
    with pytest.raises(StreamError):
        codec.decompress(compressed[:-1])


def test_the_standard_is_coded_as_the_library_codes_it():
    cube = noise((4, 6, 5), np.uint16)
    assert np.array_equal(decompress(codec_from_name("ccsds123").compress(cube, 0)), cube)
    residuals = codec_from_name("ccsds123").residuals(cube)
    assert np.array_equal(residuals, ccsds123.mapped_indices(cube))


@pytest.mark.parametrize("name", WITH_NETWORK)
def test_a_predictor_that_needs_a_network_says_so(name):
    with pytest.raises(ConfigurationError, match="needs a trained network"):
        codec_from_name(name)


def test_an_unknown_codec_is_refused():
    with pytest.raises(ConfigurationError, match="must be one of zstd-bands"):
        codec_from_name("jpegls-rows")


def test_codecs_of_images_are_lossless_where_their_neighbours_are_not():
    """Settings that look lossless: samples of 16 bits coded as 12, and blocks that end with the image."""
    image = noise((31, 33), np.uint16)  # 1023 samples, which blocks of 32 do not divide
    for codec in CODECS.values():
        assert np.array_equal(codec.decode(codec.encode(image), image.shape), image)
    assert image.size % AEC["blocksize"]
