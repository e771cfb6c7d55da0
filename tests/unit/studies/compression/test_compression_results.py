import numpy as np
import pandas as pd
import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.plotting.formatting import MISSING
from spatial_prediction.studies.compression.figures.tables import cost_table, rate_table
from spatial_prediction.studies.compression.results import (
    COLUMNS,
    gathered_measurements,
    lossless,
    read_measurements,
    standard_rate,
)


def row(codec, delta=0, cube="jasper", rate=6.0, **others):
    measured = dict.fromkeys(COLUMNS, 0) | {
        "cube": cube, "codec": codec, "kind": "predictor", "delta": delta,
        "rows": 100, "columns": 100, "bands": 10, "dtype": "uint16", "trained_on": "",
        "bits_per_sample": rate, "encode_seconds": 0.5, "decode_seconds": 0.25,
        "encode_memory": 3 * 2.0**20, "decode_memory": np.nan,
        "psnr": np.inf, "verified": True, "status": "exact",
    }  # fmt: skip
    return measured | others


ROWS = pd.DataFrame(
    [
        row("linerwkv", rate=5.4, trained_on="other cubes"),
        row("ccsds123", rate=6.0),
        row("ccsds123", 2, rate=4.0),
        row("jpegls-pixels", rate=6.3),
        row("jpegls-pixels", 2, rate=np.nan, verified=False, status="failed: no"),
        row("aec-bands", cube="potsdam", rate=9.0),
    ]
)


def test_rates_stand_beside_each_other_and_the_standard():
    table = rate_table(ROWS)
    assert table.cells["Codec"].tolist() == [
        "LineRWKV", "CCSDS 123.0-B-2", "JPEG-LS, pixels x bands", "CCSDS 121 (AEC), by band",
    ]  # fmt: skip
    assert table.cells["lossless"].tolist() == ["5.400", "6.000", "6.300", "9.000"]
    assert table.cells["± 2"].tolist() == [MISSING, "4.000", MISSING, MISSING]
    assert table.cells["Against CCSDS-123, %"].tolist() == ["-10.00", "+0.00", "+5.00", MISSING]
    assert table.cells["Trained on"].tolist() == ["other cubes", "nothing", "nothing", "nothing"]


def test_what_is_not_restored_is_marked_and_named():
    table = rate_table(ROWS)
    assert table.warned == {(2, "± 2")}
    assert table.warnings == ("jasper, JPEG-LS, pixels x bands, largest error 2: failed: no.",)
    assert rate_table(ROWS[ROWS["verified"]]).warnings == ()


def test_a_network_that_has_seen_the_cube_is_seen_in_the_table():
    table = rate_table(pd.DataFrame([row("linerwkv", model_bytes=121_864, trained_on="jasper")]))
    assert table.cells["Parameters counted, bytes"].tolist() == ["121864"]


def test_costs_are_of_lossless_coding():
    table = cost_table(ROWS)
    assert len(table.cells) == 4
    assert table.cells["Encoding, million samples/s"].tolist() == ["0.20"] * 4
    assert table.cells["Decoding, million samples/s"].tolist() == ["0.40"] * 4
    assert table.cells["Encoding, MiB"].tolist() == ["3.0"] * 4
    assert table.cells["Decoding, MiB"].tolist() == [MISSING] * 4


def test_the_rate_of_the_standard_is_missing_where_it_was_not_measured():
    assert standard_rate(ROWS, "jasper") == 6.0
    assert standard_rate(ROWS, "jasper", 2) == 4.0
    assert np.isnan(standard_rate(ROWS, "potsdam"))
    assert lossless(ROWS, "jasper")["codec"].tolist() == ["linerwkv", "ccsds123", "jpegls-pixels"]


def test_tables_are_gathered_in_order_and_once(tmp_path):
    paths = [tmp_path / f"{index}.parquet" for index in range(len(ROWS))]
    for index, path in enumerate(paths):
        ROWS.iloc[[index]].to_parquet(path, index=False)
    gathered = gathered_measurements(paths[::-1])
    assert gathered["codec"].tolist() == ROWS["codec"].tolist()[::-1]
    assert tuple(gathered.columns) == COLUMNS
    with pytest.raises(ConfigurationError, match="linerwkv on jasper, delta 0, is measured twice"):
        gathered_measurements([*paths, paths[0]])


def test_what_is_no_table_of_measurements_is_refused(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_text("no table")
    with pytest.raises(ConfigurationError, match=r"table\.parquet: cannot be read as a table"):
        read_measurements(path)
    ROWS.drop(columns="verified").to_parquet(path)
    with pytest.raises(ConfigurationError, match=r"column\(s\) verified missing"):
        read_measurements(path)
