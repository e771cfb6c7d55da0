import pandas as pd
import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution.metrics import gather_tables, read_table

TYPES = {
    "preset": "object",
    "seed": "int64",
    "padding": "object",
    "feature_map": "int64",
    "squared_error": "float64",
    "variance": "float64",
}


def _store(path, *rows):
    pd.DataFrame(rows, columns=list(TYPES)).astype(TYPES).to_parquet(path)
    return path


def test_tables_are_joined_in_order_and_diverged_runs_add_nothing(tmp_path):
    later = _store(tmp_path / "1.parquet", ("b", 0, "zero", 0, 1.0, 2.0), ("b", 0, "zero", 1, 3.0, 4.0))
    diverged = _store(tmp_path / "2.parquet")
    earlier = _store(tmp_path / "3.parquet", ("a", 0, "zero", 0, 5.0, 6.0))
    output = tmp_path / "new" / "all.parquet"
    assert gather_tables([later, diverged, earlier], "nmse", output) == 3
    assert read_table(output, "nmse")["squared_error"].tolist() == [1.0, 3.0, 5.0]


def test_only_diverged_runs_give_a_readable_empty_table(tmp_path):
    output = tmp_path / "all.parquet"
    assert gather_tables([_store(tmp_path / "1.parquet")], "nmse", output) == 0
    assert read_table(output, "nmse").columns.tolist() == list(TYPES)


def test_same_run_twice_is_refused_and_leaves_no_file(tmp_path):
    first = _store(tmp_path / "1.parquet", ("a", 0, "zero", 0, 1.0, 2.0))
    again = _store(tmp_path / "2.parquet", ("a", 0, "repl", 0, 1.0, 2.0))
    with pytest.raises(ConfigurationError, match=r"2.parquet: preset a, seed 0 is already in .*1.parquet"):
        gather_tables([first, again], "nmse", tmp_path / "all.parquet")
    assert not (tmp_path / "all.parquet").exists()


def test_unusable_tables_are_named(tmp_path):
    table = _store(tmp_path / "a.parquet")
    with pytest.raises(ConfigurationError, match=r"a.parquet: not a table of kind 'mse': column\(s\) image"):
        read_table(table, "mse")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 cut short")
    with pytest.raises(ConfigurationError, match=r"broken.parquet: cannot be read"):
        read_table(broken, "mse")
    with pytest.raises(ConfigurationError, match=r"absent.parquet: cannot be read"):
        read_table(tmp_path / "absent.parquet", "mse")
    with pytest.raises(ConfigurationError, match="no nmse tables"):
        gather_tables([], "nmse", tmp_path / "all.parquet")


def test_wrong_column_type_is_named(tmp_path):
    path = tmp_path / "typed.parquet"
    row = ("a", "first", "zero", 0, 1.0, 2.0)
    pd.DataFrame([row], columns=list(TYPES)).to_parquet(path)
    with pytest.raises(ConfigurationError, match=r"typed.parquet: a column .* wrong type"):
        read_table(path, "nmse")
