"""Errors that a user can cause and mend; stages print them as one line, without a stack trace."""

import errno
import signal


class CofilterError(Exception):
    """Base of all of cofilter's own errors."""


class ConfigError(CofilterError):
    """A configuration key is unknown, has the wrong type or an impossible value."""


class DataError(CofilterError):
    """A table or file does not hold what it should."""


class SourceError(CofilterError):
    """A source of ratings cannot be reached, or gave something else than it promised."""


class LeakError(CofilterError):
    """The parts of a split overlap or do not match their audit."""


class CapabilityError(CofilterError):
    """A model was asked for something that it cannot do."""


class TooLargeError(CofilterError):
    """A method would need more memory than the machine has free."""


class DeviceError(CofilterError):
    """The device named in the configuration is not on this machine."""


class MissingDependencyError(CofilterError):
    """A library that only an extra of cofilter installs is not there."""


class TrackingError(CofilterError):
    """Weights & Biases was asked for something that it refused or could not be asked."""


class DivergedError(CofilterError):
    """The loss of a training is not a finite number any more."""


class CheckpointError(CofilterError):
    """Checkpoints exist but none of them can be used."""


class Interrupted(CofilterError):  # noqa: N818 - it is a request, not an error
    """Training was asked to stop; ``signal_number`` says by which signal."""

    def __init__(self, signal_number: int, message: str = "") -> None:
        super().__init__(message or f"stopped by {signal.Signals(signal_number).name}")
        self.signal_number = signal_number


# What the machine refuses, and what a person can do about it.
_REFUSALS = {
    errno.ENOSPC: "the disk is full; make room and run the same command again",
    errno.EDQUOT: "the disk quota is used up; make room and run the same command again",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.EIO: "the disk reports an error; copy what is there to another one",
    errno.EMFILE: "too many open files; raise the limit (ulimit -n)",
    errno.ENAMETOOLONG: "the name is too long for the file system",
}


def refusal_of_the_machine(error: BaseException) -> str | None:
    """One line for an error of disk, permission or memory; None for a mistake of the programme."""
    if isinstance(error, MemoryError):
        what = f" ({error})" if str(error) else ""
        return f"out of memory{what}; take a smaller model or fewer rows, or a larger machine"
    if not isinstance(error, OSError) or error.errno not in _REFUSALS:
        return None
    return f"{error.filename or 'a file'}: {_REFUSALS[error.errno]}"


def is_interruption(error: BaseException | None) -> bool:
    """Whether ``error`` ends the work from outside (a signal, Ctrl-C), not for a fault in it."""
    return isinstance(error, Interrupted) or not isinstance(error, Exception | None)
