"""From scene files to the two arrays that training and evaluation read.

The arrays are ``.npy`` files of DN, int16, shape (scenes, size, size, 3). They are written one scene at a
time, so memory does not grow with the number of scenes, and each scene is read once. The test array is filled
first, from the end of the order backwards, until it has as many good scenes as wanted; the remaining scenes
are the training data. So a bad scene does not move rows that are already written.

Rows are written by plain writes, not through a memory map: if the disk is full, a write raises an error that
can be reported, whereas a memory map ends the process.
"""

import functools
import hashlib
import logging
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from jaxtyping import Int16, Int64

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.files import write_json, written_aside
from spatial_prediction.progress import progress
from spatial_prediction.rasters.band_choice import BANDS
from spatial_prediction.rasters.offset import OffsetSetting
from spatial_prediction.rasters.scenes import Account, read_scene_with_account
from spatial_prediction.rasters.settings import NodataSetting, ScaleSetting
from spatial_prediction.reflectance import DN_PER_HALF_UNIT, DN_PER_REFLECTANCE

logger = logging.getLogger(__name__)

LISTED = 10
"""The most scenes that a message about good scenes names."""


def build_arrays(
    scenes: Sequence[Path],
    *,
    train_path: str | Path,
    test_path: str | Path,
    summary_path: str | Path,
    test_scenes: int,
    size: int = 512,
    order: Int64[np.ndarray, " scenes"],
    bad_scenes: Literal["error", "skip"],
    offset: OffsetSetting = "auto",
    bands: Sequence[str] = BANDS,
    scale: ScaleSetting = "auto",
    nodata: NodataSetting = "auto",
) -> dict[str, Any]:
    """Write the training array, the test array, and a summary of both.

    ``order`` refers to all of ``scenes``. Bad scenes are removed from it, and the last ``test_scenes`` of the
    remaining ones are the test set. So leaving out a bad scene does not change the order of the others.

    The three files appear together at the end, the summary last: if it exists, the arrays are complete.

    Args:
        scenes: the scene files, sorted by name.
        train_path: path of the training array (``.npy``).
        test_path: path of the test array (``.npy``).
        summary_path: path of the summary (JSON).
        test_scenes: number of scenes in the test set.
        size: rows and columns taken from the first corner of each scene.
        order: permutation of the scenes' indices.
        bad_scenes: ``"error"`` stops after the last scene with a message that names every bad one;
            ``"skip"`` leaves bad scenes out and lists them in the summary.
        offset: added to stored DN: ``"auto"`` adds the offset that each file states, and 0 if it states
            none; 0 or -1000 is added to all.
        bands: names, numbers or wavelengths of red, green and blue.
        scale: what stored numbers are; ``"auto"``: what each file's packing says, or else DN.
        nodata: what is missing besides what each file declares, or ``"none"`` in place of that.

    Returns:
        The summary: number and names of the scenes in each array's order, skipped scenes with reasons, how
        the scenes were read, what offset was added and what is doubtful about them. For each array it has the
        checksum and, of the values 2 DN / 10000 - 1, each band's mean and standard deviation and the variance
        of a channel averaged over channels and scenes.

    Raises:
        ConfigurationError: an argument does not fit the scenes or the other arguments, or the arrays do not
            fit on the disk.
        SceneError: a scene is bad, or too few are good; or ``offset`` is ``"auto"`` and some scenes state an
            offset of -1000 and others state none.
    """
    train_path, test_path, summary_path = Path(train_path), Path(test_path), Path(summary_path)
    _check_arguments(scenes, {train_path, test_path, summary_path}, test_scenes, order)
    ordered = [scenes[index] for index in order]
    with written_aside(test_path) as test_aside, written_aside(train_path) as train_aside:
        _check_room(train_path.parent, scenes=len(scenes), size=size)
        with open(train_aside, "wb") as train_file, open(test_aside, "wb") as test_file:
            train, test = _SceneArray(train_file, size), _SceneArray(test_file, size)
            read = functools.partial(
                read_scene_with_account, size=size, offset=offset, bands=bands, scale=scale, nodata=nodata
            )
            accounts, faults = _read_all(ordered, train, test, test_scenes, read)
            _check_faults(faults, len(scenes), test_scenes, bad_scenes)
            _check_offsets(accounts)
            _log_reading(accounts, offset)
            train.finish()
            test.finish()
        summary = {
            "size": size,
            "dtype": "int16",
            "bands": list(bands),
            "statistics_of": f"2 * DN / {DN_PER_REFLECTANCE} - 1",
            "scene_count": {"train": len(train), "test": len(test), "skipped": len(faults)},
            "train": {**train.summary(), "sha256": _sha256(train_aside)},
            "test": {**test.summary(), "sha256": _sha256(test_aside)},
            "offset": {
                "setting": offset,
                "scenes": _counted(str(account.offset.dn) for account in accounts.values()),
                "stated_by": _counted(account.offset.stated_by or "nothing" for account in accounts.values()),
            },
            "decoding": _counted(account.decided for account in accounts.values()),
            "warnings": [
                {"warning": text, "scenes": details} for text, details in _notices(accounts).items()
            ],
            "skipped": [{"scene": name, "reason": reason} for name, reason in sorted(faults.items())],
        }
        # If this process ended right here, a summary of earlier arrays must not stand beside new ones.
        summary_path.unlink(missing_ok=True)
    write_json(summary_path, summary)
    return summary


