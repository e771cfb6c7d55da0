"""Observations at stations: checked, and nothing more."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from spatial_prediction.errors import ConfigurationError, ObservationError
from spatial_prediction.interpolation._fitted import LARGEST_VALUE
from spatial_prediction.interpolation.stations._columns import numbers_of, roles_of
from spatial_prediction.interpolation.stations._tables import Table
from spatial_prediction.interpolation.stations._times import Times, times_of

logger = logging.getLogger(__name__)

DISTANCES = ("auto", "sphere", "plane")
"""What ``distance`` may be."""


@dataclass(frozen=True)
class Observations:
    """Values at places and times, in any order; a place may have several at one time.

    Attributes:
        times: (N,), datetime64[us] or float64; zeros where there are no times.
        places: (N, 2), latitude and longitude in degrees, or y and x.
        values: (N,).
        errors: (N,), known standard deviations of the errors of measurement; zeros where none are known.
        name: of the values.
        geographic: whether places are latitudes and longitudes.
        on_sphere: whether distances are those on the Earth.
        timed: whether there are times.
        time_units: of times that are numbers, as CF writes them; None where there are none.
    """

    times: Times
    places: Float[np.ndarray, "N 2"]
    values: Float[np.ndarray, " N"]
    errors: Float[np.ndarray, " N"]
    name: str = "value"
    geographic: bool = False
    on_sphere: bool = False
    timed: bool = True
    time_units: str | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def stations(self) -> Int[np.ndarray, " N"]:
        """(N,), number of the place of each observation: 0, 1, ...; longitudes of -1 and 359 are one."""
        row, column = self.places.T
        around = np.column_stack([row, column % 360.0 if self.geographic else column])
        return np.unique(around, axis=0, return_inverse=True)[1].reshape(-1)

    @property
    def station_places(self) -> Float[np.ndarray, "stations 2"]:
        """(S, 2), the place of each station once."""
        return self.places[np.unique(self.stations, return_index=True)[1]]

    def only(self, kept: Bool[np.ndarray, " N"] | Int[np.ndarray, " n"]) -> "Observations":
        """Those of a mask or of some numbers."""
        return replace(
            self,
            times=self.times[kept],
            places=self.places[kept],
            values=self.values[kept],
            errors=self.errors[kept],
        )


def observations_of(
    table: Table,
    *,
    columns: Mapping[str, str] | None = None,
    time_units: str | None = None,
    distance: str = "auto",
) -> Observations:
    """Read and check the observations of a table. Rows whose value is missing are left out.

    Args:
        table: one row for each observation.
        columns: see :func:`roles_of`.
        time_units: see :func:`times_of`.
        distance: ``sphere``: on the Earth, between latitudes and longitudes; ``plane``: as if these were y
            and x; ``auto``: on the sphere where there are latitudes and longitudes.

    Raises:
        ConfigurationError: a setting is not known or does not suit the table.
        ObservationError: a column is missing, a field cannot be read or is impossible, or nothing is
            observed.
    """
    if distance not in DISTANCES:
        raise ConfigurationError(f"distance {distance!r} is not known; choose one of {', '.join(DISTANCES)}")
    roles = roles_of(table, columns or {})
    geographic = "lat" in roles
    if distance == "sphere" and not geographic:
        raise ConfigurationError(
            f"distance 'sphere': {table.source} has y and x; name the columns lat and lon, or choose plane"
        )
    if time_units is not None and "time" not in roles:
        raise ConfigurationError(f"time units {time_units!r}: {table.source} has no column of times")
    values = numbers_of(table, roles["value"])
    first, second = ("lat", "lon") if geographic else ("y", "x")
    places = np.column_stack([numbers_of(table, roles[first]), numbers_of(table, roles[second])])
    errors = numbers_of(table, roles["error"]) if "error" in roles else np.zeros(len(values))
    times = times_of(table, roles["time"], time_units) if "time" in roles else np.zeros(len(values))
    seen = ~np.isnan(values)
    if not seen.any():
        missing = f"all {len(values)} values of {roles['value']} are missing" if len(values) else "no rows"
        raise ObservationError(f"{table.source}: nothing is observed ({missing}); give at least two values")
    _refuse(table, seen & ~np.isfinite(values), roles["value"], values, "leave the line out")
    for number, role in enumerate((first, second)):
        _refuse(table, seen & ~np.isfinite(places[:, number]), roles[role], places[:, number], "leave it out")
    if geographic:
        swapped = (
            f"{roles['lat']} and {roles['lon']} swapped? (--columns lat={roles['lon']},lon={roles['lat']})"
        )
        beyond = seen & (np.abs(places[:, 0]) > 90)
        _refuse(table, beyond, roles["lat"], places[:, 0], f"latitudes end at 90 degrees; are {swapped}")
        beyond = seen & (np.abs(places[:, 1]) > 360)
        _refuse(table, beyond, roles["lon"], places[:, 1], "give longitudes in degrees between -180 and 360")
    impossible = seen & ~((errors >= 0) & (errors <= LARGEST_VALUE))
    remedy = "give a standard deviation, 0 or more, in every line"
    if "error" in roles:
        _refuse(table, impossible, roles["error"], errors, remedy)
    if not seen.all():
        logger.info("%s: %d of %d values are missing, left out", table.source, (~seen).sum(), len(seen))
    return Observations(
        times,
        places,
        values,
        errors,
        roles["value"],
        geographic,
        geographic and distance != "plane",
        "time" in roles,
        time_units,
    ).only(seen)


def _refuse(
    table: Table, wrong: Bool[np.ndarray, " N"], name: str, numbers: Float[np.ndarray, " N"], remedy: str
) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ObservationError(f"{table.place(row)}: {name} is {numbers[row]:.10g}; {remedy}")
