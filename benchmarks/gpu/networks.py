"""Sections about RVSR: training, the cost of paddings, the largest batch, and days of the published study."""

import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import jax
import numpy as np
import padding_cost
import training_step

from gpu import published
from gpu.roofline import Row, roofline_of
from gpu.sizes import Sizes
from gpu.timing import Clock, Seconds, measured, out_of_memory, timed
from spatial_prediction.studies.super_resolution.config import UPSCALE_FACTOR, Preset
from spatial_prediction.studies.super_resolution.data.tiles import RandomTiles, open_scene_array
from spatial_prediction.studies.super_resolution.presets import PRESETS, PUBLISHED_PRESETS
from spatial_prediction.studies.super_resolution.stages.estimate import SECONDS_A_DAY, estimate
from spatial_prediction.training_settings import TrainingSettings

Earlier = Mapping[str, Iterable[Row]]
PASSES = {"inference": padding_cost.inference, "training": padding_cost.training}
PIXELS = 48**2
LARGEST_ON_A_CPU = 64
"""Where memory runs out, the system ends the process."""


def training(sizes: Sizes, clock: Clock, earlier: Earlier) -> Iterator[Row]:
    """Train one seed, several at once, and one as published, from drawing tiles to losses on the host."""
    roofline = roofline_of(earlier)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.npy"
        np.save(path, training_step.rough_scenes(sizes.scenes))
        scenes = open_scene_array(path, smallest_size=training_step.SIZE)
        tiles = [
            RandomTiles(scenes, size=training_step.SIZE, batch_size=sizes.batch, seed=seed)
            for seed in range(sizes.seeds)
        ]
        ways = {
            "one seed": (training_step.Ours, 1),
            f"{sizes.seeds} seeds": (training_step.Ours, sizes.seeds),
            "plain": (training_step.Plain, 1),
        }
        for name in sizes.training_presets:
            alone = None
            for way, (implementation, seeds) in ways.items():
                if not clock.has_room(f"{name}, {way}"):
                    return
                training_run = implementation(PRESETS[name], *tiles[:seeds], model=sizes.model)
                took = measured(training_run.train, sizes.seconds, sizes.rounds)
                steps = seeds / took.median
                alone = alone or steps
                images = steps * sizes.batch
                row = {"preset": name, "way": way, "steps/s": steps, "quartiles": rates(took, seeds)}
                row |= {"over one seed": steps / alone, "images/s": images}
                row |= roofline.shares("training", images * PIXELS) if roofline else {}
                yield {**row, "images/s, published": published.RATES[name][0] if way == "one seed" else None}


def padding(sizes: Sizes, clock: Clock, earlier: Earlier) -> Iterator[Row]:
    """Time each padding in turns with zero padding, first all in inference and then all in training."""
    roofline = roofline_of(earlier)
    batches = {"inference": sizes.inference_batch, "training": sizes.batch}
    for kind, share in (("inference", 0.5), ("training", 1.0)):
        part, make, batch = clock.share(share), PASSES[kind], batches[kind]
        zero, _ = make(PRESETS["zero-repl"], batch, sizes.model)
        zero()
        for name in ("zero-repl", *(sizes.paddings or paddings())):
            if not part.has_room(f"{kind}, {name}"):
                break
            row = {"pass": kind, "preset": name, "batch": batch}
            try:
                run = zero if name == "zero-repl" else make(PRESETS[name], batch, sizes.model)[0]
                row |= in_turns(zero, run, sizes)
            except Exception as error:
                traceback.print_exc()
                yield {**row, "failed": f"{type(error).__name__}: {error}"[:200]}
                continue
            pixels = batch * PIXELS / (row["ms"] / 1e3)
            row |= {
                "published": published.over_zero(name, kind),
                "1e6 output px/s": pixels * UPSCALE_FACTOR**2 / 1e6,
            }
            if kind == "inference" and name in published.RATES:
                row["1e6 output px/s, published"] = published.RATES[name][1]
            yield {**row, **(roofline.shares(kind, pixels) if roofline else {})}


