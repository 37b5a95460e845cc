"""Methods that the data cannot train: they are left out by name, and everything else goes on."""

from __future__ import annotations

from cofilter.core.feedback import Feedback
from cofilter.recommender.contract import Contract


def unfit_reason(model: Contract, feedback: Feedback, *, timed: bool) -> str | None:
    """Why these data cannot train this model; None where they can.

    Parameters
    ----------
    feedback:
        What the training ratings are, see `cofilter.core.feedback.feedback_of`.
    timed:
        Whether they have times.
    """
    if model.needs_times and not timed:
        return "it needs times, and these data have none"
    if model.needs_ratings and feedback != "ratings":
        return f"it learns from ratings, and these data are {feedback}"
    return None
