r"""Claim: where stations have gaps, the map of daily temperature beats splines of each day; intervals hold.

FIELD is a netCDF file with a variable of (time, lat, lon), such as the reference study's
(docs/interpolation.md says where it is). Cells drawn at random are the stations, those left over the truth:
MAE, RMSE, coverage of the 95 % interval and mean negative log density of all other cells at all times, beside
the nearest station and thin-plate splines, which take each time by itself; and what --validate says, which
sees the stations only. --table writes what a user would have, a table for spatial-prediction interpolate.

  python benchmarks/station_temperature.py continuous_signal_demo_dataset.nc --picture map.png
  python benchmarks/station_temperature.py continuous_signal_demo_dataset.nc --stations 120 --reporting 0.5
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import xarray
from scipy.interpolate import NearestNDInterpolator, RBFInterpolator

from spatial_prediction.interpolation import hold_out_stations, interpolate_stations
from spatial_prediction.interpolation._validation import Validation


def field_of(path: Path, variable: str, times: int) -> xarray.DataArray:
    """The first times of a variable, with dates as coordinate, also where these are written as 8500101.5."""
    with xarray.open_dataset(path, decode_times=False) as dataset:
        field = dataset[variable][:times].load()
    if "%Y%m%d" in field["time"].attrs.get("units", ""):
        days = [f"{int(day):08d}" for day in field["time"].values]
        dates = [f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in days]
        return field.assign_coords(time=np.array(dates, "datetime64[us]"))
    return xarray.decode_cf(field.to_dataset(name=variable))[variable]


def drawn(
    field: xarray.DataArray, stations: int, reporting: float, seed: int
) -> tuple[np.ndarray, pd.DataFrame]:
    """Mask (time, lat, lon) of what stations observe, and the table of it, in random order."""
    random = np.random.default_rng(seed)
    chosen = np.zeros(field[0].size, np.bool_)
    chosen[random.choice(chosen.size, stations, replace=False)] = True
    mask = chosen.reshape(field.shape[1:]) & (random.random(field.shape) < reporting)
    table = field.where(xarray.DataArray(mask, dims=field.dims)).to_series().dropna()
    return mask, table.rename("t2m").sample(frac=1, random_state=seed).reset_index()


def each_time(field: xarray.DataArray, mask: np.ndarray, method: str) -> np.ndarray:
    """Predict every time by itself; longitudes are as long as they are in the middle of the map."""
    lat, lon = np.meshgrid(field["lat"], field["lon"], indexing="ij")
    places = np.stack([lat, lon * np.cos(np.deg2rad(lat.mean()))], axis=-1)
    predicted = []
    for frame, known in zip(field.values, mask, strict=True):
        make = NearestNDInterpolator if method == "nearest" else RBFInterpolator
        predicted.append(make(places[known], frame[known])(places.reshape(-1, 2)))
    return np.reshape(predicted, field.shape)


def draw(field: xarray.DataArray, found: xarray.Dataset, mask: np.ndarray, path: Path) -> None:
    """Truth, mean, standard deviation and error of the time in the middle, north up."""
    import matplotlib.pyplot as plt

    from spatial_prediction.plotting.style import PAGE_WIDTH, styled

    @styled
    def drawn() -> None:
        time = len(field) // 2
        truth, mean = field[time].values, found["t2m"][time].values
        panels = [
            ("truth, and the stations", truth, "viridis"),
            ("mean", mean, "viridis"),
            ("standard deviation", found["t2m_stddev"][time].values, "magma"),
            ("mean minus truth", mean - truth, "RdBu_r"),
        ]
        figure, axes = plt.subplots(
            2, 2, figsize=(PAGE_WIDTH, 3.6), layout="constrained", sharex=True, sharey=True
        )
        for axis, (title, values, colours) in zip(axes.flat, panels, strict=True):
            same = (truth.min(), truth.max()) if colours == "viridis" else (None, None)
            largest = np.abs(values).max()
            limits = (-largest, largest) if colours == "RdBu_r" else same
            image = axis.pcolormesh(
                field["lon"],
                field["lat"],
                values,
                cmap=colours,
                vmin=limits[0],
                vmax=limits[1],
                rasterized=True,
            )
            row, column = np.nonzero(mask[time])
            axis.plot(
                field["lon"][column],
                field["lat"][row],
                ".",
                color="white",
                markeredgecolor="black",
                markersize=4,
            )
            axis.set_title(title)
            figure.colorbar(image, ax=axis, label="K", pad=0.01)
        for axis in axes[-1]:
            axis.set_xlabel("longitude")
        for axis in axes[:, 0]:
            axis.set_ylabel("latitude")
        figure.savefig(path, dpi=150)

    drawn()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("field", type=Path, metavar="FIELD")
    parser.add_argument("--variable", default="var1")
    parser.add_argument("--stations", type=int, default=60)
    parser.add_argument("--times", type=int, default=20, help="how many, from the first on")
    parser.add_argument("--reporting", type=float, default=1.0, help="share of days that a station reports")
    parser.add_argument("--validate", type=float, default=0.2, help="share of stations held out, 0 for none")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", type=Path, help="write what the stations observe")
    parser.add_argument("--picture", type=Path, help="draw the time in the middle")
    options = parser.parse_args()
    field = field_of(options.field, options.variable, options.times)
    mask, table = drawn(field, options.stations, options.reporting, options.seed)
    if options.table:
        table.to_csv(options.table, index=False)
    settings = {"steps": options.steps, "seed": options.seed}
    found = interpolate_stations(table, options.field, **settings)
    hidden = np.broadcast_to(~mask.any(axis=0), field.shape)
    print(f"{len(table)} observations of {options.stations} stations, {hidden.sum()} others to find")
    print("| method | MAE, K | RMSE, K | coverage | NLPD |")
    print("|---|---|---|---|---|")
    errors = (field.values - found["t2m"].values)[hidden]
    judged = Validation.of(errors, found["t2m_stddev"].values[hidden], int(hidden[0].sum()))
    print(
        f"| static_product | {judged.mae:.3f} | {judged.rmse:.3f} | {judged.coverage:.3f} "
        f"| {judged.nlpd:.3f} |"
    )
    for method in ("nearest", "thin plate"):
        errors = (field.values - each_time(field, mask, method))[hidden]
        print(f"| {method} | {np.abs(errors).mean():.3f} | {np.sqrt((errors**2).mean()):.3f} | | |")
    if options.picture:
        draw(field, found, mask, options.picture)
    if options.validate:
        print(f"--validate {options.validate}: {hold_out_stations(table, options.validate, **settings)}")


if __name__ == "__main__":
    main()