def in_turns(zero: Callable[[], object], other: Callable[[], object], sizes: Sizes) -> Row:
    """Time two programs in turns; the ratio is that of paired rounds."""
    other()
    turns = int(np.clip(sizes.seconds / timed(other) / 2, sizes.rounds, 50))
    times = np.array([(timed(zero), timed(other)) for _ in range(turns)])
    low, ratio, high = np.quantile(times[:, 1] / times[:, 0], (0.25, 0.5, 0.75)).tolist()
    row = {"over zero": ratio, "quartiles": f"{low:.2f} to {high:.2f}"}
    return {**row, "ms": 1e3 * float(np.median(times[:, 1]))}


def paddings() -> list[str]:
    """All presets without an output crop but ``zero-repl``, those first that the publication discusses."""
    first = ["lp1x1cs", "lp2x3", "lp6x7", "repl", "extr2"]
    others = [name for name, preset in PRESETS.items() if not preset.output_crop and name != "zero-repl"]
    return first + [name for name in others if name not in first]


def largest_batch(sizes: Sizes, clock: Clock, earlier: Earlier) -> Iterator[Row]:
    """Double the batch until memory runs out."""
    limit = sizes.largest_batch
    if jax.default_backend() == "cpu":
        limit = min(limit, LARGEST_ON_A_CPU)
    for kind, batch, share in zip(("training", "inference"), sizes.first_batches, (0.5, 1.0), strict=True):
        part = clock.share(share)
        known = {"pass": kind, "preset": "zero-repl", "published, 16 GB": published.LARGEST_BATCH[kind]}
        while part.has_room(f"{kind}, batch {batch}"):
            if batch > limit:
                yield {**known, "batch": batch, "outcome": "not tried: beyond the limit of this benchmark"}
                break
            row = {**known, "batch": batch, **tried(kind, batch, sizes)}
            yield row
            if row["outcome"] != "fits":
                break
            batch *= 2


def tried(kind: str, batch: int, sizes: Sizes) -> Row:
    """Find out whether a batch fits; nothing of it stays on the device."""
    try:
        run, memory = PASSES[kind](PRESETS["zero-repl"], batch, sizes.model)
        run()
        seconds = timed(run)
    except jax.errors.JaxRuntimeError as error:
        if not out_of_memory(error):
            raise
        return {"outcome": "memory runs out"}
    return {"outcome": "fits", "images/s": batch / seconds, "MiB, compiler": memory / 2**20}


def paper(sizes: Sizes, clock: Clock, earlier: Earlier) -> Iterator[Row]:
    """Extrapolate to the published study: presets that differ in their output crop count as one."""
    settings = TrainingSettings(batch_size=sizes.batch)
    counted: dict[Preset, list[str]] = {}
    for name in sizes.studied or PUBLISHED_PRESETS:
        preset = PRESETS[name]
        counted.setdefault(Preset(preset.padding, preset.upscale_padding), []).append(name)
    rates = {
        PRESETS[row["preset"]]: row["steps/s"]
        for row in earlier.get("training", ())
        if row["way"] == f"{sizes.seeds} seeds"
    }
    days = {key: settings.steps * sizes.seeds / SECONDS_A_DAY / rates[key] for key in counted if key in rates}
    for key in sorted(counted, key=lambda key: (key not in days, -len(counted[key]))):
        if key not in days:
            if not clock.has_room(counted[key][0]):
                break
            cost = estimate(
                {counted[key][0]: key},
                runs=sizes.seeds,
                seeds_per_job=sizes.seeds,
                model_settings=sizes.model,
                settings=settings,
                repeats=sizes.rounds,
            )
            days[key] = cost[counted[key][0]].days
        yield _days(", ".join(counted[key]), len(counted[key]), days[key], sizes)
    if days:
        left = sum(len(names) for key, names in counted.items() if key not in days)
        total = sum(len(counted[key]) * each for key, each in days.items()) + left * max(days.values())
        presets = sum(map(len, counted.values()))
        dear = f"; {left} presets not measured, counted like the dearest" if left else ""
        yield _days(f"whole study{dear}", presets, total / presets, sizes)


def _days(what: str, presets: int, days: float, sizes: Sizes) -> Row:
    runs = presets * sizes.seeds
    row = {"presets": what, "runs": runs, "days of a run": days / sizes.seeds, "days of all": days * presets}
    row["a run, published, V100"] = published.DAYS_OF_A_RUN
    return {**row, "all, published, V100": published.DAYS_OF_A_RUN * runs}


def rates(took: Seconds, count: int) -> str:
    """Quartiles of what is done in a second."""
    return f"{count / took.high:.4g} to {count / took.low:.4g}"
