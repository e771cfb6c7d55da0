"""Training states on disk: self-describing, complete or absent, and used by one process at a time."""

import contextlib
import fcntl
import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from spatial_prediction.errors import CheckpointError
from spatial_prediction.files import write_errors_named
from spatial_prediction.named_arrays import load_arrays, save_arrays

logger = logging.getLogger(__name__)

NAME = re.compile(r"step_([0-9]{9,})\.safetensors")

IN_HEADER = ("step", "common_until")
"""Whole numbers that the header of every checkpoint has."""

Checkpoint = tuple[dict[str, np.ndarray], dict[str, Any]]
"""Arrays by name, and the header."""


def named_leaves(tree: Any) -> dict[str, np.ndarray]:
    """Return the array leaves of ``tree`` by their paths, such as ``.head.kernel``."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def with_named_leaves(tree: Any, arrays: dict[str, np.ndarray], *, source: Path) -> Any:
    """Replace the leaves of ``tree`` by the arrays with the same paths.

    Raises:
        CheckpointError: names, shapes or dtypes differ from those of the tree.
    """
    expected = named_leaves(tree)
    if expected.keys() != arrays.keys():
        unmatched = sorted(expected.keys() ^ arrays.keys())[0]
        raise CheckpointError(
            f"{source}: {unmatched!r} is not in both the checkpoint and the program; remove the file"
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

    Neighbouring folders belong to runs that differ only in their schedule. Two such runs have the same states
    until either leaves the common phase, so a run may start from a state of its neighbour. For this the
    newest state of the common phase is kept as well.

    Args:
        folder: folder of the checkpoints.
        common_until: last step of the phase that this run's schedule shares with those of its neighbours.
    """

    def __init__(self, folder: Path, *, common_until: int = 0) -> None:
        self.folder, self.common_until = folder, common_until

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for this process; the lock ends with the process, however that ends.

        Raises:
            CheckpointError: another process trains in this folder.
        """
        path = self.folder / "lock"
        with contextlib.ExitStack() as held:
            with write_errors_named(path):
                self.folder.mkdir(parents=True, exist_ok=True)
                lock = held.enter_context(open(path, "w"))
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise CheckpointError(
                        f"{self.folder}: another process is training here; wait for it or end it first"
                    ) from None
                for leftover in self.folder.glob(".step_*.partial.safetensors"):
                    leftover.unlink()  # a process was killed while it wrote this
            yield

    def save(self, step: int, arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
        """Write the checkpoint of ``step`` and remove those that need not be kept.

        Raises:
            WriteError: the disk is full, the folder read-only, and so on; earlier checkpoints are kept.
        """
        save_arrays(self.path(step), arrays, {**header, "step": step, "common_until": self.common_until})
        newest = _newest_first(self.folder.iterdir())
        in_common = [path for path in newest if _step(path) <= self.common_until]
        for old in set(newest) - {*newest[:2], *in_common[:1]}:
            with write_errors_named(old):
                old.unlink(missing_ok=True)

    def newest(self) -> Checkpoint | None:
        """Return arrays and header of the newest readable checkpoint.

        Damaged checkpoints and other files are skipped with a warning. If the folder has no checkpoint,
        return the newest of the neighbours' that this run would have reached too; None if there is none
        either.
        """
        return self._newest_own() or self._newest_of_neighbours()

    def _newest_own(self) -> Checkpoint | None:
        if self.folder.is_dir():
            for path in _newest_first(self.folder.iterdir(), warning=True):
                if (found := _readable(path)) is not None:
                    return found
        return None

    def _newest_of_neighbours(self) -> Checkpoint | None:
        beside = [path for path in self.folder.parent.glob("*/*") if path.parent != self.folder]
        for path in _newest_first(beside):
            if _step(path) > self.common_until:
                continue
            found = _readable(path)
            if found is not None and _step(path) <= found[1]["common_until"]:
                logger.info("going on from %s, of a run with another schedule", path)
                return found
        return None

    def path(self, step: int) -> Path:
        """Return the path of the checkpoint of ``step``, whether or not it exists."""
        return self.folder / f"step_{step:09d}.safetensors"


def _readable(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None, with a warning, if it is damaged or not a checkpoint."""
    try:
        arrays, header = load_arrays(path)
        for name in IN_HEADER:
            if not isinstance(header.get(name), int):
                raise CheckpointError(
                    f"{path}: its header has no {name}, so it is no checkpoint; move it away"
                )
        if header["step"] != _step(path):
            raise CheckpointError(f"{path}: holds step {header['step']}, so it was renamed; move it away")
    except CheckpointError as error:
        logger.warning("passing over a checkpoint: %s", error)
        return None
    return arrays, header


def _step(path: Path) -> int:
    """Step in the name of a checkpoint; -1 if the name is not that of a checkpoint."""
    match = NAME.fullmatch(path.name)
    return int(match[1]) if match else -1


def _newest_first(paths: Iterable[Path], *, warning: bool = False) -> list[Path]:
    """Sort the checkpoints among ``paths`` by name; ``warning`` logs files whose names only resemble one."""
    ours = []
    for path in paths:
        if _step(path) >= 0 and path.is_file():
            ours.append(path)
        elif warning and path.name.startswith("step_"):
            logger.warning("passing over what is no checkpoint: %s; move it away", path)
    return sorted(ours, key=_step, reverse=True)
