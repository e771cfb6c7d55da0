"""ENVI cubes: the header is kept word by word."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from spatial_prediction.cube_files.protocol import Restored, Write, in_range, metadata_read
from spatial_prediction.cube_files.raw import RawCube, before_samples, layout_of_rows, samples_written
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.files import written_aside
from spatial_prediction.output_files import check_output, only_writer
from spatial_prediction.rasters.attributes import one_number
from spatial_prediction.rasters.envi import SUFFIXES, samples_of
from spatial_prediction.rasters.envi_header import parsed_header, read_header, rows_cut_out
from spatial_prediction.rasters.envi_layout import layout_of


class ENVICube(RawCube):
    """An ENVI cube, a ``Source``.

    Args:
        header: the text file.
        samples: the file of numbers; None: the one beside the header that has its name.
    """

    kind = "ENVI"

    def __init__(self, header: Path, samples: Path | None):
        read = read_header(header)
        samples = samples or samples_of(header)
        layout = layout_of(read)
        layout.check_length(samples)
        metadata = {
            "header": header.read_bytes().decode("utf-8", errors="surrogateescape"),
            "header_name": "appended" if samples.suffix and header.stem == samples.name else "replaced",
            "suffix": samples.suffix.lower(),
        }
        super().__init__(samples, layout, metadata)
        self.files = (samples, header)
        if ignored := read.get("data ignore value"):
            value = one_number("data ignore value", ignored)
            if in_range(value, self.dtype):
                self.nodata = (int(value),)


@contextlib.contextmanager
def envi_written(restored: Restored) -> Iterator[Write]:
    """Write samples and header; a ``Writer``. The header comes last: without it, samples are no cube."""
    with metadata_read(restored.source):
        text = rows_cut_out(restored.metadata["header"], restored.rows, whole=restored.is_whole)
        layout = layout_of(parsed_header(text, restored.source.name))
        if layout != layout_of_rows(restored):
            raise ValueError(f"its header says {layout.in_words()}, {layout.interleave}")
        before = before_samples(restored.metadata)
        samples, header = _names(restored)
    for path in (samples, header):
        check_output(path, {"input": restored.source}, overwrite=restored.overwrite)
    with only_writer(header), only_writer(samples), written_aside(header) as header_aside:
        header_aside.write_bytes(text.encode("utf-8", errors="surrogateescape"))
        with written_aside(samples) as samples_aside:
            with samples_written(samples_aside, layout, before) as write:
                yield write
            header.unlink(missing_ok=True)  # one that stood there would belong to other samples


def _names(restored: Restored) -> tuple[Path, Path]:
    """Give the names of samples and header; either may have been asked for."""
    asked, suffix = restored.path, str(restored.metadata["suffix"])
    if suffix not in SUFFIXES:
        suffix = ".img"
    if asked.suffix.lower() == ".hdr":
        plain = asked.with_suffix("")
        return (
            plain if plain.suffix.lower() in SUFFIXES[1:] else plain.with_name(plain.name + suffix)
        ), asked
    if asked.suffix.lower() not in SUFFIXES:
        raise ConfigurationError(
            f"--out {asked}: what was compressed is ENVI; give the name of a header (.hdr) or of samples "
            f"({', '.join(SUFFIXES[1:])}, or without an ending)"
        )
    if restored.metadata["header_name"] == "appended":
        return asked, asked.with_name(f"{asked.name}.hdr")
    return asked, asked.with_suffix(".hdr")
