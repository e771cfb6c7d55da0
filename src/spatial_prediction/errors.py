"""Exceptions whose message names the file or argument, its value, and the remedy."""


class SpatialPredictionError(Exception):
    """Root of all errors that a user can mend; scripts print its message without a traceback."""


class ConfigurationError(SpatialPredictionError):
    """The configuration, or an argument that stands for it, is not usable."""


class SceneError(SpatialPredictionError):
    """A scene file cannot be used."""


class RetrievalError(SpatialPredictionError):
    """The published data set could not be fetched or is not what its catalogue says."""


class CheckpointError(SpatialPredictionError):
    """A stored training state or model cannot be used."""


class WriteError(SpatialPredictionError, OSError):
    """A file or folder cannot be written: the disk is full, read-only, or not ours.

    ``errno`` and ``strerror`` are the system's, None where a writer did not pass them on.
    """

    def __init__(self, message: str, *, number: int | None = None, reason: str | None = None) -> None:
        super().__init__(message)
        self.errno, self.strerror = number, reason

    def __str__(self) -> str:
        return str(self.args[0])


class ObservationError(SpatialPredictionError, ValueError):
    """Observations, or coordinates of theirs, cannot be used to condition a Gaussian process."""
