"""Taking scenes out of zip archives that come from elsewhere and are not to be trusted.

The published archives hold 500 scenes ``NNNNNN.nc`` each, without folders and without compression. Anything
else in an archive is refused before a single file is written.
"""

import re
import shutil
import stat
import zipfile
import zlib
from collections import Counter
from pathlib import Path

from spatial_prediction.errors import RetrievalError
from spatial_prediction.files import written_aside

SCENE_NAME = re.compile(r"[0-9]{6}\.nc")

LARGEST_SCENE = 64 * 2**20
"""Bytes; a published scene has less than 2 MiB."""

ENCRYPTED = 0x1
"""The bit of a member's flags that says it is encrypted."""


def extract_scenes(
    archive_path: str | Path, directory: str | Path, *, largest_scene: int = LARGEST_SCENE
) -> list[Path]:
    """Write the scenes of an archive into a folder.

    Every scene appears under its name only when it is complete and its CRC is right. A scene that lies
    there already with the same bytes is left alone.

    Args:
        archive_path: the zip archive.
        directory: the folder, made if needed.
        largest_scene: bytes that no scene may exceed.

    Returns:
        The scenes' paths, sorted by name.

    Raises:
        RetrievalError: the archive is damaged, or holds something else than scenes (a path, a link, a
            folder, an absurd size, a name twice), or a scene lies in the folder with other bytes.
    """
    archive_path, directory = Path(archive_path), Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(archive_path) as archive:
            members = sorted(archive.infolist(), key=lambda member: member.filename)
            _check_members(members, largest_scene)
            _check_room(members, directory)
            return [_extract(archive, member, directory) for member in members]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise RetrievalError(
            f"{archive_path}: damaged, or not a plain zip archive ({error}); delete it and fetch it again"
        ) from error
    except OSError as error:
        raise RetrievalError(
            f"{archive_path}: cannot be extracted to {directory} ({error.strerror or error}); "
            "make room, or choose another folder"
        ) from error
    except RetrievalError as error:
        raise RetrievalError(f"{archive_path}: {error}") from None


def _check_members(members: list[zipfile.ZipInfo], largest_scene: int) -> None:
    if not members:
        raise RetrievalError("holds no scenes; name an archive of scenes")
    for member in members:
        fault = _fault(member, largest_scene)
        if fault:
            raise RetrievalError(
                f"member {member.filename!r} {fault}; the archive is not one of scenes, do not use it"
            )
    name, times = Counter(member.filename for member in members).most_common(1)[0]
    if times > 1:
        raise RetrievalError(
            f"member {name!r} occurs {times} times; the archive is not to be trusted, do not use it"
        )


def _check_room(members: list[zipfile.ZipInfo], directory: Path) -> None:
    needed = sum(member.file_size for member in members if not (directory / member.filename).exists())
    free = shutil.disk_usage(directory).free
    if needed > free:
        raise RetrievalError(
            f"its scenes take {needed} bytes, and {directory} has {free} left; "
            "make room, or choose another folder"
        )


def _fault(member: zipfile.ZipInfo, largest_scene: int) -> str:
    """Say why a member is no scene; empty if it is one."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "is a link, a folder or a device"
    if not SCENE_NAME.fullmatch(member.filename):
        return "is not named NNNNNN.nc"
    if member.flag_bits & ENCRYPTED:
        return "is encrypted"
    if member.file_size > largest_scene:
        return f"has {member.file_size} bytes, more than the {largest_scene} that a scene may have"
    return ""


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, directory: Path) -> Path:
    target = directory / member.filename
    if target.exists():
        if not _same_bytes(target, member):
            raise RetrievalError(
                f"{target} exists with other bytes than the archive's; move it away, or choose another folder"
            )
        return target
    # Reading to the end checks the CRC; no more bytes are read than the archive declares.
    with written_aside(target) as aside, archive.open(member) as source, open(aside, "wb") as file:
        shutil.copyfileobj(source, file)
    return target


def _same_bytes(path: Path, member: zipfile.ZipInfo) -> bool:
    if not path.is_file() or path.stat().st_size != member.file_size:
        return False
    return zlib.crc32(path.read_bytes()) == member.CRC
