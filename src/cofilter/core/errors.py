"""Errors that a user can cause and mend; stages print them as one line, without a stack trace."""

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


def is_interruption(error: BaseException | None) -> bool:
    """Whether ``error`` ends the work from outside (a signal, Ctrl-C), not for a fault in it."""
    return isinstance(error, Interrupted) or not isinstance(error, Exception | None)
