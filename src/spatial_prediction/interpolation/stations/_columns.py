"""Which columns of a table have the times, places, values and errors."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from spatial_prediction.errors import ConfigurationError, ObservationError
from spatial_prediction.interpolation.stations._tables import Table

NAMES = {
    "time": ("time", "date", "datetime", "timestamp"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "long", "longitude"),
    "y": ("y", "northing"),
    "x": ("x", "easting"),
    "value": ("value",),
    "error": ("error", "stddev", "std", "sigma", "uncertainty", "standard_error"),
}
"""Names that columns are known by, upper case or lower."""

NOT_VALUES = ("station", "station_id", "station_name", "site", "id", "name", "elevation", "altitude")
"""Columns that are never taken for the values where these have no name of theirs."""

MISSING = ("", "na", "n/a", "nan", "null", "none", "-")
"""What stands for a missing number, upper case or lower."""


def roles_of(table: Table, given: Mapping[str, str]) -> dict[str, str]:
    """Find the columns: those given, and others by their names.

    Args:
        table: whose columns are asked about.
        given: names of columns by role: ``time``, ``lat``, ``lon``, ``y``, ``x``, ``value``, ``error``.

    Returns:
        Names of columns by role: ``value``, either ``lat`` and ``lon`` or ``y`` and ``x`` (where there are
        both, and neither is given, the former), and ``time`` and ``error`` where there are any.

    Raises:
        ConfigurationError: a role is not known, or a given column is not there.
        ObservationError: a column that is needed is missing, or several could be it.
    """
    names = [str(name) for name in table.frame.columns]
    listed = ", ".join(names) or "none"
    for role, name in given.items():
        if role not in NAMES:
            raise ConfigurationError(f"columns: {role!r} is not known; choose among {', '.join(NAMES)}")
        if name not in names:
            raise ConfigurationError(f"{table.source}: has no column {name!r} ({role}); it has {listed}")
    found = dict(given)
    taken = set(given.values())
    for role, known in NAMES.items():
        possible = [name for name in names if name.lower() in known and name not in taken]
        if role not in found and possible:
            found[role] = _only(table, role, possible)
    first, second = (
        ("y", "x") if {"y", "x"} & set(given) or not {"lat", "lon"} <= set(found) else ("lat", "lon")
    )
    if not {first, second} <= set(found):
        raise ObservationError(
            f"{table.source}: no columns lat and lon, nor y and x, among {listed}; rename them, or say which "
            "they are by columns (--columns lat=NAME,lon=NAME)"
        )
    if "value" not in found:
        known_names = {known for each in NAMES.values() for known in each} | set(NOT_VALUES)
        found["value"] = _only(
            table, "value", [n for n in names if n.lower() not in known_names and n not in found.values()]
        )
    used = {role: name for role, name in found.items() if role in (first, second, "value", "time", "error")}
    for name in used.values():
        if names.count(name) > 1:
            raise ObservationError(
                f"{table.source}: {names.count(name)} columns are named {name!r}; rename one"
            )
    return used


def numbers_of(table: Table, name: str) -> Float[np.ndarray, " rows"]:
    """A column as float64, NaN where it is missing.

    Raises:
        ObservationError: a value is not a number.
    """
    column = table.frame[name]
    if column.dtype.kind in "fiu":
        return column.to_numpy(np.float64, na_value=np.nan)
    return np.array([_number(table, row, name, field) for row, field in enumerate(column)], np.float64)


def _number(table: Table, row: int, name: str, field: object) -> float:
    text = str(field).strip()
    if field is None or text.lower() in MISSING or text == "<NA>":
        return float("nan")
    try:
        if isinstance(field, bool) or "_" in text:
            raise ValueError
        return float(text)
    except ValueError:
        hint = "write decimal points, not commas" if "," in text else "correct it, or leave the line out"
        raise ObservationError(f"{table.place(row)}: {name} is {text!r}, not a number; {hint}") from None


def _only(table: Table, role: str, possible: list[str]) -> str:
    possible = list(dict.fromkeys(possible))
    if len(possible) == 1:
        return possible[0]
    if not possible:
        raise ObservationError(
            f"{table.source}: no column of values among {', '.join(map(str, table.frame.columns))}; name it "
            "value, or say which it is (--variable NAME)"
        )
    option = "--variable NAME" if role == "value" else f"--columns {role}=NAME"
    raise ObservationError(
        f"{table.source}: the {role} could be any of {', '.join(possible)}; say which ({option})"
    )
