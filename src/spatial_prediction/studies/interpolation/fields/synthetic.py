"""Synthetic temperature: weather that drifts eastwards over a static climate, and decays as it goes."""

import numpy as np

from spatial_prediction.studies.interpolation.fields.field import Field

MEAN, MERIDIONAL, STATIC, WEATHER = 275.0, 14.0, 3.0, 3.5
"""Kelvin: mean; fall from the southern to the northern edge; standard deviations of the static field and of
the weather."""

VELOCITY = (0.15, 0.9)
"""Rows and columns that the weather moves from frame to frame, northwards and eastwards."""

STATIC_SIZE, WEATHER_SIZE = 2.5, 2.0
"""Pixels: standard deviation of the Gaussian that smooths the fields."""

MEMORY = 6.0
"""Frames after which the largest patterns of weather are renewed to 1 - 1/e; smaller ones go sooner."""


def synthetic_field(*, frames: int, rows: int, columns: int, seed: int) -> Field:
    """Make a field from a seed.

    Every Fourier component of the weather is a complex autoregression of first order: its phase turns with
    the wind, which moves the pattern, and its memory is the shorter, the smaller the pattern. The components
    live on a periodic grid with twice as many rows and columns, of which a corner is kept.

    Args:
        frames: number of frames.
        rows: from south to north.
        columns: from west to east.
        seed: equal seeds give equal fields.
    """
    rng = np.random.default_rng(seed)
    shape = (2 * rows, 2 * columns)
    turns = np.meshgrid(*(np.fft.fftfreq(size) for size in shape), indexing="ij")
    squared = sum(turn**2 for turn in turns)

    def noise() -> np.ndarray:
        return np.fft.fft2(rng.standard_normal(shape))

    def smooth(size: float) -> np.ndarray:
        weights = np.exp(-2 * (np.pi * size) ** 2 * squared)
        weights[0, 0] = 0.0  # a field whose mean is always 0
        return weights / np.sqrt(np.mean(weights**2))

    memory = np.exp(-(1 + 40 * squared) / MEMORY)
    drift = np.exp(-2j * np.pi * sum(speed * turn for speed, turn in zip(VELOCITY, turns, strict=True)))
    renewal = np.sqrt(1 - memory**2) * smooth(WEATHER_SIZE)
    state = smooth(WEATHER_SIZE) * noise()
    weather = np.empty((frames, rows, columns))
    for frame in range(frames):
        weather[frame] = np.fft.ifft2(state).real[:rows, :columns]
        state = memory * drift * state + renewal * noise()
    static = np.fft.ifft2(smooth(STATIC_SIZE) * noise()).real[:rows, :columns]
    fall = MERIDIONAL * (0.5 - np.linspace(0, 1, rows))[:, None]
    return Field(
        values=MEAN + fall + STATIC * static + WEATHER * weather,
        name="temperature",
        units="K",
        source=f"synthetic, seed {seed}",
        north_first=False,
    )
