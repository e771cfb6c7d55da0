"""Times: dates in UTC, or numbers in a unit of one's own."""

import datetime
import re
from typing import Any

import netCDF4
import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from spatial_prediction.errors import ConfigurationError, ObservationError
from spatial_prediction.interpolation.stations._tables import Table

DATE = np.dtype("datetime64[us]")

Times = Shaped[np.ndarray, " _"]
"""datetime64[us] in UTC, or float64."""


def times_of(table: Table, name: str, units: str | None) -> Times:
    """Read a column of times: numbers, or dates in ISO 8601; those without a time zone are UTC.

    Whole numbers that all are dates without hyphens, such as 20240131, are taken for dates unless there are
    units.

    Args:
        table: that has the column.
        name: of the column.
        units: of numbers, such as ``hours since 2024-01-01``; None for dates, or numbers without.

    Raises:
        ConfigurationError: the units cannot be understood, or the times are dates.
        ObservationError: one is missing or cannot be read.
    """
    column = table.frame[name]
    if column.dtype.kind == "M":
        times = np.asarray(pd.DatetimeIndex(pd.to_datetime(column, utc=True)).tz_localize(None), DATE)
        _refuse_missing(table, name, np.isnat(times))
        dates: Times | None = times
    elif column.dtype.kind in "fiu":
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        _refuse_missing(table, name, ~np.isfinite(numbers))
        dates = _compact_dates([f"{number:.0f}" if number == round(number) else "" for number in numbers])
    else:
        texts = ["" if pd.isna(field) else str(field).strip() for field in column]
        _refuse_missing(table, name, np.array([not text for text in texts], np.bool_))
        parsed = [_as_number(text) for text in texts]
        numbers = np.array(parsed, np.float64)
        dates = _compact_dates(texts) if np.isfinite(numbers).all() else _iso(table, name, texts)
    if units is None:
        return numbers if dates is None else dates
    if column.dtype.kind == "M" or (column.dtype.kind not in "fiu" and not np.isfinite(numbers).all()):
        raise ConfigurationError(
            f"time units {units!r}: {table.source} has dates in {name}; leave the units out"
        )
    check_units(units)
    return numbers


def check_units(units: str) -> None:
    """Refuse units that the CF conventions do not know.

    Raises:
        ConfigurationError: they are not such as ``hours since 2024-01-01``.
    """
    try:
        netCDF4.num2date([0], units)
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"time units {units!r} cannot be understood ({error}); give such as 'hours since 2024-01-01'"
        ) from None


def wanted_times(wanted: Any, observed: Times) -> Times:
    """Read the times to predict, in the form of the observed ones.

    Args:
        wanted: ``START/END/STEP`` (END included where a step falls on it), times separated by commas, or a
            sequence of times. Steps between dates are such as ``6h`` or ``1D``.
        observed: times observed, which say whether these are dates or numbers.

    Returns:
        Sorted, without duplicates.

    Raises:
        ConfigurationError: one cannot be read, or the step is not positive.
    """
    dates = observed.dtype.kind == "M"
    parts = wanted.split("/") if isinstance(wanted, str) else []
    try:
        if len(parts) == 3:
            start, end = (_time(part, dates) for part in parts[:2])
            step: Any = (
                pd.Timedelta(parts[2]).to_numpy().astype("timedelta64[us]") if dates else float(parts[2])
            )
            if not step > step * 0:
                raise ValueError("the step must be positive")
            count = int(np.floor((end - start) / step * (1 + 1e-12))) + 1
            if not 0 < count <= 10**7:
                raise ValueError(f"{count} steps")
            times = start + np.arange(count) * step
        else:
            listed = wanted.split(",") if isinstance(wanted, str) else list(wanted)
            times = np.array([_time(each, dates) for each in listed], DATE if dates else np.float64)
    except (ValueError, OverflowError, TypeError) as error:
        form = "2024-01-01 or 2024-01-01/2024-01-31/1D" if dates else "0 or 0/10/0.5"
        raise ConfigurationError(
            f"times {wanted!r} cannot be read ({error}); give such as {form}, separated by commas"
        ) from None
    if not times.size or not np.isfinite(times).all():
        raise ConfigurationError(f"times {wanted!r}: give at least one, all finite")
    return np.unique(times)


def as_numbers(times: Times, since: object) -> Float[np.ndarray, " n"]:
    """Times since another one: seconds between dates, or differences of numbers."""
    apart = times - np.asarray(since, times.dtype)
    return apart / np.timedelta64(1, "s") if times.dtype.kind == "M" else np.asarray(apart, np.float64)


def _time(given: object, dates: bool) -> Any:
    if not dates:
        return float(str(given))
    if isinstance(given, (np.datetime64, datetime.datetime)):
        return pd.Timestamp(given).to_datetime64().astype(DATE)
    return _date(str(given).strip())


def _date(text: str) -> np.datetime64:
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return np.datetime64(moment, "us")


def _iso(table: Table, name: str, texts: list[str]) -> Times:
    known: dict[str, np.datetime64] = {}
    for row, text in enumerate(texts):
        try:
            if text not in known:
                known[text] = _date(text)
        except (ValueError, OverflowError):
            raise ObservationError(
                f"{table.place(row)}: {name} is {text!r}, neither a number nor a date; write dates such as "
                "2024-01-31 or 2024-01-31T06:00"
            ) from None
    return np.array([known[text] for text in texts], DATE)


def _compact_dates(texts: list[str]) -> Times | None:
    """Dates such as 20240131, if all are."""
    if not texts or not all(re.fullmatch(r"[12]\d{7}", text) for text in set(texts)):
        return None
    try:
        known = {text: _date(text) for text in set(texts)}
    except ValueError:
        return None
    return np.array([known[text] for text in texts], DATE)


def _as_number(text: str) -> float:
    try:
        return float(text) if "_" not in text else float("nan")
    except ValueError:
        return float("nan")


def _refuse_missing(table: Table, name: str, missing: Shaped[np.ndarray, " n"]) -> None:
    if missing.any():
        raise ObservationError(
            f"{table.place(int(np.argmax(missing)))}: {name} is missing; leave the line out"
        )
