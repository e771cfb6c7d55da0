"""GPyTorch's exact GP on the problem of gp_value_and_gradient.py: float64, Cholesky at every size.

By default it switches above 800 observations to conjugate gradients and a stochastic log-determinant, whose
values are off by tens to hundreds of nats, with a sign that depends on N and noise.
"""

import gpytorch
import torch
from additive_problem import measure, problem
from gpytorch.kernels import MaternKernel, ScaleKernel

GIVEN = problem()
POINTS, VALUES = torch.as_tensor(GIVEN["points"]), torch.as_tensor(GIVEN["values"])
NAMES = ("mean", "noise", "space_variance", "space_length", "time_variance", "time_length")


class Additive(gpytorch.models.ExactGP):
    """Constant mean, Matérn 5/2 of rows and columns plus Matérn 5/2 of time."""

    def __init__(self, likelihood):
        super().__init__(POINTS, VALUES, likelihood)
        self.mean = gpytorch.means.ConstantMean()
        self.space = ScaleKernel(MaternKernel(2.5, active_dims=(1, 2)))
        self.time = ScaleKernel(MaternKernel(2.5, active_dims=(0,)))

    def forward(self, x):
        """Prior at points (N, 3)."""
        return gpytorch.distributions.MultivariateNormal(self.mean(x), self.space(x) + self.time(x))


likelihood = gpytorch.likelihoods.GaussianLikelihood(noise_constraint=gpytorch.constraints.GreaterThan(0.0))
model = Additive(likelihood).double()
model.mean.constant.data.fill_(float(GIVEN["mean"]))
likelihood.noise = float(GIVEN["noise"])
for kernel, prefix in ((model.space, "space"), (model.time, "time")):
    kernel.outputscale = float(GIVEN[f"{prefix}_variance"])
    kernel.base_kernel.lengthscale = float(GIVEN[f"{prefix}_length"])
model.train()
mll = gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, model)


def once():
    exact = gpytorch.settings.fast_computations(False, False, False)
    with exact, gpytorch.settings.max_cholesky_size(10**6), gpytorch.settings.cholesky_jitter(0.0, 0.0):
        model.zero_grad()
        value = mll(model(POINTS), VALUES) * len(VALUES)
        value.backward()
    # Of raw parameters: the derivatives are compared after division by that of the softplus.
    raw = [likelihood.raw_noise]
    for kernel in (model.space, model.time):
        raw += [kernel.raw_outputscale, kernel.base_kernel.raw_lengthscale]
    derivatives = [float(each.grad.sum() / torch.sigmoid(each.detach()).sum()) for each in raw]
    return float(value.detach()), [float(model.mean.raw_constant.grad), *derivatives]


measure(once)
