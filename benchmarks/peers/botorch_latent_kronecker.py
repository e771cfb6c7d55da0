"""BoTorch's LatentKroneckerGP on the problem of latent_kronecker.py, by its iterative methods.

Kernels, starts and scaling are ours, in float64; the likelihood's gradient is estimated, so torch is seeded.
"""

import sys

import numpy as np
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.models.latent_kronecker_gp import LatentKroneckerGP
from gpytorch.kernels import MaternKernel, ScaleKernel
from gpytorch.mlls import ExactMarginalLogLikelihood
from product_problem import judge, scaled

torch.manual_seed(0)
with np.load(sys.argv[1]) as arrays:
    PROBLEM = dict(arrays)
FRAMES, *SHAPE = PROBLEM["field"].shape
PIXELS = torch.as_tensor(np.argwhere(np.ones(SHAPE)).astype(float))
TIMES = torch.arange(FRAMES, dtype=torch.float64)[:, None]
VALUES = torch.as_tensor(scaled(PROBLEM).reshape(FRAMES, -1).T.copy())

space, time = MaternKernel(2.5, ard_num_dims=2), ScaleKernel(MaternKernel(2.5))
model = LatentKroneckerGP(
    PIXELS, TIMES, VALUES, covar_module_X=space, covar_module_T=time, outcome_transform=None
)
space.lengthscale = torch.as_tensor([(size - 1) / 6 for size in SHAPE], dtype=torch.float64)
time.base_kernel.lengthscale = (FRAMES - 1) / 6
time.outputscale = 1.0
model.likelihood.noise = 0.1


def fit():
    with model.use_iterative_methods():
        fit_gpytorch_mll(
            ExactMarginalLogLikelihood(model.likelihood, model),
            optimizer_kwargs={"options": {"maxiter": 60}},
        )


def predict():
    with torch.no_grad(), model.use_iterative_methods():
        posterior = model.posterior(PIXELS, TIMES)
        parts = (posterior.distribution.mean, posterior.distribution.variance + model.likelihood.noise)
    return tuple(part.reshape(-1, FRAMES).T.numpy() for part in parts)


judge(PROBLEM, fit, predict)
