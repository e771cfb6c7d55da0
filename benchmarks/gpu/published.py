"""Published figures that stand beside the measured ones."""

RATES = {
    "zero-repl": (471.6, 964.2),
    "zero-zero": (472.2, 960.1),
    "repl": (481.0, 870.2),
    "extr1": (480.5, 864.5),
    "extr2": (479.7, 759.1),
    "extr3": (478.4, 758.1),
    "lp1x1cs": (464.0, 722.1),
    "lp2x1": (433.3, 498.2),
    "lp2x1cs": (442.2, 631.9),
    "lp2x3": (429.3, 479.8),
    "lp2x5": (453.1, 381.7),
    "lp3x3": (454.9, 393.8),
    "lp4x5": (447.1, 355.6),
    "lp6x7": (432.2, 265.7),
}
"""Images per second of training, and 1e6 output pixels per second of inference, each with the largest batch,
on an RTX 4070 Ti with 16 GB. Source: arXiv 2502.12300, table 1."""

LARGEST_BATCH = {"training": 263, "inference": 6880}
"""Of ``zero-repl`` on that GPU, of 16 GB. Source: as above."""

DAYS_OF_A_RUN = 4
"""Of training on a V100, about; 1.5 million steps of 64 images are some 278 images per second. Source: its
section on computing resources."""

LINERWKV_SAMPLES = {"xs": 5.7e4, "l": 6.3e3}
"""Samples per second that the published codec encodes on a CPU: 413,696 in 7.2 s, 1.65 million in 264 s."""


def over_zero(preset: str, kind: str) -> float | None:
    """Published time of a preset in multiples of that of ``zero-repl``, in ``training`` or ``inference``."""
    column = ("training", "inference").index(kind)
    return RATES["zero-repl"][column] / RATES[preset][column] if preset in RATES else None
