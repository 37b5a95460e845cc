from __future__ import annotations

import pandas as pd
import pytest

from cofilter.core.columns import PART, RATING, TIMESTAMP
from cofilter.onboarding.settings import split_for


@pytest.mark.parametrize(
    ("columns", "present", "new", "expected"),
    [
        ([TIMESTAMP], "global_temporal", True, "global_temporal"),
        ([TIMESTAMP], "user_temporal", True, "user_temporal"),
        ([TIMESTAMP], "user_random", True, "global_temporal"),
        ([TIMESTAMP], "user_random", False, "user_random"),  # the owner's choice since
        ([TIMESTAMP], "given", False, "global_temporal"),
        ([], "global_temporal", False, "user_random"),
        ([], "leave_last_out", True, "user_random"),
        ([], "kfold", True, "kfold"),
        ([], "given", True, "user_random"),
        ([PART], "global_temporal", True, "given"),
    ],
)
def test_the_split_is_one_that_the_data_have(
    columns: list[str], present: str, new: bool, expected: str
) -> None:
    assert split_for(pd.DataFrame(columns=[RATING, *columns]), present, new=new) == expected
