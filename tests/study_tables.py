"""Tables of studies that nobody ran: what the figures and tables are made from, in all sizes and states."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spatial_prediction.statistics import intervals_by
from spatial_prediction.studies.super_resolution import metrics

BARE = ["zero-repl", "zero-zero", "repl", "extr2", "extr3", "lp1x1cs", "lp2x1", "lp2x1cs", "lp2x3", "lp2x5"]
BARE += ["lp3x3", "lp4x5", "lp6x7"]
CROPPED_BY_1 = ["zero_oc1", "repl_oc1", "lp1x1cs_oc1", "lp2x1cs_oc1", "lp2x3_oc1"]
CROPPED_BY_5 = ["zero_oc5", "repl_oc5", "lp2x3_oc5"]
PUBLISHED = dict.fromkeys(BARE, 0) | dict.fromkeys(CROPPED_BY_1, 1) | dict.fromkeys(CROPPED_BY_5, 5)
RIVALS = ["circ", "refl", "rand", "part", "diff", "diff_edge", "ebh", "auto", "lp2x3c", "lp2x3_batch"]
RIVALS += ["lp2x3_band8", "lp2x3_decay8", "lp1x1_across", "lp2x3_learned", "lp2x3_running"]
MANY = dict.fromkeys([*BARE, *RIVALS], 0)
DEFAULT = dict.fromkeys(["zero-repl", "repl", "extr2", "lp1x1cs", "lp2x3"], 0) | dict.fromkeys(
    CROPPED_BY_5, 5
)
CROPS = np.arange(11)
PIXELS = 12 * (192 - 8 * CROPS) ** 2


SUMMARY = {"size": 512, "scene_count": {"train": 24, "test": 6, "skipped": 1}} | {
    part: {"mean": [-0.5, -0.25, 0.125], "sha256": 64 * letter}
    for part, letter in (("train", "a"), ("test", "b"))
}
SUMMARY |= {
    "offset": {"setting": "auto", "scenes": {"0": 30}, "stated_by": {"nothing": 30}},
    "warnings": [{"warning": "DN may carry +1000", "scenes": {"000001.nc": "smallest DN 1012"}}],
}
"""Of the arrays that a study is made from."""


@dataclass
class StudyTables:
    """What the later stages read: tables of all runs in one, and those of bilinear upscaling."""

    presets: dict[str, int]
    errors: pd.DataFrame
    runs: pd.DataFrame
    history: pd.DataFrame
    nmse: pd.DataFrame
    timings: pd.DataFrame
    bilinear_errors: pd.DataFrame

    @property
    def bilinear(self) -> dict[int, float]:
        return metrics.bilinear_by_crop(self.bilinear_errors)

    @property
    def shells(self) -> pd.DataFrame:
        return metrics.shell_results(self.errors, self.presets, rng_seed=0)

    @property
    def test_mse(self) -> pd.DataFrame:
        return metrics.mse_at_own_crop(self.errors, self.presets)

    @property
    def against(self) -> pd.DataFrame:
        return metrics.against_bilinear(self.test_mse, self.presets, self.bilinear)

    @property
    def counts(self) -> pd.DataFrame:
        return metrics.count_runs(self.runs, self.presets)

    @property
    def results(self) -> pd.DataFrame:
        return metrics.general_results(
            self.errors,
            self.runs,
            self.timings,
            self.timings,
            self.presets,
            bilinear=self.bilinear,
            rng_seed=0,
        )

    @property
    def intervals(self) -> pd.DataFrame:
        return intervals_by(self.test_mse, ["preset"], "mse", rng_seed=0)


def study_tables(
    presets: dict[str, int],
    *,
    seeds=(0, 1),
    level: float = 4000e-6,
    bilinear: float = 3600e-6,
    spread: float = 0.02,
    diverged=(),
    first_step: int = 40,
    timed=None,
) -> StudyTables:
    """Make the tables of a study.

    Args:
        presets: output crop of each preset.
        seeds: of each preset.
        level: MSE of the networks, within ``spread``; shells outside the crop lie higher.
        bilinear: MSE of bilinear upscaling.
        spread: relative standard deviation between runs and between presets.
        diverged: (preset, seed) of the runs that diverged, or presets all of whose runs did.
        first_step: step at which runs diverge; before it they have a history, at 1 but that of step 0.
        timed: presets with a timing, by default all.
    """
    rng = np.random.default_rng(0)
    errors, history, runs, nmse = [], [], [], []
    for preset, crop in presets.items():
        of_preset = level * (1 + spread * rng.standard_normal())
        for seed in seeds:
            lost = preset in diverged or (preset, seed) in diverged
            state = ("diverged", 240, first_step, "loss is not finite")
            runs.append((preset, seed, *(state if lost else ("completed", 240, 240, None))))
            of_run = of_preset * (1 + spread * rng.standard_normal() / 2)
            history.append(_history(preset, seed, of_run, last=first_step - 1 if lost else 240))
            if not lost:
                shells = of_run * (1 + 0.3 * np.exp(-CROPS / 1.5) + np.where(crop > CROPS, 1.5, 0))
                errors.append(_errors(preset, seed, shells))
                nmse.append(_nmse(preset, seed))
    limits = bilinear * (1 + 0.1 * np.exp(-CROPS / 2))
    return StudyTables(
        presets,
        errors=pd.concat([*errors, _errors("", 0, limits)[:0]]),
        runs=pd.DataFrame(runs, columns=["preset", "seed", "status", "steps", "step", "reason"]),
        history=pd.concat(history),
        nmse=pd.concat([*nmse, _nmse("", 0)[:0]]),
        timings=_timings(list(presets) if timed is None else list(timed)),
        bilinear_errors=_errors("bilinear", 0, limits),
    )


def _errors(preset: str, seed: int, shells: np.ndarray) -> pd.DataFrame:
    rings = PIXELS - np.append(PIXELS[1:], 0)
    return pd.DataFrame(
        {
            "preset": preset,
            "seed": seed,
            "image": 0,
            "output_crop": CROPS,
            "sum_of_squares": np.cumsum((shells * rings)[::-1])[::-1],
            "pixel_count": PIXELS,
        }
    )


def _history(preset: str, seed: int, level: float, *, last: int) -> pd.DataFrame:
    steps = np.arange(0, last + 1, 10)
    noise = np.random.default_rng(seed).standard_normal(len(steps))
    loss = level * (1 + 300 / (1 + steps)) * (1 + 0.05 * noise)
    return pd.DataFrame(
        {"preset": preset, "seed": seed, "step": steps, "train_loss": loss, "test_loss": loss}
    ).assign(learning_rate=1e-3)


def _nmse(preset: str, seed: int) -> pd.DataFrame:
    paddings = {"zero": 1.4, "repl": 0.5, "extr3": 0.9, "lp1x1cs": 0.4, "lp2x3": 0.3}
    return pd.DataFrame(
        [
            (preset, seed, name, feature_map, nmse * math.exp(feature_map / 10))
            for name, nmse in paddings.items()
            for feature_map in range(11)
        ],
        columns=["preset", "seed", "padding", "feature_map", "nmse"],
    )


def _timings(presets: list[str]) -> pd.DataFrame:
    speed = 10 * 0.93 ** np.arange(len(presets))
    return pd.DataFrame({"preset": presets, "batch_size": 16, "images_per_second": speed}).assign(
        pixels_per_second=speed * 3e6, relative_time=10 / speed
    )


def run_record(**changes) -> dict:
    """What a training run records of itself, but for changes of its provenance."""
    provenance = {
        "spatial_prediction": "0.1.0",
        "commit": "abc",
        "python": "3.11.7",
        "platform": "Linux x86_64",
    }
    provenance |= {"packages": {"jax": "0.10.2"}, "device": "cpu", "compiled_kernels": True}
    provenance["settings"] = {"training": {"steps": 240, "learning_rate": 5e-6}}
    run = {"preset": "lp2x3", "seed": 1, "status": "completed", "seconds": 30.0}
    return run | {"provenance": provenance | changes}
