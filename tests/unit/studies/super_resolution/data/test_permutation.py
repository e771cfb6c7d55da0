import numpy as np
import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution.data.permutation import scene_order


def test_seeded_order_is_a_permutation_and_repeats():
    order = scene_order(100, seed=3)
    np.testing.assert_array_equal(np.sort(order), np.arange(100))
    np.testing.assert_array_equal(order, scene_order(100, seed=3))
    assert not np.array_equal(order, scene_order(100, seed=4))


def test_seeded_order_is_the_one_it_was():
    # numpy.random.default_rng(0).permutation(8) by NumPy 2.4: a change would change every split.
    assert scene_order(8, seed=0).tolist() == [2, 4, 3, 6, 5, 0, 1, 7]


def test_file_with_comments_and_empty_lines(tmp_path):
    file = tmp_path / "order.txt"
    file.write_text("# published order\n2\n\n 0 # the first\n1\n")
    assert scene_order(3, file=file).tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0\n1\ntwo\n", "line 3: 'two' is not an index; write one whole number per line"),
        ("0\n-1\n2\n", "line 2: '-1' is not an index"),
        ("0, 1, 2\n", "line 1: '0, 1, 2' is not an index"),
        ("1_0\n", "line 1: '1_0' is not an index"),
        ("0\n1\n3\n", "line 3: 3 is not the index of a scene; there are 3 scenes, counted from 0"),
        ("9" * 5000, "is not the index of a scene"),
        ("0\n1\n1\n", "line 3: 1 stands on line 2 already; list each scene once"),
        ("0\n2\n", "lists 2 of the 3 scenes, the first absent is 1; list every index from 0 to 2"),
        ("", "lists 0 of the 3 scenes, the first absent is 0"),
    ],
)
def test_faults_name_line_and_value(tmp_path, text, message):
    file = tmp_path / "order.txt"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        scene_order(3, file=file)
    assert str(file) in str(caught.value)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.txt: cannot be read"):
        scene_order(3, file=tmp_path / "nowhere.txt")
    (tmp_path / "binary").write_bytes(b"\xff\xfe0")
    with pytest.raises(ConfigurationError, match="binary: cannot be read as text"):
        scene_order(3, file=tmp_path / "binary")


def test_exactly_one_source_of_order():
    with pytest.raises(ConfigurationError, match="exactly one"):
        scene_order(3)
    with pytest.raises(ConfigurationError, match="exactly one"):
        scene_order(3, seed=0, file="order.txt")
    with pytest.raises(ConfigurationError, match="seed=-1"):
        scene_order(3, seed=-1)
