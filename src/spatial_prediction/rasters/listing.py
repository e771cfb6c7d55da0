"""Which files of a folder are scenes. No file is opened, so that a dry run can afford it."""

from pathlib import Path

from spatial_prediction.errors import ConfigurationError, SceneError

COMPANIONS = (".hdr", ".aux.xml", ".ovr", ".msk", ".tfw", ".wld", ".prj", ".xml", ".json", ".txt", ".md")
"""How names of files end that lie beside rasters and are none."""


def list_scenes(directory: str | Path, pattern: str = "*.nc") -> list[Path]:
    """List the scene files of a folder, sorted by name.

    Hidden files are left out: half-written files have hidden names. So is what lies beside rasters, such as
    headers and ``.aux.xml``, unless ``pattern`` ends like it.

    Args:
        directory: the folder; its subfolders are not searched.
        pattern: shell pattern of the files' names.

    Raises:
        ConfigurationError: ``pattern`` has a folder in it.
        SceneError: the folder does not exist, or none of its files fits ``pattern``.
    """
    directory = Path(directory)
    if not pattern or Path(pattern).name != pattern:
        raise ConfigurationError(
            f"pattern={pattern!r}: must fit file names, without a folder; for example '*.nc'"
        )
    if not directory.is_dir():
        raise SceneError(f"{directory}: no such folder; name the folder that holds the scenes")
    companions = tuple(suffix for suffix in COMPANIONS if not pattern.lower().endswith(suffix))
    scenes = [
        path
        for path in directory.glob(pattern)
        if path.is_file() and not path.name.startswith(".") and not path.name.lower().endswith(companions)
    ]
    if not scenes:
        raise SceneError(f"{directory}: no file fits {pattern!r}; put scenes there or change the pattern")
    return sorted(scenes, key=lambda path: path.name)