def _check_arguments(scenes: Sequence[Path], outputs: set[Path], test_scenes: int, order: np.ndarray) -> None:
    if len(outputs) < 3:
        raise ConfigurationError(
            "train_path, test_path, summary_path: two are the same file; name three files"
        )
    if not np.array_equal(np.sort(order), np.arange(len(scenes))):
        raise ConfigurationError(
            f"order has {order.size} entries and is no permutation of the {len(scenes)} scenes; "
            "make it with scene_order"
        )
    if test_scenes < 1:
        raise ConfigurationError(
            f"test_scenes={test_scenes}: a test set has at least 1 scene; give 1 or more"
        )
    if test_scenes >= len(scenes):
        raise ConfigurationError(
            f"test_scenes={test_scenes} leaves no training scene of {len(scenes)}; "
            "give fewer test scenes or more scenes"
        )


def _check_room(folder: Path, *, scenes: int, size: int) -> None:
    needed = scenes * size**2 * len(BANDS) * np.dtype(np.int16).itemsize
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise ConfigurationError(
            f"{folder}: the arrays of {scenes} scenes take {needed} bytes and {free} are left; "
            "make room, or choose another folder"
        )


def _read_all(
    ordered: Sequence[Path],
    train: "_SceneArray",
    test: "_SceneArray",
    test_scenes: int,
    read: Callable[[Path], tuple[np.ndarray, Account]],
) -> tuple[dict[str, Account], dict[str, str]]:
    """Write every good scene to its row; return how good scenes were read, and why others are bad."""
    accounts: dict[str, Account] = {}
    faults: dict[str, str] = {}
    walk = _from_both_ends(ordered, test, test_scenes)
    for path in progress(walk, total=len(ordered), description="Reading scenes", unit="scenes"):
        try:
            dn, accounts[path.name] = read(path)
        except SceneError as fault:
            faults[path.name] = str(fault).removeprefix(f"{path}: ")
            continue
        if len(test) < test_scenes:
            test.write(test_scenes - 1 - len(test), path.name, dn)
        else:
            train.write(len(train), path.name, dn)
    return dict(sorted(accounts.items())), faults


def _from_both_ends(ordered: Sequence[Path], test: "_SceneArray", test_scenes: int) -> Iterator[Path]:
    """Yield scenes from the last one backwards until the test set is full, then from the first one on."""
    waiting = deque(ordered)
    while waiting:
        yield waiting.pop() if len(test) < test_scenes else waiting.popleft()


def _check_faults(faults: dict[str, str], found: int, test_scenes: int, bad_scenes: str) -> None:
    listing = "".join(f"\n  {name}: {reason}" for name, reason in sorted(faults.items()))
    if faults and bad_scenes == "error":
        raise SceneError(
            f"{len(faults)} of {found} scenes are bad; mend or remove them, or have them skipped "
            f"(dataset.bad_scenes: skip, or --bad-scenes skip):{listing}"
        )
    good = found - len(faults)
    if good <= test_scenes:
        raise SceneError(
            f"{good} of {found} scenes are good, too few for {test_scenes} test scenes and at least "
            f"one training scene; add scenes or mend these:{listing}"
        )
    for name, reason in sorted(faults.items()):
        logger.warning("bad scene, left out: %s: %s", name, reason)


