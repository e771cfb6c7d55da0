"""Builds wheels: a pure one, or with SPATIAL_PREDICTION_WHEEL_KERNELS=1 one for this platform with kernels.

The kernels are compiled with the headers of the oldest JAX that pyproject.toml allows, since the library then
runs in all later ones. All else about the package stands in pyproject.toml.
"""

import os
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

WITH_KERNELS = os.environ.get("SPATIAL_PREDICTION_WHEEL_KERNELS", "0") != "0"
NEEDED_TO_COMPILE = ["jax==0.10.0", "tqdm"]


class BuildWithKernels(build_py):
    """Compiles the kernels into the package that is being built."""

    def run(self) -> None:
        """Copy the package, then compile beside the sources in the copy."""
        super().run()
        if self.editable_mode:
            return
        folder = Path(self.build_lib, "spatial_prediction", "native")
        for left_over in folder.glob("kernels-*.so"):  # setuptools keeps build/ from one build to the next
            left_over.unlink()
        if WITH_KERNELS:
            sys.path.insert(0, str(Path(__file__).parent / "src"))
            from spatial_prediction import native

            native.build(folder.resolve())


class Package(Distribution):
    """Says whether the package holds machine code, by which setuptools chooses folders and tags."""

    def has_ext_modules(self) -> bool:
        """Return whether there will be kernels."""
        return WITH_KERNELS


class PlatformWheel(bdist_wheel):
    """Names the platform that the kernels are for; they serve every version of Python."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return the tags of Python, of its binary interface and of the platform."""
        return "py3", "none", super().get_tag()[2]


setup(
    distclass=Package,
    cmdclass={"build_py": BuildWithKernels, "bdist_wheel": PlatformWheel},
    setup_requires=NEEDED_TO_COMPILE if WITH_KERNELS else [],
)
