"""What is wrong with a request: a status, the field, and the reason, in one form for everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from cofilter.core.errors import CapabilityError, CofilterError

BODY = "body"
_KINDS = ("constrained-int", "constrained-str", "int", "str")  # pydantic's names in `Id`


class Problem(Exception):  # noqa: N818 - a request's, not the service's error
    """A request that is not answered.

    Attributes
    ----------
    status:
        HTTP status, 4xx.
    field:
        Which part of the request, with dots: ``ratings.0.item``.
    reason:
        What is wrong with it, in a sentence without an end.
    """

    def __init__(self, status: int, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.status, self.field, self.reason = status, field, reason


def of_validation(error: ValidationError) -> Problem:
    """The first thing that a body's model refused."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "json_invalid":
        return Problem(400, BODY, message)
    parts, reason = [str(part) for part in first["loc"]], message[:1].lower() + message[1:]
    if first["type"] == "extra_forbidden":
        reason = "not known here"
    elif parts and parts[-1] in _KINDS:  # which kind of an id a value failed to be says nothing
        parts.pop()
        reason = "an id is expected: a whole number of 64 bits or a text of 1 to 512 characters"
    return Problem(422, ".".join(parts) or BODY, reason)


@contextmanager
def refused(field: str) -> Iterator[None]:
    """Turn what a model refuses into a problem with a field; 422 also where it cannot do it."""
    try:
        yield
    except CapabilityError as error:
        raise Problem(422, "model", str(error)) from None
    except CofilterError as error:
        raise Problem(422, field, str(error)) from None