def _check_offsets(accounts: dict[str, Account]) -> None:
    """Refuse a mixture of scenes that state an offset and scenes that may have it without stating it."""
    subtracted = [
        name for name, account in accounts.items() if account.offset.stated_by and account.offset.dn
    ]
    silent = [name for name, account in accounts.items() if account.offset.stated_by is None]
    if subtracted and silent:
        raise SceneError(
            f"dataset.offset is auto, and {len(subtracted)} of {len(accounts)} scenes state that their DN "
            f"carry +1000 ({_named(subtracted)}), while {len(silent)} state nothing ({_named(silent)}). Set "
            "dataset.offset (--offset) to what holds for all of them, -1000 or 0, or state it in each file "
            "that says nothing: an attribute BOA_ADD_OFFSET of 0 or -1000"
        )


def _log_reading(accounts: dict[str, Account], offset: OffsetSetting) -> None:
    """Log how the scenes were read, one line for each way, and each doubt with the scenes it concerns."""
    for (decided, dn, stated), count in Counter(
        (account.decided, account.offset.dn, account.offset.stated_by) for account in accounts.values()
    ).items():
        by = "" if stated == "dataset.offset" else f"; {stated or 'nothing states one'}"
        logger.info("%d scenes: %s; offset %d (dataset.offset: %s%s)", count, decided, dn, offset, by)
    for text, details in _notices(accounts).items():
        listing = _named([f"{name} ({detail})" for name, detail in details.items()])
        logger.warning("%s: in %d of %d scenes: %s", text, len(details), len(accounts), listing)


def _notices(accounts: dict[str, Account]) -> dict[str, dict[str, str]]:
    """Return each doubt with its scenes, and what was found in each."""
    found: dict[str, dict[str, str]] = {}
    for name, account in accounts.items():
        for notice in account.notices:
            found.setdefault(notice.text, {})[name] = notice.detail
    return found


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


class _SceneArray:
    """An ``.npy`` file of scenes, written row by row, and the sums for its statistics."""

    def __init__(self, file: BinaryIO, size: int):
        self.file = file
        self.size = size
        self.names: dict[int, str] = {}
        self.dn_sum = [0, 0, 0]
        self.square_sum = [0, 0, 0]
        self.variance_sum = 0.0
        self.offset = self._write_header(rows=0)

    def __len__(self) -> int:
        return len(self.names)

    def _write_header(self, rows: int) -> int:
        self.file.seek(0)
        shape = (rows, self.size, self.size, len(BANDS))
        header = {"descr": "<i2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self.file, header)
        return self.file.tell()

    def write(self, row: int, name: str, scene: Int16[np.ndarray, "size size 3"]) -> None:
        self.names[row] = name
        self.file.seek(self.offset + row * scene.nbytes)
        self.file.write(np.ascontiguousarray(scene, dtype="<i2").data)
        # Sums of DN are exact in integers: means and variances do not depend on the order of the scenes.
        pixels = self.size**2
        for channel in range(len(BANDS)):
            dn = scene[..., channel].astype(np.int64)
            dn_sum, square_sum = int(dn.sum()), int(np.vdot(dn, dn))
            self.dn_sum[channel] += dn_sum
            self.square_sum[channel] += square_sum
            self.variance_sum += _scaled_variance(pixels, dn_sum, square_sum)

    def finish(self) -> None:
        """Write the number of rows into the header, where NumPy leaves room for a growing array."""
        if self._write_header(rows=len(self)) != self.offset:
            raise RuntimeError("this NumPy's .npy header changes its length with the number of rows")

    def summary(self) -> dict[str, Any]:
        samples = len(self) * self.size**2
        sums = list(zip(self.dn_sum, self.square_sum, strict=True))
        return {
            "scenes": [self.names[row] for row in sorted(self.names)],
            "mean": [dn_sum / samples / DN_PER_HALF_UNIT - 1 for dn_sum in self.dn_sum],
            "standard_deviation": [_scaled_variance(samples, *pair) ** 0.5 for pair in sums],
            "mean_channel_variance": self.variance_sum / (len(self) * len(BANDS)),
        }


def _scaled_variance(samples: int, dn_sum: int, square_sum: int) -> float:
    """Variance of the values 2 DN / 10000 - 1, from exact sums of DN and of their squares."""
    return (samples * square_sum - dn_sum**2) / (samples * DN_PER_HALF_UNIT) ** 2


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
