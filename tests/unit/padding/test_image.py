import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.padding import PADDING_NAMES, pad, padding_from_name

pytestmark = pytest.mark.usefixtures("quick_compilation")
ALIASES = {"constant": "zero", "edge": "repl", "reflect": "refl", "wrap": "circ"}
DTYPES = [np.uint8, np.int16, np.uint16, np.int32, np.uint64, np.float16, np.float32, np.float64]


def picture(shape=(9, 11), dtype=np.float32, scale=1000, seed=0):
    walk = np.random.default_rng(seed).normal(size=shape).cumsum(-1).cumsum(-2)
    walk = (walk - walk.min()) / np.ptp(walk)
    return (scale * walk).astype(dtype)


def every_axis(widths, ndim):
    return [(0, 0)] * (ndim - 2) + list(widths)


@pytest.mark.parametrize("mode", ALIASES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_copying_modes_are_those_of_numpy_to_the_bit(mode, dtype):
    image = picture((2, 9, 11), dtype, scale=200)
    if dtype == np.uint64:
        image += np.uint64(2**63 + 1)
    widths = ((1, 2), (3, 0))
    expected = np.pad(image, every_axis(widths, 3), mode)
    for name in (mode, ALIASES[mode]):
        padded = pad(image, widths, name)
        assert padded.dtype == dtype
        np.testing.assert_array_equal(padded, expected)


@pytest.mark.parametrize("name", PADDING_NAMES)
def test_floating_images_are_padded_as_maps_are(name):
    image = picture((2, 9, 11), scale=1)
    widths = ((1, 2), (3, 0))
    expected = padding_from_name(name, widths)(jnp.asarray(image))
    np.testing.assert_allclose(pad(image, widths, name), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["extr2", "lp1x1cs", "lp2x3", "lp2x5"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_interior_is_the_image_to_the_bit_and_the_dtype_stays(name, dtype):
    image = picture(dtype=dtype, scale=60000 if np.dtype(dtype).itemsize > 1 else 255)
    if np.dtype(dtype).kind in "iu":
        image[0, 0], image[3, 3] = np.iinfo(dtype).max, np.iinfo(dtype).min
    padded = pad(image, 2, name)
    assert isinstance(padded, np.ndarray)
    assert padded.dtype == dtype
    assert padded.shape == (13, 15)
    assert padded[2:-2, 2:-2].tobytes() == image.tobytes()
    assert np.isfinite(padded).all()


def test_float64_is_computed_in_float64():
    image = picture((1, 8, 8), np.float64)
    with jax.enable_x64(True):
        expected = np.asarray(padding_from_name("lp2x3", 2)(jnp.asarray(image)))
    np.testing.assert_allclose(pad(image, 2, "lp2x3"), expected, rtol=1e-12)
    assert not jax.config.read("jax_enable_x64")


def test_integers_are_rounded_and_kept_in_range():
    ramp = np.tile(np.array([10, 100, 250], np.uint8), (4, 1))
    padded = pad(ramp, ((0, 0), (1, 1)), "extr2")
    np.testing.assert_array_equal(padded[0], [0, 10, 100, 250, 255])
    rows = np.array([[0, 1, 0, 3]] * 3, np.int16)
    exact = pad(rows.astype(np.float32), 1, "lp2x3")
    np.testing.assert_array_equal(pad(rows, 1, "lp2x3"), np.rint(exact))


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint64])
def test_predictions_beyond_the_largest_integer_end_there_and_do_not_wrap(dtype):
    top = np.iinfo(dtype).max
    ramp = np.tile(np.array([0, top // 2, top], dtype), (3, 1))
    padded = pad(ramp, ((0, 0), (1, 1)), "extr2")
    assert (padded[:, -1] >= top - top // 2**23).all()
    assert (padded[:, 0] <= 0).all()
    assert (padded[:, 0] >= np.iinfo(dtype).min).all()


def test_half_floats_end_at_their_largest():
    ramp = np.tile(np.array([0, 30000, 60000], np.float16), (3, 1))
    assert (pad(ramp, ((0, 0), (0, 1)), "extr2")[:, -1] == np.finfo(np.float16).max).all()


@pytest.mark.parametrize("mode", ["edge", "lp2x3"])
def test_other_axes_are_batches_each_treated_by_itself(mode):
    image = picture((2, 9, 3, 11))
    padded = pad(image, ((1, 2), (0, 3)), mode, axes=(1, 3))
    assert padded.shape == (2, 12, 3, 14)
    one = pad(image[1, :, 2], ((1, 2), (0, 3)), mode)
    np.testing.assert_allclose(padded[1, :, 2], one, rtol=1e-5, atol=1e-2)
    last = pad(np.moveaxis(image[0], 1, 2), ((1, 2), (0, 3)), mode, axes=(0, 1))
    np.testing.assert_allclose(np.moveaxis(last, 2, 1), padded[0], rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize("pad_width", [2, np.int64(2), (1, 2), (2,), [[1, 2], [0, 3]], ((1,), (2,))])
def test_pad_widths_have_the_forms_of_numpy(pad_width):
    image = picture()
    np.testing.assert_array_equal(pad(image, pad_width, "edge"), np.pad(image, pad_width, "edge"))
    assert pad(image, pad_width, "extr2").shape == np.pad(image, pad_width, "edge").shape


def test_any_byte_order_view_or_list_will_do():
    image = picture(dtype=np.uint16)
    big = image.astype(">u2")
    padded = pad(big, 1)
    assert padded.dtype == big.dtype
    np.testing.assert_array_equal(padded, pad(image, 1))
    np.testing.assert_array_equal(pad(image[::-1, ::2], 1), pad(image[::-1, ::2].copy(), 1))
    np.testing.assert_array_equal(pad([[1, 2], [3, 4]], 1, "edge"), np.pad([[1, 2], [3, 4]], 1, "edge"))


def test_the_image_itself_is_not_written_to():
    image = picture()
    image.setflags(write=False)
    pad(image, 1)
    assert not np.shares_memory(pad(image, 0), image)


@pytest.mark.parametrize(
    "image", [np.ones((3, 3), complex), np.ones((3, 3), bool), np.ones((3, 3), object), np.full((3, 3), "a")]
)
@pytest.mark.parametrize("mode", ["edge", "lp2x3"])
def test_images_without_arithmetic_are_refused(image, mode):
    with pytest.raises(TypeError, match=f"integers or floating numbers, got dtype {image.dtype}; convert"):
        pad(image, 1, mode)


@pytest.mark.parametrize("shape", [(), (5,), (0, 5), (0, 5, 5)])
def test_images_without_height_width_and_pixels_are_refused(shape):
    with pytest.raises(ValueError, match=r"must have a height, a width and pixels, got shape \("):
        pad(np.ones(shape), 1)


@pytest.mark.parametrize("pad_width", [1.5, "1", (1, 2, 3), ((1, 2), (3,)), None])
def test_other_pad_widths_are_refused(pad_width):
    with pytest.raises(ValueError, match="pad_width must be of integers"):
        pad(picture(), pad_width)


def test_negative_widths_unknown_modes_and_axes_are_refused():
    with pytest.raises(ValueError, match="must not be negative"):
        pad(picture(), (1, -1), "edge")
    with pytest.raises(ValueError, match="no padding is called 'symmetric'"):
        pad(picture(), 1, "symmetric")
    for axes in [(0, 0), (0, 2)]:
        with pytest.raises(ValueError, match="axes"):
            pad(picture(), 1, axes=axes)


def test_masked_pixels_are_not_taken_for_the_numbers_stored_under_the_mask():
    image = np.random.default_rng(0).normal(size=(9, 9)).astype("f4")
    masked = np.ma.masked_array(image, mask=np.eye(9, dtype=bool))
    masked.data[np.eye(9, dtype=bool)] = -9999
    with pytest.raises(ValueError, match=r"masked pixels.*filled\(np.nan\).*finite_only=True"):
        pad(masked, 1)
    assert np.isfinite(pad(masked.filled(np.nan), 1, finite_only=True)[0]).all()
    whole = np.ma.masked_array(image, mask=False)
    np.testing.assert_array_equal(pad(whole, 1), pad(image, 1))
