"""The prediction of CCSDS 123.0-B-2 in Python's integers, formula by formula, one sample at a time.

Written from the standard's formulas in its own order (band, row, column) with samples as they are, so that it
shares neither order, nor arithmetic, nor the shift of signed samples with the package.
"""

from fractions import Fraction
from math import ceil, floor


def clip(value, low, high):
    return min(max(value, low), high)


def sign(value):
    return (value > 0) - (value < 0)


def mapped_indices(cube, p):
    """Mapped quantiser indices {(z, y, x): delta} of a cube, for ``ccsds123.Parameters`` without a period."""
    rows, columns, bands = cube.shape
    low, high = (-(2 ** (p.D - 1)), 2 ** (p.D - 1) - 1) if p.signed else (0, 2**p.D - 1)
    middle = 0 if p.signed else 2 ** (p.D - 1)
    representative, central, found = {}, {}, {}
    for z in range(bands):
        before = [z - i for i in range(1, min(z, p.P) + 1)]
        weights = first_weights(p, z, len(before))
        for t in range(rows * columns):
            y, x = divmod(t, columns)
            sample = int(cube[y, x, z])
            if t == 0:
                double = 2 * int(cube[0, 0, z - 1]) if z > 0 and p.P > 0 else 2 * middle
                predicted = double // 2
                found[z, y, x] = mapped(sample - predicted, double, min(predicted - low, high - predicted))
                representative[z, y, x] = sample
                continue

            def at(dy, dx, z=z, y=y, x=x):
                return representative[z, y + dy, x + dx]

            local = local_sum(p.local_sum, at, representative, z, y, x, columns, middle)
            differences = []
            if p.prediction_mode == "full":
                differences = [0, 0, 0]
                if y > 0:
                    north = 4 * at(-1, 0) - local
                    beside = [4 * at(0, -1) - local, 4 * at(-1, -1) - local] if x else [north, north]
                    differences = [north, *beside]
            differences += [central[other, y, x] for other in before]

            estimate = sum(w * u for w, u in zip(weights, differences, strict=True))
            half = 2 ** (p.R - 1)
            register = (estimate + 2**p.Omega * (local - 4 * middle) + half) % 2**p.R - half
            high_resolution = clip(
                register + 2 ** (p.Omega + 2) * middle + 2 ** (p.Omega + 1),
                2 ** (p.Omega + 2) * low,
                2 ** (p.Omega + 2) * high + 2 ** (p.Omega + 1),
            )
            double = high_resolution // 2 ** (p.Omega + 1)
            predicted = double // 2

            limits = [0] if p.fidelity == "lossless" else []
            limits += [of_band(p.a, z)] if p.a is not None else []
            limits += [of_band(p.r, z) * abs(predicted) // 2**p.D] if p.r is not None else []
            m = min(limits)
            error = sample - predicted
            q = sign(error) * ((abs(error) + m) // (2 * m + 1))
            theta = min((predicted - low + m) // (2 * m + 1), (high - predicted + m) // (2 * m + 1))
            found[z, y, x] = mapped(q, double, theta)
            reconstructed = clip(predicted + q * (2 * m + 1), low, high)

            phi, psi = of_band(p.phi, z), of_band(p.psi, z)
            centre = reconstructed * 2**p.Omega - sign(q) * m * psi * 2 ** (p.Omega - p.Theta)
            finer = 4 * (2**p.Theta - phi) * centre + phi * high_resolution - phi * 2 ** (p.Omega + 1)
            representative[z, y, x] = (finer // 2 ** (p.Omega + p.Theta + 1) + 1) // 2
            central[z, y, x] = 4 * representative[z, y, x] - local

            rate = clip(p.v_min + (t - columns) // p.t_inc, p.v_min, p.v_max) + p.D - p.Omega
            direction = 1 if 2 * reconstructed - double >= 0 else -1
            for c, u in enumerate(differences):
                change = Fraction(direction * u) / Fraction(2) ** (rate + offset_of(p, z, c)) + 1
                # The standard takes the floor of a half of it, in fixed point of whole numbers.
                weights[c] = clip(
                    weights[c] + floor(floor(change) / Fraction(2)),
                    -(2 ** (p.Omega + 2)),
                    2 ** (p.Omega + 2) - 1,
                )
    return found


def first_weights(p, z, count):
    if p.Lambda is not None:
        step = Fraction(2) ** (p.Omega + 3 - p.Q)
        return [int(step * each) + ceil(step / 2 - 1) for each in p.Lambda[z]]
    weights, value = [], 2**p.Omega * 7
    for _ in range(count):
        value //= 8
        weights.append(value)
    return ([0, 0, 0] if p.prediction_mode == "full" else []) + weights


def offset_of(p, z, c):
    if p.zeta is None:
        return 0
    return p.zeta[z][max(c - 2, 0) if p.prediction_mode == "full" else c]


def of_band(value, z):
    return value if isinstance(value, int) else value[z]


def mapped(q, double, theta):
    if abs(q) > theta:
        return abs(q) + theta
    return 2 * abs(q) if (-1) ** (double % 2) * q >= 0 else 2 * abs(q) - 1


def local_sum(kind, at, representative, z, y, x, columns, middle):
    if y == 0 and kind.startswith("wide"):
        return 4 * at(0, -1)
    if y == 0:
        return 4 * representative[z - 1, 0, x - 1] if z else 4 * middle
    if kind.endswith("column"):
        return 4 * at(-1, 0)
    if x == 0:
        return 2 * (at(-1, 0) + at(-1, 1))
    if kind == "wide_neighbor":
        last = at(-1, 1) if x < columns - 1 else at(-1, 0)
        return at(0, -1) + at(-1, -1) + at(-1, 0) + last
    if x == columns - 1:
        return 2 * (at(-1, -1) + at(-1, 0))
    return at(-1, -1) + 2 * at(-1, 0) + at(-1, 1)
