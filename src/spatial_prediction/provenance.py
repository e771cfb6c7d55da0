"""Where a result comes from: versions, device, commit; and which modules a script runs through."""

import ast
import functools
import hashlib
import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import spatial_prediction

_PACKAGE = Path(spatial_prediction.__file__).parent
_RECORDED = ("jax", "jaxlib", "equinox", "optax", "numpy", "netCDF4", "matplotlib", "snakemake")


def provenance(**settings: Any) -> dict[str, Any]:
    """Describe how a result is being made, as JSON-ready values.

    Holds no time and no path, so that equal runs give equal files. The device is named when JAX is
    already in use, never imported for it.

    Args:
        settings: configuration to record under ``"settings"``.
    """
    record: dict[str, Any] = {
        "spatial_prediction": spatial_prediction.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": _versions(),
        "settings": settings,
    }
    if (jax := sys.modules.get("jax")) is not None:
        record["device"] = jax.devices()[0].device_kind
    if (native := sys.modules.get("spatial_prediction.native")) is not None:
        record["compiled_kernels"] = native.available()
    return record


def code_dependencies(script: str | Path) -> list[Path]:
    """Return the files of this package that ``script`` runs through, found by following its imports.

    Sorted; includes the ``__init__`` of every package on the way, and the C++ sources of those that have
    any. Reads source only, runs nothing, so a dry run can afford it.
    """
    found: set[Path] = set()
    waiting = list(_imported_files(Path(script)))
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported_files(path)
            if path.name == "__init__.py":
                found |= {*path.parent.glob("*.cc"), *path.parent.glob("*.h")}
    return sorted(found)


def code_fingerprint(script: str | Path) -> str:
    """Hash the content of a script and of :func:`code_dependencies`."""
    return content_hash([Path(script), *code_dependencies(script)])


def content_hash(paths: Iterable[Path]) -> str:
    """SHA-256 over the contents of files, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@functools.cache
def _imported_files(path: Path) -> tuple[Path, ...]:
    files: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            files |= _module_files(name)
    return tuple(sorted(files))


def _module_files(name: str) -> set[Path]:
    """Files that importing ``name`` runs: the module's own, and every ``__init__`` above it."""
    first, *rest = name.split(".")
    if first != _PACKAGE.name:
        return set()
    files, folder = {_PACKAGE / "__init__.py"}, _PACKAGE
    for part in rest:
        if (folder / part / "__init__.py").exists():
            folder = folder / part
            files.add(folder / "__init__.py")
        elif (folder / f"{part}.py").exists():
            files.add(folder / f"{part}.py")
    return files


def _versions() -> dict[str, str]:
    versions = {}
    for package in _RECORDED:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


@functools.cache
def _commit() -> str | None:
    """Commit of the checkout the package runs from, marked where it has changes; None outside of git."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=_PACKAGE,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip() or None
