"""Fetching the archives of a data set side by side, and keeping their scenes.

A folder of scenes says by itself what it holds: a note ``ARCHIVE.json`` beside the scenes names those of an
archive. So whatever ends a run, the next one goes on from there.
"""

import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from spatial_prediction.errors import RetrievalError
from spatial_prediction.files import read_json, write_json
from spatial_prediction.progress import byte_progress
from spatial_prediction.retrieval.download import Archive, download
from spatial_prediction.retrieval.extraction import extract_scenes
from spatial_prediction.retrieval.web import PATIENCE, Patience

logger = logging.getLogger(__name__)


def archives_of_manifest(path: str | Path, *, mirror: str | None = None) -> list[Archive]:
    """Read which archives there are from a file, in place of a catalogue.

    Args:
        path: JSON with a list ``"archives"``, whose entries have ``name``, ``size`` (bytes), ``algorithm``,
            ``checksum`` and ``url``; the manifest that `retrieve_scenes.py` writes is one.
        mirror: address that archives' names are appended to in place of their ``url``.

    Raises:
        RetrievalError: the file cannot be read or is not such a list.
    """
    fields = ("name", "size", "algorithm", "checksum", "url")
    try:
        archives = [
            Archive(**{field: entry[field] for field in fields}) for entry in read_json(path)["archives"]
        ]
    except OSError as error:
        raise RetrievalError(f"{path}: cannot be read ({error.strerror}); name another manifest") from None
    except (ValueError, LookupError, TypeError) as error:
        raise RetrievalError(
            f"{path}: is not a list of archives with {', '.join(fields)} ({error!r}); "
            "give a manifest as retrieve_scenes.py writes it"
        ) from None
    if len({archive.name for archive in archives}) < len(archives) or not archives:
        raise RetrievalError(f"{path}: lists no archive, or one twice; list each once")
    if mirror is not None:
        archives = [replace(archive, url=f"{mirror.rstrip('/')}/{archive.name}") for archive in archives]
    return sorted(archives, key=lambda archive: archive.name)


def retrieve_scenes(
    archives: Sequence[Archive],
    directory: str | Path,
    *,
    parallel: int = 4,
    patience: Patience = PATIENCE,
) -> list[dict]:
    """Fetch archives, extract their scenes, and delete each archive when its scenes are verified.

    An archive whose note and scenes are there is not fetched again. Where one archive fails, the others are
    fetched all the same. Another process that fetches into the folder is waited for.

    Args:
        archives: what to fetch.
        directory: where the scenes go, made if needed.
        parallel: archives fetched at once.
        patience: time limits and retries.

    Returns:
        For each archive its attributes, and ``"scenes"``: names and sizes in bytes.

    Raises:
        RetrievalError: there is not enough room, an archive cannot be fetched or used, or a scene is in two
            archives.
    """
    directory = Path(directory)
    with _held(directory):
        notes = {archive.name: _valid_note(archive, directory) for archive in archives}
        missing = [archive for archive in archives if notes[archive.name] is None]
        _check_room(missing, directory, parallel)
        for archive, outcome in zip(
            missing, _retrieve_all(missing, directory, parallel, patience), strict=True
        ):
            notes[archive.name] = outcome
    faults = [note for note in notes.values() if isinstance(note, RetrievalError)]
    if faults:
        raise RetrievalError("\n".join(map(str, faults)))
    found = [note for note in notes.values() if isinstance(note, dict)]
    _check_that_scenes_differ(found)
    return found


def _retrieve_all(
    archives: list[Archive], directory: Path, parallel: int, patience: Patience
) -> list[dict | RetrievalError]:
    total = sum(archive.size for archive in archives)
    interrupted = False

    with byte_progress(total, description=f"{len(archives)} archives") as count:

        def advance(size: int) -> None:
            if interrupted:
                raise RetrievalError("interrupted; start again to go on")
            count(size)

        def retrieve(archive: Archive) -> dict | RetrievalError:
            try:
                return _retrieve(archive, directory, patience, advance)
            except RetrievalError as fault:
                logger.warning("%s", fault)
                return fault

        with ThreadPoolExecutor(parallel) as pool:
            try:
                return list(pool.map(retrieve, archives))
            except BaseException:  # Ctrl-C: leave now, not when the last archive is here
                interrupted = True
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _retrieve(archive: Archive, directory: Path, patience: Patience, advance: Callable[[int], None]) -> dict:
    path = download(archive, directory, patience=patience, advance=advance)
    scenes = extract_scenes(path, directory)
    try:
        note = {**asdict(archive), "scenes": {scene.name: scene.stat().st_size for scene in scenes}}
        write_json(_note_path(archive, directory), note)
        path.unlink()
    except OSError as error:
        raise RetrievalError(
            f"{directory}: cannot be written ({error.strerror or error}); make room or choose another folder"
        ) from error
    return note


@contextmanager
def _held(directory: Path) -> Iterator[None]:
    """Hold a folder for this process, after any other that holds it; the hold goes with the process."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise RetrievalError(
            f"{directory}: cannot be written ({error.strerror or error}); make room or choose another folder"
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.warning("%s: another process is fetching into it; waiting for it to end", directory)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _check_room(archives: Sequence[Archive], directory: Path, parallel: int) -> None:
    """Refuse to start what cannot end: all scenes, and the archives that lie beside theirs for a while."""
    sizes = sorted((archive.size for archive in archives), reverse=True)
    needed = sum(sizes) + sum(sizes[:parallel])
    here = sum(path.stat().st_size for path in directory.glob("*.zip*"))
    free = shutil.disk_usage(directory).free + here
    if needed > free:
        raise RetrievalError(
            f"{directory}: {len(sizes)} archives and their scenes take {needed} bytes, and {free} are left; "
            "make room, choose another folder, or fetch fewer archives (max_archives)"
        )


def _note_path(archive: Archive, directory: Path) -> Path:
    return directory / f"{archive.name}.json"


def _valid_note(archive: Archive, directory: Path) -> Any:
    """Read an archive's note if it is of the same bytes and its scenes are still there."""
    try:
        note = read_json(_note_path(archive, directory))
        same = (note["algorithm"], note["checksum"]) == (archive.algorithm, archive.checksum)
        there = all((directory / name).stat().st_size == size for name, size in note["scenes"].items())
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    # The address may have changed since; what is in the archive has not.
    return {**note, **asdict(archive)} if same and there else None


def _check_that_scenes_differ(notes: list[dict]) -> None:
    archive_of: dict[str, str] = {}
    for note in notes:
        for scene in note["scenes"]:
            if scene in archive_of:
                raise RetrievalError(
                    f"{scene} is in both {archive_of[scene]} and {note['name']}; "
                    "report it to the data set's makers"
                )
            archive_of[scene] = note["name"]
