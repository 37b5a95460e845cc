from __future__ import annotations

import psutil
import pytest

from cofilter.core.errors import TooLargeError
from cofilter.core.memory import GIB, require_memory


def test_what_fits_passes_and_what_does_not_is_refused_with_both_figures() -> None:
    require_memory(1, "a byte", "nothing")
    free = psutil.virtual_memory().available
    with pytest.raises(TooLargeError, match=r"^matrices need [\d,]+\.\d GiB .* are free; filter"):
        require_memory(free + 10 * GIB, "matrices", "filter more")
