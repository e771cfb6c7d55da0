"""Gaussian processes by plain NumPy: a dense matrix and formulas written down once more, to compare with."""

import numpy as np

SQUARE_ROOT_OF_5 = np.sqrt(5.0)


def distances(x, y):
    return np.linalg.norm(x[:, None] - y[None], axis=-1)


def matern(x, y, lengthscale):
    """Matérn 5/2."""
    r = SQUARE_ROOT_OF_5 * distances(x, y) / lengthscale
    return (1 + r + r**2 / 3) * np.exp(-r)


def rbf(x, y, lengthscale):
    return np.exp(-(distances(x, y) ** 2) / (2 * lengthscale**2))


def log_density(covariance, residual):
    """Of a normal distribution, by eigenvalues rather than by a Cholesky factor."""
    eigenvalues, vectors = np.linalg.eigh(covariance)
    rotated = vectors.T @ residual
    return -0.5 * np.sum(rotated**2 / eigenvalues + np.log(2 * np.pi * eigenvalues))


def conditioned(kernel, points, values, wanted, *, mean, noise):
    """Mean and variance, noise included, at wanted points."""
    matrix = kernel(points, points) + noise * np.eye(len(points))
    crossed = kernel(wanted, points)
    solved = np.linalg.solve(matrix, np.column_stack([values - mean, crossed.T]))
    prior = np.diag(kernel(wanted, wanted)) + noise
    return mean + crossed @ solved[:, 0], prior - np.sum(crossed.T * solved[:, 1:], axis=0)


def points_of(mask):
    """(frame, row, column) of True cells."""
    return np.argwhere(mask).astype(float)
