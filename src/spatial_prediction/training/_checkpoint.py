"""Training states on disk: self-describing, complete or absent, and used by one process at a time."""

import contextlib
import fcntl
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from spatial_prediction.errors import CheckpointError
from spatial_prediction.named_arrays import load_arrays, save_arrays

logger = logging.getLogger(__name__)

PATTERN = "step_*.safetensors"


def named_leaves(tree: Any) -> dict[str, np.ndarray]:
    """Return the array leaves of ``tree`` under their paths, such as ``.head.kernel``."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def with_named_leaves(tree: Any, arrays: dict[str, np.ndarray], *, source: Path) -> Any:
    """Replace the leaves of ``tree`` by the arrays of the same paths.

    Raises:
        CheckpointError: names, shapes or dtypes do not agree with the tree's.
    """
    expected = named_leaves(tree)
    if expected.keys() != arrays.keys():
        odd = sorted(expected.keys() ^ arrays.keys())[0]
        raise CheckpointError(
            f"{source}: {odd!r} is not in both the checkpoint and the program; remove the file"
        )
    for name, leaf in expected.items():
        if arrays[name].shape != leaf.shape or arrays[name].dtype != leaf.dtype:
            raise CheckpointError(
                f"{source}: {name} is {arrays[name].dtype}{arrays[name].shape}, the program needs "
                f"{leaf.dtype}{leaf.shape}; remove the file"
            )
    return jax.tree_util.tree_map_with_path(lambda path, _: arrays[jax.tree_util.keystr(path)], tree)


class Checkpoints:
    """The folder of one training run's checkpoints; the newest two are kept.

    Folders beside it are those of runs that differ in nothing but their schedule. Two of them go the same
    way until either leaves the common phase, so a run may start from a state of its neighbour. For that the
    newest state of the common phase is kept as well.

    Args:
        folder: where the checkpoints lie.
        common_until: last step of the phase that this run's schedule has in common with its neighbours'.
    """

    def __init__(self, folder: Path, *, common_until: int = 0) -> None:
        self.folder, self.common_until = folder, common_until

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process; the lock goes with the process, however it ends.

        Raises:
            CheckpointError: another process trains in this folder.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CheckpointError(
                    f"{self.folder}: another process is training here; wait for it or end it first"
                ) from None
            for leftover in self.folder.glob(".step_*.partial.safetensors"):
                leftover.unlink()  # of a process killed while it wrote
            yield

    def save(self, step: int, arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
        """Write the checkpoint of ``step`` and remove all that are not worth keeping."""
        save_arrays(self.path(step), arrays, {**header, "step": step, "common_until": self.common_until})
        newest = _newest_first(self.folder.glob(PATTERN))
        in_common = [path for path in newest if _step(path) <= self.common_until]
        for old in set(newest) - {*newest[:2], *in_common[:1]}:
            old.unlink(missing_ok=True)

    def newest(self) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        """Return arrays and header of the newest readable checkpoint; damaged ones are passed over.

        Where the folder has none, it is the newest of the neighbours' that this run would have reached too.
        """
        beside = [path for path in self.folder.parent.glob(f"*/{PATTERN}") if path.parent != self.folder]
        for path in _newest_first(self.folder.glob(PATTERN)):
            if (found := _readable(path)) is not None:
                return found
        for path in _newest_first(path for path in beside if _step(path) <= self.common_until):
            found = _readable(path)
            if found is not None and _step(path) <= found[1]["common_until"]:
                logger.info("going on from %s, of a run with another schedule", path)
                return found
        return None

    def path(self, step: int) -> Path:
        """Return where the checkpoint of ``step`` lies, or would."""
        return self.folder / f"step_{step:09d}.safetensors"


def _readable(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    try:
        return load_arrays(path)
    except CheckpointError as error:
        logger.warning("passing over a checkpoint: %s", error)
        return None


def _step(path: Path) -> int:
    return int(path.stem.removeprefix("step_"))


def _newest_first(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=_step, reverse=True)
