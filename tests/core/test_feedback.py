from __future__ import annotations

import numpy as np
import pytest

from cofilter.core.feedback import Feedback, feedback_of


@pytest.mark.parametrize(
    ("numbers", "scale", "expected"),
    [
        ([1.0, 1.0, 1.0], None, "clicks"),
        ([5.0, 5.0], (1.0, 5.0), "clicks"),  # whatever the source names, they say nothing
        ([4.0], None, "ratings"),
        ([], None, "ratings"),
        ([1.0, 1.0, 2.0, 7.0], None, "counts"),  # half of them once
        ([2.0, 3.0, 4.0, 400.0], None, "counts"),  # a few are huge
        ([1.0, 1.0, 2.0, 7.0], (1.0, 7.0), "ratings"),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 4.0, 4.0], None, "ratings"),
        ([0.0, 0.0, 0.0, 1.0], None, "ratings"),  # thumbs down are no count
        ([1.0, 1.0, 1.5], None, "ratings"),
        ([-3.0, -3.0, -3.0, 9.0], None, "ratings"),
        ([10.0, 55.0, 80.0, 100.0], None, "ratings"),
    ],
)
def test_kinds(numbers: list[float], scale: tuple[float, float] | None, expected: Feedback) -> None:
    assert feedback_of(np.array(numbers), scale) == expected
